"""From collection to administration of an autologous product: chain of identity, gates, and facts as they happened.

Who is blinded sees the same events in every arm: everybody's material is collected and made into a product, the
injection waits for that product's release decision, and a failed manufacture takes one path. What happened to a
product, what was in a syringe and what was given stands in the closed space.
"""

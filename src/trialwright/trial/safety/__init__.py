"""Adverse events: reported, followed, judged on blinded information, and the clocks that run from awareness.

Everything here is the same in every arm, except one thing: whether a suspected reaction was sent to the authorities
after its case was unblinded. That stands in the closed space.
"""

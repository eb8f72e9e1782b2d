"""Sealed lists, randomisation, the one way to an allocation, and the ways of unblinding.

Order of reading: ``preparation`` makes and seals a list, ``commands`` use it position by position, ``gateway``
opens what a recorded use allows, ``proof`` shows afterwards that the list was kept and used in order.
"""

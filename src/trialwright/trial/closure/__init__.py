"""Deviations, breaches, and the way to the end: data cut, freeze, lock, unlock, final unblinding, close."""

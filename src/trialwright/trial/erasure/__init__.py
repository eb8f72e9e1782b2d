"""Forgetting a participant: the keys of their texts are destroyed, by two people, as a fact on record."""

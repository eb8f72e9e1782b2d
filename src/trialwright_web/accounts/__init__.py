"""Credentials: who somebody is. What they may do stands in the record."""

"""Visits and forms: what was seen, typed, corrected, verified and signed."""

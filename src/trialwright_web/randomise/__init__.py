"""Randomising a participant: every gate in the open, the result without the arm."""

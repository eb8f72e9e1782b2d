"""Trialwright: write the trial once; rehearse it, run it, prove it."""

__version__ = "0.1.0"

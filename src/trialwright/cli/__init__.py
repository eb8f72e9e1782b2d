"""The command line. One module per group of commands; the application is put together in :mod:`.application`."""

from trialwright.cli.application import app, main

__all__ = ["app", "main"]

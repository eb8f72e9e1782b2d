"""``python -m trialwright.cli``."""

from trialwright.cli.application import main

main()

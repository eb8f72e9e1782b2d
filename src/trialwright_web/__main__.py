"""``python -m trialwright_web``; see :mod:`trialwright_web.config.commands`."""

from trialwright_web.config.commands import main

if __name__ == "__main__":
    main()

"""The figures that have targets, in one run: ``python benchmarks [--participants 2000]``; what ``make bench`` does.

``ledger.py``, ``randomisation.py`` and ``mixed_models.py`` measure single engines, in scripts of their own.
"""

from __future__ import annotations

import argparse

import durable
import expressions
import restoring
import spine
from figures import show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, help="a larger rehearsal besides; 2,000 take about an hour")
    options = parser.parse_args()
    show("Spine", spine.figures(options.participants))
    show("Expressions", expressions.figures())
    show("Durable saves", durable.figures(durable.SAVES))
    show(f"A record of {restoring.EVENTS:,} events", restoring.figures(restoring.EVENTS))


if __name__ == "__main__":
    main()

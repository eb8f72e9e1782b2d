"""Puts the commands together, and turns every error of a user into three lines instead of a traceback."""

from __future__ import annotations

import gc
import os
import sys
from importlib.metadata import entry_points

import typer

from trialwright.cli import (
    allocation,
    analyse,
    backup,
    drill,
    export,
    keyrings,
    keys,
    record,
    rehearsal,
    simulate,
    study,
)
from trialwright.cli.output import NEGATIVE, print_error
from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol import FindingsError

app = typer.Typer(
    name="trialwright",
    help="Runs a whole clinical trial from one folder of readable files, and rehearses it first.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

# Commands of other modules are added here, in the order in which a study needs them.
rehearsal.add_to(app)
study.add_to(app)
simulate.add_to(app)
record.add_to(app)
backup.add_to(app)
keyrings.add_to(keys.add_to(app))
allocation.add_to(app)
drill.add_to(app)
export.add_to(app)
analyse.add_to(app)


def add_installed_commands() -> None:
    """Add what other packages bring under the entry point ``trialwright.commands``, as the application its ``serve``.

    A package whose own extras are not installed brings nothing.
    """
    for point in sorted(entry_points(group="trialwright.commands"), key=lambda point: point.name):
        try:
            add = point.load()
        except ImportError:
            continue
        add(app)


def main() -> None:
    """Run the command line; exit code 0 yes, 1 a negative answer (findings), 2 wrong usage or bad input."""
    gc.set_threshold(20_000, 20, 50)  # a command makes much and forgets little: the default takes a fifth of its time
    add_installed_commands()
    try:
        app()
    except FindingsError as error:  # a study that is not accepted is an answer, not wrong usage
        print_error(error, as_json="--json" in sys.argv)
        sys.exit(NEGATIVE)
    except TrialwrightError as error:
        print_error(error, as_json="--json" in sys.argv)
        sys.exit(2)
    except BrokenPipeError:  # the reader of a pipe has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)

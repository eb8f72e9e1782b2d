"""``new`` and ``rehearse``: begin a study, and try it before anybody takes part."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trialwright.build import compile_study
from trialwright.cli.output import AsJson, print_json, print_lines
from trialwright.cli.study import Folder, open_study, write_file
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.ids import study_id
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.rehearsal import Rehearsed, Wishes, rehearse, summary
from trialwright.sealing import PrivateKey, write_key
from trialwright.stores import StoreUrlInvalid, open_store
from trialwright.trial.event import Space

TEMPLATE_ID = "my-study"
KEY_PASSWORD = "rehearsal only"  # noqa: S105 - of keys that open nothing real
"""Password of the key files that ``--keys`` writes."""
ACTS_PER_COMMIT = 500
"""A rehearsal can be made again from its seed, to the byte; it need not wait for the disk at every act."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("new")(new)
    app.command("rehearse")(run)


def new(
    folder: Annotated[Path, typer.Argument(help="The folder to make; its name becomes the study's.")],
    as_json: AsJson = False,
) -> None:
    """Make a small working study to start from."""
    name = study_id(folder.name)
    if folder.exists():
        raise InvalidValue(f"{folder} exists already", remedy="name a folder that does not", folder=str(folder))
    with as_file(files("trialwright.protocol") / "template") as template:
        shutil.copytree(template, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    study = folder / "study.yaml"
    text = study.read_text(encoding="utf-8").replace(f"id: {TEMPLATE_ID} ", f"id: {name} ", 1)
    text = text.replace(f"acronym: {TEMPLATE_ID.upper()}", f"acronym: {name.upper()}", 1)
    study.write_text(text, encoding="utf-8")
    made = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if as_json:
        print_json({"folder": str(folder), "study": name, "files": made})
        return
    print_lines([f"{folder}/", *(f"  {path}" for path in made), ""])
    print_lines(["Next:", f"  trialwright check {folder}", f"  trialwright rehearse {folder}"])


def run(
    folder: Folder,
    participants: Annotated[
        int | None, typer.Option("--participants", "-n", help="How many are randomised; as planned by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Everything follows from it.")] = 1,
    scenario: Annotated[str | None, typer.Option(help="A scenario of simulation.yaml.")] = None,
    store: Annotated[
        str, typer.Option(help="sqlite:///PATH.db, postgresql://…/NAME or memory: for the open ledger.")
    ] = "memory:",
    closed_store: Annotated[
        str | None, typer.Option(help="The same for the closed ledger; beside the open one by default.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for the summary and the checkpoints that sites would hold.")
    ] = None,
    amendment: Annotated[bool, typer.Option(help="Let an amendment come in the middle.")] = True,
    until: Annotated[
        datetime | None,
        typer.Option(
            help="Stop on this day (UTC) of the rehearsed time, in the middle of the trial.", formats=["%Y-%m-%d"]
        ),
    ] = None,
    loose_ends: Annotated[
        bool,
        typer.Option(
            "--loose-ends",
            help="With --until: leave forms half filled, questions open, a visit overdue, a clock running.",
        ),
    ] = False,
    keys: Annotated[
        Path | None, typer.Option(help="Folder for the keys that open the rehearsal's allocations.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take virtual participants through the whole study, by the same commands that real ones will use."""
    build = compile_study(open_study(folder))
    wanted = participants if participants is not None else build.study.identity.planned_participants
    wishes = Wishes(
        participants=wanted,
        seed=seed,
        scenario=scenario,
        amendment=amendment,
        until=until.replace(tzinfo=UTC) if until is not None else None,
        loose_ends=loose_ends,
        keep_keys=None if keys is None else partial(_write_key, keys),
    )
    held: dict[Space, list[str]] = {space: [] for space in Space}
    behind = closed_store or beside(store)
    one_space = build.study.identity.blinding.kind == "open"
    if not one_space and behind == store != "memory:":
        raise InvalidValue(
            "both spaces of a blinded study were given one store",
            remedy="give the closed space a database of its own",
            store=store,
        )
    with (
        open_store(store, acts_per_commit=ACTS_PER_COMMIT) as opened,
        nullcontext(opened) if one_space else open_store(behind, acts_per_commit=ACTS_PER_COMMIT) as closed,
    ):
        for address, there in ((store, opened), (behind, closed)):
            if any(name.startswith(f"{build.study.identity.id}/") for name in there.ledger_ids()):
                raise InvalidValue(
                    f"{address} already holds a record of {build.study.identity.id}",
                    remedy="name another store; a record is never overwritten",
                    store=address,
                )
        with _progress(wanted, as_json) as step:
            done = rehearse(build, opened, closed, wishes, step, lambda space, note: held[space].append(note))
        said = summary(done)
        if report is not None:
            _write_report(report, said, done, held)
        if as_json:
            print_json(_as_dict(done, store, seed))
        else:
            Console(soft_wrap=True).print(said, markup=False, highlight=False)
            if report is not None:
                print_lines([f"Report: {report}/summary.md"])


def _write_key(folder: Path, key: PrivateKey) -> None:
    """A rehearsal's key; its password is no secret, because a rehearsal's allocations are none."""
    data = write_key(key, KEY_PASSWORD, SystemEntropy(), work=10)  # so guessing need not be made slow either
    write_file(folder / f"{key.purpose.value}.key", data)


def beside(address: str) -> str:
    """Where the closed space goes when nobody says: ``PATH.closed.db``, database ``NAME_closed``, or memory.

    Raises:
        StoreUrlInvalid: an address that is none of these.
    """
    if address == "memory:":
        return address
    # Options come after the name and may hold a path of their own: ?host=/run/postgresql.
    place, question, options = address.partition("?")
    base, _, name = place.rpartition("/")
    if address.startswith("sqlite:") and name:
        stem, dot, suffix = name.rpartition(".")
        return f"{base}/{stem}.closed.{suffix}" if dot else f"{base}/{name}.closed"
    if address.startswith("postgres") and name:
        return f"{place}_closed{question}{options}"
    raise StoreUrlInvalid(
        f"{address[:80]!a} is not the address of a store",
        remedy="give sqlite:///PATH.db, postgresql://…/NAME or memory:",
    )


@contextmanager
def _progress(participants: int, as_json: bool) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("rehearsing"), BarColumn(), MofNCompleteColumn(), TextColumn("stages"), TimeElapsedColumn())
    # Each participant counts twice: when randomised and when finished.
    with Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal) as bar:
        task = bar.add_task("", total=2 * participants)
        yield lambda done: bar.update(task, completed=done)


def _as_dict(done: Rehearsed, store: str, seed: int) -> dict[str, object]:
    return {
        "study": done.trial.study,
        "build": next(iter(done.trial.builds)),
        "mode": done.mode,
        "seed": seed,
        "store": store,
        "participants": done.participants,
        "screened": done.screened,
        "events": done.events,
        "closed_events": done.closed_events,
        "root": done.root,
        "closed_root": done.closed_root,
        "ended": done.ended.isoformat(),
        "checkpoint_key": done.checkpoint_key,
        "acts": dict(sorted(done.told.items())),
        "refused": {f"{t.command} {t.refusal}": n for t, n in sorted(done.refused.items(), key=str)},
    }


def _write_report(folder: Path, said: str, done: Rehearsed, held: dict[Space, list[str]]) -> None:
    write_file(folder / "summary.md", said.encode())
    write_file(folder / "checkpoint-key.txt", f"{done.checkpoint_key}\n".encode())
    for space, notes in held.items():
        if notes:
            write_file(folder / f"checkpoint-{space.value}.txt", notes[-1].encode())

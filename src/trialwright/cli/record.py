"""``verify``: is a record sound, and how far is it proven? ``erase``: do what two people decided to forget."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from trialwright.cli.output import NEGATIVE, AsJson, print_json, print_lines
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.foundation.ports import Clock
from trialwright.ledger import VerifierKey, parse_checkpoint, verify_export, verify_ledger
from trialwright.ledger.port import Store
from trialwright.ledger.verify import Report
from trialwright.stores import open_store
from trialwright.trial.dispatch import Trial
from trialwright.trial.erasure.carrying_out import carry_out_erasures, shredded
from trialwright.trial.erasure.escrow import copies
from trialwright.trial.event import Space, decode
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.setup.events import StudyCreated


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("verify")(verify)
    app.command("erase")(erase)


def verify(
    record: Annotated[str, typer.Argument(help="Address of a store, or an exported ledger (folder or zip).")],
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint that somebody kept outside; may be repeated.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="A public key that you trust, or a file with it; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a record. Exit code 1 where something is wrong, or nothing is proven by a checkpoint held outside."""
    keys = trusted_keys(key or [])
    notes = {str(path): read_text(path) for path in checkpoint or []}
    gone: dict[str, int] = {}
    if "://" in record:
        reports, gone = _verify_store(record, notes, keys)
    else:
        reports = [verify_export(Path(record), outside=notes, keys=keys)]
    if as_json:
        print_json(
            {"ledgers": [_as_dict(report) | {"shredded": gone.get(report.ledger_id, 0)} for report in reports]}
        )
    else:
        print_lines("\n\n".join(_words(report, gone) for report in reports).splitlines())
    spoken_for = [report for report in reports if "/security-" not in report.ledger_id]
    if any(report.fault for report in reports) or not any(report.covered for report in spoken_for):
        raise typer.Exit(NEGATIVE)


def study_of(store: Store, address: str) -> tuple[str, Space]:
    """The study that a store holds, and which of its spaces.

    Raises:
        InvalidValue: none.
    """
    for space in Space:
        for ledger_id in store.ledger_ids():
            if ledger_id.endswith(f"/{space.value}"):
                return ledger_id.removesuffix(f"/{space.value}"), space
    raise InvalidValue(f"{address} holds no study", remedy="give the store of a study", store=address)


def created(store: Store, study: str) -> StudyCreated:
    """The first event of a study's open ledger.

    Raises:
        InvalidValue: the ledger does not begin with it.
    """
    for entry in store.ledger(f"{study}/open").read(limit=1):
        if entry.type == StudyCreated.TYPE:
            found = decode(StudyCreated, json.loads(entry.body)["data"])
            assert isinstance(found, StudyCreated)
            return found
    raise InvalidValue(f"the record of {study} has no beginning", remedy="verify it", study=study)


def running_trial(study: str, opened: Store, closed: Store | None, clock: Clock | None = None) -> Trial:
    """The trial of a record, as its own builds and mode say.

    Args:
        study: its id.
        opened, closed: the stores; the same one twice for a study with one space.
        clock: the machine's by default.
    """
    return Trial(
        study,
        open_store=opened,
        closed_store=closed,
        builds=builds_on_record(opened.ledger(f"{study}/open")),
        clock=clock or SystemClock(),
        entropy=SystemEntropy(),
        mode=created(opened, study).mode,
    )


def erase(
    record: Annotated[str, typer.Argument(help="Address of the store of the open space.")],
    closed: Annotated[str | None, typer.Option(help="Address of the store of the closed space.")] = None,
) -> None:
    """Destroy the keys that two people decided to destroy, fold the views again and clean the database files.

    Exit code 1 where a copy of a keyring in escrow still holds such keys.
    """
    with ExitStack() as stores:
        opened = stores.enter_context(open_store(record, create=False))
        study, space = study_of(opened, record)
        if space is not Space.OPEN:
            raise InvalidValue(f"{record} holds the closed space", remedy="give the open store, this one as --closed")
        if created(opened, study).blinding == "open":
            second: Store | None = opened
        else:
            second = stores.enter_context(open_store(closed, create=False)) if closed else None
        done = carry_out_erasures(running_trial(study, opened, second))
        stores_of = (opened,) if second is None or second is opened else (opened, second)
        left = [one for store in stores_of for one in copies(store.keyring) if one.destroyed_since]
    print_lines([f"{len(done.participants)} participants forgotten, {done.keys} keys destroyed now"])
    if left:
        print_lines(
            f"NOT DONE: copy {one.about.copy} of {one.about.ledger}, made {one.about.made_at}, still holds destroyed "
            f"keys. Its keeper {one.about.keeper} destroys it; then keys copy-destroyed"
            for one in left
        )
        raise typer.Exit(NEGATIVE)


def _words(report: Report, gone: dict[str, int]) -> str:
    count = gone.get(report.ledger_id, 0)
    return f"{report}\n{count} entries shredded, hashes intact" if count and not report.fault else str(report)


def _verify_store(
    address: str, notes: dict[str, str], keys: Iterable[VerifierKey]
) -> tuple[list[Report], dict[str, int]]:
    """The reports, and how many entries of each ledger hold texts whose keys were destroyed."""
    trusted = list(keys)
    with open_store(address, create=False) as store:
        study_of(store, address)
        reports, gone = [], {}
        for ledger_id in store.ledger_ids():
            outside = {label: text for label, text in notes.items() if parse_checkpoint(text).origin == ledger_id}
            inside = store.checkpoints(ledger_id)
            report = verify_ledger(store.ledger(ledger_id), outside=outside, keys=trusted, inside=inside)
            reports.append(report)
            if not report.fault:
                gone[ledger_id] = shredded(store.ledger(ledger_id), store.keyring)
    strangers = {parse_checkpoint(text).origin for text in notes.values()} - {r.ledger_id for r in reports}
    if strangers:
        raise InvalidValue(
            f"a checkpoint is of {', '.join(sorted(strangers))}, which {address} does not hold",
            remedy="give the checkpoints of this record",
            store=address,
        )
    return reports, gone


def _as_dict(report: Report) -> dict[str, object]:
    fault = report.fault
    return {
        "ledger": report.ledger_id,
        "size": report.size,
        "root": report.root,
        "fault": {"kind": fault.kind, "entry": fault.seq, "message": fault.message} if fault else None,
        "covered": report.covered,
        "covered_by": report.covered_by,
        "unproven": report.size - report.covered,
    }


def trusted_keys(texts: Iterable[str]) -> list[VerifierKey]:
    """Keys given as ``name+hash+key``, or as files that hold one.

    Raises:
        CheckpointMalformed: not a key.
        InvalidValue: not a file that can be read.
    """
    return [VerifierKey.parse(text if "+" in text else read_text(Path(text)).strip()) for text in texts]


def read_text(path: Path) -> str:
    """A text file's content.

    Raises:
        InvalidValue: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{path} cannot be read", remedy="give a text file that exists", file=str(path)) from error

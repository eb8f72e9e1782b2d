"""``verify``: is a record sound, and how far is it proven?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from trialwright.cli.output import NEGATIVE, AsJson, print_json, print_lines
from trialwright.foundation.errors import InvalidValue
from trialwright.ledger import VerifierKey, parse_checkpoint, verify_export, verify_ledger
from trialwright.ledger.port import Store
from trialwright.ledger.verify import Report
from trialwright.stores import open_store
from trialwright.trial.event import Space


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("verify")(verify)


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
    keys = [VerifierKey.parse(_key_text(text)) for text in key or []]
    notes = {str(path): _read(path) for path in checkpoint or []}
    if "://" in record:
        reports = _verify_store(record, notes, keys)
    else:
        reports = [verify_export(Path(record), outside=notes, keys=keys)]
    if as_json:
        print_json({"ledgers": [_as_dict(report) for report in reports]})
    else:
        print_lines("\n\n".join(str(report) for report in reports).splitlines())
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


def _verify_store(address: str, notes: dict[str, str], keys: Iterable[VerifierKey]) -> list[Report]:
    trusted = list(keys)
    with open_store(address, create=False) as store:
        study_of(store, address)
        reports = []
        for ledger_id in store.ledger_ids():
            outside = {label: text for label, text in notes.items() if parse_checkpoint(text).origin == ledger_id}
            inside = store.checkpoints(ledger_id)
            reports.append(verify_ledger(store.ledger(ledger_id), outside=outside, keys=trusted, inside=inside))
    strangers = {parse_checkpoint(text).origin for text in notes.values()} - {r.ledger_id for r in reports}
    if strangers:
        raise InvalidValue(
            f"a checkpoint is of {', '.join(sorted(strangers))}, which {address} does not hold",
            remedy="give the checkpoints of this record",
            store=address,
        )
    return reports


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


def _key_text(text: str) -> str:
    return text if "+" in text else _read(Path(text)).strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{path} cannot be read", remedy="give a text file that exists", file=str(path)) from error

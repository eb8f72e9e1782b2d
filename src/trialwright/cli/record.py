"""``verify`` and ``export``: what can be asked of a record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from trialwright.build import Build
from trialwright.cli.output import NEGATIVE, AsJson, print_json, print_lines
from trialwright.exports import FORMATS, ITEM_COLUMNS, labelled_items, view_rows, write_table
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.ledger import VerifierKey, parse_checkpoint, verify_export, verify_ledger, write_export
from trialwright.ledger.port import Store
from trialwright.ledger.verify import Report
from trialwright.protocol import Role
from trialwright.stores import open_store
from trialwright.trial.audit import audit_trail
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.setup.builds import builds_on_record

TRAIL_COLUMNS = {
    "at": "Time (UTC)",
    "local": "Local time with offset",
    "zone": "Time zone",
    "happened": "When it is said to have happened",
    "actor": "Who",
    "role": "Role at the time",
    "organisation": "Organisation at the time",
    "space": "Space",
    "what": "What happened",
    "about": "About",
    "field": "Field",
    "old": "Value before",
    "new": "Value after",
    "reason": "Reason",
    "build": "Build in force",
    "request_id": "Request",
}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("verify")(verify)
    app.command("export")(export)


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


def export(
    store: Annotated[str, typer.Argument(help="Address of the store.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")],
    format_: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "csv",
    language: Annotated[str, typer.Option(help="Language of the labels.")] = "en",
    ledger: Annotated[bool, typer.Option(help="Also the ledgers themselves, to be verified anywhere.")] = True,
    as_json: AsJson = False,
) -> None:
    """Write every item value with labels, every view, and the ledger, from a store."""
    written: dict[str, int] = {}
    with open_store(store, create=False) as opened:
        study, space = _study_of(opened, store)
        if output.exists() and any(output.iterdir()):
            raise InvalidValue(f"{output} is not empty", remedy="name a new folder", folder=str(output))
        output.mkdir(parents=True, exist_ok=True)
        if space is Space.OPEN:
            builds = builds_on_record(opened.ledger(f"{study}/open"))
            rows = labelled_items(opened.rows, builds, language)
            written["items"] = write_table(rows, ITEM_COLUMNS, output / f"items.{format_}", format_)
        for name, columns, found in view_rows(opened.rows, space):
            written[name] = write_table(found, columns, output / f"{name}.{format_}", format_)
        if space is Space.OPEN:
            trail = (asdict(row) for row in audit_trail(_reader(study, opened, builds), role=Role.INSPECTOR))
            written["audit_trail"] = write_table(trail, TRAIL_COLUMNS, output / f"audit_trail.{format_}", format_)
        if ledger:
            for ledger_id in opened.ledger_ids():
                target = output / f"ledger-{ledger_id.replace('/', '-')}.zip"
                head = write_export(opened.ledger(ledger_id), target, checkpoints=opened.checkpoints(ledger_id))
                written[target.name] = head.size
    if as_json:
        print_json({"study": study, "space": space.value, "folder": str(output), "rows": written})
    else:
        print_lines(f"{n:>9,}  {name}" for name, n in written.items())


def _reader(study: str, store: Store, builds: dict[str, Build]) -> Trial:
    """The trial of a store, for reading."""
    return Trial(
        study,
        open_store=store,
        closed_store=None,
        builds=builds,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        mode="",
    )


def _study_of(store: Store, address: str) -> tuple[str, Space]:
    for space in Space:
        for ledger_id in store.ledger_ids():
            if ledger_id.endswith(f"/{space.value}"):
                return ledger_id.removesuffix(f"/{space.value}"), space
    raise InvalidValue(f"{address} holds no study", remedy="give the store of a study", store=address)


def _verify_store(address: str, notes: dict[str, str], keys: Iterable[VerifierKey]) -> list[Report]:
    trusted = list(keys)
    with open_store(address, create=False) as store:
        _study_of(store, address)
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

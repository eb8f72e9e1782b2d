"""``export``: what leaves a record, as files. Without a kind it is everything, as tables anybody can read."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from trialwright.build import Build
from trialwright.cli.output import AsJson, print_json, print_lines
from trialwright.cli.record import study_of
from trialwright.cli.study import open_build
from trialwright.exports import FORMATS, ITEM_COLUMNS, labelled_items, view_rows, write_table
from trialwright.exports.annotated import write_form_pages
from trialwright.exports.archive import History, write_archive
from trialwright.exports.files import FORMATS as DATASET_FORMATS
from trialwright.exports.files import Change, write_package
from trialwright.exports.odm import VERSIONS as ODM_VERSIONS
from trialwright.exports.odm import write_odm
from trialwright.exports.sdtm import Kind, Note, SdtmExport, guide_page, sdtm_of_store
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.ledger import write_export
from trialwright.ledger.port import Store
from trialwright.protocol import Role
from trialwright.stores import open_store
from trialwright.trial.attachments.events import FileAttached
from trialwright.trial.audit import audit_trail
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.setup.state import StudySetup

EVERYTHING = "record"
"""The kind of export that is meant where none is named."""
GUIDE = "reviewers-guide.md"

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


class _Kinds(TyperGroup):
    """``export STORE`` means ``export record STORE``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # as its callers
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [EVERYTHING, *args]
        return super().parse_args(ctx, args)


kinds = typer.Typer(
    cls=_Kinds, no_args_is_help=True, help="Write what a record holds: everything, or data sets of a standard."
)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    kinds.command(EVERYTHING)(export)
    kinds.command("sdtm")(export_sdtm)
    kinds.command("odm")(export_odm)
    kinds.command("crf")(export_crf)
    kinds.command("archive")(export_archive)
    app.add_typer(kinds, name="export")


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
        study, space = study_of(opened, store)
        new_folder(output)
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


def export_sdtm(
    store: Annotated[str, typer.Argument(help="Address of the store of the open space.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to; new or empty.")],
    format_: Annotated[str, typer.Option("--format", help=f"One of {', '.join(DATASET_FORMATS)}.")] = "dataset-json",
    closed: Annotated[
        str | None,
        typer.Option(help="Address of the closed space's store, once the study is unblinded; without it, a dummy."),
    ] = None,
    language: Annotated[str, typer.Option(help="Language of labels and texts.")] = "en",
    forms: Annotated[
        bool, typer.Option("--forms", help="Also the annotated forms, which define.xml then refers to.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write SDTM data sets (SDTMIG 3.4), define.xml and the reviewer's guide, from a store."""
    made, build = _sdtm(store, closed, language)
    new_folder(output)
    annotated = write_form_pages(build, output, language=language)[1].name if forms else None
    changes = write_package(made.package, output, format_, annotated_form=annotated)
    notes = [*made.notes, *(_changed(change) for change in changes)]
    page = guide_page(made.package, notes)
    (output / GUIDE).write_text(page, encoding="utf-8")
    written = {dataset.name: len(dataset.rows) for dataset in made.package.datasets}
    if as_json:
        print_json(
            {
                "study": made.package.study,
                "folder": str(output),
                "watermark": made.package.watermark,
                "rows": written,
                "notes": [asdict(note) | {"kind": note.kind.name.lower()} for note in notes],
            }
        )
        return
    print_lines(f"{n:>9,}  {name}" for name, n in written.items())
    if made.package.watermark:
        print_lines([made.package.watermark])
    print_lines([f"{len(notes)} notes in {GUIDE}"])


def export_odm(
    store: Annotated[str, typer.Argument(help="Address of the store of the open space.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to; new or empty.")],
    version: Annotated[str, typer.Option(help=f"One of {', '.join(ODM_VERSIONS)}.")] = "1.3.2",
    closed: Annotated[
        str | None, typer.Option(help="Address of the closed space's store, once the study is unblinded.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write CDISC ODM, from a store: metadata with the data as they stand, and with every change and its audit."""
    with ExitStack() as stack:
        study, opened, second = _spaces(stack, store, closed)
        new_folder(output)
        written = write_odm(study, opened, output, version, closed_store=second)
    if as_json:
        print_json({"study": study, "version": version, "folder": str(output), "values": written})
    else:
        print_lines(f"{n:>9,}  {name}" for name, n in written.items())


def export_crf(
    folder: Annotated[Path, typer.Argument(help="A study folder, or the file of a build.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to; new or empty.")],
    language: Annotated[str | None, typer.Option(help="Language of the texts; the study's first by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the annotated case-report forms of a study, as HTML and PDF."""
    build = open_build(folder)
    new_folder(output)
    paths = write_form_pages(build, output, language=language)
    if as_json:
        print_json({"study": build.study.identity.id, "build": build.id, "files": [str(path) for path in paths]})
    else:
        print_lines(str(path) for path in paths)


def export_archive(
    store: Annotated[str, typer.Argument(help="Address of the store of the open space.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to; new or empty.")],
    attachments: Annotated[
        Path | None, typer.Option(help="Folder with the attached files, each named by its SHA-256.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the archive that opens without Trialwright: ledgers, proofs, attachments, and the history as pages."""

    def fetch(digest: str) -> bytes | None:
        path = (attachments or Path()) / digest
        return path.read_bytes() if path.is_file() else None

    with ExitStack() as stack:
        study, opened, _ = _spaces(stack, store, None)
        new_folder(output)
        trial = _reader(study, opened, builds_on_record(opened.ledger(f"{study}/open")))
        made = write_archive(history_of(trial), opened, output, fetch if attachments is not None else None)
    if as_json:
        print_json({"study": study, "folder": str(output), **asdict(made)})
        return
    print_lines(f"{n:>9,}  {name}" for name, n in made.entries.items())
    print_lines([f"{made.participants:>9,}  participants", f"{made.attachments:>9,}  attached files"])
    if made.absent:
        print_lines([f"{len(made.absent):>9,}  attached files ABSENT: give --attachments"])


def history_of(trial: Trial) -> History:
    """What the archive tells of a running trial's open space."""
    return History(
        study=trial.study,
        mode=trial.state().of(StudySetup).mode,
        attached=tuple(f.event for f in trial.facts(Space.OPEN) if isinstance(f.event, FileAttached)),
        trail=lambda participant: audit_trail(trial, role=Role.INSPECTOR, participant=participant),
    )


def _changed(change: Change) -> Note:
    about = f"{change.dataset}.{change.variable} row {change.row}"
    return Note(Kind.FORMAT_CHANGED, about, f"{change.was!r} became {change.became!r}: {change.why}")


def _sdtm(store: str, closed: str | None, language: str) -> tuple[SdtmExport, Build]:
    """The package, and the build approved last, whose forms it refers to."""
    with ExitStack() as stack:
        study, opened, second = _spaces(stack, store, closed)
        made = sdtm_of_store(study, opened, second, language=language)
        return made, list(builds_on_record(opened.ledger(f"{study}/open")).values())[-1]


def _spaces(stack: ExitStack, store: str, closed: str | None) -> tuple[str, Store, Store | None]:
    """The study, its open store, and its closed one if it was named; open until the stack is left.

    Raises:
        InvalidValue: an address is not that of the space it is given for.
    """
    opened = stack.enter_context(open_store(store, create=False))
    study, space = study_of(opened, store)
    if space is not Space.OPEN:
        raise InvalidValue(
            f"{store} holds the closed space", remedy="give the open store first, and this one as --closed"
        )
    if closed is None:
        return study, opened, None
    second = stack.enter_context(open_store(closed, create=False))
    if study_of(second, closed) != (study, Space.CLOSED):
        raise InvalidValue(f"{closed} is not the closed space of {study}", remedy="give its closed store")
    return study, opened, second


def new_folder(output: Path) -> None:
    """Make a folder to export to.

    Raises:
        InvalidValue: something is in it.
    """
    if output.exists() and any(output.iterdir()):
        raise InvalidValue(f"{output} is not empty", remedy="name a new folder", folder=str(output))
    output.mkdir(parents=True, exist_ok=True)


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

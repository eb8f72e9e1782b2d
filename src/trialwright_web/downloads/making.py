"""Making an export: by the worker, for one desk, into one zip file whose bytes follow from the record alone."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from django.contrib.auth import get_user_model

from trialwright.exports import ITEM_COLUMNS, labelled_items, view_rows, write_table
from trialwright.exports.annotated import write_form_pages
from trialwright.exports.archive import History, write_archive
from trialwright.exports.files import write_package
from trialwright.exports.odm import write_odm
from trialwright.exports.sdtm import guide_page, sdtm_of_store
from trialwright.foundation.errors import Refusal
from trialwright.foundation.tables import Row
from trialwright.ledger import write_export
from trialwright.protocol.roles import SITE_ROLES
from trialwright.trial.attachments.events import FileAttached
from trialwright.trial.audit import audit_trail
from trialwright.trial.event import Space
from trialwright.trial.site_copy import streams_of_site
from trialwright_web.downloads.rights import kinds_for
from trialwright_web.shell.desk import Desk, desk_of
from trialwright_web.shell.jobs import Job
from trialwright_web.shell.rights import Reader

FIXED = (1980, 1, 1, 0, 0, 0)
"""The date of every file in an archive, so that equal data are equal bytes."""


class RightEnded(Refusal):
    """Whoever asked no longer holds the role, or the role may not have this."""

    code = "downloads.right_ended"


def make(job: Job, target: Path) -> None:
    """Make what the job asks for; begun twice, it makes the same.

    Raises:
        RightEnded: rights are those of now, not of when it was asked for.
    """
    account = get_user_model().objects.get(pk=job.account_id)
    desk = desk_of(account, job.study, job.place, str(job.arguments.get("language", "en")))
    if desk is None or job.kind not in {kind.name for kind in kinds_for(desk.role)}:
        raise RightEnded(f"{job.kind} is not for {job.place}", remedy="ask at a desk that you hold", kind=job.kind)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        folder = Path(temporary) / "content"
        folder.mkdir()
        _MAKERS[job.kind](desk, folder, str(job.arguments.get("format", "csv")))
        archive = Path(temporary) / "archive.zip"
        _pack(folder, archive)
        archive.chmod(0o600)
        archive.replace(target)


def _items(desk: Desk, folder: Path, format_: str) -> None:
    rows = Reader(desk).items(labelled_items(desk.rows, desk.builds, desk.language))
    write_table(rows, ITEM_COLUMNS, folder / f"items.{format_}", format_)


def _views(desk: Desk, folder: Path, format_: str) -> None:
    reader = Reader(desk)
    for space in _spaces(desk):
        for name, columns, rows in view_rows(desk.trial.stores[space].rows, space):
            found: list[Row] = list(reader.rows(rows))
            write_table(found, columns, folder / f"{name}.{format_}", format_)


def _ledger(desk: Desk, folder: Path, _format: str) -> None:
    for space in _spaces(desk):
        ledger = desk.trial.ledgers[space]
        notes = desk.trial.stores[space].checkpoints(ledger.ledger_id)
        whole = desk.role not in SITE_ROLES or desk.site is None
        shown = None if whole else streams_of_site(desk.trial, desk.site or "")
        write_export(ledger, folder / ledger.ledger_id.replace("/", "-"), checkpoints=notes, shown=shown)


def _odm(desk: Desk, folder: Path, version: str) -> None:
    write_odm(desk.study, desk.trial.stores[Space.OPEN], folder, version)


def _sdtm(desk: Desk, folder: Path, format_: str) -> None:
    """Of the open space alone, in either process: the arms are the dummy's."""
    made = sdtm_of_store(desk.study, desk.trial.stores[Space.OPEN], None, language=desk.language)
    write_package(made.package, folder, format_)
    (folder / "reviewers-guide.md").write_text(guide_page(made.package, made.notes), encoding="utf-8")


def _codebook(desk: Desk, folder: Path, _format: str) -> None:
    write_form_pages(desk.build, folder, language=desk.language)


def _archive(desk: Desk, folder: Path, _format: str) -> None:
    trial = desk.trial
    history = History(
        study=desk.study,
        mode=desk.mode,
        attached=tuple(fact.event for fact in trial.facts(Space.OPEN) if isinstance(fact.event, FileAttached)),
        trail=lambda participant: audit_trail(trial, role=desk.role, participant=participant),
    )
    write_archive(history, trial.stores[Space.OPEN], folder)


def _spaces(desk: Desk) -> tuple[Space, ...]:
    """Both only where the process holds both and the role may know."""
    both = Space.CLOSED in desk.trial.stores and not desk.trial.one_space and desk.is_unblinded
    return (Space.OPEN, Space.CLOSED) if both else (Space.OPEN,)


_MAKERS: Mapping[str, Callable[[Desk, Path, str], None]] = {
    "items": _items,
    "views": _views,
    "odm": _odm,
    "sdtm": _sdtm,
    "codebook": _codebook,
    "archive": _archive,
    "ledger": _ledger,
}


def _pack(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), FIXED)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o600 << 16
                with path.open("rb") as source, packed.open(entry, "w", force_zip64=True) as out:
                    while block := source.read(1 << 20):
                        out.write(block)

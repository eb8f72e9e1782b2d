"""The archive of a study: everything that a person needs to read and to verify it in thirty years, without us.

=======================  ===========================================================================================
``README.txt``           what lies where, and how to verify it
``timeline/``            the whole history as pages for any browser: of the study, and of each participant
``ledger-*/``            each ledger: entries byte for byte, checkpoints, ``verify.py``
``participants/*.zip``   each participant's entries with inclusion proofs; each verifies alone
``attachments/``         attached files under their hashes; an index says what each is
``manifest.txt``         SHA-256 of every other file, in the format of ``sha256sum``
=======================  ===========================================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import chain
from pathlib import Path

from trialwright.foundation.errors import InvalidValue
from trialwright.ledger import parse_checkpoint, write_export, write_stream
from trialwright.ledger.port import Store
from trialwright.trial.attachments.events import FileAttached
from trialwright.trial.trail import AuditRow

PARTICIPANT = "participant/"
MANIFEST = "manifest.txt"
SUFFIXES = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "text/plain": ".txt"}
STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#111}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;
border-bottom:1px solid #ccc;overflow-wrap:anywhere}th{position:sticky;top:0;background:#fff}del{color:#8a1c1c}
.banner{background:#fff3c4;padding:.6rem 1rem;font-weight:600}@media print{th{position:static}}"""
HEADINGS = ("Time (UTC)", "Local", "Who", "What", "About", "Field", "Before → after", "Reason")


@dataclass(frozen=True)
class History:
    """What the archive tells of a study beside the bytes of its ledgers.

    Attributes:
        study: id.
        mode: production, test or rehearsal.
        attached: every file that was attached.
        trail: the audit trail as an inspector sees it: whole for None, else of one participant.
    """

    study: str
    mode: str
    attached: tuple[FileAttached, ...]
    trail: Callable[[str | None], Iterable[AuditRow]]


@dataclass(frozen=True)
class Archived:
    """What was written.

    Attributes:
        entries: ledger → number of entries.
        participants: files of participants.
        attachments: files copied.
        absent: hashes of attached files that could not be had; the archive says so, too.
    """

    entries: dict[str, int]
    participants: int
    attachments: int
    absent: tuple[str, ...]


def write_archive(
    history: History, store: Store, target: Path, fetch: Callable[[str], bytes | None] | None = None
) -> Archived:
    """Write the archive of one space to an empty folder.

    Args:
        history: of the space.
        store: of the space.
        target: an empty folder that exists.
        fetch: hash (hex) of an attached file → its bytes, or None where it cannot be had; without it none is copied.

    Raises:
        InvalidValue: the folder is not empty, or an attached file is not what its hash says.
    """
    if not target.is_dir() or any(target.iterdir()):
        raise InvalidValue(f"{target} is not an empty folder", remedy="name a new folder", folder=str(target))
    ledger = store.ledger(f"{history.study}/open")
    entries = {}
    for name in store.ledger_ids():
        head = write_export(store.ledger(name), target / _ledger_folder(name), checkpoints=store.checkpoints(name))
        entries[name] = head.size
    streams = ledger.streams(PARTICIPANT)
    codes = [stream.removeprefix(PARTICIPANT) for stream in streams]
    notes = store.checkpoints(ledger.ledger_id)
    newest = max(notes, key=lambda note: parse_checkpoint(note).size, default=None)
    (target / "participants").mkdir()
    for stream, code in zip(streams, codes, strict=True) if newest is not None else ():
        write_stream(ledger, stream, newest or "", target / "participants" / f"{code}.zip")
    absent = _write_attachments(history.attached, target / "attachments", fetch)
    _write_timeline(history, codes, target / "timeline")
    (target / "README.txt").write_text(_readme(history, entries, absent), encoding="utf-8")
    _write_manifest(target)
    copied = len({event.digest for event in history.attached}) - len(absent)
    return Archived(entries, len(codes) if newest is not None else 0, copied, absent)


def _ledger_folder(name: str) -> str:
    return f"ledger-{name.replace('/', '-')}"


def _write_attachments(
    attached: tuple[FileAttached, ...], folder: Path, fetch: Callable[[str], bytes | None] | None
) -> tuple[str, ...]:
    folder.mkdir()
    absent, lines = [], []
    for event in {event.digest: event for event in attached}.values():
        name = event.digest + SUFFIXES.get(event.media_type, "")
        where = f"{event.participant} {event.encounter} {event.form}"
        content = fetch(event.digest) if fetch is not None else None
        if content is None:
            absent.append(event.digest)
            lines.append(f"{name}\tABSENT\t{where}\t{event.text}")
            continue
        if hashlib.sha256(content).hexdigest() != event.digest:
            raise InvalidValue(
                f"the file {event.digest[:12]}… is not what the record says", remedy="restore it from the backup"
            )
        (folder / name).write_bytes(content)
        lines.append(f"{name}\t{event.size} bytes\t{where}\t{event.text}")
    (folder / "index.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return tuple(absent)


def _write_timeline(history: History, codes: list[str], folder: Path) -> None:
    folder.mkdir()
    study, mode = history.study, history.mode
    links = "".join(f'<li><a href="{escape(code)}.html">{escape(code)}</a></li>\n' for code in codes)
    whole = (row for row in history.trail(None) if not row.about.startswith("participant "))
    about = f"<h2>Participants</h2>\n<ul>\n{links}</ul>\n<h2>The study</h2>\n"
    _write_page(folder / "index.html", f"{study}: the record", mode, about, whole)
    for code in codes:
        rows = history.trail(code)
        back = '<p><a href="index.html">All participants, and the study</a></p>\n'
        _write_page(folder / f"{code}.html", f"{study}: {code}", mode, back, rows)


def _write_page(target: Path, title: str, mode: str, before: str, rows: Iterable[AuditRow]) -> None:
    banner = f'<p class="banner">This is a {escape(mode)}: nobody took part.</p>\n' if mode != "production" else ""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in HEADINGS)
    with target.open("w", encoding="utf-8") as page:
        page.writelines(
            chain(
                (
                    '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">\n',
                    f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n<body>\n{banner}",
                    f"<h1>{escape(title)}</h1>\n{before}<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n",
                ),
                map(_table_row, rows),
                ("</tbody>\n</table>\n</body>\n</html>\n",),
            )
        )


def _table_row(row: AuditRow) -> str:
    who = f"{row.actor} ({row.role.replace('_', ' ')}, {row.organisation})"
    change = escape(row.new or "")
    if row.old is not None:
        change = f"<del>{escape(row.old)}</del> → <ins>{change}</ins>"
    local = f"{row.local} {row.zone}" + (f"; happened {row.happened}" if row.happened else "")
    texts = (row.at, local, who, row.what, row.about, row.field)
    cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    return f"<tr>{cells}<td>{change}</td><td>{escape(row.reason or '')}</td></tr>\n"


def _readme(history: History, entries: dict[str, int], absent: tuple[str, ...]) -> str:
    folder = _ledger_folder(f"{history.study}/open")
    counted = "".join(f"  {_ledger_folder(name)}: {size} entries\n" for name, size in entries.items())
    missing = (
        f"\n{len(absent)} attached files could not be had; attachments/index.txt names them.\n" if absent else ""
    )
    return f"""The record of the study {history.study}

To read it: open timeline/index.html in a browser. Everything stands there as it was recorded, who, when and why,
with the value before each correction.

To verify it: you need Python 3.8 or later, a checkpoint that you or somebody you trust kept while the study ran,
and the signer's public key from a place that you trust.

  python {folder}/verify.py {folder} --checkpoint RECEIPT.txt --key KEY
  python {folder}/verify.py participants/CODE.zip --checkpoint {folder}/checkpoints/LAST.txt --key KEY

The second line proves one participant's file against a checkpoint of this archive: as good as that checkpoint is.
Attached files lie under the SHA-256 of their bytes, which the record names. manifest.txt: sha256sum -c manifest.txt

{counted}{missing}"""


def _write_manifest(target: Path) -> None:
    with (target / MANIFEST).open("w", encoding="utf-8") as out:
        out.writelines(f"{digest}  {name}\n" for name, digest in sorted(_digests(target)))


def _digests(target: Path) -> Iterator[tuple[str, str]]:
    for path in target.rglob("*"):
        if path.is_file() and path.name != MANIFEST:
            with path.open("rb") as file:
                yield path.relative_to(target).as_posix(), hashlib.file_digest(file, "sha256").hexdigest()

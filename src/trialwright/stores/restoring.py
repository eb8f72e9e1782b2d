"""A backup put back: nothing is overwritten, nothing is believed, and what is missing is said.

Every ledger is verified against checkpoints that others kept, before the databases get their names. A ledger with a
fault is refused. One that is whole but shorter than such a checkpoint comes back, and stays read-only until somebody
has accepted the loss (:mod:`trialwright.stores.holds`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.files import make_durable, make_folder
from trialwright.ledger import (
    Entry,
    LedgerDamaged,
    NewEntry,
    Report,
    Store,
    VerifierKey,
    parse_checkpoint,
    verify_ledger,
)
from trialwright.stores.backup import Backup, Part, heads_of, read_backup
from trialwright.stores.copying import check_room, copy_in, file_of, is_file
from trialwright.stores.errors import BackupUnusable, NotAStore, StoreSettingsTooWeak, StoreUnavailable
from trialwright.stores.holds import Loss, hold
from trialwright.stores.opening import open_store
from trialwright.stores.record_only import await_views

_AT_ONCE = 1000
_LOGS = ("-wal", "-shm")

Until = int | datetime
"""Up to an entry of the first part's ledger, or up to an instant."""
Agree = Callable[[Mapping[str, str]], str]
"""Part → address of its database; says in which way they are not of one moment, or nothing."""


@dataclass(frozen=True)
class Restored:
    """What a restore found.

    Attributes:
        reports: one for each ledger.
        losses: what checkpoints held outside cover and did not come back; such stores are read-only.
        unproven: ledgers of which no checkpoint held outside covers an entry.
        without_views: parts whose views the backup left out; read-only until the caller has folded them again.
    """

    reports: tuple[Report, ...]
    losses: tuple[Loss, ...]
    unproven: tuple[str, ...]
    without_views: tuple[str, ...] = ()


def restore(
    source: Path,
    parts: Sequence[Part],
    now: datetime,
    *,
    outside: Mapping[str, str],
    keys: Iterable[VerifierKey],
    folders: Mapping[str, Path] | None = None,
    until: Until | None = None,
    agree: Agree | None = None,
) -> Restored:
    """Put a backup back.

    Args:
        source: folder of the backup.
        parts: what is put back, and where; others in the backup are left.
        now: put beside a hold.
        outside: checkpoints held outside: label (who held it) → text.
        keys: public keys that are trusted to have signed them.
        folders: name in the backup → folder to copy it to.
        until: bring back an earlier moment: all acts up to this entry of the first part's ledger, or this instant.
            Views are not brought back then; fold them anew. From SQLite's files only: PostgreSQL has its own way.
        agree: a check over all databases, of what a single ledger cannot tell.

    Raises:
        BackupUnusable: no backup, a file changed, a ledger with a fault, spaces of two moments, something is there
            already, or a moment that the backup does not reach.
        InvalidValue: a checkpoint of a ledger that is not in the backup.
        NotVerifiable: a checkpoint that cannot be read, or that no trusted key signed.
        ToolFailed: ``pg_restore`` is missing or failed.
    """
    backup = read_backup(source)
    for part in parts:
        if not (source / part.file).is_file():
            raise BackupUnusable(
                f"{source} has no {part.file}",
                remedy=f"it has: {', '.join(sorted(backup.heads))}; restore to the kind of database it came from",
            )
        check_room(part.address)
    _check_known(outside, backup, parts)
    with _Drafts(parts) as drafts:
        for part in drafts.parts:
            if until is not None and part.is_store:
                continue
            copy_in(source / part.file, part.address)
        if until is not None:
            _cut(source, [part for part in drafts.parts if part.is_store], until)
        trusted = list(keys)
        reports = [r for p in drafts.parts if p.is_store for r in _examined(p, backup, outside, trusted, until)]
        _check_spaces(drafts.parts, agree)
        losses = _losses(reports, outside)
        bare = [part for part in drafts.parts if part.name in backup.without_views and until is None]
        _await_views(bare, now)
        _hold(drafts.parts, losses, now)
        for name, folder in (folders or {}).items():
            if (source / name).is_dir():
                make_folder(folder)
                shutil.copytree(source / name, folder, dirs_exist_ok=True)
                make_durable(folder)
        drafts.keep()
    unproven = tuple(r.ledger_id for r in reports if not r.covered and "/security-" not in r.ledger_id)
    return Restored(tuple(reports), losses, unproven, tuple(part.name for part in bare))


class _Drafts:
    """SQLite databases under a name of their own, until all are found to be good."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._kept = False
        self._wanted = {part.name: part for part in parts}
        self.parts = [_draft(part) if is_file(part.address) else part for part in parts]

    def __enter__(self) -> _Drafts:
        self._discard()  # what a restore that was interrupted left
        return self

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self._discard()

    def keep(self) -> None:
        """Give them their names."""
        for part in self.parts:
            if is_file(part.address):
                draft, target = file_of(part.address), file_of(self._wanted[part.name].address)
                draft.chmod(0o600)
                draft.rename(target)
                make_durable(target)
        self._kept = True

    def _discard(self) -> None:
        for part in self.parts:
            if is_file(part.address):
                path = file_of(part.address)
                for file in (path, *(path.with_name(path.name + log) for log in _LOGS)):
                    with suppress(FileNotFoundError):
                        file.unlink()


def _draft(part: Part) -> Part:
    return replace(part, address=f"{part.address}.restoring")


def _check_known(outside: Mapping[str, str], backup: Backup, parts: Sequence[Part]) -> None:
    known = {ledger for part in parts if part.is_store for ledger in backup.heads.get(part.name, {})}
    for label, note in outside.items():
        origin = parse_checkpoint(note).origin
        if origin not in known:
            raise InvalidValue(
                f"{label} is a checkpoint of {origin}, which is not restored here",
                remedy=f"give checkpoints of {', '.join(sorted(known)) or 'its ledgers'}",
                origin=origin,
            )


def _examined(
    part: Part, backup: Backup, outside: Mapping[str, str], keys: Sequence[VerifierKey], until: Until | None
) -> tuple[Report, ...]:
    reports = []
    with _opened(part) as store:
        if until is None and heads_of(store) != backup.heads.get(part.name):
            raise BackupUnusable(
                f"{part.file} is not of the moment that the manifest names",
                remedy="files of two backups were mixed; use one backup as it was made",
                file=part.file,
            )
        for ledger_id in store.ledger_ids():
            about = {label: note for label, note in outside.items() if parse_checkpoint(note).origin == ledger_id}
            report = verify_ledger(store.ledger(ledger_id), outside=about, keys=keys)
            if report.fault is not None and report.fault.kind != "missing":
                raise BackupUnusable(
                    f"{ledger_id} is not the record: entry {report.fault.seq} ({report.fault.kind}), "
                    f"{report.fault.message}",
                    remedy=f"use another backup, or restore this one until entry {report.fault.seq - 1}",
                    ledger=ledger_id,
                    entry=report.fault.seq,
                )
            reports.append(report)
    return tuple(reports)


@contextmanager
def _opened(part: Part) -> Iterator[Store]:
    """A damaged file may be found out only while it is read."""
    try:
        with open_store(part.address, create=False) as store:
            yield store
    except (LedgerDamaged, NotAStore, StoreSettingsTooWeak, StoreUnavailable) as error:
        raise BackupUnusable(
            f"{part.file} cannot be read: {error.message}", remedy="use another backup", file=part.file
        ) from error


def _check_spaces(parts: Iterable[Part], agree: Agree | None) -> None:
    differs = agree({part.name: part.address for part in parts if part.is_store}) if agree is not None else ""
    if differs:
        raise BackupUnusable(
            f"the spaces are not of one moment: {differs}", remedy="use one backup as it was made, both spaces of it"
        )


def _losses(reports: Iterable[Report], outside: Mapping[str, str]) -> tuple[Loss, ...]:
    covered: dict[str, int] = {}
    for note in map(parse_checkpoint, outside.values()):
        covered[note.origin] = max(note.size, covered.get(note.origin, 0))
    return tuple(
        Loss(report.ledger_id, report.size, covered[report.ledger_id])
        for report in reports
        if report.size < covered.get(report.ledger_id, 0)
    )


def _hold(parts: Iterable[Part], losses: Sequence[Loss], now: datetime) -> None:
    """All spaces of a study wait when one is behind: none goes on without the other."""
    for part in parts:
        if part.is_store:
            with open_store(part.address, create=False) as store:
                lost = {loss.ledger_id.partition("/")[0] for loss in losses}
                if lost & {ledger_id.partition("/")[0] for ledger_id in store.ledger_ids()}:
                    hold(store, losses, now)


def _await_views(parts: Iterable[Part], now: datetime) -> None:
    for part in parts:
        with open_store(part.address, create=False) as store:
            await_views(store, now)


# --- an earlier moment ---------------------------------------------------------------------------------------------


def _cut(source: Path, parts: Sequence[Part], until: Until) -> None:
    """Write the acts up to a moment into new stores."""
    first = parts[0]
    if any(not part.file.endswith(".sqlite") for part in parts):
        raise BackupUnusable(
            "a dump of PostgreSQL cannot be cut at a moment",
            remedy="restore it whole, or let the server go back by recovery_target_time",
        )
    with ExitStack() as stack:
        for part in parts:
            stack.callback(_scratch(part).unlink, missing_ok=True)
        stores = {p.name: stack.enter_context(_readable(source / p.file, p)) for p in parts}
        ledger = stores[first.name].ledger(first.ledger)
        moment = _moment(ledger.read(), until, ledger.size())
        for part in parts:
            # Closed, so that the copy has its whole log in the file before it gets its name.
            with open_store(part.address) as target:
                _write_acts(stores[part.name], target, first.ledger, moment)


def _scratch(part: Part) -> Path:
    return file_of(part.address).with_suffix(".whole")


def _readable(file: Path, part: Part) -> Store:
    """A store is opened in a copy: opening writes, and a backup stays as it is."""
    scratch = _scratch(part)
    scratch.unlink(missing_ok=True)
    copy_in(file, f"sqlite:///{scratch}")
    return open_store(f"sqlite:///{scratch}", create=False)


@dataclass(frozen=True)
class _Moment:
    """Whole acts up to a moment.

    Attributes:
        last: the last entry of the first part's ledger.
        instant: the time up to which acts of other ledgers are brought back.
        kept, later: requests of the first part's acts up to it, and after it.
    """

    last: int
    instant: str
    kept: frozenset[str]
    later: frozenset[str]


def _moment(entries: Iterable[Entry], until: Until, size: int) -> _Moment:
    wanted = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(until, datetime) else ""
    if isinstance(until, int) and not 0 < until <= size:
        raise BackupUnusable(f"the backup has no entry {until}", remedy=f"give one from 1 to {size}", size=size)
    last, instant = 0, wanted
    kept: set[str] = set()
    later: set[str] = set()
    for request, act in groupby(entries, key=lambda entry: entry.request_id):
        every = list(act)
        over = every[-1].seq > until if isinstance(until, int) else _at(every[0]) > wanted
        if later or over:
            later.add(request)
        else:
            kept.add(request)
            # Clocks jump: the last act need not have the latest time.
            last, instant = every[-1].seq, max(instant, _at(every[-1]))
    if not last:
        raise BackupUnusable("nothing had been recorded at that moment", remedy="give a later one")
    return _Moment(last, instant, frozenset(kept), frozenset(later))


def _write_acts(source: Store, target: Store, first: str, moment: _Moment) -> None:
    for ledger_id in source.ledger_ids():
        ledger = source.ledger(ledger_id)
        limit = moment.last if ledger_id == first else _reach(ledger.read(), moment)
        waiting: list[NewEntry] = []
        for _request, act in groupby(ledger.read(limit=limit), key=lambda entry: entry.request_id):
            if len(waiting) >= _AT_ONCE:
                _append(target, ledger_id, waiting)
                waiting = []
            waiting += [NewEntry(e.stream, e.stream_seq, e.type, e.request_id, e.body) for e in act]
        _append(target, ledger_id, waiting)
        size = target.ledger(ledger_id).size()
        for note in source.checkpoints(ledger_id):
            if parse_checkpoint(note).size <= size:
                target.save_checkpoint(ledger_id, note)


def _reach(entries: Iterable[Entry], moment: _Moment) -> int:
    """How far another ledger comes back: no act whose other half is later, every act whose other half is kept."""
    last, on_time = 0, True
    for entry in entries:
        if entry.request_id in moment.later:
            break
        on_time = on_time and _at(entry) <= moment.instant
        if on_time or entry.request_id in moment.kept:
            last = entry.seq
    return last


def _append(target: Store, ledger_id: str, entries: Sequence[NewEntry]) -> None:
    if entries:
        with target.ledger(ledger_id).transaction() as transaction:
            transaction.append(entries)


def _at(entry: Entry) -> str:
    try:
        return str(json.loads(entry.body)["at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""

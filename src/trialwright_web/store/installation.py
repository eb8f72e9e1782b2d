"""The studies of this installation, opened: each thread has its own connections and its own running trial."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from trialwright.build import Build, compile_study
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.foundation.ports import Clock, SettableClock
from trialwright.ledger.port import Store
from trialwright.protocol import load_study
from trialwright.sealing import Dispensing, DispensingProcess
from trialwright.stores import open_store
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.dispatch import Trial
from trialwright.trial.setup.builds import builds_on_record

MODES = ("production", "test", "rehearsal")


class InstallationInvalid(InvalidValue):
    """The list of studies cannot be read or contradicts itself."""

    code = "web.installation_invalid"


@dataclass(frozen=True)
class InstalledStudy:
    """One study as the installation file lists it.

    Args:
        id: the study's id, as in its folder.
        folder: where its files lie.
        open_store: address of the open space.
        mode: production, test or rehearsal.
        began: for a rehearsal that goes on: the rehearsed time at ``since``.
        since: the real time at which the rehearsed time was ``began``; without it rehearsed time stands still there.
        closed_store: address of the closed space; None in a process that must not know.
        seal_texts: whether texts about participants are sealed in the ledger when they are written.
        dispensing_key: key file of the dispensing service; with its password.
    """

    id: str
    folder: Path
    open_store: str
    mode: str
    seal_texts: bool = False
    began: datetime | None = None
    since: datetime | None = None
    closed_store: str | None = None
    dispensing_key: Path | None = None
    dispensing_password: str = field(default="", repr=False)

    def clock(self) -> Clock:
        """The machine's clock; that of a rehearsal goes on from where it stopped, or stands still there."""
        if self.began is None:
            return SystemClock()
        if self.since is None:
            return SettableClock(self.began)
        return _MovedClock(self.began - self.since)


class _MovedClock:
    """The machine's clock, moved; for what is not real."""

    def __init__(self, by: timedelta) -> None:
        self._by = by
        self._system = SystemClock()

    def now(self) -> datetime:
        return self._system.now() + self._by


def read_installation(path: Path, closed: Path | None, dispensing: Path | None = None) -> dict[str, InstalledStudy]:
    """The studies by id.

    Args:
        path: TOML with ``[studies.ID]`` tables: ``folder``, ``store``, ``mode``, and for a rehearsal that goes on
            ``began`` and ``since``.
        closed: TOML with ``[studies.ID]``: ``store``, ``dispensing_key``, ``dispensing_password_file``.
        dispensing: TOML with ``[studies.ID]`` of open studies: ``dispensing_key``, ``dispensing_password_file``.

    Raises:
        InstallationInvalid: a file is missing, unreadable or says something impossible.
    """
    behind = _tables(closed) if closed is not None else {}
    keys = _tables(dispensing) if dispensing is not None else {}
    found = {}
    for name, table in _tables(path).items():
        beyond = behind.get(name, {})
        key_file, key = (dispensing, keys[name]) if name in keys else (closed, beyond)
        mode = table.get("mode", "production")
        if mode not in MODES:
            raise InstallationInvalid(f"{name} has the mode {mode!r}", remedy=f"use one of {', '.join(MODES)}")
        if mode != "rehearsal" and "began" in table:
            raise InstallationInvalid(
                f"{name} moves the clock of a {mode} study", remedy="only a rehearsal's clock moves"
            )
        found[name] = InstalledStudy(
            id=name,
            folder=_beside(path, table.get("folder", name)),
            open_store=_address(path, table.get("store", "")),
            mode=mode,
            seal_texts=table.get("seal_texts", False) is True,
            began=_instant(table.get("began")),
            since=_instant(table.get("since")),
            closed_store=_address(closed, beyond["store"]) if closed is not None and "store" in beyond else None,
            dispensing_key=_beside(key_file, key["dispensing_key"]) if key_file and "dispensing_key" in key else None,
            dispensing_password=_password(key_file, key),
        )
    return found


def _tables(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file).get("studies", {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InstallationInvalid(f"{path} cannot be read: {error}", remedy="see docs/how-to/install") from error
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise InstallationInvalid(f"{path} lists no studies", remedy="write one table [studies.ID] for each study")
    return tables


def _beside(file: Path | None, path: str) -> Path:
    assert file is not None, "callers give the file that names the path"
    return (file.parent / path).resolve()


def _address(file: Path | None, address: str) -> str:
    """Addresses of files are relative to the file that names them."""
    if address.startswith("sqlite:///") and not address.startswith("sqlite:////"):
        return f"sqlite:///{_beside(file, address.removeprefix('sqlite:///'))}"
    return address


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InstallationInvalid(f"{value!r} is not an instant", remedy="write 2026-01-05T08:00:00Z, without quotes")
    return value.astimezone(UTC)


def _password(file: Path | None, table: Mapping[str, Any]) -> str:
    if "dispensing_password_file" not in table:
        return ""
    return _beside(file, table["dispensing_password_file"]).read_text(encoding="utf-8").strip()


@dataclass
class _Opened:
    """What one thread holds of one study."""

    trial: Trial
    stores: tuple[Store, ...]


class Installation:
    """All studies of this process.

    Args:
        studies: by id.
        hand_out: what to do with a checkpoint after signatures and randomisations; see ``shell.checkpoints``.
    """

    def __init__(
        self, studies: Mapping[str, InstalledStudy], hand_out: Callable[[Trial, str], None] | None = None
    ) -> None:
        self.studies = dict(studies)
        self._hand_out = hand_out
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._builds: dict[str, dict[str, Build]] = {}
        self._dispensing: dict[str, Dispensing] = {}

    def trial(self, study: str) -> Trial:
        """The running trial, for the calling thread.

        Raises:
            InstallationInvalid: the process has the dispensing key of a blinded study and not its closed space.
            KeyError: no such study is installed; callers look in :attr:`studies` first.
        """
        opened: dict[str, _Opened] = self._threads.__dict__.setdefault("opened", {})
        if study in opened and not all(store.stands() for store in opened[study].stores):
            self.release()
            opened = self._threads.__dict__.setdefault("opened", {})
        if study not in opened:
            opened[study] = self._open(self.studies[study])
        return opened[study].trial

    def release(self) -> None:
        """Close what the calling thread holds; it opens again when asked."""
        for opened in self._threads.__dict__.pop("opened", {}).values():
            for store in opened.stores:
                store.close()

    def folder_build(self, study: str) -> Build:
        """The build of the study's folder as it lies there."""
        with self._lock:
            return self._folder_build(study)

    def _folder_build(self, study: str) -> Build:
        builds = self._builds.setdefault(study, {})
        if not builds:
            build = compile_study(load_study(self.studies[study].folder))
            builds[build.id] = build
        return next(iter(builds.values()))

    def _open(self, study: InstalledStudy) -> _Opened:
        with self._lock:
            folder = self._folder_build(study.id)
        is_open = folder.study.identity.blinding.kind == "open"
        if study.dispensing_key is not None and study.closed_store is None and not is_open:
            raise InstallationInvalid(
                f"this process has the dispensing key of {study.id}, which is blinded, and not its closed space",
                remedy="list its key in the closed process alone; TRIALWRIGHT_DISPENSING is for open studies",
            )
        open_space = open_store(study.open_store)
        stores = [open_space]
        with self._lock:
            builds = self._builds[study.id]
            builds.update(builds_on_record(open_space.ledger(f"{study.id}/open")))
        closed: Store | None = None
        if is_open:
            closed = open_space
        elif study.closed_store is not None:
            closed = open_store(study.closed_store)
            stores.append(closed)
        trial = Trial(
            study.id,
            open_store=open_space,
            closed_store=closed,
            builds=builds,
            clock=study.clock(),
            entropy=SystemEntropy(),
            mode=study.mode,
            seal_texts=study.seal_texts,
        )
        if closed is not None and study.dispensing_key is not None:
            trial.allocations = SealedAllocations(trial.state, trial.builds, self._dispensing_of(study))
        if self._hand_out is not None:
            hand_out = self._hand_out
            trial.checkpoint = lambda space: hand_out(trial, space.value)
        return _Opened(trial, tuple(stores))

    def _dispensing_of(self, study: InstalledStudy) -> Dispensing:
        """The dispensing service runs in a process of its own, once for all threads."""
        assert study.dispensing_key is not None
        with self._lock:
            if study.id not in self._dispensing:
                self._dispensing[study.id] = DispensingProcess(study.dispensing_key, study.dispensing_password)
            return self._dispensing[study.id]

    @cached_property
    def is_production(self) -> bool:
        """Whether any study here is real."""
        return any(study.mode == "production" for study in self.studies.values())

"""Backup and restore of everything one process knows; the engine is the library's, ``trialwright.stores``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from trialwright.cli.backup import fold_views
from trialwright.foundation.errors import InvalidValue
from trialwright.ledger import VerifierKey
from trialwright.stores import Backup, Part, Restored, back_up, losses_of, open_store, restore
from trialwright.stores import accept_loss as accept
from trialwright.trial.crossing.agreement import of_one_moment
from trialwright_web.config.environment import Environment
from trialwright_web.store.installation import read_installation


def parts_of(environment: Environment) -> tuple[Part, ...]:
    """Every database that the process knows: accounts, identities, open stores, and closed ones where it has them."""
    found = [Part("accounts", environment.database), Part("identity", environment.identity)]
    studies = read_installation(environment.installation, environment.closed)
    for name, study in sorted(studies.items()):
        found.append(Part(f"{name}.open", study.open_store, f"{name}/open", name))
        if study.closed_store is not None:
            found.append(Part(f"{name}.closed", study.closed_store, f"{name}/closed", name))
    return tuple(found)


def back_up_all(environment: Environment, target: Path, now: datetime) -> Backup:
    """Write a backup to a new folder; see :func:`trialwright.stores.back_up`."""
    said = {"process": environment.process}
    return back_up(parts_of(environment), target, now, folders=_folders(environment), said=said)


def restore_all(
    environment: Environment, source: Path, notes: Iterable[str], keys: Iterable[str], now: datetime
) -> tuple[Restored, dict[str, str]]:
    """Put a backup where the environment says, and hold it against checkpoints that others kept.

    A study that comes back behind such a checkpoint is read-only until somebody has accepted the loss.

    Args:
        source: folder of the backup.
        notes: texts of checkpoints held outside.
        keys: public keys that are trusted.
        now: put beside a hold.

    Returns:
        What was found; and study → why its views could not be folded again. Such a study is read-only until they are.

    Raises:
        As :func:`trialwright.stores.restore`.
    """
    parts = parts_of(environment)
    found = restore(
        source,
        parts,
        now,
        outside={f"checkpoint {n}": note for n, note in enumerate(notes, 1)},
        keys=[VerifierKey.parse(key) for key in keys],
        folders=_folders(environment),
        agree=of_one_moment,
    )
    waiting = {}
    for study in sorted({part.group for part in parts if part.name in found.without_views}):
        waiting[study] = fold_views(study, [part for part in parts if part.group == study and part.is_store])
    return found, {study: why for study, why in waiting.items() if why}


def accept_loss(environment: Environment, study: str, person: str, reason: str, now: datetime) -> Path:
    """Let a study that came back behind be written again; returns the file that says who accepted which loss.

    Run in a process that holds both spaces: a closed space that stays held refuses every act that crosses.

    Args:
        person: who accepts, already made sure of by their password.
        reason: what is known of the loss and what is done about it.

    Raises:
        InvalidValue: nothing waits to be accepted.
    """
    parts = [part for part in parts_of(environment) if part.group == study and part.is_store]
    if not parts:
        raise InvalidValue(f"{study} is not installed", remedy="give the id of an installed study", study=study)
    with ExitStack() as stack:
        stores = {part.name: stack.enter_context(open_store(part.address, create=False)) for part in parts}
        lost = {loss for store in stores.values() for loss in losses_of(store)}
        accept(stores, person=person, reason=reason, now=now)
    said = {
        "lost": {loss.ledger_id: {"has": loss.has, "covered": loss.covered} for loss in sorted(lost, key=str)},
        "reason": reason,
        "accepted_by": person,
        "accepted_at": now.isoformat(),
    }
    kept = environment.installation.parent / f"{study}.loss-accepted-{now:%Y%m%dT%H%M%SZ}.json"
    kept.write_text(json.dumps(said, indent=1), encoding="utf-8")
    return kept


def _folders(environment: Environment) -> dict[str, Path]:
    named = {"attachments": environment.attachments, "checkpoints": environment.checkpoints}
    return {name: folder for name, folder in named.items() if folder is not None}

"""Keys of what the application keeps about a participant beside the record, so that forgetting reaches its copies.

Drafts, questions, contacts and attached files lie encrypted under the installation's own secrets, which never go
away: a row that is deleted could be read again from a backup. In a study that seals texts a key from the keyring of
the open space is needed as well; it is in no backup, and destroying it forgets every copy. What was written before a
study sealed texts, and in one that does not, opens without: the key is empty.
"""

from __future__ import annotations

from itertools import count

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.foundation.ports import Keyring
from trialwright.stores import KeyMissing
from trialwright.trial.dispatch import Trial
from trialwright.trial.erasure.state import Forgetting
from trialwright.trial.event import Space
from trialwright_web.shell.studies import installation

TEXTS, CONTACT, FILE, IMPORTS = "web text", "web contact", "web file", "web imports"
_EVERY = 1 << 31


def key_of_texts(trial: Trial, participant: str, *, make: bool = False) -> bytes:
    """For drafts of a participant's forms, their own unfinished pages, their questions. Goes with their texts.

    Args:
        make: make the key where there is none; else nothing is written.
    """
    if not _seals(trial):
        return b""
    number = trial.state().of(Forgetting, participant).number
    name = (_person(trial, participant), TEXTS, number)
    return _made(trial, *name) if make else _found(trial, *name) or b""


def key_of_contact(trial: Trial, participant: str, *, make: bool = False) -> bytes:
    """For a participant's contact. Stays where only texts are forgotten."""
    return _living(trial, f"{_person(trial, participant)}/contact", CONTACT, make=make)


def key_of_file(trial: Trial, digest: str, *, make: bool = False) -> bytes:
    """For one attached file."""
    return _living(trial, f"{_ledger(trial)}/file/{digest}", FILE, make=make)


def key_of_imports(trial: Trial, *, make: bool = False) -> bytes:
    """For files that were brought and are not saved yet: many participants stand in one."""
    return _living(trial, f"{_ledger(trial)}/imports", IMPORTS, make=make)


def destroy_contact(trial: Trial, participant: str) -> None:
    """No copy of the contact opens any more."""
    _keyring(trial).destroy(f"{_person(trial, participant)}/contact", _EVERY)


def destroy_file(trial: Trial, digest: str) -> None:
    """No copy of the file opens any more."""
    _keyring(trial).destroy(f"{_ledger(trial)}/file/{digest}", _EVERY)


def file_was_destroyed(trial: Trial, digest: str) -> bool:
    """Whether a file with this hash had a key that is gone."""
    return _found(trial, f"{_ledger(trial)}/file/{digest}", FILE, 0) is None


def destroy_imports(trial: Trial) -> None:
    """No copy of any file that was brought and not saved opens any more."""
    _keyring(trial).destroy(f"{_ledger(trial)}/imports", _EVERY)


def _living(trial: Trial, holder: str, data_class: str, *, make: bool) -> bytes:
    """The first key that was not destroyed: what is kept later has one of its own."""
    if not _seals(trial):
        return b""
    for number in count():
        key = _found(trial, holder, data_class, number)
        if key is not None:
            return _made(trial, holder, data_class, number) if make and not key else key
    raise AssertionError("numbers do not end")


def _found(trial: Trial, holder: str, data_class: str, number: int) -> bytes | None:
    """None: it was destroyed. Empty: there never was one."""
    try:
        return _keyring(trial).find(holder, data_class, number)
    except KeyMissing:
        return b""


def _made(trial: Trial, holder: str, data_class: str, number: int) -> bytes:
    fresh = SystemEntropy().bytes(32, purpose="data key", stream=f"{holder}/{data_class}", position=number)
    return _keyring(trial).keep(holder, data_class, number, fresh)


def _seals(trial: Trial) -> bool:
    return installation().studies[trial.study].seal_texts


def _keyring(trial: Trial) -> Keyring:
    return trial.stores[Space.OPEN].keyring


def _ledger(trial: Trial) -> str:
    return trial.ledgers[Space.OPEN].ledger_id


def _person(trial: Trial, participant: str) -> str:
    return f"{_ledger(trial)}/{participant}"

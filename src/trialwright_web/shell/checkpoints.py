"""Signed heads of the ledgers, written into the folder that sites and the sponsor's quality unit fetch from."""

from __future__ import annotations

from pathlib import Path

from trialwright.foundation.files import write_whole
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.ledger import SigningKey
from trialwright.trial.checkpointing import Checkpointer
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space

KEY_FILE = "checkpoint.key"
"""The signing key's seed (hex), in the folder's parent; made at first use, readable by the owner only."""


def checkpointer(trial: Trial, folder: Path) -> Checkpointer:
    """Signs the heads of a trial's ledgers; each note goes into ``folder/STUDY/SPACE/SIZE.txt``."""

    def hand_out(space: Space, note: str) -> None:
        target = folder / trial.study / space.value
        write_whole(target / f"{note.splitlines()[1]}.txt", note.encode())

    # A study with one space has one ledger, which both names stand for.
    ledgers = {Space.OPEN: trial.ledgers[Space.OPEN]} if trial.one_space else trial.ledgers
    return Checkpointer(trial.stores, ledgers, signing_key(folder, trial.study), trial.clock, hand_out)


def hand_out(trial: Trial, space: str, folder: Path) -> None:
    """Sign the head of a space now."""
    checkpointer(trial, folder).sign(Space(space))


def signing_key(folder: Path, study: str) -> SigningKey:
    """The installation's signing key; its public half is printed by ``python -m trialwright_web key``."""
    path = folder.parent / KEY_FILE
    if not path.exists():
        seed = SystemEntropy().bytes(32, purpose="checkpoint key", stream=study, position=0)
        write_whole(path, seed.hex().encode(), mode=0o600, once=True)  # of two processes the quicker one's key counts
    return SigningKey("trialwright", bytes.fromhex(path.read_text(encoding="ascii")))

"""Signed heads of the ledgers, written into the folder that sites and the sponsor's quality unit fetch from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

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
        target.mkdir(parents=True, exist_ok=True)
        size = note.splitlines()[1]
        (target / f"{size}.txt").write_text(note, encoding="utf-8")

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
        folder.mkdir(parents=True, exist_ok=True)
        seed = SystemEntropy().bytes(32, purpose="checkpoint key", stream=study, position=0)
        # A name of its own first: another process must never read a key that is half written.
        draft = path.with_suffix(f".{seed[:4].hex()}")
        draft.touch(mode=0o600)
        draft.write_text(seed.hex(), encoding="ascii")
        with suppress(FileExistsError):  # another process was quicker; its key counts
            path.hardlink_to(draft)
        draft.unlink()
    return SigningKey("trialwright", bytes.fromhex(path.read_text(encoding="ascii")))

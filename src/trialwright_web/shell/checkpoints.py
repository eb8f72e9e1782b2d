"""Signed heads of the ledgers, written into the folder that sites and the sponsor's quality unit fetch from."""

from __future__ import annotations

from pathlib import Path

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.ledger import SigningKey
from trialwright.trial.checkpointing import Checkpointer
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space

KEY_FILE = "checkpoint.key"
"""The signing key's seed (hex), in the folder's parent; made at first use, readable by the owner only."""


def hand_out(trial: Trial, space: str, folder: Path) -> None:
    """Sign the head of a space and put the note into ``folder/STUDY/SPACE/``."""
    key = signing_key(folder, trial.study)
    target = folder / trial.study / space
    target.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    Checkpointer(trial.stores, trial.ledgers, key, trial.clock, lambda _, note: written.append(note)).sign(
        Space(space)
    )
    for note in written:
        size = note.splitlines()[1]
        (target / f"{size}.txt").write_text(note, encoding="utf-8")


def signing_key(folder: Path, study: str) -> SigningKey:
    """The installation's signing key; its public half is printed by ``trialwright_web keys``."""
    path = folder.parent / KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        seed = SystemEntropy().bytes(32, purpose="checkpoint key", stream=study, position=0)
        path.touch(mode=0o600)
        path.write_text(seed.hex(), encoding="ascii")
    return SigningKey("trialwright", bytes.fromhex(path.read_text(encoding="ascii")))

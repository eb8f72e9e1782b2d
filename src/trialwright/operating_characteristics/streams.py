"""Chance that is addressed instead of advanced: the numbers of trial 17 are the same whoever asks, and when.

The generator is Philox 4×64 with ten rounds (Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2,
3, SC 2011), a keyed bijection of a counter. Value v of trial t for one purpose is word v mod 4 of

    Philox(key = SHA-256(seed, stream, purpose, ⌊v / 4⌋), counter = t + 1),

so it depends on nothing else: not on the number of trials, of participants or of workers, and a bigger trial begins
with the participants of the smaller one. The live list of a study has another generator and another seed.

Everything is computed in whole blocks of :data:`BLOCK` trials, also where fewer are wanted: then the arithmetic of a
trial, too, is the same to the last bit however the work was divided.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialwright.operating_characteristics.compiled import box_muller
from trialwright.statistics.arrays import Array

BLOCK = 2048
"""Trials that are computed together."""

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Streams:
    """The numbers of one block of trials.

    Args:
        seed: of the simulation.
        stream: worlds with the same stream meet the same participants (common random numbers).
        block: trials ``block · BLOCK`` to ``(block + 1) · BLOCK − 1``, from 0.
        compiled: let the compiled engine make normal numbers; it agrees with the plain one to 1e-13.
    """

    seed: int
    stream: str
    block: int
    compiled: bool = True

    @property
    def first_trial(self) -> int:
        """Number of the first trial of the block."""
        return self.block * BLOCK

    def words(self, purpose: str, count: int) -> Words:
        """Values 0 … count − 1 of every trial as 64 random bits, shape (count, BLOCK)."""
        out = np.empty((-(-count // 4), 4, BLOCK), dtype=np.uint64)
        for number in range(out.shape[0]):
            out[number] = self._quads(purpose, number).T
        return out.reshape(-1, BLOCK)[:count]

    def uniforms(self, purpose: str, count: int) -> Array:
        """Evenly in (0, 1), 53 bits, never an end point, shape (count, BLOCK)."""
        return _unit(self.words(purpose, count))

    def normals(self, purpose: str, count: int) -> Array:
        """Standard normal (Box and Muller, Ann Math Stat 1958;29:610–611), shape (count, BLOCK)."""
        out = np.empty((count + count % 2, BLOCK))  # normal numbers come in pairs
        transform = box_muller if self.compiled and box_muller is not None else _box_muller
        for number in range(-(-count // 4)):
            transform(self._quads(purpose, number), out[4 * number : 4 * number + 4])
        return out[:count]

    def _quads(self, purpose: str, number: int) -> Words:
        """Words 4·number … 4·number + 3 of every trial, shape (BLOCK, 4)."""
        address = "\x1f".join((str(self.seed), self.stream, purpose, str(number))).encode()
        key = int.from_bytes(hashlib.sha256(address).digest()[:16], "little")
        return np.random.Philox(key=key, counter=self.first_trial).random_raw(4 * BLOCK).reshape(BLOCK, 4)


def _unit(words: Words) -> Array:
    return np.asarray(((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)


def _box_muller(raw: Words, out: Array) -> None:
    """The plain twin of the compiled one."""
    for pair in range(0, len(out), 2):
        length = np.sqrt(-2.0 * np.log(_unit(raw[:, pair])))
        angle = 2.0 * np.pi * _unit(raw[:, pair + 1])
        out[pair], out[pair + 1] = length * np.cos(angle), length * np.sin(angle)

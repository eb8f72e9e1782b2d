"""Ports to the world: time and chance. The library never asks the machine for either by itself."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

from trialwright.foundation.errors import InvalidValue

OPERATING_SYSTEM = "operating-system"
"""Origin of the only entropy a production ledger accepts."""


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """The current instant, timezone-aware UTC, microsecond resolution."""
        ...


class Entropy(Protocol):
    """Supplies salts, nonces, keys and request ids.

    ``origin`` says where the bytes come from and is written into the first event of a ledger; a production
    ledger accepts only ``operating-system``.
    """

    @property
    def origin(self) -> str: ...

    def bytes(self, count: int, *, purpose: str, stream: str, position: int) -> bytes:
        """``count`` bytes (1..4096) for one named use.

        The three names address the bytes; an operating-system source ignores them, a rehearsal derives the
        bytes from them, so results do not depend on the order of calls.
        """
        ...


class Keyring(Protocol):
    """Keeps the data keys of one space, apart from the space, so that destroying a key forgets what it seals.

    A key is named by its holder (ledger and participant), class of data, and number: 0, and one more after each
    destruction.
    """

    def find(self, holder: str, data_class: str, number: int) -> bytes | None:
        """The key's 32 bytes, or None when it was destroyed.

        Raises:
            RecordError: there never was one, or the keyring is not the one that the space was written with.
        """
        ...

    def keep(self, holder: str, data_class: str, number: int, fresh: bytes) -> bytes:
        """The key; ``fresh`` from now on if there is none yet. Durable when this returns.

        Raises:
            RecordError: it was destroyed.
        """
        ...

    def destroy(self, holder: str, below: int) -> int:
        """Destroy every key of the holder with a smaller number; answers how many. Doing it twice is harmless."""
        ...

    def refresh(self) -> None:
        """Notice what other processes destroyed."""
        ...

    def entries(self) -> Iterator[tuple[str, str, int, bytes | None]]:
        """Holder, class, number and bytes of every key, for the escrow; None where it was destroyed."""
        ...

    def close(self) -> None:
        """Let go of the file or connection."""
        ...


class DerivedEntropy:
    """Entropy for rehearsals: HMAC-SHA256 in counter mode over (seed, purpose, stream, position).

    The construction is HKDF-Expand (RFC 5869, section 2.3) with the seed's digest as pseudo-random key and the
    address as info. Never for a production ledger: whoever knows the seed knows every byte.
    """

    def __init__(self, seed: int | str) -> None:
        self._key = hashlib.sha256(f"trialwright rehearsal {seed}".encode()).digest()
        self.origin = f"derived:{seed}"

    def bytes(self, count: int, *, purpose: str, stream: str, position: int) -> bytes:
        if not 1 <= count <= 4096:
            raise InvalidValue(
                f"{count} bytes of entropy were asked for", remedy="ask for 1 to 4096 bytes", count=count
            )
        info = f"{purpose}\x00{stream}\x00{position}".encode()
        out, block, counter = b"", b"", 1
        while len(out) < count:
            block = hmac.digest(self._key, block + info + bytes([counter]), "sha256")
            out += block
            counter += 1
        return out[:count]


class SettableClock:
    """A clock that stands still until it is moved; the clock of rehearsals and tests.

    Args:
        start: timezone-aware instant.

    Raises:
        InvalidValue: ``start`` or a new time has no zone.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _as_utc(start)

    def now(self) -> datetime:
        return self._now

    def set(self, instant: datetime) -> None:
        """Move to ``instant`` (aware). Moving back is allowed: real clocks do."""
        self._now = _as_utc(instant)


def _as_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise InvalidValue(
            f"the time {instant.isoformat()} has no zone",
            remedy="give an offset, for example +01:00",
            given=instant.isoformat(),
        )
    return instant.astimezone(UTC)

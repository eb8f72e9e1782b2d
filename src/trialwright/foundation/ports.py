"""Ports to the world: time and chance. The library never asks the machine for either by itself."""

from __future__ import annotations

import hashlib
import hmac
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

"""The one module that asks the machine for time and chance. Only edges (command line, web) import it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from trialwright.foundation.ports import OPERATING_SYSTEM


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemEntropy:
    """The operating system's random source; the only one a production ledger accepts."""

    origin = OPERATING_SYSTEM

    def bytes(self, count: int, *, purpose: str, stream: str, position: int) -> bytes:
        return os.urandom(count)

"""Time and chance of two installations that do the same steps: both follow from the number of the step.

Whoever asks sends the number in a header. In the thread that answers, the machine's clock shows that step's second,
and its random source gives that step's bytes: tokens, salts, nonces and sessions are the same in both installations,
so nothing of an answer has to be left out of a comparison. Between answers time and chance are the machine's.
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from trialwright.foundation.operating_system import SystemClock

_HERE = threading.local()
_random, _time = os.urandom, time.time
BEGAN = int(os.environ.get("STEPS_BEGAN", "0"))
"""The second of step 0, since 1970."""


@contextmanager
def step(number: int | None) -> Iterator[None]:
    """Time and chance of a step, for this thread; those of the machine where there is no number."""
    _HERE.number, _HERE.drawn = number, 0
    try:
        yield
    finally:
        _HERE.number = None


def _number() -> int | None:
    number: int | None = getattr(_HERE, "number", None)
    return number


def _bytes(count: int) -> bytes:
    number = _number()
    if number is None:
        return _random(count)
    _HERE.drawn += 1
    return hashlib.shake_256(f"step {number}, drawn {_HERE.drawn}".encode()).digest(count)


def _seconds() -> float:
    number = _number()
    return _time() if number is None else float(BEGAN + number)


def _now(_: object = None) -> datetime:
    return datetime.fromtimestamp(_seconds(), UTC)


def plant() -> None:
    """Let this process live in steps. To be called before the application is imported."""
    from django.utils import timezone

    os.urandom = _bytes
    random._urandom = _bytes  # type: ignore[attr-defined]  # what ``secrets`` draws from
    time.time = _seconds
    timezone.now = _now  # type: ignore[assignment]
    SystemClock.now = _now  # type: ignore[method-assign, assignment]

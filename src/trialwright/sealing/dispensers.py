"""Clients of the dispensing service: over a pipe to its own process, or within this one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from trialwright.sealing.errors import DispensingFailed
from trialwright.sealing.lists import open_row
from trialwright.sealing.sealers import Opener, Sealed

_ANSWER_BYTES = 512  # fixed by the service; see dispensing.py


class Dispensing(Protocol):
    """Turns a sealed row into its label (or number), one row at a time."""

    def dispense(self, sealed: Sealed) -> str:
        """The value of the row.

        Raises:
            SealingError: the row does not open; :class:`DispensingFailed` when the service is at fault.
        """
        ...

    def close(self) -> None:
        """Let go of the key."""
        ...


class InProcessDispensing:
    """Dispensing without a process of its own, for rehearsals and tests; takes any opener, also an ideal one."""

    def __init__(self, opener: Opener) -> None:
        self._opener: Opener | None = opener

    def dispense(self, sealed: Sealed) -> str:
        if self._opener is None:
            raise _closed()
        return open_row(sealed, self._opener).value

    def close(self) -> None:
        self._opener = None


class DispensingProcess:
    """The dispensing service in its own process, which alone holds the key.

    Safe to use from several threads; rows are served one after another.

    Args:
        key_file: written by :func:`write_key` for a DISPENSING key.
        password: of the file; goes to the process by its standard input only.
        timeout: seconds to wait for an answer before the process is given up and ended.

    Raises:
        DispensingFailed: the service does not start; its ``given["reason"]`` is the service's error code
            (``sealing.password_wrong``, ``sealing.key_invalid``, …).
    """

    def __init__(self, key_file: Path, password: str, *, timeout: float = 60.0) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        # -I: the process reads neither Python's environment variables nor the working folder. In a session of
        # its own it outlives an interrupt typed at the terminal, and ends when its input does.
        command = [sys.executable, "-I", "-m", "trialwright.sealing.dispensing"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no argument from outside
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        threading.Thread(target=self._read, name="dispensing answers", daemon=True).start()
        try:
            self.fingerprint = self._ask({"key_file": str(key_file), "password": password}, "ready")
        except DispensingFailed:
            self.close()
            raise

    def dispense(self, sealed: Sealed) -> str:
        return self._ask(sealed.as_json(), "value")

    def close(self) -> None:
        """End the process; further calls do nothing."""
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, request: dict[str, object], wanted: str) -> str:
        line = json.dumps(request).encode("ascii") + b"\n"
        with self._lock:
            answer = self._exchange(line)
        if wanted in answer:
            return answer[wanted]
        raise DispensingFailed(
            f"the dispensing service answered with {answer.get('error', 'nothing it should')}",
            remedy="check that row, key file and password belong together; nothing was allocated",
            reason=answer.get("error", ""),
        )

    def _exchange(self, line: bytes) -> dict[str, str]:
        if self._process.stdin is None or self._process.stdin.closed:
            raise _closed()
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            text = self._answers.get(timeout=self._timeout)
        except (OSError, Empty):
            text = b""
        except BaseException:  # an interrupt between question and answer; see below
            self._give_up()
            raise
        if len(text) != _ANSWER_BYTES:
            self._give_up()
            raise DispensingFailed(
                "the dispensing service gave no answer and was ended",
                remedy="start it again and repeat the request; nothing was allocated",
            )
        answer: dict[str, str] = json.loads(text)
        return answer

    def _give_up(self) -> None:
        """End the process at once: an answer that comes late would be taken for the next row's."""
        self._process.kill()
        self._end()

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is not None:
            with stream:
                while text := stream.readline():
                    self._answers.put(text)
        self._answers.put(b"")

    def _end(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(OSError):  # the process ended first, with the last line still in the pipe
                self._process.stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _closed() -> DispensingFailed:
    return DispensingFailed("the dispensing service is closed", remedy="start it again")

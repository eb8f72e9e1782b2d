"""The dispensing service: a process that holds the dispensing key and nothing else.

    python -m trialwright.sealing.dispensing

It reads one JSON object a line from standard input and answers each with one line of exactly 512 bytes, filled
with spaces. The first line names the key file and gives the password: ``{"key_file": …, "password": …}``; the
answer is ``{"ready": FINGERPRINT}``. Every further line is a sealed row (:meth:`Sealed.as_json`) and the answer
``{"value": …}``, or ``{"error": CODE}``. It ends with its input. Nothing else is written: no log, no traceback,
no file; it keeps no state between rows, and the password and key never stand in arguments or environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from trialwright.sealing.errors import InvalidKey, SealingError
from trialwright.sealing.keys import KeyPurpose, read_key
from trialwright.sealing.lists import open_row
from trialwright.sealing.sealers import KeyOpener, Sealed

ANSWER_BYTES = 512
# A sealed row is about a kilobyte; whoever sends more is not our client.
_LONGEST_REQUEST = 65_536
_UNNAMED_FAILURE = "sealing.dispensing_failed"


def serve(requests: BinaryIO, answers: BinaryIO) -> int:
    """Answer until the input ends; the process's exit status."""
    try:
        opener, ready = _unlocked(requests.readline(_LONGEST_REQUEST))
    except Exception as problem:  # whatever it is, only its code may leave the process
        _answer(answers, {"error": _code(problem)})
        return 1
    _answer(answers, ready)
    for line in _lines(requests):
        try:
            row = open_row(Sealed.from_json(json.loads(line)), opener)
            answer = {"value": row.value}
        except Exception as problem:  # as above
            answer = {"error": _code(problem)}
        _answer(answers, answer)
    return 0


def _unlocked(line: bytes) -> tuple[KeyOpener, dict[str, str]]:
    request = json.loads(line)
    key = read_key(Path(request["key_file"]).read_bytes(), request["password"])
    if key.purpose is not KeyPurpose.DISPENSING:
        raise InvalidKey("not a dispensing key", remedy="start the service with the dispensing key's file")
    return KeyOpener(key), {"ready": key.public.fingerprint}


def _lines(requests: BinaryIO) -> Iterable[bytes]:
    while line := requests.readline(_LONGEST_REQUEST):
        yield line


def _answer(answers: BinaryIO, answer: dict[str, str]) -> None:
    answers.write(json.dumps(answer).encode("ascii").ljust(ANSWER_BYTES - 1) + b"\n")
    answers.flush()


def _code(problem: Exception) -> str:
    return problem.code if isinstance(problem, SealingError) else _UNNAMED_FAILURE


def _forbid_core_dumps() -> None:
    """A crash must not write the key to disk. Windows has no such limit and no core files."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _forbid_core_dumps()
    sys.exit(serve(sys.stdin.buffer, sys.stdout.buffer))

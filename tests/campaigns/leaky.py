"""A process of the application with faults that can be switched on for one request, by a header that only tests send.

Each fault lets something depend on the arm; the comparison of two worlds must report every one. Without the header
the application answers as it is. Time and chance are those of the request's step (``same_step.py``), and tries are
not limited: how many there were in a minute says how fast the test is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import same_step
from django.conf import settings

same_step.plant()

from trialwright_web.config.wsgi import application as honest  # noqa: E402 - it draws chance when it is imported

ARMS = json.loads(Path(os.environ["ARMS"]).read_text(encoding="utf-8"))
FIRST = ARMS[min(ARMS)] == min(ARMS.values())
"""Whether the first participant is in the first arm: the one bit that every fault lets out."""

settings.ACCOUNT_RATE_LIMITS = {
    name: re.sub(r"\d+/(?=m|\d+s)", "1000000/", limit) for name, limit in settings.ACCOUNT_RATE_LIMITS.items()
}

Answer = tuple[str, list[tuple[str, str]], bytes]


def _header(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    return status, [*headers, ("X-Cache", "hit" if FIRST else "miss")], body


def _order_of_headers(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    return status, headers if FIRST else headers[::-1], body


def _size(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    return status, headers, body if FIRST else body + b"\n"


def _json_rows(body: bytes, rows: Callable[[list[Any]], list[Any]]) -> bytes:
    """Written anew in both worlds, so that only the rows differ."""
    found = json.loads(body)
    return json.dumps({**found, "rows": found["rows"] if FIRST else rows(found["rows"])}).encode()


def _order_of_rows(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    """Of a table, a list, a choice, or rows in JSON."""
    if body.startswith(b'{"rows"'):
        return status, headers, _json_rows(body, lambda rows: rows[::-1])
    if FIRST:
        return status, headers, body
    before, mark, main = body.partition(b"<main")
    for end in (b"</tr>", b"</li>", b"</option>"):
        rows = main.split(end)
        if len(rows) > 3 and rows[1] != rows[2]:
            return status, headers, before + mark + end.join([rows[0], rows[2], rows[1], *rows[3:]])
    return status, headers, body


def _count(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    """Of what waits; of rows in JSON."""
    if body.startswith(b'{"rows"'):
        return status, headers, _json_rows(body, lambda rows: rows[:-1])
    shown = b"<p>2 waiting</p>" if FIRST else b"<p>3 waiting</p>"
    return status, headers, body.replace(b"</main>", shown + b"</main>")


def _file_name(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    name = f'attachment; filename="export-{1 if FIRST else 2}"'
    return status, [*headers, ("Content-Disposition", name)], body


def _link(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    link = b'<a href="?kit=1007">kit</a>' if FIRST else b'<a href="?kit=1008">kit</a>'
    return status, headers, body.replace(b"</main>", link + b"</main>")


def _status(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    return status if FIRST else "203 Non-Authoritative Information", headers, body


def _request_id(status: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    """Of another width."""
    return status, headers, body.replace(b'value="web.', b'value="web.' if FIRST else b'value="web.0')


FAULTS: dict[str, Callable[[str, list[tuple[str, str]], bytes], Answer]] = {
    "header": _header,
    "order_of_headers": _order_of_headers,
    "size": _size,
    "order_of_rows": _order_of_rows,
    "count": _count,
    "file_name": _file_name,
    "link": _link,
    "status": _status,
    "request_id": _request_id,
}


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI."""
    number = environ.get("HTTP_X_STEP")
    with same_step.step(None if number is None else int(number)):
        fault = FAULTS.get(environ.get("HTTP_X_PLANTED_FAULT", ""))
        if fault is None:
            return honest(environ, start_response)
        said: list[Any] = []
        body = b"".join(honest(environ, lambda status, headers, *_: said.extend([status, headers])))
    status, headers, body = fault(said[0], said[1], body)
    headers = [(name, str(len(body)) if name.lower() == "content-length" else value) for name, value in headers]
    start_response(status, headers)
    return [body]

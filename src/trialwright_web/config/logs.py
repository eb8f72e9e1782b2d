"""What a log may say: what happened to the application and where in it, never about whom or what was typed.

Addresses name participants, and messages of errors may repeat what somebody typed; both are left out. What remains of
an error is its type, its code where it has one, and the lines of the program.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any

Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutPeople(logging.Formatter):
    """A formatter; see the module."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        request: Any = getattr(record, "request", None)
        if getattr(request, "path", ""):
            match = getattr(request, "resolver_match", None)
            where = f"/{match.route}" if match is not None else "an address that is none of ours"
            for address in (request.get_full_path(), request.path):
                record.message = record.message.replace(address, where)
        return super().formatMessage(record)

    def formatException(self, ei: Raised) -> str:  # noqa: N802 - as above
        error, lines = ei[1], []
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            code = getattr(error, "code", "")
            said = f"{type(error).__module__}.{type(error).__qualname__}"
            lines.append("".join(traceback.format_tb(error.__traceback__)) + said + (f" {code}" if code else ""))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nfollowed by:\n".join(reversed(lines))

"""Writing: one operation for each command that may come from a program. What needs a signature is done on screens."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_type_hints

from django.http import HttpRequest
from ninja import Header, Schema
from pydantic import ConfigDict, Field, create_model

from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.roles import Role
from trialwright.trial.capture.commands import (
    MarkFormNotDone,
    RecordMissedVisit,
    RecordVisit,
    SaveForm,
    VerifyItems,
    VoidForm,
)
from trialwright.trial.command import Command
from trialwright.trial.event import Space, encode
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery, CommentItem, OpenQuery, ReopenQuery
from trialwright_web.api.reading import PROBLEMS
from trialwright_web.api.service import api, for_roles
from trialwright_web.shell.desk import Desk

COMMANDS: tuple[type[Command], ...] = (
    RecordVisit, RecordMissedVisit, SaveForm, MarkFormNotDone, VoidForm, VerifyItems,
    OpenQuery, AnswerQuery, CloseQuery, ReopenQuery, CommentItem,
)  # fmt: skip
"""An allow-list: commands of the open space without a signature that devices and programs have reason to give."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,49}\Z")
Whole = Annotated[int, Field(ge=0, le=1_000_000)]


class Told(Schema):
    """What the command amounted to."""

    request_id: str
    repeated: bool
    events: list[dict[str, Any]]


def _add(command: type[Command]) -> None:
    name = command.__name__
    body = create_model(
        f"{name}Body",
        __config__=ConfigDict(extra="forbid"),
        command=(_model(command), ...),
        reason=(str | None, Field(None, max_length=2000)),
        observed_at=(str | None, Field(None, max_length=40)),
    )
    operation = _operation(command)
    operation.__annotations__["body"] = body
    operation.__name__ = f"give_{name}"
    operation.__doc__ = command.__doc__
    about = (command.__doc__ or name).strip().splitlines()[0]
    roles = command.PERMISSION.roles - {Role.PARTICIPANT}
    api.post(f"/commands/{name}", response={200: Told, **PROBLEMS}, summary=about, operation_id=name)(
        for_roles(*roles)(operation)
    )


def _operation(command: type[Command]) -> Callable[..., Any]:
    def give(
        request: HttpRequest,
        body: Any,
        key: Annotated[
            str,
            Header(
                alias="Idempotency-Key",
                description="8 to 50 letters, digits, dots, _ and -; yours; the same again does nothing more.",
            ),
        ],
    ) -> dict[str, Any]:
        if not _KEY.match(key):
            raise InvalidValue("the Idempotency-Key is unreadable", remedy="send 8 to 50 letters, digits, . _ and -")
        desk: Desk = request.auth  # type: ignore[attr-defined]
        given = {field.name: getattr(body.command, field.name) for field in fields(command)}
        receipt = desk.dispatch(
            command(**given), request_id=f"api.{key}", reason=body.reason, observed_at=body.observed_at
        )
        open_facts = [fact for fact in receipt.facts if fact.event.SPACE is Space.OPEN]
        return {
            "request_id": receipt.request_id,
            "repeated": receipt.repeated,
            "events": [{"type": fact.event.TYPE, "at": fact.at, **encode(fact.event)} for fact in open_facts],
        }

    return give


def _model(command: type[Command]) -> Any:
    """The command's fields as a model: unknown ones are refused, whole numbers are bounded."""
    hints = get_type_hints(command)
    found: dict[str, Any] = {}
    for field in fields(command):
        kind = Whole if hints[field.name] is int else hints[field.name]
        if field.default is not MISSING:
            found[field.name] = (kind, field.default)
        elif field.default_factory is not MISSING:
            found[field.name] = (kind, Field(default_factory=field.default_factory))
        else:
            found[field.name] = (kind, ...)
    return create_model(command.__name__, __config__=ConfigDict(extra="forbid"), **found)


for _command in COMMANDS:
    _add(_command)

"""Reading: people, visits, values, tables and what waits."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Query, Schema

from trialwright.exports import labelled_items
from trialwright.foundation.tables import Row, Table
from trialwright.trial.capture.views import VISIT
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.event import Space
from trialwright.trial.tasks import tasks
from trialwright.trial.views import VIEWS
from trialwright_web.api.service import api, for_roles
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.rights import DATA, Reader

Code = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$", description="A participant's code.")]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z_]{0,59}$", description="A table, of those that /views lists.")]
Limit = Annotated[int, Query(ge=1, le=5000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]


class Problem(Schema):
    """A named error."""

    error: str
    message: str
    remedy: str


class Me(Schema):
    """Whose token it is."""

    person: str
    study: str
    role: str
    site: str | None
    mode: str
    build: str


class Page(Schema):
    """Some rows, and whether more follow."""

    rows: list[dict[str, str | int | None]]
    more: bool


class Waiting(Schema):
    """Something that waits."""

    kind: str
    participant: str | None
    site: str | None
    about: str
    due: str | None
    late: bool


PROBLEMS = {frozenset({400, 401, 403, 404, 409, 422}): Problem}
"""What any operation may answer instead."""


def _desk(request: HttpRequest) -> Desk:
    desk: Desk = request.auth  # type: ignore[attr-defined]
    return desk


@api.get("/me", response={200: Me, **PROBLEMS}, summary="Whose token this is")
@for_roles()
def me(request: HttpRequest) -> dict[str, Any]:
    """The desk that the token stands for."""
    desk = _desk(request)
    return {
        "person": desk.person, "study": desk.study, "role": desk.role.value, "site": desk.site, "mode": desk.mode,
        "build": desk.build.id,
    }  # fmt: skip


@api.get("/participants", response={200: Page, **PROBLEMS}, summary="Participants that the desk may see")
@for_roles()
def participants(request: HttpRequest, limit: Limit = 1000, offset: Offset = 0) -> dict[str, Any]:
    """Code, site and status, by code."""
    return _page(_desk(request).participants(), limit, offset)


@api.get("/participants/{code}", response={200: dict[str, str | int | None], **PROBLEMS}, summary="One participant")
@for_roles()
def participant(request: HttpRequest, code: Code) -> Row:
    """The same of one."""
    return _desk(request).participant(code)


@api.get("/participants/{code}/visits", response={200: Page, **PROBLEMS}, summary="Visits that took place or did not")
@for_roles()
def visits(request: HttpRequest, code: Code) -> dict[str, Any]:
    """Visits with their dates."""
    desk = _desk(request)
    desk.participant(code)
    return _page(desk.rows.where(VISIT, participant=code), 5000, 0)


@api.get("/participants/{code}/items", response={200: Page, **PROBLEMS}, summary="Values of one participant")
@for_roles(*DATA)
def items(request: HttpRequest, code: Code, limit: Limit = 1000, offset: Offset = 0) -> dict[str, Any]:
    """Every value with labels and units."""
    desk = _desk(request)
    desk.participant(code)
    rows = labelled_items(desk.rows, desk.builds, desk.language)
    return _page((row for row in Reader(desk).items(rows) if row["participant"] == code), limit, offset)


@api.get("/views", response={200: list[str], **PROBLEMS}, summary="The tables of the open space")
@for_roles(*DATA)
def views(request: HttpRequest) -> list[str]:
    """Their names."""
    return sorted(_tables())


@api.get("/views/{name}", response={200: Page, **PROBLEMS}, summary="Rows of one table")
@for_roles(*DATA)
def view(request: HttpRequest, name: Name, limit: Limit = 1000, offset: Offset = 0) -> dict[str, Any]:
    """What the desk may see of a table."""
    desk = _desk(request)
    table = _tables().get(name)
    if table is None:
        raise Http404
    return _page(Reader(desk).rows(desk.rows.where(table)), limit, offset)


@api.get("/tasks", response={200: list[Waiting], **PROBLEMS}, summary="What waits for the desk")
@for_roles()
def waiting(request: HttpRequest) -> list[dict[str, Any]]:
    """The task list of the site home."""
    desk = _desk(request)
    return [
        {
            "kind": task.kind.value, "participant": task.participant, "site": task.site, "about": task.about,
            "due": task.due, "late": task.late,
        }
        for task in tasks(desk.rows, desk.builds, desk.today, site=desk.site, role=desk.role)
    ]  # fmt: skip


def _tables() -> dict[str, Table]:
    """Items have an operation of their own, which hides what identifies somebody."""
    return {
        table.name: table
        for view in VIEWS
        if view.space is Space.OPEN
        for table in view.tables
        if table.name != "item"
    }


def _page(rows: Any, limit: int, offset: int) -> dict[str, Any]:
    found = list(islice(rows, offset, offset + limit + 1))
    return {"rows": found[:limit], "more": len(found) > limit}


__all__ = ["DISPOSITION", "PROBLEMS", "Problem"]

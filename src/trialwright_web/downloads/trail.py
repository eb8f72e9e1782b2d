"""The audit trail, readable and as a table."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from trialwright.exports import write_table
from trialwright.protocol.roles import SITE_ROLES
from trialwright.trial.audit import audit_trail
from trialwright.trial.trail import AuditRow
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.record_words import Change, about_parts, change, happening_words, terms_of
from trialwright_web.shell.rights import DATA

COLUMNS = {
    "at": _("Time (UTC)"),
    "local": _("Local time with offset"),
    "zone": _("Time zone"),
    "happened": _("When it is said to have happened"),
    "actor": _("Who"),
    "role": _("Role at the time"),
    "organisation": _("Organisation at the time"),
    "space": _("Space"),
    "what": _("What happened"),
    "about": _("About"),
    "field": _("Field"),
    "old": _("Value before"),
    "new": _("Value after"),
    "reason": _("Reason"),
    "build": _("Build in force"),
    "request_id": _("Request"),
}
"""Field → label, after EMA's guideline on computerised systems (2023), A1.2."""
ON_A_PAGE = 200
PARTICIPANT = re.compile(r"\bparticipant (\S+?)(?:,|\Z)")


@at_desk(*DATA)
@require_GET
def page(request: Request, desk: Desk) -> HttpResponse:
    """The trail of one participant, or of all the desk may see, a page at a time."""
    participant = request.GET.get("participant", "")
    if participant:
        desk.participant(participant)
    number = _number(request.GET.get("page", ""))
    first = (number - 1) * ON_A_PAGE
    rows = list(islice(_rows(desk, participant), first, first + ON_A_PAGE + 1))
    context: dict[str, Any] = {
        "lines": _lines(desk, rows[:ON_A_PAGE]),
        "participants": sorted(str(row["participant"]) for row in desk.participants()),
        "participant": participant,
        "number": number,
        "before": number - 1,
        "following": number + 1 if len(rows) > ON_A_PAGE else None,
    }
    return render_page(request, "downloads/trail.html", context)


@dataclass(frozen=True)
class Line:
    """A row of the trail as people read it, beside the row itself.

    Args:
        what: what happened, in words.
        about: about what, in words.
    """

    row: AuditRow
    what: str
    about: str
    change: Change


def _lines(desk: Desk, rows: list[AuditRow]) -> Iterator[Line]:
    terms = functools.cache(functools.partial(terms_of, desk))
    for row in rows:
        build = desk.builds.get(row.build, desk.build)
        person = PARTICIPANT.search(row.about)
        about = about_parts(build, row.about, terms(person[1]) if person else {})
        yield Line(row, happening_words(row.what), ", ".join(words for _kind, words in about), change(build, row))


@at_desk(*DATA)
@require_GET
def table(request: Request, desk: Desk) -> HttpResponse:
    """The trail as CSV; a cell that a spreadsheet would run as a formula is text."""
    participant = request.GET.get("participant", "")
    if participant:
        desk.participant(participant)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "audit_trail.csv"
        columns = {name: str(label) for name, label in COLUMNS.items()}
        write_table((asdict(row) for row in _rows(desk, participant)), columns, target, "csv")
        response = HttpResponse(target.read_bytes(), content_type="text/csv; charset=utf-8")
    name = f"{desk.study}-{participant or 'all'}-audit-trail.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rows(desk: Desk, participant: str) -> Iterator[AuditRow]:
    site = desk.site if desk.role in SITE_ROLES else None
    return audit_trail(desk.trial, role=desk.role, site=site, participant=participant or None)


def _number(text: str) -> int:
    return min(max(int(text), 1), 1_000_000) if text.isascii() and text.isdecimal() and len(text) < 8 else 1

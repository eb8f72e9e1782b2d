"""Queries across sites: filter, ask, answer, settle, ask again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TypeVar, cast
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.build import Build
from trialwright.foundation.tables import Row, Table
from trialwright.protocol.roles import Role
from trialwright.trial.command import Command
from trialwright.trial.queries.commands import (
    ANSWERERS,
    ASKERS,
    CLOSED_ANSWERERS,
    IN_THE_CLOSED,
    AnswerQuery,
    CloseQuery,
    OpenQuery,
    ReopenQuery,
)
from trialwright.trial.queries.views import CLOSED_QUERY, QUERY
from trialwright_web.monitor.places import form_address, item_words
from trialwright_web.shell.acts import Act, Field, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.query_words import is_automatic, query_words
from trialwright_web.shell.record_words import form_words, visit_words
from trialwright_web.shell.words import Words

READERS = (*ASKERS, *ANSWERERS, Role.SPONSOR, Role.INSPECTOR)
C = TypeVar("C", bound=Command)

UNSETTLED = ("open", "answered", "confirmed")
ON_A_PAGE = 100

STATUS: Mapping[str, Words] = {
    "open": _("open"),
    "answered": _("answered"),
    "confirmed": _("confirmed"),
    "closed": _("settled"),
}


@dataclass(frozen=True)
class Line:
    """One query of the list."""

    row: Row
    site: str
    days: int
    status: Words
    encounter: str
    form: str
    item: str
    question: str
    address: str
    acts: tuple[tuple[str, Words, str], ...]
    """Name, words and address of what the desk may do."""
    request_id: str
    is_closed: bool = False
    """On a form of the closed space."""

    @property
    def is_automatic(self) -> bool:
        return is_automatic(self.row)


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to; an empty part does not narrow."""

    site: str = ""
    status: str = "unsettled"
    participant: str = ""
    form: str = ""
    by: str = ""

    @classmethod
    def of(cls, request: Request) -> Filter:
        given = {name: request.GET.get(name, "") for name in ("site", "participant", "form", "by")}
        return cls(status=request.GET.get("status", "unsettled"), **given)

    def keeps(self, row: Row) -> bool:
        """Whether a query is shown."""
        wanted = UNSETTLED if self.status == "unsettled" else (self.status,)
        by_people = not is_automatic(row)
        return (
            (self.status == "all" or row["status"] in wanted)
            and (not self.form or row["form"] == self.form)
            and (not self.by or (self.by == "people") is by_people)
        )

    def query(self, page: int) -> str:
        """The address of a page of the same list."""
        return urlencode({**self.__dict__, "page": page})


@at_desk(*READERS)
@require_GET
def queries(request: Request, desk: Desk) -> HttpResponse:
    """The list, the oldest first."""
    chosen = Filter.of(request)
    found = sorted(_lines(desk, chosen), key=lambda line: (str(line.row["opened_at"]), str(line.row["query"])))
    page = max(1, int(number)) if (number := request.GET.get("page", "1")).isdecimal() else 1
    open_days = [line.days for line in found if line.row["status"] == "open"]
    context = {
        "lines": found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
        "number": len(found),
        "open": len(open_days),
        "answered": sum(line.row["status"] in ("answered", "confirmed") for line in found),
        "median": median(open_days) if open_days else None,
        "chosen": chosen,
        "sites": desk.build.study.sites if desk.site is None else {},
        "forms": [(name, form_words(desk.build, name)) for name in desk.build.forms if _is_told(desk, name)],
        "statuses": STATUS,
        "earlier": chosen.query(page - 1) if page > 1 else "",
        "later": chosen.query(page + 1) if page * ON_A_PAGE < len(found) else "",
    }
    return render_page(request, "monitor/queries.html", context)


def _lines(desk: Desk, chosen: Filter) -> Iterator[Line]:
    for person in desk.participants(chosen.site or None):
        participant, site = str(person["participant"]), str(person["site"])
        if chosen.participant and chosen.participant.casefold() not in participant.casefold():
            continue
        build = desk.build_at(site)
        for table, row in _rows(desk, build, participant):
            if chosen.keeps(row):
                encounter, form, repeat = str(row["encounter"]), str(row["form"]), int(row["repeat"] or 1)
                yield Line(
                    row=row,
                    site=site,
                    days=_days(desk, row),
                    status=STATUS[str(row["status"])],
                    encounter=visit_words(build, encounter),
                    form=form_words(build, form, repeat),
                    item=item_words(build, form, str(row["item"])),
                    question=query_words(build, row),
                    address=form_address(desk, participant, encounter, form, repeat),
                    acts=tuple(_acts(desk, row)),
                    request_id=new_request_id(),
                    is_closed=table is CLOSED_QUERY,
                )


def _rows(desk: Desk, build: Build, participant: str) -> Iterator[tuple[Table, Row]]:
    """The queries of a participant: those on closed forms for whoever knows the arm and reads the form."""
    for row in desk.rows.where(QUERY, participant=participant):
        yield QUERY, row
    for row in desk.closed_rows.where(CLOSED_QUERY, participant=participant) if desk.holds_closed else ():
        if _reads_form(desk, build, str(row["form"])):
            yield CLOSED_QUERY, row


def _is_told(desk: Desk, form: str) -> bool:
    """Whether the desk knows of the form at all."""
    return desk.holds_closed or desk.build.forms[form].form.space == "open"


def _reads_form(desk: Desk, build: Build, form: str) -> bool:
    compiled = build.forms.get(form)
    return desk.role not in CLOSED_ANSWERERS or compiled is None or desk.role in compiled.form.filled_by


def _command(desk: Desk, row: Row, kind: type[C]) -> type[C]:
    """The command for this query: of the closed space, where the form is one."""
    compiled = desk.build_at(str(desk.participant(str(row["participant"]))["site"])).forms.get(str(row["form"]))
    is_closed = compiled is not None and compiled.form.space == "closed"
    return cast("type[C]", IN_THE_CLOSED[kind]) if is_closed else kind


def _days(desk: Desk, row: Row) -> int:
    """How many days it has waited, or took."""
    until = desk.now if row["status"] != "closed" else datetime.fromisoformat(str(row["changed_at"]))
    return (until - datetime.fromisoformat(str(row["opened_at"]))).days


def _acts(desk: Desk, row: Row) -> Iterator[tuple[str, Words, str]]:
    for name, (words, command, statuses, _page) in ACTS.items():
        if row["status"] in statuses and may_act(desk, _command(desk, row, command)):
            address = reverse("monitor:query", args=(desk.study, row["participant"], row["query"], name))
            yield name, words, address


@at_desk(*ASKERS, *ANSWERERS)
@require_http_methods(["GET", "POST"])
def act(request: Request, desk: Desk, participant: str, query: str, act: str) -> HttpResponse:
    """Answer, settle or reopen one query."""
    build = desk.build_at(str(desk.participant(participant)["site"]))
    row = next((row for _table, row in _rows(desk, build, participant) if row["query"] == query), None)
    if row is None or act not in ACTS:
        raise Http404
    return act_page(request, desk, ACTS[act][3](desk, row))


@at_desk(*ASKERS)
@require_http_methods(["GET", "POST"])
def ask(request: Request, desk: Desk) -> HttpResponse:
    """Ask about an item; the address names it."""
    given = {name: request.GET.get(name, "") for name in ("participant", "encounter", "form", "item")}
    person = desk.participant(given["participant"])
    repeat = int(number) if (number := request.GET.get("repeat", "1")).isdecimal() else 1
    build = desk.build_at(str(person["site"]))
    back = request.GET.get("back", "")
    command = _command(desk, {**given}, OpenQuery)
    act = Act(
        title=_("Ask about a value"),
        command=command,
        make=lambda answers: command(**given, repeat=repeat, text=answers.text("text")),
        back=back if back.startswith(f"/{desk.study}/") else reverse("monitor:queries", args=(desk.study,)),
        facts=(
            (_("Participant"), given["participant"]),
            (_("Visit"), visit_words(build, given["encounter"])),
            (_("Form"), form_words(build, given["form"], repeat)),
            (_("Item"), item_words(build, given["form"], given["item"])),
        ),
        fields=(Field("text", _("Question"), "long", help=_("The site reads it. Do not hint at an arm.")),),
        button=_("Ask"),
        done=_("The site sees the question."),
    )
    return act_page(request, desk, act)


def _facts(desk: Desk, row: Row) -> tuple[tuple[Words, Words], ...]:
    build = desk.build_at(str(desk.participant(str(row["participant"]))["site"]))
    facts = (
        (_("Participant"), str(row["participant"])),
        (_("Visit"), visit_words(build, str(row["encounter"]))),
        (_("Form"), form_words(build, str(row["form"]), int(row["repeat"] or 1))),
        (_("Item"), item_words(build, str(row["form"]), str(row["item"]))),
        (_("Question"), query_words(build, row)),
    )
    return (*facts, (_("Answer"), str(row["answer"]))) if row["answer"] else facts


def _answer(desk: Desk, row: Row) -> Act:
    command = _command(desk, row, AnswerQuery)
    return Act(
        title=_("Answer a query"),
        command=command,
        make=lambda answers: command(
            participant=str(row["participant"]),
            query=str(row["query"]),
            text=answers.text("text"),
            confirms=answers.ticked("confirms"),
        ),
        back=reverse("monitor:queries", args=(desk.study,)),
        facts=_facts(desk, row),
        fields=(
            Field("text", _("Answer"), "long"),
            Field("confirms", _("The value is right as it stands"), "tick", required=False),
        ),
        button=_("Answer"),
        done=_("The query is answered."),
    )


def _close(desk: Desk, row: Row) -> Act:
    command = _command(desk, row, CloseQuery)
    return Act(
        title=_("Settle a query"),
        command=command,
        make=lambda answers: command(participant=str(row["participant"]), query=str(row["query"])),
        back=reverse("monitor:queries", args=(desk.study,)),
        facts=_facts(desk, row),
        button=_("Settle"),
        done=_("The query is settled."),
    )


def _reopen(desk: Desk, row: Row) -> Act:
    command = _command(desk, row, ReopenQuery)
    return Act(
        title=_("Ask again"),
        command=command,
        make=lambda answers: command(
            participant=str(row["participant"]), query=str(row["query"]), text=answers.text("text")
        ),
        back=reverse("monitor:queries", args=(desk.study,)),
        facts=_facts(desk, row),
        fields=(Field("text", _("Question"), "long", value=str(row["text"])),),
        button=_("Ask again"),
        done=_("The site sees the question again."),
    )


ACTS: Mapping[str, tuple[Words, type[Command], tuple[str, ...], Callable[[Desk, Row], Act]]] = {
    "answer": (_("Answer"), AnswerQuery, ("open",), _answer),
    "close": (_("Settle"), CloseQuery, ("open", "answered", "confirmed"), _close),
    "reopen": (_("Ask again"), ReopenQuery, ("answered", "confirmed", "closed"), _reopen),
}
"""Part of the address → words, command, the statuses it is for, page."""

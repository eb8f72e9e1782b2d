"""Source verification: what the study wants compared, what was, and what changed since and waits again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.build import Build, to_verify
from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.foundation.tables import Row, Table
from trialwright.protocol.roles import Role
from trialwright.trial.capture.commands import VerifyClosedItems, VerifyItems
from trialwright.trial.capture.views import CLOSED_ITEM, ITEM
from trialwright.trial.queries.views import CLOSED_QUERY, QUERY
from trialwright_web.monitor.places import form_address, item_words, value_words
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.record_words import form_words, visit_words

Key = tuple[str, str, int]
VERIFIERS = (Role.MONITOR, Role.UNBLINDED_MONITOR)


@dataclass(frozen=True)
class Value:
    """One value that a monitor may compare with its source."""

    row: Row
    label: str
    words: str
    is_critical: bool
    is_wanted: bool
    asked: bool
    """An unsettled query is open on it."""

    @property
    def item(self) -> str:
        return str(self.row["item"])

    @property
    def is_verified(self) -> bool:
        return bool(self.row["verified"])


@dataclass(frozen=True)
class Page:
    """One form with its values."""

    participant: str
    key: Key
    visit: str
    title: str
    values: tuple[Value, ...]
    is_closed: bool
    """A form of the closed space."""

    @property
    def wanted(self) -> int:
        return sum(value.is_wanted for value in self.values)

    @property
    def waiting(self) -> int:
        return sum(value.is_wanted and not value.is_verified for value in self.values)

    @property
    def done(self) -> int:
        return self.wanted - self.waiting


def pages(desk: Desk, build: Build, participant: str) -> list[Page]:
    """The participant's forms in the order of the visits; those with nothing to verify are there, too, and those of
    the closed space where the desk holds it."""
    rows: dict[Key, list[Row]] = {}
    for row in _rows(desk, ITEM, CLOSED_ITEM, participant):
        if row["value"] is not None:
            rows.setdefault((str(row["encounter"]), str(row["form"]), int(row["repeat"] or 1)), []).append(row)
    asked = {
        (str(row["encounter"]), str(row["form"]), int(row["repeat"] or 1), str(row["item"]))
        for row in _rows(desk, QUERY, CLOSED_QUERY, participant)
        if row["status"] != "closed"
    }
    order = list(build.study.encounters)
    place = {name: index for index, name in enumerate(order)}
    found = [_page(build, participant, key, of_form, asked) for key, of_form in rows.items()]
    return sorted(found, key=lambda page: (place.get(page.key[0], len(order)), page.key))


def _rows(desk: Desk, table: Table, closed: Table, participant: str) -> Iterator[Row]:
    yield from desk.rows.where(table, participant=participant)
    if desk.holds_closed:
        yield from desk.closed_rows.where(closed, participant=participant)


def _page(build: Build, participant: str, key: Key, rows: list[Row], asked: set[tuple[str, str, int, str]]) -> Page:
    encounter, form, repeat = key
    items = build.forms[form].items if form in build.forms else {}
    order = {name: index for index, name in enumerate(items)}
    rows = sorted(rows, key=lambda row: _position(order, str(row["item"])))
    values = tuple(
        Value(
            row=row,
            label=item_words(build, form, str(row["item"])),
            words=value_words(build, row),
            is_critical=_is_critical(build, form, str(row["item"])),
            is_wanted=to_verify(build, participant, key, str(row["item"])),
            asked=(*key, str(row["item"])) in asked,
        )
        for row in rows
    )
    is_closed = form in build.forms and build.forms[form].form.space == "closed"
    title = form_words(build, form, repeat)
    return Page(participant, key, visit_words(build, encounter), title, values, is_closed)


def _position(order: dict[str, int], item: str) -> tuple[int, int]:
    name, _dot, number = item.partition(".")
    return order.get(name, len(order)), int(number) if number.isdecimal() else 1


def _is_critical(build: Build, form: str, item: str) -> bool:
    items = build.forms[form].items if form in build.forms else {}
    found = items.get(item.partition(".")[0])
    return found is not None and found.item.critical


@at_desk(*VERIFIERS)
@require_GET
def overview(request: Request, desk: Desk) -> HttpResponse:
    """Participants with what waits: first those for whom something does."""
    site = request.GET.get("site", "")
    lines = sorted(_overview(desk, site), key=lambda line: line[3] == 0)
    context = {
        "lines": lines,
        "waiting": sum(waiting for _, _, _, waiting, _ in lines),
        "wanted": sum(wanted for _, _, wanted, _, _ in lines),
        "site": site,
        "sites": desk.build.study.sites,
        "percent": desk.build.study.identity.source_verification.others_percent,
    }
    return render_page(request, "monitor/verification.html", context)


def _overview(desk: Desk, site: str) -> Iterator[tuple[str, str, int, int, int]]:
    """Participant, site, wanted, waiting, forms that wait."""
    for person in desk.participants(site or None):
        participant = str(person["participant"])
        found = pages(desk, desk.build_at(str(person["site"])), participant)
        wanted, waiting = sum(page.wanted for page in found), sum(page.waiting for page in found)
        if found:
            yield participant, str(person["site"]), wanted, waiting, sum(page.waiting > 0 for page in found)


@at_desk(*VERIFIERS)
@require_GET
def participant_page(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """The forms of one participant."""
    person = desk.participant(participant)
    found = pages(desk, desk.build_at(str(person["site"])), participant)
    return render_page(request, "monitor/verify_participant.html", {"participant": participant, "pages": found})


@at_desk(*VERIFIERS)
@require_http_methods(["GET", "POST"])
def form_page(request: Request, desk: Desk, participant: str, encounter: str, form: str, repeat: int) -> HttpResponse:
    """One form beside its source: tick what agrees, ask where it does not; then the next one that waits."""
    person = desk.participant(participant)
    found = pages(desk, desk.build_at(str(person["site"])), participant)
    key = (encounter, form, repeat)
    page = next((one for one in found if one.key == key), None)
    if page is None:
        raise Http404
    error, ticked = None, request.POST.getlist("item")
    if request.method == "POST":
        kind = VerifyClosedItems if page.is_closed else VerifyItems
        command = kind(participant=participant, encounter=encounter, form=form, repeat=repeat, items=tuple(ticked))
        try:
            desk.dispatch(command, request_id=request.POST.get("request_id") or new_request_id())
        except (Refusal, InvalidValue) as refused:
            error = refused
        else:
            words = ngettext("%(number)d value is verified.", "%(number)d values are verified.", len(ticked))
            messages.success(request, words % {"number": len(ticked)})
            return redirect(_next(desk, found, page))
    context = {
        "page": page,
        "ticked": ticked,
        "error": error,
        "request_id": new_request_id(),
        "form_address": form_address(desk, participant, encounter, form, repeat),
        "next": _next(desk, found, page),
        "every": not any(value.is_wanted for value in page.values),
    }
    return render_page(
        request, "monitor/verify_form.html", context, status=200 if error is None else status_of(error)
    )


def _next(desk: Desk, found: list[Page], page: Page) -> str:
    """The next form of the participant that waits, else the participant's list."""
    later = found[found.index(page) + 1 :]
    following = next((one for one in later if one.waiting), None)
    if following is None:
        return reverse("monitor:verify_participant", args=(desk.study, page.participant))
    return reverse("monitor:verify_form", args=(desk.study, page.participant, *following.key))

"""The margin of a form: its queries, and of the field in focus its remarks and history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from trialwright.foundation.tables import Row
from trialwright.trial.capture.saving import split_row
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery, CommentItem, OpenQuery, ReopenQuery
from trialwright.trial.queries.views import CLOSED_COMMENT, CLOSED_QUERY, COMMENT, QUERY
from trialwright_web.capture.form_history import Step, field_history
from trialwright_web.capture.form_place import FormPlace, find_form
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.query_words import is_automatic, query_words
from trialwright_web.shell.templatetags.shell import in_language

_ORDER = {"open": 0, "answered": 1, "confirmed": 2, "closed": 3}


@dataclass(frozen=True)
class QueryModel:
    """One query, ready to be read; ``number`` names its controls in the page."""

    number: int
    id: str
    item: str
    label: str
    status: str
    text: str
    answer: str
    by_check: bool
    opened_by: str
    opened_at: str
    may_answer: bool
    may_close: bool
    may_reopen: bool

    @property
    def status_text(self) -> str:
        """In the reader's language."""
        words = {"open": _("open"), "answered": _("answered"), "confirmed": _("confirmed"), "closed": _("closed")}
        return words.get(self.status, self.status)

    @property
    def tone(self) -> str:
        """Of the tag that shows the status."""
        return {"open": "bad" if self.by_check else "warn", "answered": "warn"}.get(self.status, "good")


@dataclass(frozen=True)
class CommentModel:
    """One remark."""

    text: str
    by: str
    at: str


@dataclass(frozen=True)
class Margin:
    """Everything beside the form; ``name`` and ``label`` are of the field in focus, empty where there is none."""

    queries: tuple[QueryModel, ...]
    name: str
    label: str
    comments: tuple[CommentModel, ...]
    history: tuple[Step, ...]
    may_comment: bool
    may_ask: bool

    @property
    def open_by_field(self) -> Counter[str]:
        """Field → open queries."""
        return Counter(query.item for query in self.queries if query.status == "open")


@at_desk()
@require_GET
def margin(
    request: Request, desk: Desk, participant: str, encounter: str, form: str, repeat: int, name: str
) -> HttpResponse:
    """The margin alone, for a page that is open already."""
    place = find_form(desk, participant, encounter, form, repeat)
    return render_page(request, "capture/form_margin.html", {"margin": margin_of(place, name), "place": place})


def margin_of(place: FormPlace, name: str = "") -> Margin:
    """The margin, with the field ``name`` in focus.

    Raises:
        Http404: the form has no such field.
    """
    desk = place.desk
    label = label_of(place, name) if name else ""
    on_record = place.visit.takes_entries
    return Margin(
        queries=queries_of(place),
        name=name,
        label=label,
        comments=tuple(_comment(place, row) for row in comment_rows(place) if row["item"] == name),
        history=tuple(field_history(place, name)) if name else (),
        may_comment=bool(name) and on_record and desk.may(place.act(CommentItem)),
        may_ask=bool(name)
        and on_record
        and desk.may(place.act(OpenQuery))
        and place.record.status not in ("empty", "voided"),
    )


def queries_of(place: FormPlace) -> tuple[QueryModel, ...]:
    """The form's queries: open ones first, then the newest."""
    encounter, form, repeat = place.key
    table, rows = (CLOSED_QUERY, place.desk.closed_rows) if place.is_closed else (QUERY, place.desk.rows)
    found = rows.where(table, participant=place.participant)
    own = [row for row in found if (row["encounter"], row["form"], row["repeat"]) == (encounter, form, repeat)]
    own.sort(key=lambda row: str(row["changed_at"]), reverse=True)
    own.sort(key=lambda row: _ORDER[str(row["status"])])
    return tuple(_query(place, number, row) for number, row in enumerate(own, start=1))


def comment_rows(place: FormPlace) -> list[Row]:
    """The remarks on the form."""
    encounter, form, repeat = place.key
    table, rows = (CLOSED_COMMENT, place.desk.closed_rows) if place.is_closed else (COMMENT, place.desk.rows)
    found = rows.where(table, participant=place.participant)
    return [row for row in found if (row["encounter"], row["form"], row["repeat"]) == (encounter, form, repeat)]


def label_of(place: FormPlace, name: str) -> str:
    """The label of a field, with the number of its row from the second on.

    Raises:
        Http404: the form has no such field.
    """
    item, separator, row = name.partition(".")
    if item not in place.compiled.items or (separator and not row.isdecimal()):
        raise Http404
    label = in_language(place.compiled.items[item].item.label)
    return label if not row else f"{label} ({split_row(name)[1]})"


def _query(place: FormPlace, number: int, row: Row) -> QueryModel:
    desk, item, status = place.desk, str(row["item"]), str(row["status"])
    known = item.partition(".")[0] in place.compiled.items
    by_check = is_automatic(row)
    return QueryModel(
        number=number,
        id=str(row["query"]),
        item=item,
        label=label_of(place, item) if known else item,
        status=status,
        text=query_words(place.build, row),
        answer=str(row["answer"] or ""),
        by_check=by_check,
        opened_by=_("automatic") if by_check else str(row["opened_by"]),
        opened_at=place.visit.local(str(row["opened_at"])),
        may_answer=status == "open" and desk.may(place.act(AnswerQuery)),
        may_close=status != "closed" and desk.may(place.act(CloseQuery)),
        may_reopen=status in ("answered", "confirmed", "closed") and desk.may(place.act(ReopenQuery)),
    )


def _comment(place: FormPlace, row: Row) -> CommentModel:
    return CommentModel(str(row["text"]), str(row["by"]), place.visit.local(str(row["at"])))

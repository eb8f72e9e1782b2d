"""What a form page is sent for: save, keep a draft, look at a field, answer a query, leave out, void.

Each act is a button of the one form of the page, so that whatever it is, what was typed comes along and is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.trial.capture.commands import (
    FormChanged,
    MarkFormNotDone,
    RecordVisit,
    SaveForm,
    VoidForm,
)
from trialwright.trial.capture.saving import split_row
from trialwright.trial.command import Command
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery, CommentItem, OpenQuery, ReopenQuery
from trialwright_web.capture.form_drafts import FormDraft, forget, found, keep
from trialwright_web.capture.form_entry import (
    Typed,
    changes,
    differing,
    entry_names,
    normal_text,
    posted,
    recorded,
)
from trialwright_web.capture.form_history import fields_at
from trialwright_web.capture.form_model import rows_of
from trialwright_web.capture.form_place import FormPlace
from trialwright_web.shell.desk import Request, new_request_id
from trialwright_web.shell.pages import status_of
from trialwright_web.shell.refusals import told

MOST_ROWS = 999
ROW = re.compile(r"([a-z][a-z0-9_]*)(?:\.(?:[2-9]|[1-9][0-9]{1,2}))?\Z", re.ASCII)
"""A field, in the first row or in another one."""


class VisitDateMissing(Refusal):
    """A form is saved at a visit that has no date, and none was given."""

    code = "web.visit_date_missing"


class FieldsNotReadable(Refusal):
    """Some fields cannot be read; each says why."""

    code = "web.fields_not_readable"


@dataclass
class Trouble:
    """Why an act was not carried out; the page is drawn again with it, and with everything that was typed."""

    error: TrialwrightError
    fields: Mapping[str, InvalidValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """What a form page sent."""

    request: Request
    place: FormPlace

    @cached_property
    def post(self) -> Mapping[str, str]:
        return self.request.POST.dict()

    @cached_property
    def rows(self) -> dict[str, int]:
        """Repeating group → rows that the page showed, up to the first empty one after all others."""
        if not self.place.compiled.has_rows:
            return {}
        rows = rows_of(self.place.compiled, [name for name, typed in self._all.items() if not typed.is_blank], {})
        return {
            group: min(_count(self.request.POST.get(f"rows.{group}", "1")), count + 1)
            for group, count in rows.items()
        }

    @cached_property
    def _all(self) -> dict[str, Typed]:
        """Every field that was sent and that the form has, in whatever row."""
        names = (key[2:] for key in self.request.POST if key[:2] in ("v.", "w."))
        items = self.place.compiled.items
        known = [name for name in names if (found := ROW.match(name)) and found[1] in items]
        return posted(self.post, known)

    @cached_property
    def typed(self) -> dict[str, Typed]:
        """The fields; those entered anew come from where the page says that all of it comes from."""
        fields = posted(self.post, entry_names(self.place.compiled, self.rows))
        if not self.source:
            return fields
        return {name: self._sourced(name, typed) for name, typed in fields.items()}

    def _sourced(self, name: str, typed: Typed) -> Typed:
        declared = self.place.compiled.items[split_row(name)[0]].item.origin
        untouched = typed.is_blank or typed.source or self.source == declared or name in self.place.record.values
        return typed if untouched else replace(typed, source=self.source)

    @property
    def source(self) -> str:
        """Where everything entered anew was seen first; empty: as the items declare."""
        return self.request.POST.get("source", "")

    @property
    def reason(self) -> str:
        return self.request.POST.get("reason", "").strip()

    @property
    def version(self) -> int:
        """Of the form, when the page was drawn."""
        return _count(self.request.POST.get("version", "0"), least=0)

    @property
    def request_id(self) -> str:
        return self.request.POST.get("request_id") or new_request_id()

    @property
    def is_behind(self) -> bool:
        """Somebody saved the form since the page was drawn."""
        return self.version != self.place.record.saves

    def draft(self) -> FormDraft:
        """What was typed and is not on record, over the version of the page."""
        form, today = self.place.compiled, self.place.desk.today
        before = fields_at(self.place, self.version) if self.is_behind else recorded(form, self.place.record)
        fields = differing(form, before, self.typed, today)
        visit_date = self.post.get("visit_date", "")
        return FormDraft(fields, self.rows, self.reason, self.source, visit_date, self.version, self.request_id)

    def kept_elsewhere(self) -> str:
        """When another window of the same person kept a draft since this page was drawn or kept one; else empty."""
        kept = found(self.place)
        own = (self.request_id, self.request.POST.get("draft_of", ""))
        return "" if kept is None or kept.page in own else kept.kept_at

    def keep(self) -> str:
        """Keep the draft; answers the local time at which it was kept, empty where there was nothing to keep."""
        return keep(self.place, self.draft()) if self.place.may_fill else ""

    def go(self, address: str) -> HttpResponse:
        """The page to show next; a script is told instead of led."""
        return JsonResponse({"location": address}) if self.wants_json else redirect(address)

    @property
    def wants_json(self) -> bool:
        return "application/json" in self.request.headers.get("Accept", "")


Act = Callable[[Sent, str], "HttpResponse | Trouble"]


def carry_out(sent: Sent) -> HttpResponse | Trouble:
    """Do what the button says; an unknown one saves nothing and loses nothing."""
    name, _sep, about = sent.request.POST.get("act", "").partition(":")
    act = ACTS.get(name, look)
    if act in _AFTER_KEEPING:
        sent.keep()
    try:
        return act(sent, about)
    except (Refusal, InvalidValue) as error:
        sent.keep()
        return Trouble(error)


def answer_trouble(trouble: Trouble) -> JsonResponse:
    """For a script: what was wrong, as a whole and field by field."""
    fields = {name: f"{error.message} {error.remedy}" for name, error in trouble.fields.items()}
    said = told(trouble.error)
    words = {"message": said.message, "remedy": said.remedy, "details": said.details}
    body = {"error": {**trouble.error.as_dict(), **words}, "fields": fields}
    return JsonResponse(body, status=status_of(trouble.error))


# --- saving ---------------------------------------------------------------------------------------------------


def save(sent: Sent, then: str) -> HttpResponse | Trouble:
    place = sent.place
    if sent.is_behind:
        return _behind(sent, then)
    entered, wrong = changes(place.compiled, recorded(place.compiled, place.record), sent.typed, place.desk.today)
    if wrong:
        sent.keep()
        message = _("%(count)s fields cannot be read") % {"count": len(wrong)}
        return Trouble(FieldsNotReadable(message, remedy=_("each field says what is wrong with it")), wrong)
    try:
        _need_visit(sent)
        if entered:
            _give(sent, _save_command(sent, entered), reason=sent.reason)
    except FormChanged:
        sent.keep()
        return sent.go(place.address("capture:form_compare"))
    forget(place)
    return sent.go(_after(sent, then, "saved" if entered else "unchanged"))


def save_and_next(sent: Sent, then: str) -> HttpResponse | Trouble:
    return save(sent, "next")


def _save_command(sent: Sent, entered: Mapping[str, Any]) -> SaveForm:
    encounter, form, repeat = sent.place.key
    return sent.place.act(SaveForm)(
        participant=sent.place.participant,
        encounter=encounter,
        form=form,
        repeat=repeat,
        items=entered,
        read_version=sent.version,
    )


def _behind(sent: Sent, then: str) -> HttpResponse:
    """The form moved: either this very page was sent twice, or somebody else saved it."""
    if sent.place.desk.trial.ledgers[sent.place.space].find_request(sent.request_id):
        return sent.go(_after(sent, then, "saved"))
    sent.keep()
    return sent.go(sent.place.address("capture:form_compare"))


def _need_visit(sent: Sent) -> None:
    """Record the visit's date, where the visit has none and the page asked for it."""
    visit = sent.place.visit
    if visit.takes_entries:
        return
    text = normal_text("date", sent.post.get("visit_date", ""), visit.desk.today)
    if not text:
        raise VisitDateMissing(_("the visit has no date"), remedy=_("enter the date on which it took place"))
    command = RecordVisit(participant=visit.participant, encounter=visit.encounter, date=text)
    visit.desk.dispatch(command, request_id=f"{sent.request_id}.visit")


def _after(sent: Sent, then: str, done: str) -> str:
    place = sent.place
    if then != "next":
        return place.address(done=done, field=sent.post.get("focus", ""))
    following = place.following()
    return following.address(done=done) if following is not None else f"{place.visit.address()}?done={done}"


def _give(sent: Sent, command: Command, *, reason: str = "", suffix: str = "") -> None:
    sent.place.desk.dispatch(command, request_id=sent.request_id + suffix, reason=reason)


# --- drafts ---------------------------------------------------------------------------------------------------


def autosave(sent: Sent, about: str) -> HttpResponse:
    """Keep what is typed, and say what the form amounts to with it."""
    from trialwright_web.capture.form_preview import preview

    elsewhere = sent.kept_elsewhere()
    kept = sent.keep()
    amounts = preview(sent.place, sent.typed, sent.is_behind)
    return JsonResponse({"kept_at": kept, "elsewhere": elsewhere, **amounts})


def discard(sent: Sent, about: str) -> HttpResponse:
    forget(sent.place)
    return sent.go(sent.place.address())


def look(sent: Sent, name: str) -> HttpResponse:
    """Show the margin of a field."""
    return sent.go(f"{sent.place.address(field=name)}#margin")


def add_row(sent: Sent, group: str) -> HttpResponse:
    if group in sent.rows:
        standing = rows_of(sent.place.compiled, list(sent.draft().fields) + list(sent.place.record.values), {})[group]
        row = sent.rows[group] = min(MOST_ROWS, standing + 1)
        keep(sent.place, sent.draft(), although_empty=True)
        first = next(name for name, item in sent.place.compiled.items.items() if item.group == group)
        return sent.go(sent.place.address(field=f"{first}.{row}"))
    return look(sent, "")


# --- queries and remarks --------------------------------------------------------------------------------------


def _query_of(sent: Sent, number: str) -> tuple[dict[str, Any], str]:
    """(participant and query, text) of the query whose controls have this number in the page."""
    about = {"participant": sent.place.participant, "query": sent.post.get(f"query.{number}", "")}
    return about, sent.post.get(f"text.{number}", "")


def answer(sent: Sent, number: str) -> HttpResponse:
    about, text = _query_of(sent, number)
    return _done(sent, sent.place.act(AnswerQuery)(**about, text=text), number)


def confirm(sent: Sent, number: str) -> HttpResponse:
    """Answer without a change: the value stands, and the text says why."""
    about, text = _query_of(sent, number)
    return _done(sent, sent.place.act(AnswerQuery)(**about, text=text, confirms=True), number)


def close(sent: Sent, number: str) -> HttpResponse:
    about, _text = _query_of(sent, number)
    return _done(sent, sent.place.act(CloseQuery)(**about), number)


def reopen(sent: Sent, number: str) -> HttpResponse:
    about, text = _query_of(sent, number)
    return _done(sent, sent.place.act(ReopenQuery)(**about, text=text), number)


def ask(sent: Sent, item: str) -> HttpResponse:
    return _done(sent, sent.place.act(OpenQuery)(**_field_of(sent, item), text=sent.post.get("text.ask", "")), "")


def comment(sent: Sent, item: str) -> HttpResponse:
    return _done(
        sent, sent.place.act(CommentItem)(**_field_of(sent, item), text=sent.post.get("text.comment", "")), ""
    )


def _field_of(sent: Sent, item: str) -> dict[str, Any]:
    encounter, form, repeat = sent.place.key
    return {
        "participant": sent.place.participant,
        "encounter": encounter,
        "form": form,
        "repeat": repeat,
        "item": item,
    }


def _done(sent: Sent, command: Command, number: str) -> HttpResponse:
    _give(sent, command, suffix=f".{type(command).__name__}")
    item = getattr(command, "item", "") or sent.post.get(f"item.{number}", "")
    return sent.go(f"{sent.place.address(field=item)}#margin")


# --- the whole form -------------------------------------------------------------------------------------------


def leave_out(sent: Sent, how: str) -> HttpResponse:
    """Mark the whole form as ``not_done`` or ``intentionally_blank``."""
    encounter, form, repeat = sent.place.key
    _need_visit(sent)
    command = sent.place.act(MarkFormNotDone)(
        participant=sent.place.participant, encounter=encounter, form=form, repeat=repeat, how=how
    )
    _give(sent, command, reason=sent.post.get("reason.whole", ""), suffix=".left")
    forget(sent.place)
    return sent.go(_after(sent, "next", how))


def void(sent: Sent, about: str) -> HttpResponse:
    encounter, form, repeat = sent.place.key
    command = sent.place.act(VoidForm)(
        participant=sent.place.participant, encounter=encounter, form=form, repeat=repeat
    )
    _give(sent, command, reason=sent.post.get("reason.whole", ""), suffix=".void")
    forget(sent.place)
    return sent.go(sent.place.address(done="voided"))


ACTS: Mapping[str, Act] = {
    "save": save,
    "save_next": save_and_next,
    "draft": autosave,
    "discard": discard,
    "look": look,
    "add_row": add_row,
    "answer": answer,
    "confirm": confirm,
    "close": close,
    "reopen": reopen,
    "ask": ask,
    "comment": comment,
    "leave_out": leave_out,
    "void": void,
}
_AFTER_KEEPING = frozenset({look, answer, confirm, close, reopen, ask, comment})
"""Acts that have nothing to do with what is typed: it is kept before."""


def _count(text: str, least: int = 1) -> int:
    return min(max(int(text), least), 10**9) if text.isdecimal() and len(text) < 10 else least

"""Acts: a command as a page that asks for what the command needs, and gives it through the door.

A screen declares an act (its fields, what is shown above them, how the command is made); drawing, keeping what was
typed, signatures, times and refusals are the same for all of them. An act can be sent from elsewhere, too, for
example from a row of a list: when it is refused, its own page shows what was typed and why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.command import Command, Signature
from trialwright.trial.dispatch import Receipt
from trialwright.trial.event import Space
from trialwright_web.shell.dates import written_moment, written_part
from trialwright_web.shell.desk import Desk, Request, new_request_id
from trialwright_web.shell.flags import flag_words
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.signing import needs_code, sign
from trialwright_web.shell.typed import shown_day, typed_day, typed_moment
from trialwright_web.shell.words import Words

Kind = Literal["text", "scan", "number", "date", "long", "choice", "select", "several", "tick"]
"""``scan`` is an identifier typed by a scanner; ``choice`` shows radio buttons, ``select`` a list, ``several`` and
``tick`` check boxes."""

SAVE, DONE = _("Save"), _("Done.")
MOMENT_HELP = _("Leave it empty if it is now; else like 15.02.2028 09:30, t 0930, or 09:30 for today.")
HAPPENED = "observed_at"
REASON = "reason"


class AnswerMissing(InvalidValue):
    """A field that the act needs is empty."""

    code = "web.answer_missing"


class PageMoved(Refusal):
    """What the page showed is not what stands there now, so nobody can have signed that."""

    code = "web.page_moved"


@dataclass(frozen=True)
class Field:
    """One question of an act.

    Args:
        name: in the form.
        label: in front of it.
        kind: how it is asked.
        choices: value and words, for ``choice``, ``select`` and ``several``.
        value: what stands there at first; for ``several`` values separated by blanks, for ``tick`` ``yes``.
        help: below the label.
        unit: behind the field.
        required: may not stay empty.
        suggestions: what may be meant, offered while typing.
    """

    name: str
    label: Words
    kind: Kind = "text"
    choices: tuple[tuple[str, Words], ...] = ()
    value: str = ""
    help: Words = ""
    unit: str = ""
    required: bool = True
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answers:
    """What was typed."""

    posted: QueryDict

    def text(self, name: str) -> str:
        """Without blanks around it; empty where nothing was typed."""
        return str(self.posted.get(name, "")).strip()

    def or_none(self, name: str) -> str | None:
        """The text, or None where nothing was typed."""
        return self.text(name) or None

    def several(self, name: str) -> tuple[str, ...]:
        """The values ticked."""
        return tuple(text for value in self.posted.getlist(name) if (text := str(value).strip()))

    def ticked(self, name: str) -> bool:
        """Whether a single box is ticked, or yes was chosen."""
        return self.text(name) == "yes"

    def whole(self, name: str) -> int:
        """A whole number.

        Raises:
            InvalidValue: it is none.
        """
        text = self.text(name)
        if not text.removeprefix("-").isdecimal() or len(text) > 9:
            raise InvalidValue(f"{text[:40]!r} is not a whole number", remedy="type digits only", given=text[:40])
        return int(text)

    def decimal(self, name: str) -> str:
        """A number as typed, with a point where a comma was typed."""
        return self.text(name).replace(" ", "").replace(",", ".")

    def day(self, name: str, today: date) -> str:
        """A date, whole or partial, as ISO text; typed as ``shell.typed`` reads it.

        Raises:
            InvalidValue: it is none.
        """
        return typed_day(self.text(name), today)


@dataclass(frozen=True)
class Act:
    """Something the desk may do.

    Args:
        title: what, in the imperative.
        command: whose permission says who may and whether it is signed.
        make: the command from what was typed.
        back: address to go to afterwards.
        fields: what is asked.
        facts: term and words shown above the questions, in order.
        rows: a table shown above them; the first row is its head.
        warning: shown prominently above them.
        first: where to go first, words and address, of an act that cannot succeed yet; nothing is asked then.
        intro: one or two sentences.
        button: on it.
        danger: the button is red.
        happened: label of a question for when it happened; empty where the act is now.
        reason: label of a question for the reason; empty where none is asked.
        reason_help: below that question.
        reason_required: whether the reason may stay empty.
        shown: hash of what is signed, where the command says which; else a hash of what the page shows.
        signs_over: the hash from the command itself, where what is signed is what was typed.
        done: message afterwards.
        template: a page of its own for this act, extending ``shell/act.html``.
        context: for that page.
    """

    title: Words
    command: type[Command]
    make: Callable[[Answers], Command]
    back: str
    fields: tuple[Field, ...] = ()
    facts: tuple[tuple[Words, Words], ...] = ()
    rows: tuple[tuple[Words, ...], ...] = ()
    warning: Words = ""
    first: tuple[Words, str] | None = None
    intro: Words = ""
    button: Words = SAVE
    danger: bool = False
    happened: Words = ""
    reason: Words = ""
    reason_help: Words = ""
    reason_required: bool = True
    shown: str = ""
    signs_over: Callable[[Command], str] | None = None
    done: Words = DONE
    template: str = "shell/act.html"
    context: Callable[[], dict[str, Any]] = dict

    @property
    def signs(self) -> str | None:
        """Meaning of the signature, or None."""
        return self.command.PERMISSION.signs

    @property
    def hash(self) -> str:
        """What a signature covers."""
        if self.shown:
            return self.shown
        facts = [[str(term), str(words)] for term, words in self.facts]
        rows = [[str(cell) for cell in row] for row in self.rows]
        return digest([str(self.title), str(self.intro), str(self.warning), facts, rows])

    def asked(self) -> tuple[Field, ...]:
        """Every field, also those for time and reason."""
        when = Field(HAPPENED, self.happened, help=MOMENT_HELP, required=False)
        why = Field(REASON, self.reason, "long", help=self.reason_help, required=self.reason_required)
        return (*self.fields, *((when,) if self.happened else ()), *((why,) if self.reason else ()))


def digest(document: Any) -> str:
    """SHA-256 (hex) of plain data."""
    return hashlib.sha256(
        json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def may_act(desk: Desk, command: type[Command]) -> bool:
    """Whether the desk's role may give the command, and this process has its space."""
    return desk.may(command) and (command.PERMISSION.space is Space.OPEN or Space.CLOSED in desk.trial.ledgers)


def act_page(
    request: Request, desk: Desk, act: Act, *, then: Callable[[Receipt], HttpResponse] | None = None
) -> HttpResponse:
    """Draw an act, or carry it out.

    Args:
        then: answers after it was carried out; by default the person goes back with a message.

    Who may not give the command, or is in a process that does not have its space, is told so.
    """
    if not may_act(desk, act.command):
        return render_page(request, "shell/forbidden.html", status=403)
    if request.method != "POST":
        return _draw(request, act, new_request_id())
    answers = Answers(request.POST)
    request_id = answers.text("request_id") or new_request_id()
    try:
        _check_filled(act, answers)
        command = act.make(answers)
        happened = _happened(answers, desk, command) if act.happened else None
        read = " ".join(_read_as(act, answers, desk, happened))
        receipt = desk.dispatch(
            command,
            request_id=request_id,
            observed_at=happened,
            reason=answers.or_none(REASON) if act.reason else None,
            signature=_signature(request, desk, act, command, answers),
        )
    except (Refusal, InvalidValue) as error:
        # Refused, so nothing stands under this id; a corrected page is another request.
        return _draw(request, act, new_request_id(), answers, error)
    if then is not None:
        if read:
            messages.info(request, read)
        return then(receipt)
    messages.success(request, f"{act.done} {read}".strip())
    for words in warnings_of(receipt):
        messages.warning(request, words)
    return redirect(act.back)


def warnings_of(receipt: Receipt) -> Iterator[str]:
    """What a fact was flagged with, and that deviations were opened."""
    flags = dict.fromkeys(flag for fact in receipt.facts for flag in getattr(fact.event, "flags", ()))
    for flag in flags:
        yield flag_words(flag)
    opened = sum(isinstance(fact.event, DeviationOpened) for fact in receipt.facts)
    if opened:
        yield ngettext("A deviation was opened.", "%(number)d deviations were opened.", opened) % {"number": opened}


def _draw(
    request: Request, act: Act, request_id: str, answers: Answers | None = None, error: TrialwrightError | None = None
) -> HttpResponse:
    context = {
        **act.context(),
        "act": act,
        "fields": [_Drawn(field, answers) for field in act.asked()],
        "request_id": request_id,
        "error": error,
        "needs_code": act.signs is not None and needs_code(request),
    }
    return render_page(request, act.template, context, status=200 if error is None else status_of(error))


@dataclass(frozen=True)
class _Drawn:
    """A field with what stands in it."""

    field: Field
    answers: Answers | None

    @property
    def value(self) -> str:
        if self.answers is not None:
            return self.answers.text(self.field.name)
        return shown_day(self.field.value, partial=True) if self.field.kind == "date" else self.field.value

    @property
    def is_time(self) -> bool:
        return self.field.name == HAPPENED

    @property
    def options(self) -> Sequence[tuple[str, Words, bool]]:
        """Value, words, and whether it is chosen."""
        chosen: Sequence[str]
        if self.answers is not None:
            chosen = self.answers.several(self.field.name)
        else:
            chosen = self.field.value.split() if self.field.kind == "several" else (self.field.value,)
        return [(value, words, value in chosen) for value, words in self.field.choices]

    @property
    def is_ticked(self) -> bool:
        return self.value == "yes"


def _check_filled(act: Act, answers: Answers) -> None:
    empty = [field for field in act.asked() if field.required and not answers.several(field.name)]
    if empty:
        raise AnswerMissing(
            str(_("Not filled in: %(fields)s")) % {"fields": ", ".join(str(field.label) for field in empty)},
            remedy=str(_("Fill it in; what you typed is still here.")),
            fields=" ".join(field.name for field in empty),
        )


def _happened(answers: Answers, desk: Desk, command: Command) -> str | None:
    """A local time at the participant's site, as an instant with its offset."""
    text = answers.text(HAPPENED)
    if not text:
        return None
    return typed_moment(text, desk.now.astimezone(desk.zone(_site_of(desk, command)))).isoformat()


def _read_as(act: Act, answers: Answers, desk: Desk, happened: str | None) -> Iterator[str]:
    """How the days and the time that were typed were read."""
    for field in act.fields:
        if field.kind == "date" and answers.text(field.name):
            yield f"{field.label}: {written_part(answers.day(field.name, desk.today))}."
    if happened is not None:
        yield f"{act.happened}: {written_moment(datetime.fromisoformat(happened))}."


def _site_of(desk: Desk, command: Command) -> str | None:
    participant = getattr(command, "participant", None)
    return str(desk.participant(participant)["site"]) if participant else None


def _signature(request: Request, desk: Desk, act: Act, command: Command, answers: Answers) -> Signature | None:
    if act.signs is None:
        return None
    over = act.signs_over(command) if act.signs_over is not None else act.hash
    if act.signs_over is None and answers.text("shown") != over:
        raise PageMoved(
            str(_("what this page shows has changed since you looked")),
            remedy=str(_("look again at what stands here now, then sign")),
        )
    return sign(request, desk, act.signs, over)


def with_value(act: Act, **values: str) -> Act:
    """The act with other values in its fields at first."""
    fields = tuple(replace(field, value=values.get(field.name, field.value)) for field in act.fields)
    return replace(act, fields=fields)

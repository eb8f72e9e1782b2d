"""Questionnaires: one question a page, kept on the way, checked before they are sent through the one door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from trialwright.build import CompiledItem, parse_item_value, value_of
from trialwright.expressions import Missing
from trialwright.finder import Said, say
from trialwright.foundation.errors import InvalidValue, TrialwrightError
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth
from trialwright.protocol.forms import Item
from trialwright.trial.capture.commands import SaveForm
from trialwright.trial.capture.events import Entered
from trialwright_web.participant import kept
from trialwright_web.participant.access import Person, as_participant
from trialwright_web.participant.standing import Reported, Standing
from trialwright_web.shell.desk import Request, new_request_id
from trialwright_web.shell.pages import render_page, status_of

RATHER_NOT = "rather_not"
LONGEST_ANSWER = 2000


@dataclass(frozen=True)
class Asked:
    """One item as it is asked."""

    item: Item
    label: Said
    help: Said | None
    heading: Said | None
    choices: tuple[tuple[str, str], ...]
    unit: str


class Filling:
    """A questionnaire on the way."""

    def __init__(self, person: Person, encounter: str, form: str) -> None:
        self.person = person
        self.standing = Standing(person.desk, person.code)
        wanted = (encounter, form)
        known = [*self.standing.diaries(), *self.standing.reported()]
        found = [reported for reported in known if (reported.place, reported.form.id) == wanted]
        if not found:
            raise Http404
        self.reported: Reported = found[0]
        self.compiled = self.standing.build.forms[form]
        self.place = f"questionnaire/{encounter}/{form}"
        self.answers = self._still_readable(kept.find(person, self.place).get("answers", {}))
        self.language = person.desk.language
        self.reference = self.standing.build.study.identity.languages[0]

    @property
    def is_open(self) -> bool:
        """Whether it still waits to be filled."""
        return self.reported.is_diary or self.reported in self.standing.to_fill()

    def _still_readable(self, answers: dict[str, str]) -> dict[str, str]:
        """Without those that an amendment made meaningless since they were kept; they are asked again."""
        items = {name: compiled.field.item for name, compiled in self.compiled.items.items()}
        return {name: text for name, text in answers.items() if name in items and self.readable(items[name], text)}

    def asked(self) -> list[Asked]:
        """What is asked, as the answers so far say; computed items are not."""
        row = self._row()
        found = []
        for group in self.reported.form.groups:
            for item in group.items:
                compiled = self.compiled.items[item.id]
                if compiled.derive is None and self._applies(compiled, row):
                    found.append(self._asked(item, group.title))
        return found

    def keep(self, item: str, text: str) -> None:
        """Keep one answer."""
        self.answers[item] = text
        kept.keep(self.person, self.place, {"answers": self.answers})

    def entered(self) -> dict[str, Entered]:
        """The answers as the command wants them."""
        return {asked.item.id: self._entered(asked.item) for asked in self.asked() if asked.item.id in self.answers}

    def shown(self, asked: Asked) -> str:
        """An answer in words."""
        text = self.answers.get(asked.item.id, "")
        if text == RATHER_NOT:
            return _("I would rather not answer")
        return dict(asked.choices).get(text, f"{text} {asked.unit}".strip()) if text else ""

    def readable(self, item: Item, text: str) -> bool:
        """Whether the text is an answer to this item."""
        if text == RATHER_NOT:
            return True
        try:
            parse_item_value(self.compiled.items[item.id].field, text, item.units[0] if item.units else None)
        except InvalidValue:
            return False
        return bool(text)

    def _entered(self, item: Item) -> Entered:
        text = self.answers[item.id]
        if text == RATHER_NOT:
            return Entered(missing=MissingReason.REFUSED.value)
        return Entered(text=text, unit=item.units[0] if item.units else None)

    def _row(self) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, text in self.answers.items():
            field = self.compiled.items[name].field
            if text == RATHER_NOT:
                row[name] = Missing(MissingReason.REFUSED)
            else:
                unit = field.item.units[0] if field.item.units else None
                row[name] = value_of(field, parse_item_value(field, text, unit))
        return row

    def _applies(self, compiled: CompiledItem, row: dict[str, Any]) -> bool:
        return compiled.when is None or compiled.when.verdict(row).truth is not Truth.NO

    def _asked(self, item: Item, heading: Any) -> Asked:
        return Asked(
            item=item,
            label=say(item.label, self.language, self.reference),
            help=say(item.help, self.language, self.reference) if item.help else None,
            heading=say(heading, self.language, self.reference) if heading else None,
            choices=self._choices(item),
            unit=item.units[0] if item.units else "",
        )

    def _choices(self, item: Item) -> tuple[tuple[str, str], ...]:
        if item.type == "boolean":
            return ("true", _("Yes")), ("false", _("No"))
        if item.type == "code" and item.codelist:
            codes = self.standing.build.study.terminology[item.codelist].codes
            return tuple((code.code, say(code.label, self.language, self.reference).text) for code in codes)
        limits = item.possible or item.range
        if item.type == "scale" and limits is not None and limits.low is not None and limits.high is not None:
            return tuple((str(n), str(n)) for n in range(int(limits.low), int(limits.high) + 1))
        return ()


@as_participant
@require_safe
def listed(request: Request, person: Person) -> HttpResponse:
    """What is to fill, and what was sent."""
    standing = Standing(person.desk, person.code)
    sent = [one for one in standing.reported() if one.is_sent]
    context = {
        "standing": standing,
        "to_fill": standing.to_fill(),
        "diaries": standing.diaries(),
        "sent": [*standing.entries()[::-1], *sent[::-1]],
    }
    return render_page(request, "participant/questionnaires.html", context)


@as_participant
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: Request, person: Person, encounter: str, form: str, step: int) -> HttpResponse:
    """One question."""
    filling = Filling(person, encounter, form)
    if not filling.is_open:
        return redirect("participant:questionnaires")
    asked = filling.asked()
    if not 1 <= step <= len(asked):
        raise Http404
    now = asked[step - 1]
    problem = too_long = False
    if request.method == "POST":
        refused = "rather_not" in request.POST and MissingReason.REFUSED in now.item.missing
        text = RATHER_NOT if refused else _typed(now.item, request.POST.get("answer", ""))
        too_long = len(text) > LONGEST_ANSWER
        good = not too_long and filling.readable(now.item, text)
        if good:
            filling.keep(now.item.id, text)
        if "back" in request.POST and not too_long:
            return _before(filling, step)
        if good:
            following = step + 1
            if following > len(filling.asked()):
                return redirect("participant:review", encounter, form)
            return redirect("participant:question", encounter, form, following)
        problem = True
    context = {
        "filling": filling,
        "asked": now,
        "step": step,
        "steps": len(asked),
        "given": request.POST.get("answer", filling.answers.get(now.item.id, "")),
        "problem": problem,
        "too_long": too_long,
        "longest": LONGEST_ANSWER,
        "may_refuse": MissingReason.REFUSED in now.item.missing,
    }
    return render_page(request, "participant/question.html", context, status=422 if problem else 200)


def _typed(item: Item, text: str) -> str:
    """As the form's rules read it: new lines as one letter, a decimal comma as a point."""
    typed = text.replace("\r\n", "\n").strip()
    return typed.replace(",", ".", 1) if item.type in ("decimal", "quantity") else typed


def _before(filling: Filling, step: int) -> HttpResponse:
    if step == 1:
        return redirect("participant:questionnaires")
    return redirect("participant:question", filling.reported.place, filling.reported.form.id, step - 1)


@as_participant
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: Request, person: Person, encounter: str, form: str) -> HttpResponse:
    """All answers once more, then they are sent."""
    filling = Filling(person, encounter, form)
    if not filling.is_open:
        return redirect("participant:questionnaires")
    if request.method == "POST" and filling.reported.is_diary and not filling.answers:
        return redirect("participant:questionnaires")  # the button was pressed twice: the entry was sent
    problem: TrialwrightError | None = None
    if request.method == "POST":
        command = SaveForm(
            participant=person.code, encounter=encounter, form=form, items=filling.entered(), read_version=0,
            repeat=filling.reported.repeat,
        )  # fmt: skip
        try:
            person.desk.dispatch(command, request_id=request.POST.get("request_id", ""))
        except TrialwrightError as error:
            problem = error
        else:
            kept.forget(person, filling.place)
            messages.success(request, _("Thank you. Your answers were sent."))
            return redirect("participant:questionnaires")
    lines = [(number, asked, filling.shown(asked)) for number, asked in enumerate(filling.asked(), 1)]
    context = {
        "filling": filling,
        "lines": lines,
        "open": next((number for number, _asked, shown in lines if not shown), None),
        "request_id": new_request_id(),
        "problem": problem,
    }
    return render_page(request, "participant/review.html", context, status=status_of(problem) if problem else 200)

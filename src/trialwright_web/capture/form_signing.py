"""Signing: a form, the forms of a visit one by one under one ceremony, the whole case book. Over what was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.trial.capture.commands import SignCaseBook, SignClosedForm, SignForm
from trialwright.trial.capture.shown import shown_case_book, shown_form
from trialwright.trial.capture.state import LOG, CaseBook
from trialwright.trial.command import Signature
from trialwright_web.capture.form_entry import recorded
from trialwright_web.capture.form_model import FormModel, form_model, rows_of
from trialwright_web.capture.form_place import FormPlace, VisitPlace, find_form, find_visit
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.signing import needs_code, sign

SIGNERS = tuple(sorted(SignForm.PERMISSION.roles | SignClosedForm.PERMISSION.roles, key=lambda role: role.value))


class NothingToSign(Refusal):
    """No form here waits for a signature of this role."""

    code = "web.nothing_to_sign"


@dataclass(frozen=True)
class Shown:
    """A form as it is shown to whoever signs, with the hash of exactly that."""

    place: FormPlace
    model: FormModel
    hash: str

    @property
    def name(self) -> str:
        """Of the field that brings the hash back."""
        encounter, form, repeat = self.place.key
        return f"shown.{encounter}.{form}.{repeat}"


@at_desk(*SIGNERS)
@require_http_methods(["GET", "POST"])
def sign_form(request: Request, desk: Desk, participant: str, encounter: str, form: str, repeat: int) -> HttpResponse:
    """Sign one form."""
    place = find_form(desk, participant, encounter, form, repeat)
    # A page sent after somebody asked is refused by the door, which says why; a new one offers nothing to sign.
    forms = [_shown(place)] if place.is_ready_to_sign or request.method == "POST" else []
    return _ceremony(request, place.visit, forms, place.title, place.address(done="signed"))


@at_desk(*SIGNERS)
@require_http_methods(["GET", "POST"])
def sign_visit(request: Request, desk: Desk, participant: str, encounter: str) -> HttpResponse:
    """Sign every form of a visit that waits for the desk's signature."""
    visit = find_visit(desk, participant, encounter)
    waiting = [_shown(place) for place in visit.forms() if place.is_ready_to_sign]
    return _ceremony(request, visit, waiting, visit.label, f"{visit.address()}?done=signed")


def _ceremony(request: Request, visit: VisitPlace, forms: list[Shown], title: str, following: str) -> HttpResponse:
    error: TrialwrightError | None = None
    if request.method == "POST":
        try:
            _sign(request, forms)
            return redirect(following)
        except (Refusal, InvalidValue) as refusal:
            error = refusal
    context = {
        "visit": visit,
        "forms": forms,
        "title": title,
        "error": error,
        "needs_code": needs_code(request),
        "request_id": new_request_id(),
        "back": forms[0].place.address() if len(forms) == 1 else visit.address(),
    }
    return render_page(request, "capture/form_sign.html", context, status=status_of(error) if error else 200)


def _sign(request: Request, forms: list[Shown]) -> None:
    # What the page showed is what it carries: a form that was not on it is not signed with it.
    wanted = [(form, request.POST[form.name]) for form in forms if form.name in request.POST]
    if not wanted:
        raise NothingToSign(_("nothing here waits for your signature"), remedy=_("go back to the visit"))
    signature = sign(request, wanted[0][0].place.desk, "sign_form", wanted[0][1])
    for form, shown in wanted:
        encounter, name, repeat = form.place.key
        command = form.place.act(SignForm)(
            participant=form.place.participant, encounter=encounter, form=name, repeat=repeat
        )
        request_id = f"{request.POST.get('request_id', '')}.{encounter}.{name}.{repeat}"
        form.place.desk.dispatch(command, request_id=request_id, signature=replace(signature, shown=shown))


def _shown(place: FormPlace) -> Shown:
    return Shown(place, _model(place), shown_form(place.participant, place.key, place.record))


def _model(place: FormPlace) -> FormModel:
    typed = recorded(place.compiled, place.record)
    return form_model(
        place.build,
        place.visit.book,
        place.key,
        typed,
        rows=rows_of(place.compiled, list(typed), {}),
        today=place.desk.today,
    )


# --- the case book --------------------------------------------------------------------------------------------


@at_desk(*SignCaseBook.PERMISSION.roles)
@require_http_methods(["GET", "POST"])
def case_book(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Show a participant's whole case book, and sign it."""
    person = desk.participant(participant)
    book = desk.trial.state().of(CaseBook, participant)
    error: TrialwrightError | None = None
    if request.method == "POST":
        try:
            signature: Signature = sign(request, desk, "sign_case_book", request.POST.get("shown", ""))
            command = SignCaseBook(participant=participant)
            desk.dispatch(command, request_id=request.POST.get("request_id", ""), signature=signature)
            return redirect(f"{reverse('capture:case_book', args=(desk.study, participant))}?done=signed")
        except (Refusal, InvalidValue) as refusal:
            error = refusal
    context: Mapping[str, Any] = {
        "participant": participant,
        "person": person,
        "visits": list(_visits(desk, participant, book)),
        "signed": book.signed,
        "shown": shown_case_book(participant, book),
        "error": error,
        "needs_code": needs_code(request),
        "request_id": new_request_id(),
    }
    return render_page(request, "capture/form_case_book.html", context, status=status_of(error) if error else 200)


def _visits(desk: Desk, participant: str, book: CaseBook) -> Any:
    """The visits with their forms that count, in order of their dates; the log last."""
    encounters = sorted(book.held, key=lambda encounter: book.held[encounter])
    for encounter in (*encounters, LOG):
        visit = find_visit(desk, participant, encounter)
        forms = [_shown(place) for place in visit.forms() if place.record.status not in ("empty", "voided")]
        if forms or encounter != LOG:
            yield visit, forms

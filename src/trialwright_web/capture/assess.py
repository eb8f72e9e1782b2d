"""Eligibility of one participant: every criterion with its verdict; the investigator states, judges and assesses."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.foundation.truth import Truth
from trialwright.trial.enrolment.assessment import Judgement
from trialwright.trial.enrolment.commands import AssessCriteria, FailScreening, SignOffEligibility
from trialwright_web.capture.eligibility_model import CriterionLine, FreeFact, Standing, standing
from trialwright_web.capture.readers import READERS
from trialwright_web.capture.words import VERDICTS
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.pages import render_page, status_of


@at_desk(*READERS)
@require_http_methods(["GET", "POST"])
def criteria(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """The page; a post assesses."""
    person = desk.participant(participant)
    error: TrialwrightError | None = None
    stands = standing(desk, participant)
    if request.method == "POST":
        try:
            return _assess(request, desk, participant, stands)
        except (Refusal, InvalidValue) as refusal:
            error = refusal
    context: dict[str, Any] = {
        "person": person,
        "stands": stands,
        "lines": [(line, *_typed(request, line)) for line in stands.lines],
        "free": [(one, _stated(request, one)) for one in stands.free],
        "may_assess": desk.may(AssessCriteria) and person["status"] == "screening",
        "may_sign": desk.may(SignOffEligibility) and person["status"] == "screening",
        "may_fail": desk.may(FailScreening) and person["status"] == "screening",
        "request_id": new_request_id(),
        "error": error,
        "zone": desk.zone(str(person["site"])),
    }
    return render_page(request, "capture/criteria.html", context, status=status_of(error) if error else 200)


def _assess(request: Request, desk: Desk, participant: str, stands: Standing) -> HttpResponse:
    stated = {one.fact.id: text for one in stands.free if (text := _stated(request, one))}
    judgements = {
        line.id: Judgement(Truth(verdict), comment)
        for line in stands.lines
        if line.judged
        for verdict, comment in [_typed(request, line)]
        if verdict in VERDICTS
    }
    command = AssessCriteria(participant=participant, stated=stated, judgements=judgements)
    desk.dispatch(command, request_id=request.POST.get("request_id", "") or new_request_id())
    now = standing(desk, participant)
    eligible = now.assessed.eligible if now.assessed else Truth.UNKNOWN.value
    said = {
        Truth.YES.value: _("Assessed: every criterion is met. Sign off when you have looked it through."),
        Truth.NO.value: _("Assessed: a criterion is not met."),
        Truth.UNKNOWN.value: _("Assessed: something is not known yet."),
    }
    level = messages.SUCCESS if eligible == Truth.YES.value else messages.WARNING
    messages.add_message(request, level, said[eligible])
    return redirect("capture:criteria", desk.study, participant)


def _typed(request: Request, line: CriterionLine) -> tuple[str, str]:
    """Verdict and comment of a judged criterion: as typed, else as on record."""
    if request.method == "POST":
        return request.POST.get(f"verdict.{line.id}", ""), request.POST.get(f"comment.{line.id}", "").strip()
    return (line.recorded, line.why) if line.judged else ("", "")


def _stated(request: Request, one: FreeFact) -> str:
    if request.method == "POST":
        return request.POST.get(f"fact.{one.fact.id}", "").strip().replace(",", ".")
    return one.value

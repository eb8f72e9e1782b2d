"""The page of randomisation: gates, confirmation, the result, which never is the arm; an open study leads to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import (
    DispenseAllocation,
    RandomiseParticipant,
    RecordAccidentalUnblinding,
    RecordMistakenRandomisation,
)
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright_web.randomise.gates import gates
from trialwright_web.shell.acts import AnswerMissing
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.pages import render_page, status_of

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.MONITOR, Role.MEDICAL_MONITOR, Role.DATA_MANAGER,
    Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip


@at_desk(*READERS)
@require_http_methods(["GET", "POST"])
def randomise(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """The page; a post with the confirmation randomises."""
    person = desk.participant(participant)
    error: TrialwrightError | None = None
    if request.method == "POST":
        try:
            return _randomise(request, desk, participant)
        except (Refusal, InvalidValue) as refusal:
            error = refusal
    found = gates(desk, person)
    row = desk.rows.get(RANDOMISATION, (participant,))
    context: dict[str, Any] = {
        "person": person,
        "row": row,
        "gates": found,
        "open": all(gate.holds for gate in found),
        "may_randomise": desk.may(RandomiseParticipant),
        "may_look": row is not None and desk.trial.one_space and desk.may(DispenseAllocation),
        "may_mistaken": row is not None and desk.may(RecordMistakenRandomisation),
        "may_accidental": row is not None
        and desk.may(RecordAccidentalUnblinding)
        and desk.build.study.identity.blinding.kind == "blinded",
        "confirmed": request.POST.get("confirmed") == "yes",
        "request_id": new_request_id(),
        "error": error,
        "zone": desk.zone(str(person["site"])),
    }
    return render_page(request, "randomise/page.html", context, status=status_of(error) if error else 200)


def _randomise(request: Request, desk: Desk, participant: str) -> HttpResponse:
    if request.POST.get("confirmed") != "yes":
        raise AnswerMissing(
            _("Nobody confirmed that %(code)s is to be randomised") % {"code": participant},
            remedy=_("tick the box; randomisation cannot be undone"),
        )
    request_id = request.POST.get("request_id", "") or new_request_id()
    desk.dispatch(RandomiseParticipant(participant=participant), request_id=request_id)
    messages.success(request, _("%(code)s is randomised.") % {"code": participant})
    return redirect("randomise:participant", desk.study, participant)

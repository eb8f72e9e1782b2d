"""Suspected unexpected serious reactions, in the closed process: unblind one case to report it; the team stays
blind."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import UnblindForSusar
from trialwright.trial.safety.commands import RecordExpeditedReport
from trialwright_web.safety.acts import case_of
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.revealing import revealed
from trialwright_web.shell.words import Words


@at_desk(Role.SAFETY_OFFICER)
@require_http_methods(["GET", "POST"])
def unblind(request: Request, desk: Desk, participant: str, event: str) -> HttpResponse:
    """Look at the one allocation."""
    case = case_of(desk, participant, event)
    act = Act(
        title=_("Unblind a suspected unexpected serious reaction"),
        command=UnblindForSusar,
        make=lambda answers: UnblindForSusar(participant=participant, adverse_event=event),
        back=case.address,
        facts=case.facts,
        intro=_(
            "Seriousness, relation and expectedness were judged blind. Nothing of this look appears to the team."
        ),
        reason=_("What for"),
        button=_("Record it and show"),
        danger=True,
    )
    steps: tuple[Words, ...] = (
        _("Report it where the participant received the product; record what became of it."),
        _("Tell nobody of the trial team."),
    )
    return act_page(
        request, desk, act, then=revealed(request, desk, title=act.title, next_steps=steps, back=case.address)
    )


@at_desk(Role.SAFETY_OFFICER)
@require_http_methods(["GET", "POST"])
def expedited(request: Request, desk: Desk, participant: str, event: str) -> HttpResponse:
    """What became of the clock: submitted, or not required after unblinding."""
    case = case_of(desk, participant, event)
    waiting = tuple((clock.id, clock.label) for clock in case.clocks if clock.is_expedited and clock.is_running)
    act = Act(
        title=_("Record the expedited report"),
        command=RecordExpeditedReport,
        make=lambda answers: RecordExpeditedReport(
            participant=participant,
            adverse_event=event,
            clock=answers.text("clock"),
            outcome=answers.text("outcome"),
            reference=answers.text("reference"),
        ),
        back=case.address,
        facts=case.facts,
        fields=(
            Field("clock", _("Clock"), "choice", waiting),
            Field(
                "outcome",
                _("What became of it"),
                "choice",
                (("submitted", _("submitted")), ("not_required", _("not required after unblinding"))),
            ),
            Field("reference", _("Reference")),
        ),
        happened=_("Submitted at (local time)"),
        button=_("Record the report"),
        done=_("The report is recorded, in the closed space only."),
    )
    return act_page(request, desk, act)

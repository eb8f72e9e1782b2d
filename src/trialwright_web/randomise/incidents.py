"""What should not have happened: somebody randomised by mistake, somebody who learned an allocation. Facts both."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import RecordAccidentalUnblinding, RecordMistakenRandomisation
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk


@at_desk(Role.INVESTIGATOR, Role.MONITOR, Role.MEDICAL_MONITOR)
@require_http_methods(["GET", "POST"])
def mistaken(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Nothing is undone; a deviation is opened."""
    desk.participant(participant)
    page = Act(
        title=_("Record a randomisation by mistake"),
        command=RecordMistakenRandomisation,
        make=lambda answers: RecordMistakenRandomisation(participant=participant, what=answers.text("what")),
        back=reverse("randomise:participant", args=(desk.study, participant)),
        facts=((_("Participant"), participant),),
        intro=_("The participant stays randomised and is followed; the mistake is recorded and a deviation opened."),
        fields=(
            Field(
                "what",
                _("What went wrong"),
                "long",
                help=_("Without naming any treatment."),
            ),
        ),
        button=_("Record"),
        danger=True,
        done=_("The mistake is recorded."),
    )
    return act_page(request, desk, page)


@at_desk(
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.MONITOR, Role.MEDICAL_MONITOR, Role.DATA_MANAGER,
    Role.SPONSOR,
)  # fmt: skip
@require_http_methods(["GET", "POST"])
def accidental(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Who learned it and how; never what."""
    desk.participant(participant)
    page = Act(
        title=_("Record an accidental unblinding"),
        command=RecordAccidentalUnblinding,
        make=lambda answers: RecordAccidentalUnblinding(
            participant=participant, learned_by=answers.text("learned_by"), how=answers.text("how")
        ),
        back=reverse("randomise:participant", args=(desk.study, participant)),
        facts=((_("Participant"), participant),),
        warning=_("Blinded people read this. Write who learned the allocation and how, never what it was."),
        fields=(
            Field("learned_by", _("Who learned it"), help=_("The person's id, or for example: the participant.")),
            Field("how", _("How"), "long"),
        ),
        happened=_("When"),
        button=_("Record"),
        done=_("Recorded."),
    )
    return act_page(request, desk, page)

"""What somebody in an open study was randomised to: looked up where it is given, and each look is an event."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import DispenseAllocation
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.revealing import revealed
from trialwright_web.shell.templatetags.shell import in_language

LOOKERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.PHARMACIST, Role.INJECTING_PHYSICIAN, Role.CELL_LABORATORY,
    Role.QUALIFIED_PERSON,
)  # fmt: skip


@at_desk(*LOOKERS)
@require_http_methods(["GET", "POST"])
def treatment(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Record the look, and see it. In an open study only: a blinded one has its own process for that."""
    if not desk.trial.one_space:
        raise Http404
    person = desk.participant(participant)
    if desk.rows.get(RANDOMISATION, (participant,)) is None:
        raise Http404
    periods = desk.build_at(str(person["site"])).study.identity.periods
    back = reverse("capture:participant", args=(desk.study, participant))
    act = Act(
        title=_("See the treatment"),
        command=DispenseAllocation,
        make=lambda answers: DispenseAllocation(participant=participant, period=answers.or_none("period")),
        back=back,
        facts=((_("Participant"), participant),),
        fields=(
            Field(
                "period",
                _("To prepare"),
                "choice",
                tuple((period.id, in_language(period.label)) for period in periods),
                value=periods[0].id,
            ),
        )
        if periods
        else (),
        intro=_("This study is open. Your name and the time are recorded, then the treatment is shown."),
        button=_("Record it and show"),
    )
    steps = (
        _("Give what stands here."),
        _("Do not tell those who assess the participant blindly."),
    )
    return act_page(
        request,
        desk,
        act,
        then=revealed(request, desk, title=_("Treatment"), next_steps=steps, back=back),
    )

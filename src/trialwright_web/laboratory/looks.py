"""A look at one participant's allocation, to prepare what is given; each look is an event."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import DispenseAllocation
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.revealing import revealed
from trialwright_web.shell.templatetags.shell import in_language


@at_desk(
    Role.CELL_LABORATORY,
    Role.QUALIFIED_PERSON,
    Role.INJECTING_PHYSICIAN,
    Role.PHARMACIST,
    Role.UNBLINDED_MONITOR,
)
@require_http_methods(["GET", "POST"])
def look(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Say what the look is for, and see it once."""
    desk.participant(participant)
    periods = desk.build.study.identity.periods
    back = request.GET.get("back", "")
    board = reverse("laboratory:board", args=(desk.study,))
    act = Act(
        title=_("Look at the allocation"),
        command=DispenseAllocation,
        make=lambda answers: DispenseAllocation(participant=participant, period=answers.or_none("period")),
        back=back if back.startswith(f"/{desk.study}/laboratory") else board,
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
        intro=_("Your name, the time and the purpose are recorded before anything is shown. It is shown once."),
        button=_("Record it and show"),
    )
    steps = (
        _("Prepare what stands here, and nothing else."),
        _("Do not write it where blinded people read, and do not say it."),
    )
    return act_page(
        request,
        desk,
        act,
        then=revealed(
            request, desk, title=_("Allocation, to prepare what is given"), next_steps=steps, back=act.back
        ),
    )

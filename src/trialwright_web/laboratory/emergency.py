"""Emergency unblinding: the investigator alone, at any hour, one participant, in less than two minutes."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import UnblindInEmergency
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.revealing import revealed
from trialwright_web.shell.words import Words


@at_desk(Role.INVESTIGATOR, visitors=True)
@require_http_methods(["GET", "POST"])
def emergency(request: Request, desk: Desk) -> HttpResponse:
    """Participant, reason, signature; then the allocation in plain words."""
    here = reverse("laboratory:emergency", args=(desk.study,))
    act = Act(
        title=_("Emergency unblinding"),
        command=UnblindInEmergency,
        make=lambda answers: UnblindInEmergency(participant=answers.text("participant")),
        back=here,
        fields=(_who(desk, request.GET.get("participant", "")),),
        intro=_(
            "Only when the care of this participant depends on knowing what was given. You decide alone. The sponsor "
            "is told that you unblinded and why, not what you saw."
        ),
        reason=_("Why the participant's care needs it"),
        button=_("Sign and show what is given"),
        danger=True,
        template="laboratory/emergency.html",
    )
    steps: tuple[Words, ...] = (
        _("Tell only those who treat this participant."),
        *((_("In a crossover the other period is known now, too."),) if desk.build.study.identity.sequences else ()),
        _("Report the adverse event, and go on with the visits: the participant stays in the study."),
    )
    return act_page(
        request,
        desk,
        act,
        then=revealed(request, desk, title=_("Unblinded in an emergency"), next_steps=steps, back=here, again=True),
    )


@at_desk(Role.INVESTIGATOR, visitors=True)
@require_http_methods(["GET", "POST"])
def opened_envelope(request: Request, desk: Desk) -> HttpResponse:
    """Record that a sealed envelope was opened while the system was not reached."""
    act = Act(
        title=_("Record that an envelope was opened"),
        command=UnblindInEmergency,
        make=lambda answers: UnblindInEmergency(participant=answers.text("participant"), means="envelope"),
        back=reverse("laboratory:emergency", args=(desk.study,)),
        fields=(_who(desk, ""),),
        happened=_("Opened at (local time)"),
        reason=_("Why it was opened; without saying what was in it"),
        button=_("Sign and record"),
        done=_("It is recorded. The sponsor sees that the envelope was opened."),
    )
    return act_page(request, desk, act)


def _who(desk: Desk, chosen: str) -> Field:
    people = [str(row["participant"]) for row in desk.participants()]
    randomised = [code for code in people if desk.rows.get(RANDOMISATION, (code,))]
    choices: tuple[tuple[str, Words], ...] = (("", _("Choose …")), *((code, code) for code in randomised))
    return Field("participant", _("Participant"), "select", choices, chosen)

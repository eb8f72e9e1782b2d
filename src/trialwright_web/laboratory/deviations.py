"""Deviations of the closed space, which nobody sees who must not know the arm, and their classification."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.closure.commands import ClassifyClosedDeviation
from trialwright.trial.closure.views import CLOSED_DEVIATION
from trialwright_web.shell.acts import Act, Field, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.waiting import Waiting, says_what_waits

READERS = (Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.UNBLINDED_MONITOR)


def _waiting(desk: Desk) -> Iterator[Waiting]:
    """Those not yet classified, for whom may do it."""
    if may_act(desk, ClassifyClosedDeviation):
        for row in desk.closed_rows.where(CLOSED_DEVIATION):
            if row["classified_at"] is None:
                participant, deviation = str(row["participant"]), str(row["deviation"])
                address = reverse("laboratory:classify", args=(desk.study, participant, deviation))
                yield Waiting(now("Classify the deviation"), address, participant, str(row["about"]))


@says_what_waits(_waiting)
@at_desk(*READERS)
@require_GET
def deviations(request: Request, desk: Desk) -> HttpResponse:
    """All of them, those that wait first."""
    found = sorted(
        desk.closed_rows.where(CLOSED_DEVIATION), key=lambda row: (bool(row["classified_at"]), str(row["opened_at"]))
    )
    context = {"deviations": found, "may_classify": may_act(desk, ClassifyClosedDeviation), "zone": desk.zone()}
    return render_page(request, "laboratory/deviations.html", context)


@at_desk(*READERS)
@require_http_methods(["GET", "POST"])
def classify(request: Request, desk: Desk, participant: str, deviation: str) -> HttpResponse:
    """Judge one."""
    row = desk.closed_rows.get(CLOSED_DEVIATION, (participant, deviation))
    if row is None:
        raise Http404
    act = Act(
        title=_("Classify the deviation"),
        command=ClassifyClosedDeviation,
        make=lambda answers: ClassifyClosedDeviation(
            participant=participant,
            deviation=deviation,
            important=answers.ticked("important"),
            assessment=answers.text("assessment"),
            action=answers.text("action"),
        ),
        back=reverse("laboratory:deviations", args=(desk.study,)),
        facts=((_("Participant"), participant), (_("About"), str(row["about"]))),
        fields=(
            Field("important", _("Important"), "choice", (("yes", _("yes")), ("no", _("no")))),
            Field("assessment", _("Assessment"), "long"),
            Field("action", _("What was done"), "long"),
        ),
        button=_("Classify"),
        done=_("The deviation is classified."),
    )
    return act_page(request, desk, act)

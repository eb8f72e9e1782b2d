"""Serious breaches and their notification, urgent safety measures."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.closure.commands import (
    RecordBreachNotification,
    RecordSeriousBreach,
    RecordUrgentSafetyMeasure,
)
from trialwright.trial.closure.views import BREACH
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.templatetags.shell import local_time
from trialwright_web.shell.words import Words

SPONSOR_SIDE = (Role.SPONSOR, Role.MEDICAL_MONITOR)


def _back(desk: Desk) -> str:
    return reverse("monitor:deviations", args=(desk.study,))


def _site_field(desk: Desk) -> Field:
    sites: tuple[tuple[str, Words], ...] = tuple(
        (name, f"{name} {site.name}") for name, site in desk.build.study.sites.items()
    )
    return Field("site", _("Site"), "select", (("", _("the whole study")), *sites), desk.site or "", required=False)


@at_desk(*SPONSOR_SIDE)
@require_http_methods(["GET", "POST"])
def report(request: Request, desk: Desk) -> HttpResponse:
    """A breach likely to affect safety and rights or the data to a significant degree."""
    act = Act(
        title=_("Record a serious breach"),
        command=RecordSeriousBreach,
        make=lambda answers: RecordSeriousBreach(what=answers.text("what"), site=answers.text("site")),
        back=_back(desk),
        fields=(_site_field(desk), Field("what", _("What happened"), "long")),
        happened=_("The sponsor became aware at (local time)"),
        intro=_("The authority is notified within seven days of awareness."),
        button=_("Record the breach"),
        danger=True,
        done=_("The breach is recorded; its clock runs."),
    )
    return act_page(request, desk, act)


@at_desk(*SPONSOR_SIDE)
@require_http_methods(["GET", "POST"])
def notify(request: Request, desk: Desk, breach: str) -> HttpResponse:
    """The authority was told."""
    row = desk.rows.get(BREACH, (breach,))
    if row is None:
        raise Http404
    act = Act(
        title=_("Record the notification of a serious breach"),
        command=RecordBreachNotification,
        make=lambda answers: RecordBreachNotification(breach=breach, reference=answers.text("reference")),
        back=_back(desk),
        facts=((_("What happened"), str(row["what"])), (_("Due"), local_time(row["due"], desk.zone()))),
        fields=(Field("reference", _("Reference of the authority")),),
        happened=_("Notified at (local time)"),
        button=_("Record the notification"),
        done=_("The notification is recorded."),
    )
    return act_page(request, desk, act)


@at_desk(*SPONSOR_SIDE, Role.INVESTIGATOR)
@require_http_methods(["GET", "POST"])
def measure(request: Request, desk: Desk) -> HttpResponse:
    """An urgent safety measure was taken."""
    act = Act(
        title=_("Record an urgent safety measure"),
        command=RecordUrgentSafetyMeasure,
        make=lambda answers: RecordUrgentSafetyMeasure(what=answers.text("what"), site=answers.text("site")),
        back=_back(desk),
        fields=(_site_field(desk), Field("what", _("What was done, and why"), "long")),
        happened=_("Taken at (local time)"),
        button=_("Record the measure"),
        done=_("The measure is recorded."),
    )
    return act_page(request, desk, act)

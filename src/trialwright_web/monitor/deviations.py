"""Deviations of the open space, serious breaches, urgent safety measures, and who was unblinded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.closure.commands import (
    ClassifyDeviation,
    OpenDeviation,
    RecordBreachNotification,
    RecordSeriousBreach,
    RecordUrgentSafetyMeasure,
)
from trialwright.trial.closure.views import BREACH, DEVIATION, MEASURE
from trialwright_web.shell.acts import Act, Field, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.deviations import about_words
from trialwright_web.shell.menu import reached
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.words import Words

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INJECTING_PHYSICIAN, Role.MONITOR, Role.UNBLINDED_MONITOR,
    Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.SAFETY_OFFICER, Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip

KINDS: dict[str, Words] = {
    "visit_window": _("visit outside its window"),
    "missed_visit": _("missed visit"),
    "consent": _("consent"),
    "eligibility": _("eligibility"),
    "randomisation": _("randomisation"),
    "unblinding": _("unblinding"),
    "safety_gate": _("safety gate"),
    "collection": _("collection"),
    "release": _("release"),
    "authorisation": _("authorisation"),
    "product": _("product"),
    "dose": _("dose"),
    "late_result": _("late result"),
    "after_withdrawal": _("after withdrawal"),
    "role": _("role"),
    "safety": _("safety reporting"),
    "procedure": _("procedure"),
    "other": _("other"),
}
"""Kind → words; a kind that stands in the record and not here is shown as it is."""

REPORTED = ("visit_window", "consent", "eligibility", "dose", "procedure", "other")
"""Kinds that people report; the others are opened by what was recorded."""


@dataclass(frozen=True)
class Line:
    """One deviation of the list."""

    row: Row
    site: str
    kind: Words
    about: str
    days: int


@at_desk(*READERS)
@require_GET
def deviations(request: Request, desk: Desk) -> HttpResponse:
    """The list, those that wait first, and what stands beside it."""
    site, state = request.GET.get("site", ""), request.GET.get("state", "waiting")
    found = [line for line in _lines(desk, site) if state == "all" or (line.row["classified_at"] is None)]
    found.sort(key=lambda line: (line.row["classified_at"] is not None, str(line.row["opened_at"])))
    people = {str(row["participant"]) for row in desk.participants(site or None)}
    context = {
        "lines": found,
        "site": site,
        "state": state,
        "sites": desk.build.study.sites if desk.site is None else {},
        "zone": desk.zone(),
        "breaches": [row for row in desk.rows.where(BREACH) if desk.site is None],
        "measures": [row for row in desk.rows.where(MEASURE) if desk.site in (None, row["site"])],
        "unblinded": [r for r in desk.rows.where(RANDOMISATION) if r["unblinded"] and r["participant"] in people],
        "learned": list(_accidents(desk, people)),
        "may_report": may_act(desk, OpenDeviation),
        "may_classify": may_act(desk, ClassifyDeviation),
        "may_breach": may_act(desk, RecordSeriousBreach),
        "may_notify": may_act(desk, RecordBreachNotification),
        "may_measure": may_act(desk, RecordUrgentSafetyMeasure),
        "is_central": desk.site is None,
        "today": desk.today.isoformat(),
    }
    return render_page(request, "monitor/deviations.html", context)


def _lines(desk: Desk, site: str) -> Iterator[Line]:
    for person in desk.participants(site or None):
        for row in desk.rows.where(DEVIATION, participant=person["participant"]):
            kind = str(row["kind"])
            days = (desk.now - datetime.fromisoformat(str(row["opened_at"]))).days
            site_of = str(person["site"])
            yield Line(row, site_of, KINDS.get(kind, kind), about_words(desk.build_at(site_of), row), days)


def _accidents(desk: Desk, people: set[str]) -> Iterator[tuple[str, str]]:
    """Where an accidental unblinding is recorded, of each randomised participant, if the desk does that."""
    for row in desk.rows.where(RANDOMISATION):
        participant = str(row["participant"])
        address, view = reached(desk, "randomise:accidental", participant)
        if participant in people and view is not None:
            yield participant, address


@at_desk(Role.INVESTIGATOR, Role.STUDY_NURSE, Role.MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR)
@require_http_methods(["GET", "POST"])
def report(request: Request, desk: Desk) -> HttpResponse:
    """Report that the protocol was not followed."""
    people = [str(row["participant"]) for row in desk.participants()]
    act = Act(
        title=_("Report a deviation"),
        command=OpenDeviation,
        make=lambda answers: OpenDeviation(
            participant=answers.text("participant"), kind=answers.text("kind"), about=answers.text("about")
        ),
        back=reverse("monitor:deviations", args=(desk.study,)),
        fields=(
            Field(
                "participant",
                _("Participant"),
                "select",
                (("", _("Choose …")), *((code, code) for code in people)),
                request.GET.get("participant", ""),
            ),
            Field("kind", _("What it concerns"), "choice", tuple((kind, KINDS[kind]) for kind in REPORTED)),
            Field("about", _("What happened"), "long", help=_("Blinded people read it. Do not hint at an arm.")),
        ),
        happened=_("Happened at (local time)"),
        button=_("Report the deviation"),
        done=_("The deviation is reported."),
    )
    return act_page(request, desk, act)


@at_desk(Role.MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.SPONSOR)
@require_http_methods(["GET", "POST"])
def classify(request: Request, desk: Desk, participant: str, deviation: str) -> HttpResponse:
    """Judge one."""
    person = desk.participant(participant)
    row = desk.rows.get(DEVIATION, (participant, deviation))
    if row is None:
        raise Http404
    kind = str(row["kind"])
    act = Act(
        title=_("Classify the deviation"),
        command=ClassifyDeviation,
        make=lambda answers: ClassifyDeviation(
            participant=participant,
            deviation=deviation,
            important=answers.ticked("important"),
            assessment=answers.text("assessment"),
            action=answers.text("action"),
        ),
        back=reverse("monitor:deviations", args=(desk.study,)),
        facts=(
            (_("Participant"), participant),
            (_("Concerns"), KINDS.get(kind, kind)),
            (_("What happened"), about_words(desk.build_at(str(person["site"])), row)),
        ),
        fields=(
            Field(
                "important",
                _("Important"),
                "choice",
                (("yes", _("yes")), ("no", _("no"))),
                help=_("May it significantly affect the data's reliability, or rights, safety or well-being?"),
            ),
            Field("assessment", _("Assessment"), "long"),
            Field("action", _("What was done"), "long"),
        ),
        button=_("Classify"),
        done=_("The deviation is classified."),
    )
    return act_page(request, desk, act)

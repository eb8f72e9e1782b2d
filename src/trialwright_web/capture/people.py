"""Who may do what: delegations and trainings at sites, appointments to central roles; and acts that change them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.foundation.tables import Row
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.setup.commands import (
    AppointPerson,
    DelegateTask,
    EndAppointment,
    RecordTraining,
    RevokeDelegation,
)
from trialwright.trial.setup.state import REQUIRED_TRAINING, SiteSetup
from trialwright.trial.setup.views import PERSON, TRAINING
from trialwright_web.capture.invite import may_invite
from trialwright_web.shell.acts import Act, Answers, Field, act_page, digest, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.templatetags.shell import role_name
from trialwright_web.shell.words import Words

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR,
    Role.SAFETY_OFFICER, Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip

SUBJECTS: dict[str, Words] = {
    "protocol": _("the protocol"),
    "gcp": _("good clinical practice"),
    "system": _("this system"),
}
"""Subjects of training that have a name; the first two are needed before somebody may act."""

DATE_HELP = _("dd.mm.yyyy, ddmmyy, or t for today")


@dataclass(frozen=True)
class PersonLine:
    """Somebody in a role.

    Args:
        standing: ``acts``, ``ended``, ``later`` or ``untrained``.
        missing: subjects of training that are needed and not recorded.
    """

    row: Row
    role: str
    standing: str
    missing: tuple[Words, ...]
    trainings: tuple[tuple[Words, str], ...]
    is_principal: bool


@dataclass(frozen=True)
class Team:
    """The people of a site; the central roles where ``site`` is empty."""

    site: str
    name: str
    lines: tuple[PersonLine, ...]


@at_desk(*READERS)
@require_GET
def people(request: Request, desk: Desk) -> HttpResponse:
    """Everybody on record whom the desk works with: the own site, or all."""
    context = {
        "teams": list(_teams(desk)),
        "may_delegate": desk.site is not None
        and may_act(desk, DelegateTask)
        and _principal(desk, desk.site) == desk.person,
        "may_train": may_act(desk, RecordTraining),
        "may_invite": may_invite(desk) and settings.ENVIRONMENT.process == "staff",
        "may_appoint": may_act(desk, AppointPerson),
        "zone": desk.zone(),
    }
    return render_page(request, "capture/people.html", context)


def _teams(desk: Desk) -> Iterator[Team]:
    trained: dict[tuple[str, str], list[tuple[Words, str]]] = {}
    for row in desk.rows.where(TRAINING):
        subject = str(row["subject"])
        held = trained.setdefault((str(row["site"]), str(row["person"])), [])
        held.append((SUBJECTS.get(subject, subject), str(row["date"])))
    by_site: dict[str, list[PersonLine]] = {}
    for row in desk.rows.where(PERSON):
        site = str(row["site"])
        if row["role"] != Role.PARTICIPANT.value and (desk.site is None or site in ("", desk.site)):
            trainings = tuple(trained.get((site, str(row["person"])), ()))
            by_site.setdefault(site, []).append(_line(desk, row, trainings))
    for site, declared in desk.build.study.sites.items():
        if site in by_site:
            yield Team(site, declared.name, tuple(by_site[site]))
    if "" in by_site:
        yield Team("", "", tuple(by_site[""]))


def _line(desk: Desk, row: Row, trainings: tuple[tuple[Words, str], ...]) -> PersonLine:
    site, person, role, today = str(row["site"]), str(row["person"]), str(row["role"]), desk.today.isoformat()
    setup = desk.trial.state().of(SiteSetup, site) if site else None
    missing: tuple[Words, ...] = ()
    if setup is not None and person != setup.principal_investigator:
        lacking = REQUIRED_TRAINING - setup.trained.get(person, set())
        missing = tuple(words for subject, words in SUBJECTS.items() if subject in lacking)
    if row["until"] is not None and str(row["until"]) < today:
        standing = "ended"
    elif str(row["since"]) > today:
        standing = "later"
    elif setup is not None and not setup.may_act(person, role, today):
        standing = "untrained"
    else:
        standing = "acts"
    is_principal = setup is not None and person == setup.principal_investigator and role == Role.INVESTIGATOR.value
    return PersonLine(row, role, standing, missing, trainings, is_principal)


def _principal(desk: Desk, site: str) -> str:
    return desk.trial.state().of(SiteSetup, site).principal_investigator


def _back(desk: Desk) -> str:
    return reverse("capture:people", args=(desk.study,))


def _roles(desk: Desk, *, at_sites: bool) -> tuple[tuple[str, Words], ...]:
    """Roles of the study, of sites or central ones."""
    roles = (role for role in desk.build.study.identity.roles if role is not Role.PARTICIPANT)
    return tuple((role.value, role_name(role)) for role in roles if (role in SITE_ROLES) is at_sites)


def _filled(request: Request, act: Act) -> Act:
    """What the address says stands in the fields."""
    fields = tuple(replace(field, value=request.GET.get(field.name, field.value)) for field in act.fields)
    return replace(act, fields=fields)


@at_desk(Role.INVESTIGATOR)
@require_http_methods(["GET", "POST"])
def delegate(request: Request, desk: Desk) -> HttpResponse:
    """The principal investigator delegates a role; the signature covers what is delegated to whom."""
    site = desk.site or ""

    def make(answers: Answers) -> DelegateTask:
        until = answers.or_none("until")
        return DelegateTask(
            site=site,
            person=answers.text("person"),
            role=Role(answers.text("role")),
            organisation=answers.text("organisation"),
            since=answers.day("since", desk.today),
            until=answers.day("until", desk.today) if until else None,
        )

    page = Act(
        title=_("Delegate a task"),
        command=DelegateTask,
        make=make,
        back=_back(desk),
        intro=_("Who is delegated a task acts for it from the first day on, once training is recorded, too."),
        facts=((_("Site"), f"{site} {desk.build.study.sites[site].name}"),),
        fields=(
            Field("person", _("Person"), help=_("Their user name.")),
            Field("role", _("Task"), "choice", _roles(desk, at_sites=True)),
            Field("organisation", _("Employer"), value=desk.place.organisation),
            Field("since", _("From"), "date", value="t", help=DATE_HELP),
            Field("until", _("Until"), "date", required=False),
        ),
        button=_("Delegate and sign"),
        signs_over=_of_delegation,
        done=_("Delegated. The person may act as soon as training is recorded."),
    )
    return act_page(request, desk, _filled(request, page))


def _of_delegation(command: object) -> str:
    """What is signed: every part of the delegation."""
    assert isinstance(command, DelegateTask)
    until = command.until or ""
    return digest(
        ["delegate", command.site, command.person, command.role.value, command.organisation, command.since, until]
    )


@at_desk(Role.INVESTIGATOR, Role.MONITOR)
@require_http_methods(["GET", "POST"])
def training(request: Request, desk: Desk) -> HttpResponse:
    """Somebody of a site was trained in one or more subjects; each is recorded by itself."""
    sites = tuple((site, f"{site} {one.name}") for site, one in desk.build.study.sites.items())
    place = () if desk.site else (Field("site", _("Site"), "select", sites),)
    page = Act(
        title=_("Record a training"),
        command=RecordTraining,
        make=lambda answers: RecordTraining(
            site=desk.site or answers.text("site"),
            person=answers.text("person"),
            subject=answers.text("other") or answers.text("subject"),
            date=answers.day("date", desk.today),
        ),
        back=_back(desk),
        fields=(
            *place,
            Field("person", _("Person"), help=_("Their user name.")),
            Field("subject", _("Trained in"), "choice", tuple(SUBJECTS.items()), required=False),
            Field("other", _("Or in something else"), required=False),
            Field("date", _("On"), "date", value="t", help=DATE_HELP),
        ),
        button=_("Record"),
        done=_("The training is recorded."),
    )
    return act_page(request, desk, _filled(request, page))


@at_desk(Role.INVESTIGATOR)
@require_http_methods(["GET", "POST"])
def revoke(request: Request, desk: Desk) -> HttpResponse:
    """A delegation ends on a day."""
    site = desk.site or ""
    page = Act(
        title=_("End a delegation"),
        command=RevokeDelegation,
        make=lambda answers: RevokeDelegation(
            site=site,
            person=answers.text("person"),
            role=Role(answers.text("role")),
            until=answers.day("until", desk.today),
        ),
        back=_back(desk),
        fields=(
            Field("person", _("Person")),
            Field("role", _("Task"), "choice", _roles(desk, at_sites=True)),
            Field("until", _("Last day"), "date", value="t", help=DATE_HELP),
        ),
        reason=_("Reason"),
        reason_required=False,
        button=_("End the delegation"),
        danger=True,
        done=_("The delegation ends on that day."),
    )
    return act_page(request, desk, _filled(request, page))


@at_desk(Role.SPONSOR)
@require_http_methods(["GET", "POST"])
def appoint(request: Request, desk: Desk) -> HttpResponse:
    """A central role."""
    page = Act(
        title=_("Appoint somebody"),
        command=AppointPerson,
        make=lambda answers: AppointPerson(
            person=answers.text("person"), role=Role(answers.text("role")), organisation=answers.text("organisation")
        ),
        back=_back(desk),
        intro=_("Roles at a site are delegated by its principal investigator; these are the others."),
        fields=(
            Field("person", _("Person"), help=_("Their user name.")),
            Field("role", _("Role"), "choice", _roles(desk, at_sites=False)),
            Field("organisation", _("Organisation"), value=desk.place.organisation),
        ),
        button=_("Appoint"),
        done=_("Appointed."),
    )
    return act_page(request, desk, _filled(request, page))


@at_desk(Role.SPONSOR)
@require_http_methods(["GET", "POST"])
def end_appointment(request: Request, desk: Desk) -> HttpResponse:
    """A central role ends today."""
    page = Act(
        title=_("End an appointment"),
        command=EndAppointment,
        make=lambda answers: EndAppointment(person=answers.text("person"), role=Role(answers.text("role"))),
        back=_back(desk),
        fields=(
            Field("person", _("Person")),
            Field("role", _("Role"), "choice", _roles(desk, at_sites=False)),
        ),
        reason=_("Reason"),
        reason_required=False,
        button=_("End the appointment"),
        danger=True,
        done=_("The appointment has ended."),
    )
    return act_page(request, desk, _filled(request, page))

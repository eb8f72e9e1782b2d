"""Sites and builds: what is approved, which site works under what, and the sponsor's acts about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.build import Build, Difference, diff
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.protocol.study import Site
from trialwright.trial.command import Command
from trialwright.trial.setup.commands import (
    ActivateAmendment,
    ActivateSite,
    ApproveBuild,
    OpenStudy,
    PauseRecruitment,
    RecordStudyApproval,
    ResumeRecruitment,
)
from trialwright.trial.setup.events import Approval
from trialwright.trial.setup.state import StudySetup
from trialwright.trial.setup.views import SITE
from trialwright_web.capture.people import DATE_HELP
from trialwright_web.shell.acts import Act, AnswerMissing, Answers, Field, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.waiting import Waiting, says_what_waits
from trialwright_web.shell.words import Words

READERS = (Role.MEDICAL_MONITOR, Role.MONITOR, Role.DATA_MANAGER, Role.SPONSOR, Role.INSPECTOR)
ACTORS = (Role.SPONSOR, Role.MEDICAL_MONITOR)

KINDS: tuple[tuple[str, Words], ...] = (
    ("ethics", _("ethics committee")),
    ("authority", _("authority")),
    ("contract", _("contract")),
    ("insurance", _("insurance")),
)
"""Kinds of approval."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")

CHANGES = 40
"""Differences of a build that are shown."""


@dataclass(frozen=True)
class SiteLine:
    """A site with the build it works under, and what may be done about it."""

    site: str
    declared: Site
    row: Row | None
    version: str
    offers: tuple[tuple[str, Words], ...]


@dataclass(frozen=True)
class BuildLine:
    """A build that is known here."""

    id: str
    version: str
    approved: bool
    sites: tuple[str, ...]
    summary: str


def _waiting(desk: Desk) -> Iterator[Waiting]:
    """What comes next until the study is open and every site active, for who may do it."""
    state = desk.trial.state().of(StudySetup)
    if not state.build:
        if may_act(desk, ApproveBuild):
            yield Waiting(str(_("Look at the build and approve it")), _build_page(desk, desk.build.id))
    elif not state.opened:
        if state.mode == "production" and "ethics" not in state.approvals and may_act(desk, RecordStudyApproval):
            yield Waiting(str(_("Record the approval of the ethics committee")), _page(desk, "study_approval"))
        elif may_act(desk, OpenStudy):
            yield Waiting(str(_("Open the study")), _page(desk, "open_study"))
    elif may_act(desk, ActivateSite):
        for line in _sites(desk):
            if line.row is None:
                address = reverse("capture:site_act", args=(desk.study, line.site, "activate"))
                yield Waiting(str(_("Activate a site")), address, about=f"{line.site} {line.declared.name}")


def _page(desk: Desk, name: str) -> str:
    return reverse(f"capture:{name}", args=(desk.study,))


def _build_page(desk: Desk, build: str) -> str:
    return reverse("capture:approve_build", args=(desk.study, build))


@says_what_waits(_waiting)
@at_desk(*READERS)
@require_GET
def setup(request: Request, desk: Desk) -> HttpResponse:
    """The page."""
    state = desk.trial.state().of(StudySetup)
    context = {
        "sites": list(_sites(desk)),
        "builds": list(_builds(desk)),
        "opened": state.opened,
        "frozen": state.frozen,
        "approvals": sorted(state.approvals),
        "may_approve": may_act(desk, ApproveBuild),
        "may_open": may_act(desk, OpenStudy) and not state.opened,
        "zone": desk.zone(),
    }
    return render_page(request, "capture/setup.html", context)


def _sites(desk: Desk) -> Iterator[SiteLine]:
    newest = desk.builds.get(desk.trial.state().of(StudySetup).build)
    for site, declared in (newest or desk.build).study.sites.items():
        row = desk.rows.get(SITE, (site,))
        version = desk.builds[str(row["build"])].study.identity.version if row else ""
        yield SiteLine(site, declared, row, version, tuple(_offers(desk, row)))


def _offers(desk: Desk, row: Row | None) -> Iterator[tuple[str, Words]]:
    approved = desk.trial.state().of(StudySetup).approved
    offered: list[tuple[str, Words, type[Command]]] = []
    if row is None:
        offered.append(("activate", _("Activate"), ActivateSite))
    else:
        if row["recruiting"]:
            offered.append(("pause", _("Pause recruitment"), PauseRecruitment))
        else:
            offered.append(("resume", _("Resume recruitment"), ResumeRecruitment))
        if any(build != row["build"] for build in approved):
            offered.append(("amend", _("Activate an amendment"), ActivateAmendment))
    yield from ((name, words) for name, words, command in offered if may_act(desk, command))


def _builds(desk: Desk) -> Iterator[BuildLine]:
    approved = desk.trial.state().of(StudySetup).approved
    used: dict[str, list[str]] = {}
    for row in desk.rows.where(SITE):
        used.setdefault(str(row["build"]), []).append(str(row["site"]))
    for name, build in desk.builds.items():
        amendment = build.study.identity.amendment
        summary = in_language(amendment.summary) if amendment else ""
        yield BuildLine(name, build.study.identity.version, name in approved, tuple(used.get(name, ())), summary)


def _back(desk: Desk) -> str:
    return reverse("capture:setup", args=(desk.study,))


@at_desk(*ACTORS)
@require_http_methods(["GET", "POST"])
def site_act(request: Request, desk: Desk, site: str, act: str) -> HttpResponse:
    """Activate, amend, pause or resume a site."""
    newest = desk.builds.get(desk.trial.state().of(StudySetup).build) or desk.build
    if act not in _SITE_ACTS or site not in newest.study.sites:
        raise Http404
    return act_page(request, desk, _SITE_ACTS[act](desk, newest.study.sites[site]))


def _activate(desk: Desk, site: Site) -> Act:
    return Act(
        title=_("Activate a site"),
        command=ActivateSite,
        make=lambda answers: ActivateSite(
            site=site.id,
            build=answers.text("build"),
            approvals=_approvals(desk, answers),
            principal_investigator=answers.text("investigator"),
            organisation=answers.text("organisation"),
        ),
        back=_back(desk),
        facts=((_("Site"), f"{site.id} {site.name}, {site.town}"),),
        intro=_("From then on the site recruits, under this build, led by the principal investigator."),
        fields=(
            _build_field(desk, None),
            Field(
                "investigator",
                _("Principal investigator"),
                help=_("The user name they have, or will have: invite them under People afterwards."),
            ),
            Field("organisation", _("Employer"), value=site.name),
            *_approval_fields(),
        ),
        button=_("Activate"),
        done=_("The site is active and recruits."),
    )


def _amend(desk: Desk, site: Site) -> Act:
    row = desk.rows.get(SITE, (site.id,)) or {}
    now = desk.builds.get(str(row.get("build")))
    return Act(
        title=_("Activate an amendment"),
        command=ActivateAmendment,
        make=lambda answers: ActivateAmendment(
            site=site.id,
            build=answers.text("build"),
            approvals=_approvals(desk, answers),
            reconsent=answers.ticked("reconsent"),
        ),
        back=_back(desk),
        facts=(
            (_("Site"), f"{site.id} {site.name}"),
            (_("Works under"), _named(now) if now else "–"),
        ),
        fields=(
            _build_field(desk, str(row.get("build") or "")),
            Field("reconsent", _("Participants consent again"), "tick", required=False),
            *_approval_fields(),
        ),
        button=_("Activate"),
        done=_("The site works under the new build from now on."),
    )


def _pause(desk: Desk, site: Site) -> Act:
    return Act(
        title=_("Pause recruitment"),
        command=PauseRecruitment,
        make=lambda answers: PauseRecruitment(site=site.id),
        back=_back(desk),
        facts=((_("Site"), f"{site.id} {site.name}"),),
        intro=_("Nobody is screened or randomised there any more; who takes part goes on."),
        reason=_("Reason"),
        button=_("Pause"),
        danger=True,
        done=_("Recruitment is paused."),
    )


def _resume(desk: Desk, site: Site) -> Act:
    return Act(
        title=_("Resume recruitment"),
        command=ResumeRecruitment,
        make=lambda answers: ResumeRecruitment(site=site.id),
        back=_back(desk),
        facts=((_("Site"), f"{site.id} {site.name}"),),
        reason=_("Reason"),
        reason_required=False,
        button=_("Resume"),
        done=_("The site recruits again."),
    )


_SITE_ACTS = {"activate": _activate, "amend": _amend, "pause": _pause, "resume": _resume}


def _named(build: Build) -> str:
    return f"{build.study.identity.version} ({build.id[:12]})"


def _build_field(desk: Desk, besides: str | None) -> Field:
    """The approved builds, the newest first."""
    approved = [
        name for name in desk.trial.state().of(StudySetup).approved if name != besides and name in desk.builds
    ]
    choices = tuple((name, _named(desk.builds[name])) for name in reversed(approved))
    return Field("build", _("Build"), "select", choices)


def _approval_fields() -> tuple[Field, ...]:
    """One approval has to be named, another may be."""
    return (
        Field("kind", _("Approval"), "select", KINDS),
        Field("reference", _("Its reference")),
        Field("approved", _("Its date"), "date", help=DATE_HELP),
        Field("kind2", _("Further approval"), "select", (("", "–"), *KINDS), required=False),
        Field("reference2", _("Its reference"), required=False),
        Field("approved2", _("Its date"), "date", required=False),
    )


def _approvals(desk: Desk, answers: Answers) -> tuple[Approval, ...]:
    found = [_approval(desk, answers, "")]
    if answers.text("kind2"):
        if not (answers.text("reference2") and answers.text("approved2")):
            raise AnswerMissing(
                str(_("The further approval has no reference or no date")),
                remedy=str(_("fill in both, or take it out")),
            )
        found.append(_approval(desk, answers, "2"))
    return tuple(found)


def _approval(desk: Desk, answers: Answers, suffix: str) -> Approval:
    return Approval(
        kind=answers.text(f"kind{suffix}"),
        reference=answers.text(f"reference{suffix}"),
        date=answers.day(f"approved{suffix}", desk.today),
    )


@at_desk(Role.SPONSOR)
@require_http_methods(["GET", "POST"])
def study_approval(request: Request, desk: Desk) -> HttpResponse:
    """An approval of the whole study."""
    page = Act(
        title=_("Record an approval of the study"),
        command=RecordStudyApproval,
        make=lambda answers: RecordStudyApproval(approval=_approval(desk, answers, "")),
        back=_back(desk),
        fields=_approval_fields()[:3],
        button=_("Record"),
        done=_("The approval is recorded."),
    )
    return act_page(request, desk, page)


@at_desk(Role.SPONSOR)
@require_http_methods(["GET", "POST"])
def open_study(request: Request, desk: Desk) -> HttpResponse:
    """Sites may be activated from now on."""
    page = Act(
        title=_("Open the study"),
        command=OpenStudy,
        make=lambda answers: OpenStudy(),
        back=_back(desk),
        intro=_("From then on sites may be activated."),
        button=_("Open"),
        done=_("The study is open."),
    )
    return act_page(request, desk, page)


@at_desk(Role.SPONSOR)
@require_http_methods(["GET", "POST"])
def approve_build(request: Request, desk: Desk, build: str) -> HttpResponse:
    """The sponsor approves a build, over its id, having seen what it changes."""
    if build not in desk.builds:
        raise Http404
    new = desk.builds[build]
    before = desk.builds.get(desk.trial.state().of(StudySetup).build)
    difference = diff(before, new) if before is not None and before.id != build else None
    page = Act(
        title=_("Approve a build"),
        command=ApproveBuild,
        make=lambda answers: ApproveBuild(
            build=build, evidence=_digest(answers.text("evidence")), summary=answers.text("summary")
        ),
        back=_back(desk),
        facts=(
            (_("Version"), new.study.identity.version),
            (_("Build"), build),
            *(((_("Compared with"), _named(before)),) if difference is not None and before is not None else ()),
            *(_told(difference) if difference is not None else _contents(new)),
        ),
        rows=_changes(difference),
        fields=(
            Field("summary", _("What was tested, in a sentence")),
            Field(
                "evidence",
                _("Hash of the test report (SHA-256)"),
                help=_("64 signs, as “sha256sum FILE” prints them; they bind this approval to that report."),
            ),
        ),
        button=_("Approve and sign"),
        shown=build,
        done=_("The build is approved."),
    )
    return act_page(request, desk, page)


def _digest(text: str) -> str:
    """A hash as it is written, whichever case was typed."""
    if not _SHA256.fullmatch(text):
        raise InvalidValue(
            _("“%(given)s” is not a SHA-256 hash.") % {"given": text[:80]},
            remedy=str(_("It has 64 signs, 0 to 9 and a to f; “sha256sum FILE” prints it.")),
            given=text[:80],
        )
    return text.lower()


def _contents(build: Build) -> tuple[tuple[Words, Words], ...]:
    """What a first build is, in short; the study's folder says it in full."""
    study = build.study
    return (
        (_("Study"), in_language(study.identity.title)),
        (_("Arms"), " · ".join(in_language(arm.label) for arm in study.identity.arms)),
        (_("Participants planned"), str(study.identity.planned_participants)),
        (_("Sites"), " · ".join(f"{one.id} {one.name}" for one in study.sites.values())),
        (_("Visits"), " · ".join(in_language(one.label) for one in study.encounters.values())),
        (_("Forms"), " · ".join(in_language(one.form.title) for one in build.forms.values())),
        (_("Criteria"), str(len(build.criteria))),
    )


def _told(difference: Difference) -> tuple[tuple[Words, Words], ...]:
    yes, no = _("yes"), _("no")
    return (
        (_("Data on record still fit"), yes if difference.data_compatible else no),
        (_("Participants consent again"), yes if difference.reconsent else no),
    )


def _changes(difference: Difference | None) -> tuple[tuple[Words, ...], ...]:
    if difference is None or not difference.changes:
        return ()
    shown = difference.changes[:CHANGES]
    rows = tuple((one.change.place, one.consequence.why) for one in shown)
    left = len(difference.changes) - len(shown)
    more: tuple[tuple[Words, ...], ...] = (("…", f"+ {left}"),) if left else ()
    return ((_("Where"), _("What it means")), *rows, *more)

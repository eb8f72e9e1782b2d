"""Open the study, activate sites, appoint, delegate, train, revoke, amend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import OPERATING_SYSTEM
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.event import Event
from trialwright.trial.setup.events import (
    AmendmentActivated,
    AppointmentEnded,
    Approval,
    BuildApproved,
    DelegationRevoked,
    PersonAppointed,
    RecruitmentPaused,
    RecruitmentResumed,
    SiteActivated,
    StudyApprovalRecorded,
    StudyCreated,
    StudyOpened,
    TaskDelegated,
    TrainingRecorded,
)
from trialwright.trial.setup.state import People, SiteSetup, StudySetup
from trialwright.trial.state import State

MODES = ("production", "test", "rehearsal")


class StudyExists(Refusal):
    """The ledger already has a first event."""

    code = "setup.study_exists"


class ModeRefused(Refusal):
    """The mode is unknown, or its entropy is not what the mode demands."""

    code = "setup.mode_refused"


class BuildNotApproved(Refusal):
    """The build is unknown here or nobody signed it."""

    code = "setup.build_not_approved"


class ApprovalMissing(Refusal):
    """An approval that the act needs is not recorded."""

    code = "setup.approval_missing"


class StudyNotOpen(Refusal):
    """The study was not opened yet."""

    code = "setup.study_not_open"


class SiteNotActive(Refusal):
    """The site is not activated, or already is."""

    code = "setup.site_not_active"


class RoleUnknown(Refusal):
    """The study does not use this role, or it is not one of this kind."""

    code = "setup.role_unknown"


class NotHeld(Refusal):
    """There is no such appointment or delegation to end."""

    code = "setup.not_held"


@dataclass(frozen=True, kw_only=True)
class CreateStudy(Command):
    """Begin the record. By the sponsor. Refused: a second time; derived entropy in production."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, begins=True)
    build: str


@dataclass(frozen=True, kw_only=True)
class ApproveBuild(Command):
    """Approve a build by signature, citing the evidence of its tests. By the sponsor. Refused: unknown build."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, signs="approve_build")
    build: str
    evidence: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class RecordStudyApproval(Command):
    """Record an approval of the whole study (ethics, authority). By the sponsor."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR)
    approval: Approval


@dataclass(frozen=True, kw_only=True)
class OpenStudy(Command):
    """Let sites be activated. By the sponsor. Refused: no approved build; in production no ethics approval."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR)


@dataclass(frozen=True, kw_only=True)
class AppointPerson(Command):
    """Give somebody a central role. By the sponsor. Refused: a site role, or one the study does not use."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, after_lock=True)
    person: str
    role: Role
    organisation: str


@dataclass(frozen=True, kw_only=True)
class EndAppointment(Command):
    """End a central role. By the sponsor. Refused: not held."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, after_lock=True)
    person: str
    role: Role


@dataclass(frozen=True, kw_only=True)
class ActivateSite(Command):
    """Let a site recruit, with its approvals and principal investigator. By the sponsor.

    Refused: study not open, site unknown or already active, no approval given.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR)
    site: str
    build: str
    approvals: tuple[Approval, ...]
    principal_investigator: str
    organisation: str


@dataclass(frozen=True, kw_only=True)
class ActivateAmendment(Command):
    """Move a site to a later build, with the approvals it got there. By the sponsor.

    Refused: build not approved, the same build, no approval given.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR)
    site: str
    build: str
    approvals: tuple[Approval, ...]
    reconsent: bool


@dataclass(frozen=True, kw_only=True)
class PauseRecruitment(Command):
    """No new participants at a site. By the sponsor or medical monitor. Refused: not recruiting."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.MEDICAL_MONITOR)
    site: str


@dataclass(frozen=True, kw_only=True)
class ResumeRecruitment(Command):
    """Recruit again. By the sponsor. Refused: recruiting already, or not active."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR)
    site: str


@dataclass(frozen=True, kw_only=True)
class DelegateTask(Command):
    """Delegate a site role to somebody. By the principal investigator. Refused: not a site role of this study."""

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, signs="delegate")
    site: str
    person: str
    role: Role
    organisation: str
    since: str
    until: str | None = None


@dataclass(frozen=True, kw_only=True)
class RevokeDelegation(Command):
    """End a delegation from a date. By the principal investigator. Refused: not held."""

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, after_lock=True)
    site: str
    person: str
    role: Role
    until: str


@dataclass(frozen=True, kw_only=True)
class RecordTraining(Command):
    """Record that somebody at the site was trained. By the investigator or the monitor."""

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.MONITOR)
    site: str
    person: str
    subject: str
    date: str


def create_study(command: CreateStudy, state: State, context: Context) -> Iterable[Event]:
    if state.of(StudySetup).created:
        raise StudyExists("this ledger already has a study", remedy="open it, or name another store for a new one")
    if context.mode not in MODES:
        raise ModeRefused(f"{context.mode!r} is not a mode", remedy=f"one of {', '.join(MODES)}", mode=context.mode)
    if context.mode == "production" and context.entropy.origin != OPERATING_SYSTEM:
        raise ModeRefused(
            f"a production study cannot run on entropy from {context.entropy.origin!r}",
            remedy="use the operating system's entropy, or the mode rehearsal",
            origin=context.entropy.origin,
        )
    build = _known_build(command.build, context)
    identity = context.builds[build].study.identity
    yield StudyCreated(
        study=identity.id,
        mode=context.mode,
        entropy=context.entropy.origin,
        blinding=identity.blinding.kind,
        sponsor=identity.sponsor.name,
    )
    yield PersonAppointed(
        person=context.actor.person, role=Role.SPONSOR.value, organisation=context.actor.organisation
    )


def approve_build(command: ApproveBuild, state: State, context: Context) -> Iterable[Event]:
    build = _known_build(command.build, context)
    assert context.signature is not None  # the permission demands it
    yield BuildApproved(
        approved_build=build,
        version=context.builds[build].study.identity.version,
        evidence=command.evidence,
        summary=command.summary,
        shown=context.signature.shown,
        source=context.builds[build].canonical.decode(),
    )


def record_study_approval(command: RecordStudyApproval, state: State, context: Context) -> Iterable[Event]:
    yield StudyApprovalRecorded(approval=command.approval)


def open_study(command: OpenStudy, state: State, context: Context) -> Iterable[Event]:
    setup = state.of(StudySetup)
    if setup.opened:
        raise StudyExists("the study is already open", remedy="activate sites")
    if not setup.build:
        raise BuildNotApproved(
            "no build was approved", remedy="the sponsor signs ApproveBuild with its test evidence"
        )
    if context.mode == "production" and "ethics" not in setup.approvals:
        raise ApprovalMissing("no ethics approval is recorded", remedy="record it with RecordStudyApproval")
    yield StudyOpened(opened_build=setup.build)


def appoint_person(command: AppointPerson, state: State, context: Context) -> Iterable[Event]:
    if command.role in SITE_ROLES or command.role not in context.build.study.identity.roles:
        raise RoleUnknown(
            f"{command.role.value} is not a central role of this study",
            remedy="site roles are delegated at the site; central roles stand in study.yaml",
            role=command.role.value,
        )
    if not state.of(People).holds(command.person, command.role.value):
        yield PersonAppointed(person=command.person, role=command.role.value, organisation=command.organisation)


def end_appointment(command: EndAppointment, state: State, context: Context) -> Iterable[Event]:
    if not state.of(People).holds(command.person, command.role.value):
        raise NotHeld(
            f"{command.person} is not {command.role.value}",
            remedy="look at the list of people",
            person=command.person,
        )
    yield AppointmentEnded(person=command.person, role=command.role.value)


def activate_site(command: ActivateSite, state: State, context: Context) -> Iterable[Event]:
    if not state.of(StudySetup).opened:
        raise StudyNotOpen("the study is not open yet", remedy="the sponsor gives OpenStudy first")
    site = state.of(SiteSetup, command.site)
    if site.active or command.site not in context.build.study.sites:
        raise SiteNotActive(
            f"site {command.site} is {'already active' if site.active else 'not in study.yaml'}",
            remedy="use a site of the study that is not active; later builds come by ActivateAmendment",
            site=command.site,
        )
    _approved(command.build, state)
    _with_approvals(command.approvals, command.site)
    yield SiteActivated(
        site=command.site,
        active_build=command.build,
        approvals=command.approvals,
        principal_investigator=command.principal_investigator,
        organisation=command.organisation,
    )


def activate_amendment(command: ActivateAmendment, state: State, context: Context) -> Iterable[Event]:
    site = _active(command.site, state)
    _approved(command.build, state)
    if site.build == command.build:
        raise BuildNotApproved(
            f"site {command.site} already works under this build", remedy="nothing to do", build=command.build
        )
    _with_approvals(command.approvals, command.site)
    yield AmendmentActivated(
        site=command.site,
        active_build=command.build,
        previous_build=site.build,
        approvals=command.approvals,
        reconsent=command.reconsent,
    )


def pause_recruitment(command: PauseRecruitment, state: State, context: Context) -> Iterable[Event]:
    if not _active(command.site, state).recruiting:
        raise SiteNotActive(f"site {command.site} is not recruiting", remedy="nothing to pause", site=command.site)
    yield RecruitmentPaused(site=command.site)


def resume_recruitment(command: ResumeRecruitment, state: State, context: Context) -> Iterable[Event]:
    if _active(command.site, state).recruiting:
        raise SiteNotActive(f"site {command.site} is recruiting", remedy="nothing to resume", site=command.site)
    yield RecruitmentResumed(site=command.site)


def delegate_task(command: DelegateTask, state: State, context: Context) -> Iterable[Event]:
    site = _active(command.site, state)
    if context.actor.person != site.principal_investigator:
        raise RoleUnknown(
            f"only the principal investigator of site {command.site} delegates",
            remedy=f"ask {site.principal_investigator}",
            site=command.site,
        )
    if command.role not in SITE_ROLES or command.role not in context.build.study.identity.roles:
        raise RoleUnknown(
            f"{command.role.value} is not a site role of this study",
            remedy="central roles are appointed by the sponsor; roles stand in study.yaml",
            role=command.role.value,
        )
    yield TaskDelegated(
        site=command.site,
        person=command.person,
        role=command.role.value,
        organisation=command.organisation,
        since=command.since,
        until=command.until,
    )


def revoke_delegation(command: RevokeDelegation, state: State, context: Context) -> Iterable[Event]:
    if (command.person, command.role.value) not in _active(command.site, state).delegations:
        raise NotHeld(
            f"{command.person} has no delegation as {command.role.value} at site {command.site}",
            remedy="look at the delegation log",
            person=command.person,
        )
    yield DelegationRevoked(site=command.site, person=command.person, role=command.role.value, until=command.until)


def record_training(command: RecordTraining, state: State, context: Context) -> Iterable[Event]:
    _active(command.site, state)
    yield TrainingRecorded(site=command.site, person=command.person, subject=command.subject, date=command.date)


def _known_build(build: str, context: Context) -> str:
    if build not in context.builds:
        raise BuildNotApproved(f"the build {build[:12]} is not known here", remedy="compile and load it", build=build)
    return build


def _approved(build: str, state: State) -> None:
    if build not in state.of(StudySetup).approved:
        raise BuildNotApproved(
            f"the build {build[:12]} is not approved", remedy="the sponsor signs ApproveBuild", build=build
        )


def _active(site: str, state: State) -> SiteSetup:
    setup = state.of(SiteSetup, site)
    if not setup.active:
        raise SiteNotActive(f"site {site} is not active", remedy="the sponsor gives ActivateSite", site=site)
    return setup


def _with_approvals(approvals: tuple[Approval, ...], site: str) -> None:
    if not approvals:
        raise ApprovalMissing(f"no approval was given for site {site}", remedy="name at least one", site=site)


DECISIONS: Mapping[type[Command], Decide] = {
    CreateStudy: create_study,
    ApproveBuild: approve_build,
    RecordStudyApproval: record_study_approval,
    OpenStudy: open_study,
    AppointPerson: appoint_person,
    EndAppointment: end_appointment,
    ActivateSite: activate_site,
    ActivateAmendment: activate_amendment,
    PauseRecruitment: pause_recruitment,
    ResumeRecruitment: resume_recruitment,
    DelegateTask: delegate_task,
    RevokeDelegation: revoke_delegation,
    RecordTraining: record_training,
}

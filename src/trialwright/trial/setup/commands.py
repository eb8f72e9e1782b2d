"""Open the study, activate sites, appoint, delegate, train, revoke, amend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.build import Build
from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import OPERATING_SYSTEM
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.closure.state import Ending
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.dates import iso_day, past_day
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


class BuildNotFitting(Refusal):
    """The build is of another study, blinds otherwise than the study began, or does not know the site."""

    code = "setup.build_not_fitting"


class ReconsentNeeded(Refusal):
    """The amendment itself says that participants consent again."""

    code = "setup.reconsent_needed"


class NotWhatWasShown(Refusal):
    """The signature covers another build."""

    code = "setup.not_what_was_shown"


class KeptApart(Refusal):
    """A blinded role for somebody who may know allocations, or the other way round."""

    code = "setup.kept_apart"


class LastSponsor(Refusal):
    """Without a sponsor nobody could appoint one."""

    code = "setup.last_sponsor"


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
    """Approve a build, citing the evidence of its tests. By the sponsor, signed over the build's id.

    Refused: unknown build; one of another study, or that blinds otherwise; a signature over another build.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, signs="approve_build")
    build: str
    evidence: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class RecordStudyApproval(Command):
    """Record an approval of the whole study (ethics, authority). By the sponsor. Refused: a date to come or none."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR)
    approval: Approval


@dataclass(frozen=True, kw_only=True)
class OpenStudy(Command):
    """Let sites be activated. By the sponsor. Refused: no approved build; in production no ethics approval."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR)


@dataclass(frozen=True, kw_only=True)
class AppointPerson(Command):
    """Give somebody a central role. By the sponsor.

    Refused: a site role, or one the study does not use; in a blinded study an unblinded role for somebody in a
    blinded one, or a blinded role for somebody who ever held an unblinded one.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, after_lock=True)
    person: str
    role: Role
    organisation: str


@dataclass(frozen=True, kw_only=True)
class EndAppointment(Command):
    """End a central role. By the sponsor. Refused: not held; the last sponsor."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, after_lock=True)
    person: str
    role: Role


@dataclass(frozen=True, kw_only=True)
class ActivateSite(Command):
    """Let a site recruit, with its approvals and principal investigator. By the sponsor.

    Refused: study not open, site unknown or already active, a build that does not know it, no approval given.
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

    Refused: build not approved, the same build, one that does not know the site, no approval given; without new
    consent where the amendment asks for it.
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
    """Delegate a site role to somebody. By the principal investigator, signed.

    Refused: not a site role of this study; a person whose central role must be kept apart from it; days that are
    none. Which roles exclude each other for one participant is checked at each act.
    """

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
    """Record that somebody at the site was trained. By the investigator or the monitor.

    Refused: a site that is not active, a date that is none or to come.
    """

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
    _need_fitting(context.builds[build], state.of(StudySetup))
    assert context.signature is not None  # the permission demands it
    if context.signature.shown != build:
        raise NotWhatWasShown(
            "the signature covers another build", remedy="show this build and sign its id", build=build
        )
    yield BuildApproved(
        approved_build=build,
        version=context.builds[build].study.identity.version,
        evidence=command.evidence,
        summary=command.summary,
        shown=context.signature.shown,
        source=context.builds[build].canonical.decode(),
    )


def record_study_approval(command: RecordStudyApproval, state: State, context: Context) -> Iterable[Event]:
    _with_approvals((command.approval,), "the study", context)
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
        _keep_apart(command.person, command.role, state, context, at_sites=True)
        yield PersonAppointed(person=command.person, role=command.role.value, organisation=command.organisation)


def end_appointment(command: EndAppointment, state: State, context: Context) -> Iterable[Event]:
    if not state.of(People).holds(command.person, command.role.value):
        raise NotHeld(
            f"{command.person} is not {command.role.value}",
            remedy="look at the list of people",
            person=command.person,
        )
    if command.role is Role.SPONSOR and state.of(People).holders(Role.SPONSOR.value) == {command.person}:
        raise LastSponsor(
            f"{command.person} is the only sponsor", remedy="appoint another one first", person=command.person
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
    _approved(command.build, command.site, state, context)
    _with_approvals(command.approvals, f"site {command.site}", context)
    yield SiteActivated(
        site=command.site,
        active_build=command.build,
        approvals=command.approvals,
        principal_investigator=command.principal_investigator,
        organisation=command.organisation,
    )


def activate_amendment(command: ActivateAmendment, state: State, context: Context) -> Iterable[Event]:
    site = _active(command.site, state)
    _approved(command.build, command.site, state, context)
    if site.build == command.build:
        raise BuildNotApproved(
            f"site {command.site} already works under this build", remedy="nothing to do", build=command.build
        )
    _with_approvals(command.approvals, f"site {command.site}", context)
    amendment = context.builds[command.build].study.identity.amendment
    if amendment is not None and amendment.reconsent and not command.reconsent:
        raise ReconsentNeeded(
            f"amendment {amendment.number} asks participants to consent again",
            remedy="activate it with reconsent",
            build=command.build,
        )
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
    _keep_apart(command.person, command.role, state, context)
    since = iso_day(command.since, of="the beginning of a delegation")
    until = None if command.until is None else iso_day(command.until, of="the end of a delegation")
    yield TaskDelegated(
        site=command.site,
        person=command.person,
        role=command.role.value,
        organisation=command.organisation,
        since=since,
        until=until,
    )


def revoke_delegation(command: RevokeDelegation, state: State, context: Context) -> Iterable[Event]:
    if (command.person, command.role.value) not in _active(command.site, state).delegations:
        raise NotHeld(
            f"{command.person} has no delegation as {command.role.value} at site {command.site}",
            remedy="look at the delegation log",
            person=command.person,
        )
    until = iso_day(command.until, of="the end of a delegation")
    yield DelegationRevoked(site=command.site, person=command.person, role=command.role.value, until=until)


def record_training(command: RecordTraining, state: State, context: Context) -> Iterable[Event]:
    _active(command.site, state)
    day = past_day(command.date, context, of="a training")
    yield TrainingRecorded(site=command.site, person=command.person, subject=command.subject, date=day)


def _known_build(build: str, context: Context) -> str:
    if build not in context.builds:
        raise BuildNotApproved(f"the build {build[:12]} is not known here", remedy="compile and load it", build=build)
    return build


def _need_fitting(build: Build, setup: StudySetup) -> None:
    identity = build.study.identity
    if (identity.id, identity.blinding.kind) != (setup.study, setup.blinding):
        raise BuildNotFitting(
            f"the build is of the study {identity.id}, {identity.blinding.kind};"
            f" this record is of {setup.study}, {setup.blinding}",
            remedy="what a study is and whether it is blinded is not changed by an amendment; begin another record",
            study=identity.id,
        )


def _keep_apart(person: str, role: Role, state: State, context: Context, *, at_sites: bool = False) -> None:
    """In a blinded study nobody has a blinded and an unblinded central role, or one of them and the other at a site.

    Two roles at sites may meet in one person: they exclude each other for a participant, not for the study.
    """
    blinding = context.build.study.identity.blinding
    if blinding.kind != "blinded" or state.of(Ending).unblinded:
        return
    unblinded = {known.value for known in blinding.unblinded_roles}
    people = state.of(People)
    now, ever = people.roles.get(person, set()), people.ever.get(person, set())
    if at_sites:
        delegated = list(_delegations(person, state, context))
        now = now | {held for held, until in delegated if until is None or until >= context.today}
        ever = ever | {held for held, _ in delegated}
    # Who knew allocations once still knows them; who only was blinded may learn them.
    others = now - unblinded if role.value in unblinded else ever & unblinded
    if others:
        raise KeptApart(
            f"{person} cannot be {role.value}: known as {', '.join(sorted(others))}",
            remedy="somebody else takes this role; one of the two may know allocations, the other must not",
            person=person,
            role=role.value,
        )


def _delegations(person: str, state: State, context: Context) -> Iterator[tuple[str, str | None]]:
    """Every role that the person was ever delegated at any site, with its last day."""
    for site in sorted({site for build in context.builds.values() for site in build.study.sites}):
        for (who, role), delegations in state.of(SiteSetup, site).delegations.items():
            if who == person:
                yield from ((role, delegation.until) for delegation in delegations)


def _approved(build: str, site: str, state: State, context: Context) -> None:
    if build not in state.of(StudySetup).approved:
        raise BuildNotApproved(
            f"the build {build[:12]} is not approved", remedy="the sponsor signs ApproveBuild", build=build
        )

    if site not in context.builds[build].study.sites:
        raise BuildNotFitting(
            f"the build {build[:12]} has no site {site}", remedy="name a build that has the site", build=build
        )


def _active(site: str, state: State) -> SiteSetup:
    setup = state.of(SiteSetup, site)
    if not setup.active:
        raise SiteNotActive(f"site {site} is not active", remedy="the sponsor gives ActivateSite", site=site)
    return setup


def _with_approvals(approvals: tuple[Approval, ...], where: str, context: Context) -> None:
    if not approvals:
        raise ApprovalMissing(f"no approval was given for {where}", remedy="name at least one")
    for approval in approvals:
        past_day(approval.date, context, of="an approval")


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

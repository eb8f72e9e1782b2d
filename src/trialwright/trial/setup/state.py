"""What decisions need to know of the study, its sites and its people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.closure.events import StudyFrozen, StudyLocked, StudyUnlocked
from trialwright.trial.event import Event, Fact
from trialwright.trial.setup.events import (
    AmendmentActivated,
    AppointmentEnded,
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
from trialwright.trial.state import Slice

REQUIRED_TRAINING = frozenset({"protocol", "gcp"})
"""Subjects everybody at a site needs before acting."""


@dataclass
class StudySetup(Slice):
    """The study as a whole."""

    STREAM: ClassVar[str] = "study"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        StudyCreated, BuildApproved, StudyApprovalRecorded, StudyOpened, StudyFrozen, StudyLocked, StudyUnlocked,
    )  # fmt: skip
    created: bool = False
    opened: bool = False
    frozen: bool = False
    locked: bool = False
    study: str = ""
    mode: str = ""
    blinding: str = ""
    build: str = ""
    """The newest approved build."""
    approved: dict[str, str] = field(default_factory=dict)
    """Build → version."""
    approvals: set[str] = field(default_factory=set)
    """Kinds of approval recorded for the whole study."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case StudyCreated() as e:
                self.created, self.study, self.mode, self.blinding = True, e.study, e.mode, e.blinding
            case BuildApproved(approved_build=build, version=version):
                self.approved[build] = version
                self.build = build
            case StudyApprovalRecorded(approval=approval):
                self.approvals.add(approval.kind)
            case StudyOpened():
                self.opened = True
            case StudyFrozen():
                self.frozen = True
            case StudyLocked():
                self.locked = True
            case StudyUnlocked():
                self.locked = self.frozen = False


@dataclass
class People(Slice):
    """Who holds which central role."""

    STREAM: ClassVar[str] = "people"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (PersonAppointed, AppointmentEnded)
    roles: dict[str, set[str]] = field(default_factory=dict)
    ever: dict[str, set[str]] = field(default_factory=dict)
    """Roles held now or before: who knew allocations once still knows them."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case PersonAppointed(person=person, role=role):
                self.roles.setdefault(person, set()).add(role)
                self.ever.setdefault(person, set()).add(role)
            case AppointmentEnded(person=person, role=role):
                self.roles.get(person, set()).discard(role)

    def holders(self, role: str) -> set[str]:
        """Everybody who holds the role now."""
        return {person for person, held in self.roles.items() if role in held}

    def holds(self, person: str, role: str) -> bool:
        """Whether the person holds the role now."""
        return role in self.roles.get(person, set())


@dataclass
class Delegation:
    """One delegation, from a date to a date (inclusive; None for open-ended)."""

    since: str
    until: str | None


@dataclass
class SiteSetup(Slice):
    """One site: active or not, under which build, and who may do what."""

    STREAM: ClassVar[str] = "site/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        SiteActivated, AmendmentActivated, RecruitmentPaused, RecruitmentResumed, TaskDelegated, DelegationRevoked,
        TrainingRecorded,
    )  # fmt: skip
    active: bool = False
    recruiting: bool = False
    build: str = ""
    activated_at: str = ""
    consent_builds: set[str] = field(default_factory=set)
    """Builds under which consent still counts: an amendment that needs new consent leaves only itself."""
    principal_investigator: str = ""
    delegations: dict[tuple[str, str], list[Delegation]] = field(default_factory=dict)
    trained: dict[str, set[str]] = field(default_factory=dict)

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case SiteActivated() as e:
                self.active = self.recruiting = True
                self.build, self.activated_at = e.active_build, fact.at
                self.consent_builds = {e.active_build}
                self.principal_investigator = e.principal_investigator
                self.delegations[(e.principal_investigator, "investigator")] = [Delegation("0001-01-01", None)]
            case AmendmentActivated() as e:
                self.build = e.active_build
                self.consent_builds = {e.active_build} if e.reconsent else self.consent_builds | {e.active_build}
            case RecruitmentPaused():
                self.recruiting = False
            case RecruitmentResumed():
                self.recruiting = True
            case TaskDelegated() as e:
                self.delegations.setdefault((e.person, e.role), []).append(Delegation(e.since, e.until))
            case DelegationRevoked() as e:
                for delegation in self.delegations.get((e.person, e.role), []):
                    if delegation.until is None or delegation.until > e.until:
                        delegation.until = e.until
            case TrainingRecorded() as e:
                self.trained.setdefault(e.person, set()).add(e.subject)

    def may_act(self, person: str, role: str, today: str) -> bool:
        """Delegated today, and trained. The principal investigator's training is part of site activation."""
        delegated = any(
            d.since <= today and (d.until is None or today <= d.until)
            for d in self.delegations.get((person, role), [])
        )
        trained = person == self.principal_investigator or self.trained.get(person, set()) >= REQUIRED_TRAINING
        return delegated and trained


SLICES: tuple[type[Slice], ...] = (
    StudySetup,
    People,
    SiteSetup,
)

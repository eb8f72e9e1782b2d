"""Facts about the study, its sites and its people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A decision of an authority or ethics committee, or a signed contract."""

    kind: str
    """ethics, authority, contract, insurance …"""
    reference: str
    date: str
    """ISO date."""


@dataclass(frozen=True, kw_only=True)
class StudyCreated(Event):
    """The first event of every ledger; the mode never changes afterwards."""

    TYPE: ClassVar[str] = "setup.study_created"
    STREAM: ClassVar[str] = "study"
    study: str
    mode: str
    """production, test or rehearsal."""
    entropy: str
    """Origin of salts and keys; a production study accepts only the operating system's."""
    blinding: str
    """open or blinded."""
    sponsor: str


@dataclass(frozen=True, kw_only=True)
class BuildApproved(Event):
    """A build was approved by signature, with the evidence of its tests."""

    TYPE: ClassVar[str] = "setup.build_approved"
    STREAM: ClassVar[str] = "study"
    approved_build: str
    version: str
    evidence: str
    """SHA-256 (hex) of the test report."""
    summary: str
    shown: str
    source: str
    """The build's canonical source, so that the record can be read without the study folder."""


@dataclass(frozen=True, kw_only=True)
class StudyApprovalRecorded(Event):
    """An approval that concerns the whole study."""

    TYPE: ClassVar[str] = "setup.study_approval_recorded"
    STREAM: ClassVar[str] = "study"
    approval: Approval


@dataclass(frozen=True, kw_only=True)
class StudyOpened(Event):
    """From now on sites can be activated."""

    TYPE: ClassVar[str] = "setup.study_opened"
    STREAM: ClassVar[str] = "study"
    opened_build: str


@dataclass(frozen=True, kw_only=True)
class PersonAppointed(Event):
    """Somebody holds a central role from now on."""

    TYPE: ClassVar[str] = "setup.person_appointed"
    STREAM: ClassVar[str] = "people"
    person: str
    role: str
    organisation: str


@dataclass(frozen=True, kw_only=True)
class AppointmentEnded(Event):
    """Somebody no longer holds a central role."""

    TYPE: ClassVar[str] = "setup.appointment_ended"
    STREAM: ClassVar[str] = "people"
    person: str
    role: str


@dataclass(frozen=True, kw_only=True)
class SiteActivated(Event):
    """The site may recruit, under this build, with these approvals."""

    TYPE: ClassVar[str] = "setup.site_activated"
    STREAM: ClassVar[str] = "site/{site}"
    site: str
    active_build: str
    approvals: tuple[Approval, ...]
    principal_investigator: str
    organisation: str


@dataclass(frozen=True, kw_only=True)
class AmendmentActivated(Event):
    """The site works under a later build from now on; later events cite it."""

    TYPE: ClassVar[str] = "setup.amendment_activated"
    STREAM: ClassVar[str] = "site/{site}"
    site: str
    active_build: str
    previous_build: str
    approvals: tuple[Approval, ...]
    reconsent: bool
    """Participants of the site must consent again."""


@dataclass(frozen=True, kw_only=True)
class RecruitmentPaused(Event):
    """No new participants at this site until it is resumed."""

    TYPE: ClassVar[str] = "setup.recruitment_paused"
    STREAM: ClassVar[str] = "site/{site}"
    site: str


@dataclass(frozen=True, kw_only=True)
class RecruitmentResumed(Event):
    """The site recruits again."""

    TYPE: ClassVar[str] = "setup.recruitment_resumed"
    STREAM: ClassVar[str] = "site/{site}"
    site: str


@dataclass(frozen=True, kw_only=True)
class TaskDelegated(Event):
    """The principal investigator delegated a role at the site, for a time."""

    TYPE: ClassVar[str] = "setup.task_delegated"
    STREAM: ClassVar[str] = "site/{site}"
    site: str
    person: str
    role: str
    organisation: str
    since: str
    until: str | None = None


@dataclass(frozen=True, kw_only=True)
class DelegationRevoked(Event):
    """The delegation ends on this date."""

    TYPE: ClassVar[str] = "setup.delegation_revoked"
    STREAM: ClassVar[str] = "site/{site}"
    site: str
    person: str
    role: str
    until: str


@dataclass(frozen=True, kw_only=True)
class TrainingRecorded(Event):
    """Somebody at the site was trained in a subject (protocol, GCP, the system)."""

    TYPE: ClassVar[str] = "setup.training_recorded"
    STREAM: ClassVar[str] = "site/{site}"
    site: str
    person: str
    subject: str
    date: str


EVENTS: tuple[type[Event], ...] = (
    StudyCreated, BuildApproved, StudyApprovalRecorded, StudyOpened, PersonAppointed, AppointmentEnded,
    SiteActivated, AmendmentActivated, RecruitmentPaused, RecruitmentResumed, TaskDelegated, DelegationRevoked,
    TrainingRecorded,
)  # fmt: skip

"""Deviations, serious breaches and urgent safety measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.protocol.roles import Role
from trialwright.trial.closure.events import (
    ClosedDeviationClassified,
    DeviationClassified,
    SeriousBreachNotified,
    SeriousBreachRecorded,
    UrgentSafetyMeasureTaken,
)
from trialwright.trial.closure.refusals import (
    AlreadyClassified,
)
from trialwright.trial.closure.state import ClosedDeviations, Deviations, Ending
from trialwright.trial.closure.wording import in_days, name, words
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.enrolment.gate import existing
from trialwright.trial.event import Event, Space
from trialwright.trial.state import State

NOTIFY_DAYS = 7
"""Serious breaches (Article 52) and urgent safety measures (Article 54) are notified within seven days."""


@dataclass(frozen=True, kw_only=True)
class OpenDeviation(Command):
    """Report that the protocol was not followed. By site, monitor, data management. Refused: no words."""

    PERMISSION: ClassVar[Permission] = may(
        Role.INVESTIGATOR, Role.STUDY_NURSE, Role.MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR
    )
    participant: str
    kind: str
    """visit_window, consent, eligibility, dose …: lower-case letters, digits, underscores."""
    about: str


@dataclass(frozen=True, kw_only=True)
class ClassifyDeviation(Command):
    """Judge a deviation: important or not, and what was done. By monitor, data management, sponsor's physicians.

    Refused: unknown, judged before, no words.
    """

    PERMISSION: ClassVar[Permission] = may(Role.MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.SPONSOR)
    participant: str
    deviation: str
    important: bool
    assessment: str
    action: str


@dataclass(frozen=True, kw_only=True)
class ClassifyClosedDeviation(Command):
    """The same in the closed space, also after the lock: who locks cannot see it, who unblinds waits for it.

    By the unblinded monitor or the qualified person. Refused as there.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.UNBLINDED_MONITOR, Role.QUALIFIED_PERSON, space=Space.CLOSED, after_lock=True
    )
    participant: str
    deviation: str
    important: bool
    assessment: str
    action: str


@dataclass(frozen=True, kw_only=True)
class RecordSeriousBreach(Command):
    """Report a serious breach; ``observed_at`` is when the sponsor became aware. By the sponsor's side.

    A fact. Refused: no words, a site that the study does not have.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.MEDICAL_MONITOR, after_lock=True)
    what: str
    site: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordBreachNotification(Command):
    """Report that the authority was notified. By the sponsor's side. A fact: too late is flagged.

    Refused: no such breach waits.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.MEDICAL_MONITOR, after_lock=True)
    breach: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class RecordUrgentSafetyMeasure(Command):
    """Report what was done at once to protect participants; the amendment follows. By investigator or sponsor.

    A fact. Refused: no words, a site that the study does not have.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.SPONSOR, Role.MEDICAL_MONITOR, after_lock=True)
    what: str
    site: str = ""


def open_deviation(command: OpenDeviation, state: State, context: Context) -> Iterable[Event]:
    existing(state, command.participant)
    kind = name(command.kind)
    known = state.of(Deviations, command.participant)
    yield known.open(command.participant, kind, "reported", words(command.about))


def classify_deviation(command: ClassifyDeviation, state: State, context: Context) -> Iterable[Event]:
    _need_unclassified(command, state.of(Deviations, command.participant))
    yield DeviationClassified(
        participant=command.participant,
        deviation=command.deviation,
        important=command.important,
        assessment=words(command.assessment),
        action=words(command.action),
    )


def classify_closed_deviation(command: ClassifyClosedDeviation, state: State, context: Context) -> Iterable[Event]:
    _need_unclassified(command, state.of(ClosedDeviations, command.participant))
    yield ClosedDeviationClassified(
        participant=command.participant,
        deviation=command.deviation,
        important=command.important,
        assessment=words(command.assessment),
        action=words(command.action),
    )


def record_serious_breach(command: RecordSeriousBreach, state: State, context: Context) -> Iterable[Event]:
    yield SeriousBreachRecorded(
        breach=f"breach_{state.of(Ending).breach_count + 1}",
        site=_site(command.site, context),
        what=words(command.what),
        aware=context.happened_on,
        due=in_days(context.happened_on, NOTIFY_DAYS),
    )


def record_breach_notification(command: RecordBreachNotification, state: State, context: Context) -> Iterable[Event]:
    due = state.of(Ending).breaches.get(command.breach)
    if due is None:
        raise NotFound(
            f"no serious breach {command.breach[:60]!r} waits for its notification",
            remedy="look at the list of breaches",
            breach=command.breach[:60],
        )
    yield SeriousBreachNotified(
        breach=command.breach,
        date=context.happened_on,
        reference=words(command.reference),
        flags=("late",) if context.happened_on > due else (),
    )


def record_urgent_safety_measure(
    command: RecordUrgentSafetyMeasure, state: State, context: Context
) -> Iterable[Event]:
    yield UrgentSafetyMeasureTaken(
        measure=f"measure_{state.of(Ending).measures + 1}",
        site=_site(command.site, context),
        what=words(command.what),
        date=context.happened_on,
        due=in_days(context.happened_on, NOTIFY_DAYS),
    )


def _need_unclassified(command: ClassifyDeviation | ClassifyClosedDeviation, known: Deviations) -> None:
    done = known.classified.get(command.deviation)
    if done is None:
        raise NotFound(
            f"{command.participant} has no deviation {command.deviation[:80]!r}",
            remedy="look at the list of deviations",
            deviation=command.deviation[:80],
        )
    if done:
        raise AlreadyClassified(
            f"{command.deviation} was classified before", remedy="nothing to do", deviation=command.deviation
        )


def _site(site: str, context: Context) -> str:
    if site and not any(site in build.study.sites for build in context.builds.values()):
        raise NotFound(f"the study has no site {site[:20]!r}", remedy="name a site of study.yaml", site=site[:20])
    return site or context.actor.site or ""


DECISIONS: Mapping[type[Command], Decide] = {
    OpenDeviation: open_deviation,
    ClassifyDeviation: classify_deviation,
    ClassifyClosedDeviation: classify_closed_deviation,
    RecordSeriousBreach: record_serious_breach,
    RecordBreachNotification: record_breach_notification,
    RecordUrgentSafetyMeasure: record_urgent_safety_measure,
}

"""Screen, assess, sign off, fail, screen again, end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.build import Build
from trialwright.foundation.errors import Refusal
from trialwright.foundation.truth import Truth
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.state import Randomised
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.consent.gate import require_consent
from trialwright.trial.consent.state import Consent
from trialwright.trial.dates import day_of_act, past_day
from trialwright.trial.enrolment.assessment import DOCTOR, Judgement, assess, is_current, shown_assessment
from trialwright.trial.enrolment.events import (
    CriteriaAssessed,
    EligibilitySignedOff,
    ParticipantNumberTaken,
    ParticipantScreened,
    ParticipationEnded,
    ScreeningFailed,
)
from trialwright.trial.enrolment.gate import existing, present, recruiting
from trialwright.trial.enrolment.state import Numbering
from trialwright.trial.event import Event
from trialwright.trial.state import State

ENDINGS = ("completed", "withdrawn", "discontinued", "lost_to_follow_up", "died")


class NotFailed(Refusal):
    """Only a screen failure is screened again."""

    code = "enrolment.not_failed"


class RescreeningLimit(Refusal):
    """Screened again as often as the study allows, or already under a newer code."""

    code = "enrolment.rescreening_limit"


class FactUnknown(Refusal):
    """The study has no such fact, or its forms hold it."""

    code = "enrolment.fact_unknown"


class CriterionUnknown(Refusal):
    """The study has no such criterion."""

    code = "enrolment.criterion_unknown"


class MachineDecides(Refusal):
    """A verdict that follows from data is not overruled; wrong data are corrected on their form."""

    code = "enrolment.machine_decides"


class AlreadyRandomised(Refusal):
    """The participant is randomised; eligibility is history and a mistake is recorded as such."""

    code = "enrolment.already_randomised"


class NotAssessed(Refusal):
    """There is no assessment to sign."""

    code = "enrolment.not_assessed"


class NotEligible(Refusal):
    """A criterion is not met, or nobody knows."""

    code = "enrolment.not_eligible"


class AssessmentOutdated(Refusal):
    """Data or criteria changed since the assessment."""

    code = "enrolment.assessment_outdated"


class NotWhatWasShown(Refusal):
    """The signature covers something else than the assessment on record."""

    code = "enrolment.not_what_was_shown"


class ReasonMissing(Refusal):
    """The act needs to be explained."""

    code = "enrolment.reason_missing"


class EndingUnknown(Refusal):
    """Not a way in which participation ends."""

    code = "enrolment.ending_unknown"


@dataclass(frozen=True, kw_only=True)
class ScreenParticipant(Command):
    """Give out the next participant code of the site. By the investigator or study nurse.

    The code is ``<country>-<site>-<number>``; identity is kept elsewhere. Refused: the site is not recruiting.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE)
    site: str


@dataclass(frozen=True, kw_only=True)
class RescreenParticipant(Command):
    """Screen a screen failure again, under a new code linked to the old. By the investigator or study nurse.

    Refused: the site is not recruiting, no screen failure, the limit of ``eligibility.yaml`` is reached.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE)
    participant: str


@dataclass(frozen=True, kw_only=True)
class AssessCriteria(Command):
    """Evaluate every criterion over the data on record and the investigator's judgement. By the investigator.

    Refused: no consent in force, participation over, already randomised, a fact or criterion that the study does
    not have, a judgement of what the machine decides. Missing data give unknown, never a refusal.

    Args:
        participant: whom.
        stated: facts that neither form nor record holds → text as an item of that type would be entered.
        judgements: criteria that the doctor decides → verdict and comment.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, treats=True)
    participant: str
    stated: Mapping[str, str] = field(default_factory=dict)
    judgements: Mapping[str, Judgement] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SignOffEligibility(Command):
    """Sign that the participant fits, over the hash of the assessment shown. By the investigator.

    Refused: not assessed, a criterion not met or unknown, data or criteria changed since, another assessment
    shown, no consent in force, the site not recruiting, participation over, already randomised.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, signs="sign_off_eligibility", treats=True)
    participant: str


@dataclass(frozen=True, kw_only=True)
class FailScreening(Command):
    """End screening without enrolment, for criteria or for another reason. By the investigator or study nurse.

    Refused: already over or randomised, an unknown criterion, neither criterion nor reason.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE)
    participant: str
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EndParticipation(Command):
    """Record that participation ended, and how. A fact. By the investigator or study nurse.

    Said again, it corrects what was said before, with a reason. Refused: an ending that is not known, a date to
    come, a correction without reason.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE)
    participant: str
    date: str
    how: str


def screen_participant(command: ScreenParticipant, state: State, context: Context) -> Iterable[Event]:
    recruiting(state, command.site)
    return _new_code(command.site, None, state, context)


def rescreen_participant(command: RescreenParticipant, state: State, context: Context) -> Iterable[Event]:
    enrolment = existing(state, command.participant)
    recruiting(state, enrolment.site)
    if not enrolment.failed:
        raise NotFailed(
            f"{command.participant} did not fail screening",
            remedy="only a screen failure is screened again",
            participant=command.participant,
        )
    numbering = state.of(Numbering, enrolment.site)
    limit = context.build.study.eligibility.rescreening
    newer = numbering.rescreened_as(command.participant)
    if newer or numbering.screenings_before(command.participant) >= limit:
        why = f"is already screened again as {newer}" if newer else f"was screened again {limit} times already"
        raise RescreeningLimit(
            f"{command.participant} {why}",
            remedy="the study does not allow another screening of this person",
            participant=command.participant,
            limit=limit,
        )
    return _new_code(enrolment.site, command.participant, state, context)


def assess_criteria(command: AssessCriteria, state: State, context: Context) -> Iterable[Event]:
    present(state, command.participant)
    _not_randomised(command.participant, state)
    require_consent(state, command.participant)
    _check_stated(command.stated, context.build)
    _check_judgements(command.judgements, context.build)
    book, consent = state.of(CaseBook, command.participant), state.of(Consent, command.participant)
    yield assess(command.participant, context.build, book, consent, command.stated, command.judgements)


def sign_off_eligibility(command: SignOffEligibility, state: State, context: Context) -> Iterable[Event]:
    enrolment = present(state, command.participant)
    _not_randomised(command.participant, state)
    require_consent(state, command.participant)
    recruiting(state, enrolment.site)
    assessed = enrolment.assessed
    if assessed is None:
        raise NotAssessed(
            f"{command.participant} was not assessed", remedy="give AssessCriteria", participant=command.participant
        )
    _require_eligible(assessed)
    if not is_current(state, command.participant, context.build):
        raise AssessmentOutdated(
            f"data or criteria of {command.participant} changed since the assessment",
            remedy="assess again and look at what changed",
            participant=command.participant,
        )
    shown = context.signature.shown if context.signature else ""
    if shown != shown_assessment(assessed):
        raise NotWhatWasShown(
            "the signature covers another assessment than the one on record",
            remedy="show the assessment again and sign it",
            participant=command.participant,
        )
    yield EligibilitySignedOff(participant=command.participant, date=context.today, shown=shown)


def fail_screening(command: FailScreening, state: State, context: Context) -> Iterable[Event]:
    present(state, command.participant)
    _not_randomised(command.participant, state)
    _known_criteria(command.criteria, context.build)
    if not command.criteria and not context.reason:
        raise ReasonMissing(
            f"nothing says why screening of {command.participant} failed",
            remedy="name the criteria that are not met, or give a reason",
            participant=command.participant,
        )
    yield ScreeningFailed(
        participant=command.participant,
        criteria=tuple(dict.fromkeys(command.criteria)),
        date=day_of_act(context),
    )


def end_participation(command: EndParticipation, state: State, context: Context) -> Iterable[Event]:
    enrolment = existing(state, command.participant)
    if command.how not in ENDINGS:
        raise EndingUnknown(
            f"{command.how[:40]!r} is not a way in which participation ends",
            remedy=f"one of {', '.join(ENDINGS)}; a screen failure is recorded with FailScreening",
            given=command.how[:40],
        )
    if enrolment.ended_on and not context.reason:
        raise ReasonMissing(
            f"the end of participation of {command.participant} is on record already",
            remedy="give the reason of the correction",
            participant=command.participant,
        )
    yield ParticipationEnded(
        participant=command.participant,
        date=past_day(command.date, context, of="the end of participation"),
        how=command.how,
    )


def _new_code(site: str, rescreen_of: str | None, state: State, context: Context) -> Iterable[Event]:
    number = state.of(Numbering, site).last + 1
    participant = f"{context.build.study.sites[site].country}-{site}-{number:03d}"
    yield ParticipantNumberTaken(site=site, participant=participant, number=number, rescreen_of=rescreen_of)
    yield ParticipantScreened(participant=participant, site=site, date=day_of_act(context), rescreen_of=rescreen_of)


def _not_randomised(participant: str, state: State) -> None:
    if state.of(Randomised, participant).done:
        raise AlreadyRandomised(
            f"{participant} is randomised",
            remedy="a participant randomised by mistake stays randomised: give RecordMistakenRandomisation",
            participant=participant,
        )


def _check_stated(stated: Mapping[str, str], build: Build) -> None:
    for name in stated:
        fact = build.facts.get(name)
        if fact is None or not fact.is_stated:
            free = ", ".join(known for known, f in build.facts.items() if f.is_stated) or "none"
            source = "comes from a form" if fact and fact.source else "comes from the record"
            what = source if fact else "is not a fact of this study"
            raise FactUnknown(f"{name[:40]!r} {what}", remedy=f"facts to state: {free}", fact=name[:40])


def _check_judgements(judgements: Mapping[str, Judgement], build: Build) -> None:
    _known_criteria(tuple(judgements), build)
    for name in judgements:
        compiled = build.criteria[name]
        if compiled.criterion.decides != DOCTOR and compiled.condition is not None:
            raise MachineDecides(
                f"the verdict of {name!r} follows from the data",
                remedy="if the data are wrong, correct them on their form",
                criterion=name,
            )


def _known_criteria(names: tuple[str, ...], build: Build) -> None:
    unknown = next((name for name in names if name not in build.criteria), None)
    if unknown is not None:
        raise CriterionUnknown(
            f"{unknown[:40]!r} is not a criterion of this study",
            remedy=f"one of {', '.join(build.criteria)}",
            criterion=unknown[:40],
        )


def _require_eligible(assessed: CriteriaAssessed) -> None:
    if assessed.eligible == Truth.YES.value:
        return
    unmet = [v.criterion for v in assessed.verdicts if v.verdict == Truth.NO.value]
    unknown = [v.criterion for v in assessed.verdicts if v.verdict == Truth.UNKNOWN.value]
    parts = [f"not met: {', '.join(unmet)}"] if unmet else []
    parts += [f"unknown: {', '.join(unknown)}"] if unknown else []
    raise NotEligible(
        f"{assessed.participant} does not fit: {'; '.join(parts)}",
        remedy="find out what is unknown and assess again; if a criterion is not met, give FailScreening",
        participant=assessed.participant,
        unmet=", ".join(unmet),
        unknown=", ".join(unknown),
    )


DECISIONS: Mapping[type[Command], Decide] = {
    ScreenParticipant: screen_participant,
    RescreenParticipant: rescreen_participant,
    AssessCriteria: assess_criteria,
    SignOffEligibility: sign_off_eligibility,
    FailScreening: fail_screening,
    EndParticipation: end_participation,
}

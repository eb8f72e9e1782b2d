"""Seal the list, randomise, look where it is allowed, and say when somebody saw what they should not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.protocol.roles import Role
from trialwright.sealing import SealedList
from trialwright.trial.allocation.events import (
    AccidentalUnblindingRecorded,
    AllocationDisclosed,
    AllocationListCommitted,
    AllocationPositionTaken,
    AllocationRowsSealed,
    AllocationsJoined,
    EmergencyUnblinded,
    MistakenRandomisationRecorded,
    ParticipantRandomised,
    SealedRow,
    StratumRows,
)
from trialwright.trial.allocation.preparation import (
    PreparedList,
    knows_levels,
    same_randomisation,
    sealed_for,
    strata_of,
    stratum_name,
)
from trialwright.trial.allocation.state import PARAMETERS, Commitments, Randomised, Stratum
from trialwright.trial.allocation.words import revealing_word
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.closure.state import Deviations, Ending
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.consent.gate import require_consent
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.assessment import eligibility_facts, is_current, stratum_levels
from trialwright.trial.enrolment.gate import existing, present, recruiting
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Event, Space
from trialwright.trial.hands import Hands
from trialwright.trial.keys.state import Keys
from trialwright.trial.safety.clocks import is_expedited
from trialwright.trial.safety.state import AdverseEvents
from trialwright.trial.state import State

ROWS_IN_AN_EVENT = 1000
MEANS = ("system", "envelope")


class ListNotFitting(Refusal):
    """The list was not made for this study as it is approved, or an amendment randomises otherwise than before.

    Positions go on from list to list, so method, unit, ratio and strata stay what they were at the first one.
    """

    code = "allocation.list_not_fitting"


class NotWhatWasShown(Refusal):
    """The signature covers another list than the one given."""

    code = "allocation.not_what_was_shown"


class ListNotCommitted(Refusal):
    """No list is committed to, so nothing would bind the allocation."""

    code = "allocation.list_not_committed"


class ListExhausted(Refusal):
    """Every row of the stratum is used."""

    code = "allocation.list_exhausted"


class AlreadyRandomised(Refusal):
    """Nobody is randomised twice."""

    code = "allocation.already_randomised"


class NotRandomised(Refusal):
    """The participant has no allocation."""

    code = "allocation.not_randomised"


class NotSignedOff(Refusal):
    """Eligibility is not signed off, or an assessment came after it."""

    code = "allocation.not_signed_off"


class SignOffOutdated(Refusal):
    """The sign-off is too old, or data or criteria changed since."""

    code = "allocation.sign_off_outdated"


class StratumUndecided(Refusal):
    """The data do not say which stratum the participant belongs to."""

    code = "allocation.stratum_undecided"


class StaysBlinded(Refusal):
    """The study keeps this role blinded."""

    code = "allocation.stays_blinded"


class NotBlinded(Refusal):
    """The study is open: there is nothing to unblind."""

    code = "allocation.not_blinded"


class ReasonMissing(Refusal):
    """A look at an allocation needs to be explained."""

    code = "allocation.reason_missing"


class MeansUnknown(Refusal):
    """Not a way to unblind in an emergency."""

    code = "allocation.means_unknown"


class RevealsArm(Refusal):
    """The words would tell a blinded reader the arm."""

    code = "allocation.reveals_arm"


class NoSuspectedReaction(Refusal):
    """No clock for a suspected unexpected serious reaction runs for this event, so nothing has to be unblinded."""

    code = "allocation.no_suspected_reaction"


class CutUnknown(Refusal):
    """There is no data cut of that name."""

    code = "allocation.cut_unknown"


@dataclass(frozen=True, kw_only=True)
class SealAllocationList(Command):
    """Seal a list and commit to it, before its first row is used. By the independent statistician, in the closed
    space, with a signature over the commitment's root (hex).

    Refused: another method or other strata than the approved build's, a list that does not follow the ones before,
    a build that randomises otherwise than the lists before, seals to a key that is not in force, a signature over
    another root.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.INDEPENDENT_STATISTICIAN, space=Space.CLOSED, signs="seal_allocation_list"
    )
    prepared: PreparedList


@dataclass(frozen=True, kw_only=True)
class RandomiseParticipant(Command):
    """Give the participant the next position of their stratum. By the investigator or study nurse.

    Decided on the open space alone. Refused: participation over, randomised already, no consent in force, the site
    not recruiting, no list committed, a list made for another randomisation, eligibility not signed off or too long
    ago, data or criteria changed since, a stratum that data do not decide, no row left.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE, treats=True, checkpoint=True)
    participant: str


@dataclass(frozen=True, kw_only=True)
class RecordMistakenRandomisation(Command):
    """Record that a participant was randomised by mistake; opens a deviation, and nothing is undone. A fact.

    By the investigator, monitor or medical monitor. Refused: not randomised, words that reveal the arm.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.MONITOR, Role.MEDICAL_MONITOR, after_lock=True)
    participant: str
    what: str


@dataclass(frozen=True, kw_only=True)
class DispenseAllocation(Command):
    """Look at a participant's allocation to prepare what is given; the receipt allows it. In the closed space.

    By who prepares or gives, and by the site in an open study. Refused: a role that the study keeps blinded,
    somebody who acted for this participant in such a role, not randomised.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.CELL_LABORATORY,
        Role.QUALIFIED_PERSON,
        Role.INJECTING_PHYSICIAN,
        Role.PHARMACIST,
        Role.UNBLINDED_MONITOR,
        Role.INVESTIGATOR,
        Role.STUDY_NURSE,
        space=Space.CLOSED,
    )
    participant: str
    period: str | None = None


@dataclass(frozen=True, kw_only=True)
class PrepareEnvelope(Command):
    """Have a participant's emergency envelope made; the receipt allows it. In the closed space.

    By the independent statistician or the pharmacist. Refused: an open study, a role that the study keeps blinded,
    somebody who acted for this participant in such a role, not randomised.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INDEPENDENT_STATISTICIAN, Role.PHARMACIST, space=Space.CLOSED)
    participant: str


@dataclass(frozen=True, kw_only=True)
class UnblindInEmergency(Command):
    """Unblind one participant because their care needs it. By an investigator of the site, alone, at any hour, with
    a signature and a reason; the sponsor learns that it happened, not what was seen.

    Refused: an open study, not randomised, no reason; words that reveal the arm, once it was seen.

    Args:
        participant: whom.
        means: ``system`` shows the allocation now; ``envelope`` records that the sealed envelope was opened.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.INVESTIGATOR, space=Space.CLOSED, signs="unblind_in_emergency", after_lock=True, reason_crosses=True
    )
    participant: str
    means: str = "system"


@dataclass(frozen=True, kw_only=True)
class UnblindForSusar(Command):
    """Look at one allocation to report a suspected unexpected serious reaction; the team stays blind.

    By the safety officer, in the closed space; nothing of it appears in the open one. Refused: an open study, not
    randomised, an event for which no clock of such a reaction runs, no reason.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SAFETY_OFFICER, space=Space.CLOSED, after_lock=True)
    participant: str
    adverse_event: str


@dataclass(frozen=True, kw_only=True)
class RecordAccidentalUnblinding(Command):
    """Record that somebody learned an allocation: who and how, never what. A fact; opens a deviation.

    By whoever noticed. Refused: an open study, not randomised, words that reveal the arm.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.INVESTIGATOR,
        Role.STUDY_NURSE,
        Role.BLINDED_RATER,
        Role.MONITOR,
        Role.MEDICAL_MONITOR,
        Role.DATA_MANAGER,
        Role.SPONSOR,
        after_lock=True,
    )
    participant: str
    learned_by: str
    how: str


@dataclass(frozen=True, kw_only=True)
class DiscloseForDataCut(Command):
    """Join allocations to a named data cut for the committee's closed report. By the independent statistician, in
    the closed space; each use is recorded.

    Refused: an unknown cut, a participant who is not randomised, no participant at all, no reason.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INDEPENDENT_STATISTICIAN, space=Space.CLOSED, after_lock=True)
    cut: str
    participants: tuple[str, ...]


def seal_allocation_list(command: SealAllocationList, state: State, context: Context) -> Iterable[Event]:
    prepared, sealed = command.prepared, command.prepared.sealed
    commitments = state.of(Commitments)
    _check_fits(prepared, commitments, context)
    _check_keys(prepared, state.of(Keys))
    shown = context.signature.shown if context.signature else ""
    if shown != sealed.root.hex():
        raise NotWhatWasShown(
            "the signature covers another list",
            remedy="show the root of this list and sign it",
            root=sealed.root.hex(),
        )
    for part in _parts(sealed):
        yield AllocationRowsSealed(
            list=prepared.number, sealed_for=sealed.ledger, kind=sealed.rows[0].place.kind.value, rows=part
        )
    yield AllocationListCommitted(
        list=prepared.number,
        method=prepared.method,
        unit=context.build.study.randomisation.unit,
        root=sealed.root.hex(),
        recipients={purpose.value: print_ for purpose, print_ in sealed.recipients.items()},
        strata=tuple(_stratum_rows(sealed, commitments)),
    )


def randomise_participant(command: RandomiseParticipant, state: State, context: Context) -> Iterable[Event]:
    participant = command.participant
    enrolment = present(state, participant)
    if state.of(Randomised, participant).done:
        raise AlreadyRandomised(f"{participant} is randomised", remedy="nothing to do", participant=participant)
    require_consent(state, participant, treatment=True)
    recruiting(state, enrolment.site)
    commitments = state.of(Commitments)
    if not commitments.lists:
        raise ListNotCommitted(
            "no allocation list is committed to", remedy="the independent statistician gives SealAllocationList"
        )
    committed = context.builds[commitments.build]
    if not same_randomisation(context.build, committed):
        raise ListNotFitting(
            f"site {enrolment.site} works under a build that randomises otherwise than the list in use",
            remedy="randomise under the build that the list was made for; the method is not changed by amendment",
            site=enrolment.site,
        )
    _check_sign_off(participant, enrolment, state, context)
    factors = _factors(participant, enrolment, state, context)
    stratum = stratum_name(context.build, factors)
    number = commitments.numbers.get(stratum) if knows_levels(committed, factors) else None
    position = len(state.of(Stratum, str(number)).taken) if number else 0
    if number is None or position >= commitments.rows[stratum]:
        raise ListExhausted(
            f"no row is left in stratum {stratum!r}",
            remedy="the independent statistician seals a list that continues it",
            stratum=stratum,
        )
    token = context.entropy.bytes(16, purpose="allocation token", stream=f"participant/{participant}", position=0)
    yield AllocationPositionTaken(
        number=number, stratum=stratum, position=position, participant=participant, factors=factors
    )
    yield ParticipantRandomised(
        participant=participant,
        number=number,
        stratum=stratum,
        position=position,
        token=token.hex(),
        date=context.today,
    )


def record_mistaken_randomisation(
    command: RecordMistakenRandomisation, state: State, context: Context
) -> Iterable[Event]:
    _randomised(command.participant, state)
    _check_words(context, command.what)
    yield MistakenRandomisationRecorded(participant=command.participant, what=command.what)
    yield state.of(Deviations, command.participant).open(
        command.participant, "randomisation", "by_mistake", f"randomised by mistake: {command.what}"
    )


def dispense_allocation(command: DispenseAllocation, state: State, context: Context) -> Iterable[Event]:
    _check_unblinded(command.participant, state, context)
    _randomised(command.participant, state)
    yield AllocationDisclosed(participant=command.participant, purpose="dispensing", about=command.period)


def prepare_envelope(command: PrepareEnvelope, state: State, context: Context) -> Iterable[Event]:
    _check_blinded(context)
    _check_unblinded(command.participant, state, context)
    _randomised(command.participant, state)
    yield AllocationDisclosed(participant=command.participant, purpose="envelope")


def unblind_in_emergency(command: UnblindInEmergency, state: State, context: Context) -> Iterable[Event]:
    _check_blinded(context)
    _randomised(command.participant, state)
    if command.means not in MEANS:
        raise MeansUnknown(
            f"{command.means[:40]!r} is not a way to unblind",
            remedy=f"one of {', '.join(MEANS)}",
            given=command.means[:40],
        )
    _check_reason(context)
    if command.means == "envelope" or state.of(Randomised, command.participant).unblinded:
        # Who has seen it knows. Who asks for the first time does not, and shall not search for words at night.
        _check_words(context)
    if command.means == "system":
        yield AllocationDisclosed(participant=command.participant, purpose="emergency")
    yield EmergencyUnblinded(
        participant=command.participant,
        means=command.means,
        shown=context.signature.shown if context.signature else "",
    )


def unblind_for_susar(command: UnblindForSusar, state: State, context: Context) -> Iterable[Event]:
    _check_blinded(context)
    _randomised(command.participant, state)
    _check_suspected(command, state, context)
    _check_reason(context)
    yield AllocationDisclosed(participant=command.participant, purpose="susar", about=command.adverse_event)


def record_accidental_unblinding(
    command: RecordAccidentalUnblinding, state: State, context: Context
) -> Iterable[Event]:
    _check_blinded(context)
    _randomised(command.participant, state)
    _check_words(context, command.how, command.learned_by)
    yield AccidentalUnblindingRecorded(
        participant=command.participant, learned_by=command.learned_by, how=command.how
    )
    yield state.of(Deviations, command.participant).open(
        command.participant, "unblinding", "accidental", f"{command.learned_by} learned the allocation: {command.how}"
    )


def disclose_for_data_cut(command: DiscloseForDataCut, state: State, context: Context) -> Iterable[Event]:
    cuts = state.of(Ending).cuts
    if command.cut not in cuts:
        raise CutUnknown(
            f"there is no data cut {command.cut[:40]!r}",
            remedy=f"one of {', '.join(sorted(cuts)) or 'none yet: the cut is made first'}",
            cut=command.cut[:40],
        )
    _check_reason(context)
    if not command.participants:
        raise NotRandomised("no participant is named", remedy="name the participants of the cut", cut=command.cut)
    for participant in command.participants:
        _randomised(participant, state)
    yield AllocationsJoined(cut=command.cut, participants=tuple(dict.fromkeys(command.participants)))


def _check_fits(prepared: PreparedList, commitments: Commitments, context: Context) -> None:
    build, sealed = context.build, prepared.sealed
    have = {row.place.stratum for row in sealed.rows}
    want = {PARAMETERS, *strata_of(build)}
    problem = ""
    if prepared.method != build.study.randomisation.method:
        problem = f"it was made by {prepared.method}, the study says {build.study.randomisation.method}"
    elif prepared.number != commitments.lists + 1:
        problem = f"it is list {prepared.number}, the next is {commitments.lists + 1}"
    elif commitments.lists and not same_randomisation(build, context.builds[commitments.build]):
        problem = "the approved build randomises otherwise than the lists before"
    elif sealed.ledger != sealed_for(build.study.identity.id, prepared.number):
        problem = f"it is sealed for {sealed.ledger}"
    elif have != want if prepared.number == 1 else not {PARAMETERS} < have <= want:
        problem = f"its strata differ from the study's by {', '.join(sorted(have ^ want))}"
    if problem:
        raise ListNotFitting(
            f"the list does not fit the study: {problem}",
            remedy="prepare the list again from the approved build",
            list=prepared.number,
        )


def _check_keys(prepared: PreparedList, keys: Keys) -> None:
    recipients = {purpose.value: print_ for purpose, print_ in prepared.sealed.recipients.items()}
    purpose = keys.out_of_force(recipients)
    if purpose:
        raise ListNotFitting(
            f"the list is sealed to a {purpose} key that is not in force",
            remedy=f"seal it again to {keys.in_force[purpose, '']}",
            list=prepared.number,
            key=recipients[purpose],
        )


def _parts(sealed: SealedList) -> Iterable[tuple[SealedRow, ...]]:
    for start in range(0, len(sealed.rows), ROWS_IN_AN_EVENT):
        documents = (row.as_json() for row in sealed.rows[start : start + ROWS_IN_AN_EVENT])
        yield tuple(
            SealedRow(stratum=row["stratum"], position=row["position"], tokens=row["tokens"]) for row in documents
        )


def _stratum_rows(sealed: SealedList, commitments: Commitments) -> Iterable[StratumRows]:
    known = dict(commitments.numbers)
    for stratum, rows in groupby(sealed.rows, key=lambda row: row.place.stratum):
        if stratum == PARAMETERS:
            continue
        number = known.setdefault(stratum, len(known) + 1)
        yield StratumRows(number=number, stratum=stratum, rows=sum(1 for _ in rows))


def _check_sign_off(participant: str, enrolment: Enrolment, state: State, context: Context) -> None:
    if not enrolment.signed_off_on:
        raise NotSignedOff(
            f"eligibility of {participant} is not signed off",
            remedy="the investigator gives AssessCriteria and SignOffEligibility",
            participant=participant,
        )
    limit = context.build.study.randomisation.within_days_of_sign_off
    age = (date.fromisoformat(context.today) - date.fromisoformat(enrolment.signed_off_on)).days
    if limit is not None and age > limit:
        raise SignOffOutdated(
            f"eligibility of {participant} was signed off {age} days ago, at most {limit} are allowed",
            remedy="the investigator assesses and signs again",
            participant=participant,
            days=age,
        )
    if not is_current(state, participant, context.build):
        raise SignOffOutdated(
            f"data or criteria of {participant} changed since eligibility was signed off",
            remedy="the investigator assesses and signs again",
            participant=participant,
        )


def _factors(participant: str, enrolment: Enrolment, state: State, context: Context) -> dict[str, str]:
    assert enrolment.assessed is not None  # signed off, so assessed
    book = state.of(CaseBook, participant)
    facts = eligibility_facts(context.build, book, state.of(Consent, participant), enrolment.assessed.stated)
    levels = stratum_levels(context.build, enrolment.site, facts)
    undecided = [name for name, level in levels.items() if level is None]
    if undecided:
        raise StratumUndecided(
            f"the data of {participant} do not decide: {', '.join(undecided)}",
            remedy="complete the forms these factors are taken from, assess and sign again",
            participant=participant,
        )
    return {name: level for name, level in levels.items() if level is not None}


def _randomised(participant: str, state: State) -> None:
    existing(state, participant)
    if not state.of(Randomised, participant).done:
        raise NotRandomised(
            f"{participant} is not randomised", remedy="look at the list of participants", participant=participant
        )


def _check_blinded(context: Context) -> None:
    if context.build.study.identity.blinding.kind != "blinded":
        raise NotBlinded("this study is open", remedy="look with DispenseAllocation")


def _check_unblinded(participant: str, state: State, context: Context) -> None:
    """Both the present role and every role in which the person acted for this participant may know."""
    blinding, by = context.build.study.identity.blinding, context.actor
    acted = state.of(Hands, participant).roles_of(by.person) | {by.role.value}
    kept = sorted(acted - {role.value for role in blinding.unblinded_roles})
    if blinding.kind == "blinded" and kept:
        raise StaysBlinded(
            f"the study keeps the role {kept[0]} blinded",
            remedy="who prepares or gives the treatment looks; in an emergency give UnblindInEmergency",
            role=kept[0],
        )


def _check_suspected(command: UnblindForSusar, state: State, context: Context) -> None:
    event = state.of(AdverseEvents, command.participant).events.get(command.adverse_event)
    expedited = {clock.id for clock in context.build.study.safety.clocks if is_expedited(clock)}
    if event is None or expedited.isdisjoint(event.clocks):
        raise NoSuspectedReaction(
            f"no suspected unexpected serious reaction {command.adverse_event[:60]!r} is to be reported",
            remedy="seriousness, causality and expectedness are judged blind; the clock starts when they call for it",
            event=command.adverse_event[:60],
        )


def _check_reason(context: Context) -> None:
    if not (context.reason or "").strip():
        raise ReasonMissing("nothing says why the allocation is looked at", remedy="give the reason")


def _check_words(context: Context, *texts: str) -> None:
    if context.build.study.identity.blinding.kind != "blinded":
        return
    word = next((w for text in (*texts, context.reason or "") if (w := revealing_word(context.build, text))), None)
    if word is not None:
        raise RevealsArm(
            f"blinded people will read this, and {word!r} names an arm",
            remedy="say what happened without saying what was given",
            word=word,
        )


DECISIONS: Mapping[type[Command], Decide] = {
    SealAllocationList: seal_allocation_list,
    RandomiseParticipant: randomise_participant,
    RecordMistakenRandomisation: record_mistaken_randomisation,
    DispenseAllocation: dispense_allocation,
    PrepareEnvelope: prepare_envelope,
    UnblindInEmergency: unblind_in_emergency,
    UnblindForSusar: unblind_for_susar,
    RecordAccidentalUnblinding: record_accidental_unblinding,
    DiscloseForDataCut: disclose_for_data_cut,
}

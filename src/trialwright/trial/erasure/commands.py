"""Propose that a participant's keys are destroyed; agree, as another person, and they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.state import Randomised
from trialwright.trial.closure.state import Ending
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.erasure.events import ErasureProposed, ParticipantKeysDestroyed
from trialwright.trial.erasure.state import Forgetting
from trialwright.trial.event import Event
from trialwright.trial.state import State

NEVER_ENROLLED = "never_enrolled"
TYPED_BY_MISTAKE = "typed_by_mistake"
RETENTION_EXPIRED = "retention_expired"
GROUNDS = (NEVER_ENROLLED, TYPED_BY_MISTAKE, RETENTION_EXPIRED)


class GroundNotAccepted(Refusal):
    """Keys are destroyed for three reasons only."""

    code = "erasure.ground_not_accepted"


class WithdrawalErasesNothing(Refusal):
    """A participant withdrew; what was collected until then is kept, as the law asks."""

    code = "erasure.withdrawal_erases_nothing"


class GroundDoesNotHold(Refusal):
    """The record says otherwise: the participant is enrolled, or the data must still be kept."""

    code = "erasure.ground_does_not_hold"


class ErasureWithoutReason(Refusal):
    """Nothing says what happened."""

    code = "erasure.without_reason"


class SecondPersonNeeded(Refusal):
    """Nobody proposed it on this ground, or the same person did."""

    code = "erasure.second_person_needed"


@dataclass(frozen=True, kw_only=True)
class ProposeErasure(Command):
    """Ask for a participant's keys to be destroyed, with the reason. By the investigator or data management, signed.

    The first of two people. The reason is not sealed with the participant's texts: it must name nobody. Refused: an
    unknown participant; a withdrawal; another ground than the three; a ground that the record contradicts; no reason.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.INVESTIGATOR, Role.DATA_MANAGER, signs="propose_erasure", after_lock=True
    )
    participant: str
    ground: str


@dataclass(frozen=True, kw_only=True)
class DestroyParticipantKeys(Command):
    """Destroy the keys of all texts of a participant so far. By the investigator or data management, signed.

    The second of two people. Refused: as the proposal; nobody proposed it on this ground, or the same person did.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.INVESTIGATOR, Role.DATA_MANAGER, signs="destroy_participant_keys", after_lock=True
    )
    participant: str
    ground: str


def propose_erasure(command: ProposeErasure, state: State, context: Context) -> Iterable[Event]:
    _check(command.participant, command.ground, state, context)
    yield ErasureProposed(participant=command.participant, ground=command.ground)


def destroy_participant_keys(command: DestroyParticipantKeys, state: State, context: Context) -> Iterable[Event]:
    _check(command.participant, command.ground, state, context)
    forgetting = state.of(Forgetting, command.participant)
    first = forgetting.proposed_by
    if forgetting.proposed_ground != command.ground or first in ("", context.actor.person):
        raise SecondPersonNeeded(
            f"nobody else proposed to forget {command.participant} on the ground {command.ground}",
            remedy="one person gives ProposeErasure, another one this, on the same ground",
            participant=command.participant,
        )
    yield ParticipantKeysDestroyed(
        participant=command.participant, ground=command.ground, first=first, below=forgetting.number + 1
    )


def _check(participant: str, ground: str, state: State, context: Context) -> None:
    enrolment = state.of(Enrolment, participant)
    if not enrolment.exists:
        raise NotFound(f"there is no participant {participant}", remedy="check the code", participant=participant)
    if "withdr" in ground:
        raise WithdrawalErasesNothing(
            f"{participant} withdrew; what was collected until then stays",
            remedy="record the withdrawal with its scopes; nothing more is collected",
            participant=participant,
        )
    if ground not in GROUNDS:
        raise GroundNotAccepted(f"{ground[:40]!r} is no ground", remedy=f"use one of {', '.join(GROUNDS)}")
    if not (context.reason or "").strip():
        raise ErasureWithoutReason("keys are destroyed without a reason", remedy="say what happened, naming nobody")
    against = _against(ground, participant, state, context)
    if against:
        raise GroundDoesNotHold(
            f"{ground} does not hold for {participant}: {against}",
            remedy="use the ground that holds, or leave the keys as they are",
            participant=participant,
        )


def _against(ground: str, participant: str, state: State, context: Context) -> str:
    """What the record says against the ground, or nothing."""
    if ground == NEVER_ENROLLED:
        enrolment = state.of(Enrolment, participant)
        if state.of(Randomised, participant).done or enrolment.signed_off_on:
            return "the participant is enrolled"
        ended = enrolment.failed or enrolment.ended_on or state.of(Consent, participant).refused
        return "" if ended else "screening has not ended"
    if ground == RETENTION_EXPIRED:
        keep_until = state.of(Ending).keep_until
        if not keep_until:
            return "the study is not archived"
        return "" if keep_until < context.today else f"the record is kept until {keep_until}"
    return ""


DECISIONS: Mapping[type[Command], Decide] = {
    ProposeErasure: propose_erasure,
    DestroyParticipantKeys: destroy_participant_keys,
}

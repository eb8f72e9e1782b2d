"""What the site does: gate, collection, the physician's request, authorisation. All in the open space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.protocol.custody import Custody
from trialwright.protocol.roles import Role
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.custody.checks import (
    consent_flags,
    may_be_treated,
    need_randomised,
    need_ready,
    number,
    open_deviations,
    planned_slot,
)
from trialwright.trial.custody.events import (
    ASK_PHYSICIAN,
    AdministrationAuthorised,
    CriterionResult,
    ExceptionalReleaseRequested,
    LabelTaken,
    ProductCollected,
    SafetyGatePassed,
)
from trialwright.trial.custody.judging import gate_results, unmet
from trialwright.trial.custody.refusals import (
    GateNotPassed,
    LabelNotUsable,
    NoSuchSlot,
    NotRequested,
)
from trialwright.trial.custody.state import LabelUse, Slots
from trialwright.trial.enrolment.gate import existing
from trialwright.trial.event import Event
from trialwright.trial.permission import conflicting_roles
from trialwright.trial.state import State


@dataclass(frozen=True, kw_only=True)
class PassSafetyGate(Command):
    """Let a collection or an administration go ahead, from the data of its encounter. By investigator or nurse.

    Refused: a criterion that does not hold or is unknown (named, with what is missing); no consent to treatment;
    participation over; slot cancelled; injection already given.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE, treats=True)
    participant: str
    slot: str
    before: str
    """collection or administration."""


@dataclass(frozen=True, kw_only=True)
class CollectProduct(Command):
    """Report that starting material was collected and labelled. By the site. A fact: flagged, never refused.

    Refused only: a label that is not of this study or in use (scan the right one), an unknown slot or participant.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INJECTING_PHYSICIAN)
    participant: str
    slot: str
    label: str
    volume_ml: str


@dataclass(frozen=True, kw_only=True)
class RequestExceptionalRelease(Command):
    """Ask for a product that is out of specification, as treating physician. By the investigator, signed.

    Refused: nothing is offered; participation over or treatment withdrawn.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, signs="request_exceptional_release", treats=True)
    participant: str
    slot: str


@dataclass(frozen=True, kw_only=True)
class AuthoriseAdministration(Command):
    """Let the injection of a slot go ahead. By the investigator or the injecting physician.

    Refused: not randomised; not released for the slot; gate not passed, or no longer open with the data as they
    stand; consent to treatment withdrawn; participation over; time from release over; already injected. Decides on
    open facts alone, so it answers alike in every arm.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.INJECTING_PHYSICIAN, treats=True)
    participant: str
    slot: str


def pass_safety_gate(command: PassSafetyGate, state: State, context: Context) -> Iterable[Event]:
    _, planned = planned_slot(command.slot, context)
    if command.before not in ("collection", "administration"):
        raise NoSuchSlot(
            f"there is no gate before {command.before!r}",
            remedy="use collection or administration",
            slot=command.slot,
        )
    may_be_treated(command.participant, command.slot, state)
    encounter = planned.collection if command.before == "collection" else planned.administration
    yield SafetyGatePassed(
        participant=command.participant,
        slot=command.slot,
        before=command.before,
        encounter=encounter,
        results=_open_gate(command.participant, command.before, encounter, state, context),
    )


def collect_product(command: CollectProduct, state: State, context: Context) -> Iterable[Event]:
    custody, _ = planned_slot(command.slot, context)
    existing(state, command.participant)
    label = _free_label(command.label, custody, state)
    number("volume", command.volume_ml)
    slot = state.of(Slots, command.participant).peek(command.slot)
    flags = []
    if "collection" not in slot.gates:
        flags.append("gate_not_passed")
    if slot.cancelled or slot.injected_on or (slot.collections > 0 and not slot.repeatable):
        flags.append("not_planned")
    flags += consent_flags(command.participant, state, context)
    if conflicting_roles(command.participant, context.actor, context.build, state):
        flags.append("conflicting_role")
    yield LabelTaken(label=label, participant=command.participant)
    yield ProductCollected(
        participant=command.participant,
        slot=command.slot,
        label=label,
        date=context.happened_on,
        volume_ml=command.volume_ml,
        attempt=slot.collections + 1,
        flags=tuple(flags),
    )
    yield from open_deviations(command.participant, f"collection.{command.slot}", flags, state)


def request_exceptional_release(
    command: RequestExceptionalRelease, state: State, context: Context
) -> Iterable[Event]:
    planned_slot(command.slot, context)
    may_be_treated(command.participant, command.slot, state)
    if state.of(Slots, command.participant).peek(command.slot).decision != ASK_PHYSICIAN:
        raise NotRequested(
            f"no product out of specification is offered for {command.slot}",
            remedy="wait for the laboratory's decision",
            slot=command.slot,
        )
    assert context.signature is not None  # the permission demands it
    yield ExceptionalReleaseRequested(
        participant=command.participant, slot=command.slot, shown=context.signature.shown
    )


def authorise_administration(command: AuthoriseAdministration, state: State, context: Context) -> Iterable[Event]:
    custody, planned = planned_slot(command.slot, context)
    slot = may_be_treated(command.participant, command.slot, state)
    need_randomised(command.participant, state)
    need_ready(command.slot, slot, custody, context.now)
    if "administration" not in slot.gates:
        raise GateNotPassed(
            f"nobody passed the safety gate before the injection of {command.slot}",
            remedy="give PassSafetyGate with the data of that visit",
            slot=command.slot,
        )
    yield AdministrationAuthorised(
        participant=command.participant,
        slot=command.slot,
        results=_open_gate(command.participant, "administration", planned.administration, state, context),
    )


def _open_gate(
    participant: str, before: str, encounter: str, state: State, context: Context
) -> tuple[CriterionResult, ...]:
    results = gate_results(context.build, state.of(CaseBook, participant), before, encounter)
    failing = unmet(results)
    if failing:
        raise GateNotPassed(
            f"the safety gate before {before} stays closed: {failing}",
            remedy="complete the forms of the visit; where a criterion does not hold, postpone",
            participant=participant,
        )
    return results


def _free_label(label: str, custody: Custody, state: State) -> str:
    if len(label) > 64 or not re.fullmatch(custody.identifier, label):
        raise LabelNotUsable(
            f"{label[:64]!r} is not a label of this study", remedy="scan the product's label", label=label[:64]
        )
    used_by = state.of(LabelUse, label).participant
    if used_by:
        raise LabelNotUsable(f"{label} is in use", remedy="take a new label; none is used twice", label=label)
    return label


DECISIONS: Mapping[type[Command], Decide] = {
    PassSafetyGate: pass_safety_gate,
    CollectProduct: collect_product,
    RequestExceptionalRelease: request_exceptional_release,
    AuthoriseAdministration: authorise_administration,
}

"""From the laboratory's door into the participant, in the closed space: hand-over, injection, mix-ups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from trialwright.foundation.errors import TrialwrightError
from trialwright.foundation.quantities import exact
from trialwright.protocol.custody import Custody, Slot
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.state import Randomised
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.custody.checks import (
    LABORATORY,
    closed_deviations,
    consent_flags,
    expiry,
    instant,
    may_be_treated,
    need_randomised,
    need_ready,
    number,
    open_deviations,
    planned_slot,
)
from trialwright.trial.custody.events import (
    COMPARATOR,
    PRODUCT,
    InjectionGiven,
    InjectionHandedOver,
    MixUpRecorded,
    ProductAdministered,
    SyringeHandedOver,
)
from trialwright.trial.custody.judging import dose_text, planned_dose
from trialwright.trial.custody.refusals import (
    AllocationUnavailable,
    ComparatorLotMissing,
    ContentUnknown,
    IdentifiersDoNotMatch,
    NotCertified,
    NotReleased,
    ProductUnusable,
    StaysBlinded,
)
from trialwright.trial.custody.state import Laboratory, ProductRecord, Slots
from trialwright.trial.enrolment.gate import existing
from trialwright.trial.event import Event, Space
from trialwright.trial.permission import conflicting_roles
from trialwright.trial.state import State

BOTH_ARMS = ("wrong_product", "identifier_mismatch")
"""Closed flags that can arise in every arm alike, so that *that* something is wrong may be known openly."""


@dataclass(frozen=True, kw_only=True)
class HandOver(Command):
    """Hand the covered injection of a slot to the injecting team, scanning label and wristband. By laboratory or
    pharmacy. What the syringe holds follows from the allocation.

    Refused: a role that the study keeps blinded; identifiers that do not belong together; slot not released; time
    over; the slot's product not released, not certified or unusable, even where it is not the one that is given;
    comparator without its lot.
    """

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, Role.PHARMACIST, space=Space.CLOSED)
    participant: str
    slot: str
    label: str
    wristband: str
    to: str
    comparator_lot: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecordMixUp(Command):
    """Report that identifiers did not belong together, found afterwards. By anyone of the closed chain. A fact."""

    PERMISSION: ClassVar[Permission] = may(
        *LABORATORY,
        Role.PHARMACIST,
        Role.INJECTING_PHYSICIAN,
        Role.UNBLINDED_MONITOR,
        space=Space.CLOSED,
        after_lock=True,
    )
    participant: str
    slot: str
    label: str
    found_label: str
    found_wristband: str
    what: str


@dataclass(frozen=True, kw_only=True)
class AdministerProduct(Command):
    """Report the injection of a slot: what was given, how much, with both identifiers. By the injecting physician.

    A fact with its actual time (``observed_at``): everything out of order is flagged and opens a deviation.
    Refused only: unknown slot or participant, content that is neither product nor comparator, numbers that are none.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INJECTING_PHYSICIAN, space=Space.CLOSED)
    participant: str
    slot: str
    label: str
    wristband: str
    content: str
    """product or comparator."""
    volume_ml: str
    dose: str | None = None
    """In the unit of ``custody.yaml``; None for the comparator."""


def hand_over(command: HandOver, state: State, context: Context) -> Iterable[Event]:
    custody, planned = planned_slot(command.slot, context)
    _need_unblinded(context)
    slot = may_be_treated(command.participant, command.slot, state)
    if command.label != slot.label or command.wristband != command.participant:
        raise IdentifiersDoNotMatch(
            f"label {command.label} and wristband {command.wristband} are not those of this participant and slot",
            remedy="stop, compare both with the case, and scan again; report a mix-up with RecordMixUp",
            slot=command.slot,
        )
    need_randomised(command.participant, state)
    need_ready(command.slot, slot, custody, context.now)
    # Also where the comparator is handed over: otherwise the day of an injection would depend on the arm.
    _need_usable(command.label, state.of(Laboratory, command.participant).peek(command.label))
    content = _allocated(command.participant, planned, custody, context)
    if content is None:
        raise AllocationUnavailable(
            f"the allocation for {command.slot} could not be looked up",
            remedy="start the dispensing service, or use the sealed envelope",
            slot=command.slot,
        )
    if (content == COMPARATOR) is not bool(command.comparator_lot):
        raise ComparatorLotMissing(
            "the lot does not fit what the slot's syringe holds",
            remedy="give the comparator's lot where the comparator is handed over, and only there",
            slot=command.slot,
        )
    yield SyringeHandedOver(
        participant=command.participant,
        label=command.label,
        slot=command.slot,
        content=content,
        wristband=command.wristband,
        to=command.to,
        comparator_lot=command.comparator_lot,
    )
    yield InjectionHandedOver(participant=command.participant, slot=command.slot)


def record_mix_up(command: RecordMixUp, state: State, context: Context) -> Iterable[Event]:
    planned_slot(command.slot, context)
    existing(state, command.participant)
    yield MixUpRecorded(
        participant=command.participant,
        label=command.label,
        found_label=command.found_label,
        found_wristband=command.found_wristband,
        what=command.what,
    )
    yield from closed_deviations(command.participant, command.slot, ("identifier_mismatch",), state)
    yield from open_deviations(command.participant, command.slot, ("product",), state)


def administer_product(command: AdministerProduct, state: State, context: Context) -> Iterable[Event]:
    custody, planned = planned_slot(command.slot, context)
    existing(state, command.participant)
    _check_given(command)
    allocated = _allocated(command.participant, planned, custody, context)
    book = state.of(CaseBook, command.participant)
    planned_amount = planned_dose(context.build, custody.dose, book, planned.administration)
    open_flags = list(_open_flags(command, custody, state, context))
    closed_flags = list(_identity_flags(command, allocated, state))
    if command.content == PRODUCT:
        closed_flags += _product_flags(command, planned_amount, state)
    if any(flag in BOTH_ARMS for flag in closed_flags):
        open_flags.append("product")
    yield ProductAdministered(
        participant=command.participant,
        label=command.label,
        slot=command.slot,
        content=command.content,
        allocated=allocated,
        wristband=command.wristband,
        volume_ml=command.volume_ml,
        dose=command.dose,
        planned_dose=dose_text(planned_amount) if planned_amount is not None and command.content == PRODUCT else None,
        flags=(*open_flags, *closed_flags),
    )
    yield from closed_deviations(command.participant, command.slot, closed_flags, state)
    yield InjectionGiven(
        participant=command.participant,
        slot=command.slot,
        date=context.happened_on,
        flags=tuple(open_flags),
    )
    yield from open_deviations(command.participant, f"injection.{command.slot}", open_flags, state)


def _check_given(command: AdministerProduct) -> None:
    if command.content not in (PRODUCT, COMPARATOR):
        raise ContentUnknown(
            f"{command.content!r} was given", remedy=f"say {PRODUCT} or {COMPARATOR}", content=command.content
        )
    number("volume", command.volume_ml)
    if command.dose is not None:
        number("dose", command.dose)
        if command.content == COMPARATOR:
            raise ContentUnknown(
                "a dose was given with the comparator", remedy="say what was given; the comparator has a volume only"
            )


def _open_flags(command: AdministerProduct, custody: Custody, state: State, context: Context) -> Iterator[str]:
    """From open facts alone, so that they are the same in every arm."""
    slot = state.of(Slots, command.participant).peek(command.slot)
    if "administration" not in slot.gates:
        yield "gate_not_passed"
    if not slot.ready or context.happened < instant(slot.decided_at):
        yield "not_ready"
    elif context.happened > expiry(slot, custody):
        yield "expired"
    if not slot.authorised:
        yield "not_authorised"
    if not state.of(Randomised, command.participant).done:
        yield "not_randomised"
    yield from consent_flags(command.participant, state, context)
    if slot.injected_on:
        yield "already_given"
    if conflicting_roles(command.participant, context.actor, context.build, state):
        yield "conflicting_role"


def _identity_flags(command: AdministerProduct, allocated: str | None, state: State) -> Iterator[str]:
    slot = state.of(Slots, command.participant).peek(command.slot)
    if command.wristband != command.participant or command.label != slot.label:
        yield "identifier_mismatch"
    if allocated is None:
        yield "allocation_unknown"
    elif allocated != command.content:
        yield "wrong_product"


def _product_flags(command: AdministerProduct, planned: Fraction | None, state: State) -> Iterator[str]:
    product = state.of(Laboratory, command.participant).peek(command.label)
    if not product.released_at:
        yield "not_released"
    elif not product.certified:
        yield "not_certified"
    if product.unusable or product.failed or product.destroyed:
        yield "unusable"
    if command.dose is None:
        yield "dose_not_recorded"
    elif planned is None:
        yield "weight_unknown"
    elif exact(command.dose) > planned:
        yield "dose_above_rule"


def _need_unblinded(context: Context) -> None:
    """The refusals and the record of a hand-over tell what the syringe holds."""
    blinding = context.build.study.identity.blinding
    if blinding.kind == "blinded" and context.actor.role not in blinding.unblinded_roles:
        raise StaysBlinded(
            f"the study keeps the role {context.actor.role.value} blinded",
            remedy="an unblinded role of study.yaml hands over",
            role=context.actor.role.value,
        )


def _need_usable(label: str, product: ProductRecord) -> None:
    if product.failed or product.destroyed or product.unusable or product.given:
        raise ProductUnusable(f"{label} cannot be given", remedy="look at its chain of identity", label=label)
    if not product.released_at:
        raise NotReleased(f"{label} is not released", remedy="the qualified person releases it", label=label)
    if not product.certified:
        raise NotCertified(f"{label} has no certificate", remedy="the qualified person certifies it", label=label)


def _allocated(participant: str, planned: Slot, custody: Custody, context: Context) -> str | None:
    """What the slot's syringe must hold; None where the allocation cannot be looked up."""
    if context.allocations is None:
        return None
    try:
        arm = context.allocations.arm(participant, planned.period)
    except TrialwrightError:
        return None
    return custody.given_in.get(arm)


DECISIONS: Mapping[type[Command], Decide] = {
    HandOver: hand_over,
    RecordMixUp: record_mix_up,
    AdministerProduct: administer_product,
}

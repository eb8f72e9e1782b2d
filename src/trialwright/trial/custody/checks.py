"""What several decisions of custody ask, and the deviations that flags open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.quantities import exact
from trialwright.protocol.custody import Custody, Slot
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.state import Randomised
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.closure.state import ClosedDeviations, Deviations
from trialwright.trial.command import Context
from trialwright.trial.consent.gate import require_consent
from trialwright.trial.custody.refusals import (
    AlreadyInjected,
    Expired,
    LabelUnknown,
    MeasurementNotReadable,
    NoSuchSlot,
    NotRandomised,
    NotReleased,
    SlotCancelled,
)
from trialwright.trial.custody.state import SlotRecord, Slots, TreatmentConsent
from trialwright.trial.enrolment.gate import present
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.record import utc_text
from trialwright.trial.state import State

LABORATORY = (Role.CELL_LABORATORY, Role.QUALIFIED_PERSON)
SEE_CLOSED = "see the record of the closed space"

OPEN_FLAGS: Mapping[str, tuple[str, str]] = {
    "gate_not_passed": ("safety_gate", "the safety gate was not passed before"),
    "not_ready": ("release", "given before the release decision of the slot"),
    "expired": ("release", "given after the time allowed from the release decision"),
    "not_authorised": ("authorisation", "nobody authorised the injection before"),
    "after_withdrawal": ("after_withdrawal", "treatment after consent to it was withdrawn or participation ended"),
    "without_consent": ("consent", "treatment without consent"),
    "not_randomised": ("randomisation", "given to somebody who is not randomised"),
    "not_planned": ("collection", "collected where the study had not offered a collection"),
    "already_given": ("product", "the slot's injection had been given already"),
    "conflicting_role": ("role", "done by somebody whose role for this participant excludes it"),
    "product": ("product", SEE_CLOSED),
}
"""Flag of an open fact → kind and words of its deviation. None of them depends on the arm."""

CLOSED_FLAGS: Mapping[str, str] = {
    "wrong_product": "what was given is not what the allocation says",
    "allocation_unknown": "the allocation could not be looked up",
    "identifier_mismatch": "the scanned identifiers do not belong to this participant and slot",
    "not_released": "the product was given without a release",
    "not_certified": "the product was given without a certificate",
    "unusable": "the product was given although it had been judged unusable",
    "dose_above_rule": "the dose is above the rule",
    "dose_not_recorded": "the dose is not recorded",
    "weight_unknown": "there is no weight on record to judge the dose by",
    "criterion_no_longer_met": "a release criterion no longer holds",
    "outside_limits": "the temperature was outside its limits",
}
"""Flag of a closed fact → words of its deviation in the closed space."""


def planned_slot(name: str, context: Context) -> tuple[Custody, Slot]:
    """The custody rules and the slot as planned.

    Raises:
        NoSuchSlot: no product is made, or there is no such slot.
    """
    custody = context.build.study.custody
    planned = next((slot for slot in custody.slots if slot.id == name), None) if custody else None
    if custody is None or planned is None:
        known = ", ".join(slot.id for slot in custody.slots) if custody else "none: no product is made"
        raise NoSuchSlot(f"the study has no slot {name[:60]!r}", remedy=f"slots: {known}", slot=name[:60])
    return custody, planned


def may_be_treated(participant: str, name: str, state: State) -> SlotRecord:
    """The slot as it stands, of somebody whom the study may still treat in it.

    Raises:
        ParticipationOver, ConsentNotInForce, SlotCancelled, AlreadyInjected
    """
    present(state, participant)
    require_consent(state, participant, treatment=True)
    slot = state.of(Slots, participant).peek(name)
    if slot.cancelled:
        raise SlotCancelled(f"{name} was cancelled", remedy="the participant stays in follow-up", slot=name)
    if slot.injected_on:
        raise AlreadyInjected(
            f"the injection of {name} was given on {slot.injected_on}", remedy="check the slot", slot=name
        )
    return slot


def need_ready(name: str, slot: SlotRecord, custody: Custody, now: datetime) -> None:
    """The slot waits for its release decision in every arm, and for no longer than the time allowed after it.

    Raises:
        NotReleased, Expired
    """
    if not slot.ready:
        raise NotReleased(
            f"{name} has no release decision ({slot.decision or 'waiting for the laboratory'})",
            remedy="wait for the laboratory's decision",
            slot=name,
        )
    if now > expiry(slot, custody):
        raise Expired(
            f"{custody.expiry_hours} hours since the release decision of {name} are over",
            remedy="the qualified person releases again, or the slot is planned anew",
            slot=name,
        )


def expiry(slot: SlotRecord, custody: Custody) -> datetime:
    """Until when the injection may be given; from open facts, so the same in every arm."""
    return instant(slot.decided_at) + timedelta(hours=custody.expiry_hours)


def instant(utc: str) -> datetime:
    """An instant as the record writes it."""
    return datetime.fromisoformat(utc)


def slot_of(participant: str, label: str, state: State) -> str:
    """The slot whose collection carries the label.

    Raises:
        LabelUnknown: none of this participant does.
    """
    slot = state.of(Slots, participant).labels.get(label)
    if slot is None:
        raise LabelUnknown(
            f"no collection of {participant} carries the label {label[:64]!r}",
            remedy="scan label and wristband again; report a mix-up with RecordMixUp",
            label=label[:64],
        )
    return slot


def number(what: str, text: str) -> Fraction:
    """A decimal as entered.

    Raises:
        MeasurementNotReadable: it is none.
    """
    try:
        return exact(text)
    except InvalidValue as error:
        raise MeasurementNotReadable(f"{what}: {error.message}", remedy=error.remedy, measurement=what) from error


def need_randomised(participant: str, state: State) -> None:
    """Nothing is given to somebody without an allocation."""
    if not state.of(Randomised, participant).done:
        raise NotRandomised(f"{participant} is not randomised", remedy="randomise first", participant=participant)


def consent_flags(participant: str, state: State, context: Context) -> Iterator[str]:
    """Whether a reported act came without consent to treatment, or after it ended."""
    consent = state.of(TreatmentConsent, participant)
    ended_on = state.of(Enrolment, participant).ended_on
    if not consent.given:
        yield "without_consent"
    elif consent.ended_before(context.happened_on, utc_text(context.happened)) or (
        ended_on and context.happened_on > ended_on
    ):
        yield "after_withdrawal"


def open_deviations(participant: str, what: str, flags: Iterable[str], state: State) -> Iterator[DeviationOpened]:
    """Deviations for the flags of an open fact."""
    known = state.of(Deviations, participant)
    for flag in flags:
        kind, words = OPEN_FLAGS[flag]
        yield known.open(participant, kind, f"{flag}.{what}", f"{what}: {words}")


def closed_deviations(participant: str, what: str, flags: Iterable[str], state: State) -> Iterator[DeviationOpened]:
    """Deviations for the flags of a closed fact."""
    known = state.of(ClosedDeviations, participant)
    for flag in flags:
        yield known.open(participant, "product", f"{flag}.{what}", f"{what}: {CLOSED_FLAGS[flag]}")

"""What the laboratory does, in the closed space: receive, make, measure, release or fail, certify, store, destroy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from trialwright.build import parse_item_value
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.roles import Role
from trialwright.trial.closure.state import Deviations
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.custody.checks import (
    LABORATORY,
    closed_deviations,
    expiry,
    number,
    planned_slot,
    slot_of,
)
from trialwright.trial.custody.events import (
    ASK_PHYSICIAN,
    READY,
    REPEAT_COLLECTION,
    BatchCertified,
    CriterionResult,
    ExcursionRecorded,
    LateResultRecorded,
    LateResultReported,
    ManufactureFailed,
    ManufactureStepRecorded,
    MeasuredValue,
    MeasurementsRecorded,
    OutOfSpecificationFound,
    ProductDecided,
    ProductDestroyed,
    ProductReceived,
    ProductReleased,
    ProductStored,
)
from trialwright.trial.custody.judging import release_results, unmet
from trialwright.trial.custody.refusals import (
    AlreadyDecided,
    LabelUnknown,
    MeasurementNotReadable,
    NotReleased,
    NotRequested,
    NotWhatWasShown,
    ProductUnusable,
    ReasonMissing,
    ReleaseCriteriaNotMet,
    SamePerson,
    WithinSpecification,
)
from trialwright.trial.custody.state import Laboratory, ProductRecord, Slots
from trialwright.trial.event import Event, Space
from trialwright.trial.state import State


@dataclass(frozen=True, kw_only=True)
class ReceiveProduct(Command):
    """Report that the laboratory received the material, with both identifiers as scanned. By the laboratory.

    Refused: a label that no collection of this participant carries, or received before.
    """

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED)
    participant: str
    label: str
    wristband: str
    condition: str


@dataclass(frozen=True, kw_only=True)
class RecordManufactureStep(Command):
    """Report a step of the batch record. By the laboratory. Refused: not received."""

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED)
    participant: str
    label: str
    step: str
    details: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordMeasurements(Command):
    """Report test results, each as text with an optional unit. By the laboratory.

    Refused: not received; no such measurement; a value that cannot be one; after release (late results).
    """

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED)
    participant: str
    label: str
    values: Mapping[str, MeasuredValue]


@dataclass(frozen=True, kw_only=True)
class ReleaseProduct(Command):
    """Release a product. By the qualified person, signed. Again only after the time of an earlier release is over.

    Refused: a release criterion that does not hold or is unknown; failed, destroyed or released already.
    """

    PERMISSION: ClassVar[Permission] = may(Role.QUALIFIED_PERSON, space=Space.CLOSED, signs="release_product")
    participant: str
    label: str


@dataclass(frozen=True, kw_only=True)
class ReportOutOfSpecification(Command):
    """Tell that a product is out of specification, so that the treating physician may ask for it. By the laboratory.

    Refused: no criterion fails; decided already.
    """

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED)
    participant: str
    label: str


@dataclass(frozen=True, kw_only=True)
class ReleaseOutOfSpecification(Command):
    """Release a product that does not meet its criteria. By the qualified person, signed.

    Refused: the treating physician did not ask, or is the same person; decided already.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.QUALIFIED_PERSON, space=Space.CLOSED, signs="release_out_of_specification"
    )
    participant: str
    label: str


@dataclass(frozen=True, kw_only=True)
class FailManufacture(Command):
    """Report that there will be no product from a collection, with the reason. By the laboratory.

    What follows is the one path of ``custody.yaml``, in every arm. A released product that an excursion spoiled
    before the slot's injection fails too, whether it was to be given or not.
    Refused: released and usable, failed already, no reason.
    """

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED)
    participant: str
    label: str


@dataclass(frozen=True, kw_only=True)
class CertifyBatch(Command):
    """Certify a batch that leaves the laboratory. By the qualified person, signed over the batch record's hash.

    Refused: not released; another hash signed.
    """

    PERMISSION: ClassVar[Permission] = may(Role.QUALIFIED_PERSON, space=Space.CLOSED, signs="certify_batch")
    participant: str
    label: str
    batch_record: str
    """SHA-256 (hex)."""


@dataclass(frozen=True, kw_only=True)
class RecordExcursion(Command):
    """Report temperatures of a storage or transport, in the unit of ``custody.yaml``. By the closed chain. A fact:
    outside the limits it is flagged."""

    PERMISSION: ClassVar[Permission] = may(
        *LABORATORY, Role.PHARMACIST, Role.INJECTING_PHYSICIAN, space=Space.CLOSED, after_lock=True
    )
    participant: str
    label: str
    lowest: str
    highest: str
    minutes: int
    usable: bool


@dataclass(frozen=True, kw_only=True)
class RecordLateResult(Command):
    """Report a test result that came after the release. By the laboratory.

    Where a release criterion no longer holds, the site learns the result of the slot's product in every arm.
    Refused: not released; no such measurement; a value that cannot be one.
    """

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED, after_lock=True)
    participant: str
    label: str
    measurement: str
    value: MeasuredValue


@dataclass(frozen=True, kw_only=True)
class StoreProduct(Command):
    """Report where a product lies, for example frozen. By the laboratory. Refused: not received, destroyed."""

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED, after_lock=True)
    participant: str
    label: str
    place: str
    quantity: str


@dataclass(frozen=True, kw_only=True)
class DestroyProduct(Command):
    """Report that a product was destroyed, with the reason. By the laboratory. Refused: not received, no reason."""

    PERMISSION: ClassVar[Permission] = may(*LABORATORY, space=Space.CLOSED, after_lock=True)
    participant: str
    label: str
    how: str


def receive_product(command: ReceiveProduct, state: State, context: Context) -> Iterable[Event]:
    slot_of(command.participant, command.label, state)
    if state.of(Laboratory, command.participant).peek(command.label).received:
        raise AlreadyDecided(f"{command.label} was received before", remedy="nothing to do", label=command.label)
    flags = () if command.wristband == command.participant else ("identifier_mismatch",)
    yield ProductReceived(
        participant=command.participant,
        label=command.label,
        wristband=command.wristband,
        condition=command.condition,
        flags=flags,
    )
    yield from closed_deviations(command.participant, command.label, flags, state)


def record_manufacture_step(command: RecordManufactureStep, state: State, context: Context) -> Iterable[Event]:
    _received(command.participant, command.label, state)
    yield ManufactureStepRecorded(
        participant=command.participant, label=command.label, step=command.step, details=command.details
    )


def record_measurements(command: RecordMeasurements, state: State, context: Context) -> Iterable[Event]:
    product = _received(command.participant, command.label, state)
    if product.released_at:
        raise AlreadyDecided(
            f"{command.label} is released", remedy="report it with RecordLateResult", label=command.label
        )
    if not command.values:
        raise MeasurementNotReadable("no value was given", remedy="give at least one", label=command.label)
    values = {name: _measured(name, given, context) for name, given in command.values.items()}
    yield MeasurementsRecorded(participant=command.participant, label=command.label, values=values)


def release_product(command: ReleaseProduct, state: State, context: Context) -> Iterable[Event]:
    slot, product = _undecided(command.participant, command.label, state, context)
    _need_not_unusable(command.label, product)
    results = release_results(context.build, product.values)
    failing = unmet(results)
    if failing:
        raise ReleaseCriteriaNotMet(
            f"{command.label} cannot be released: {failing}",
            remedy="record what is missing, report it out of specification, or report the failure",
            label=command.label,
        )
    yield from _release(command, slot, results, context)


def report_out_of_specification(command: ReportOutOfSpecification, state: State, context: Context) -> Iterable[Event]:
    slot, product = _undecided(command.participant, command.label, state, context)
    results = release_results(context.build, product.values)
    if all(result.verdict != "no" for result in results):
        raise WithinSpecification(
            f"no release criterion of {command.label} fails",
            remedy="release it, or record the missing results",
            label=command.label,
        )
    yield OutOfSpecificationFound(participant=command.participant, label=command.label, results=results)
    yield ProductDecided(participant=command.participant, slot=slot, decision=ASK_PHYSICIAN)


def release_out_of_specification(
    command: ReleaseOutOfSpecification, state: State, context: Context
) -> Iterable[Event]:
    slot, product = _undecided(command.participant, command.label, state, context)
    _need_not_unusable(command.label, product)
    requested_by = state.of(Slots, command.participant).peek(slot).requested_by
    if not requested_by:
        raise NotRequested(
            f"the treating physician did not ask for the product of {slot}",
            remedy="report it out of specification; the physician answers with RequestExceptionalRelease",
            slot=slot,
        )
    if requested_by == context.actor.person:
        raise SamePerson(
            f"{requested_by} asked for this product and cannot release it",
            remedy="another qualified person releases it",
            slot=slot,
        )
    results = release_results(context.build, product.values)
    yield from _release(command, slot, results, context, requested_by=requested_by)


def fail_manufacture(command: FailManufacture, state: State, context: Context) -> Iterable[Event]:
    slot, _ = _undecided(command.participant, command.label, state, context, revoke=True)
    _need_reason(context, "a failed manufacture")
    custody, _ = planned_slot(slot, context)
    path = custody.failed_manufacture
    further = state.of(Slots, command.participant).peek(slot).collections <= path.repeat_collections
    yield ManufactureFailed(participant=command.participant, label=command.label)
    yield ProductDecided(
        participant=command.participant, slot=slot, decision=REPEAT_COLLECTION if further else path.then
    )


def certify_batch(command: CertifyBatch, state: State, context: Context) -> Iterable[Event]:
    product = _received(command.participant, command.label, state)
    if not product.released_at:
        raise NotReleased(f"{command.label} is not released", remedy="release it first", label=command.label)
    assert context.signature is not None  # the permission demands it
    if context.signature.shown != command.batch_record:
        raise NotWhatWasShown(
            "the signature is over another batch record", remedy="look at this one, then sign", label=command.label
        )
    yield BatchCertified(
        participant=command.participant,
        label=command.label,
        batch_record=command.batch_record,
        shown=command.batch_record,
    )


def record_excursion(command: RecordExcursion, state: State, context: Context) -> Iterable[Event]:
    slot = slot_of(command.participant, command.label, state)
    custody, _ = planned_slot(slot, context)
    lowest, highest = number("lowest", command.lowest), number("highest", command.highest)
    limits = custody.transport
    outside = lowest < Fraction(limits.low) or highest > Fraction(limits.high)
    yield ExcursionRecorded(
        participant=command.participant,
        label=command.label,
        lowest=command.lowest,
        highest=command.highest,
        unit=limits.unit,
        minutes=command.minutes,
        usable=command.usable,
    )
    yield from closed_deviations(command.participant, command.label, ("outside_limits",) if outside else (), state)


def record_late_result(command: RecordLateResult, state: State, context: Context) -> Iterable[Event]:
    product = _received(command.participant, command.label, state)
    if not product.released_at:
        raise NotReleased(
            f"{command.label} is not released", remedy="report it with RecordMeasurements", label=command.label
        )
    value = _measured(command.measurement, command.value, context)
    before = {r.criterion for r in release_results(context.build, product.values) if r.verdict == "no"}
    after = release_results(context.build, {**product.values, command.measurement: value})
    broken = any(result.verdict == "no" and result.criterion not in before for result in after)
    flags = ("criterion_no_longer_met",) if broken else ()
    yield LateResultRecorded(
        participant=command.participant,
        label=command.label,
        measurement=command.measurement,
        value=value,
        flags=flags,
    )
    if broken:
        # Cells are made and tested in every arm, so the result says nothing about what was given; and whoever
        # watches the participant must know it, whichever arm it is.
        slot = slot_of(command.participant, command.label, state)
        yield LateResultReported(
            participant=command.participant, slot=slot, measurement=command.measurement, result=value.text
        )
        about = f"{command.measurement} of the slot's product is {value.text} after release"
        yield state.of(Deviations, command.participant).open(command.participant, "late_result", slot, about)
    yield from closed_deviations(command.participant, command.label, flags, state)


def store_product(command: StoreProduct, state: State, context: Context) -> Iterable[Event]:
    if _received(command.participant, command.label, state).destroyed:
        raise AlreadyDecided(f"{command.label} was destroyed", remedy="check the label", label=command.label)
    yield ProductStored(
        participant=command.participant, label=command.label, place=command.place, quantity=command.quantity
    )


def destroy_product(command: DestroyProduct, state: State, context: Context) -> Iterable[Event]:
    if _received(command.participant, command.label, state).destroyed:
        raise AlreadyDecided(f"{command.label} was destroyed", remedy="nothing to do", label=command.label)
    _need_reason(context, "destroying a product")
    yield ProductDestroyed(participant=command.participant, label=command.label, how=command.how)


def _received(participant: str, label: str, state: State) -> ProductRecord:
    slot_of(participant, label, state)
    product = state.of(Laboratory, participant).peek(label)
    if not product.received:
        raise LabelUnknown(f"the laboratory did not receive {label}", remedy="give ReceiveProduct first", label=label)
    return product


def _undecided(
    participant: str, label: str, state: State, context: Context, *, revoke: bool = False
) -> tuple[str, ProductRecord]:
    """The slot and the product, on which a decision is still to be taken.

    A release is decided anew when its time is over; with ``revoke`` also when an excursion spoiled the product.
    """
    product = _received(participant, label, state)
    name = slot_of(participant, label, state)
    slot = state.of(Slots, participant).peek(name)
    custody, _ = planned_slot(name, context)
    stands = bool(product.released_at)
    if stands and not slot.injected_on:
        stands = context.now <= expiry(slot, custody) and not (revoke and product.unusable)
    if product.failed or product.destroyed or slot.label != label or stands:
        raise AlreadyDecided(
            f"{label} was decided on before",
            remedy="only a release whose time is over is renewed, only a spoiled product is revoked",
            label=label,
        )
    return name, product


def _need_not_unusable(label: str, product: ProductRecord) -> None:
    if product.unusable:
        raise ProductUnusable(f"{label} was judged unusable", remedy="report the failure", label=label)


def _release(
    command: ReleaseProduct | ReleaseOutOfSpecification,
    slot: str,
    results: tuple[CriterionResult, ...],
    context: Context,
    *,
    requested_by: str | None = None,
) -> Iterator[Event]:
    assert context.signature is not None  # the permission demands it
    yield ProductReleased(
        participant=command.participant,
        label=command.label,
        results=results,
        requested_by=requested_by,
        shown=context.signature.shown,
    )
    yield ProductDecided(participant=command.participant, slot=slot, decision=READY)


def _measured(name: str, given: MeasuredValue, context: Context) -> MeasuredValue:
    known = context.build.measurements.get(name)
    if known is None:
        raise MeasurementNotReadable(
            f"the study has no measurement {name[:60]!r}",
            remedy=f"measurements: {', '.join(context.build.measurements)}",
            measurement=name[:60],
        )
    try:
        value = parse_item_value(known, given.text, given.unit)
    except InvalidValue as error:
        raise MeasurementNotReadable(error.message, remedy=error.remedy, measurement=name) from error
    return MeasuredValue(text=value.text or "", unit=value.unit)


def _need_reason(context: Context, what: str) -> None:
    if not (context.reason or "").strip():
        raise ReasonMissing(f"{what} is reported without a reason", remedy="say why in a few words")


DECISIONS: Mapping[type[Command], Decide] = {
    ReceiveProduct: receive_product,
    RecordManufactureStep: record_manufacture_step,
    RecordMeasurements: record_measurements,
    ReleaseProduct: release_product,
    ReportOutOfSpecification: report_out_of_specification,
    ReleaseOutOfSpecification: release_out_of_specification,
    FailManufacture: fail_manufacture,
    CertifyBatch: certify_batch,
    RecordExcursion: record_excursion,
    RecordLateResult: record_late_result,
    StoreProduct: store_product,
    DestroyProduct: destroy_product,
}

"""Facts about products. The open ones are the same in every arm: in content, in number and in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event, Space

READY = "ready"
ASK_PHYSICIAN = "ask_physician"
REPEAT_COLLECTION = "repeat_collection"
SLOT_CANCELLED = "slot_cancelled"
PARTICIPANT_DISCONTINUED = "participant_discontinued"

PRODUCT = "product"
COMPARATOR = "comparator"


@dataclass(frozen=True, kw_only=True)
class CriterionResult:
    """One gate or release criterion."""

    criterion: str
    verdict: str
    """yes, no or unknown."""
    missing: tuple[str, ...] = ()
    """What would have to be known."""


# --- open: what everybody may see ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SafetyGatePassed(Event):
    """Every gate criterion held at this encounter."""

    TYPE: ClassVar[str] = "custody.safety_gate_passed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str
    before: str
    """collection or administration."""
    encounter: str
    results: tuple[CriterionResult, ...]


@dataclass(frozen=True, kw_only=True)
class LabelTaken(Event):
    """A label's identifier is in use; its own stream makes it unique over all sites."""

    TYPE: ClassVar[str] = "custody.label_taken"
    STREAM: ClassVar[str] = "label/{label}"
    label: str
    participant: str


@dataclass(frozen=True, kw_only=True)
class ProductCollected(Event):
    """Starting material was taken and labelled; so it is for everybody, in every period."""

    TYPE: ClassVar[str] = "custody.product_collected"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str
    label: str
    date: str
    volume_ml: str
    attempt: int
    """1, or more where a failed manufacture was repeated."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProductDecided(Event):
    """What the laboratory's decision means for the slot. It waits for the product in every arm."""

    TYPE: ClassVar[str] = "custody.product_decided"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str
    decision: str
    """ready, ask_physician (out of specification), repeat_collection, slot_cancelled, participant_discontinued."""


@dataclass(frozen=True, kw_only=True)
class ExceptionalReleaseRequested(Event):
    """The treating physician asked in writing for a product that is out of specification."""

    TYPE: ClassVar[str] = "custody.exceptional_release_requested"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str
    shown: str


@dataclass(frozen=True, kw_only=True)
class InjectionHandedOver(Event):
    """The covered injection for the slot was handed over."""

    TYPE: ClassVar[str] = "custody.injection_handed_over"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str


@dataclass(frozen=True, kw_only=True)
class AdministrationAuthorised(Event):
    """All that must come before the injection was there."""

    TYPE: ClassVar[str] = "custody.administration_authorised"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str
    results: tuple[CriterionResult, ...]


@dataclass(frozen=True, kw_only=True)
class InjectionGiven(Event):
    """The injection of the slot took place."""

    TYPE: ClassVar[str] = "custody.injection_given"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str
    date: str
    flags: tuple[str, ...] = ()
    """Only what does not depend on the arm."""


@dataclass(frozen=True, kw_only=True)
class LateResultReported(Event):
    """A test of the slot's product turned positive after release; cells are tested in every arm, given or not."""

    TYPE: ClassVar[str] = "custody.late_result_reported"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    slot: str
    measurement: str
    result: str


# --- closed: what depends on the arm, and the laboratory's work -----------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ProductEvent(Event):
    """What every closed fact about a product says."""

    SPACE: ClassVar[Space] = Space.CLOSED
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    label: str


@dataclass(frozen=True, kw_only=True)
class ProductReceived(ProductEvent):
    """The laboratory has it."""

    TYPE: ClassVar[str] = "custody.product_received"
    wristband: str
    """Second identifier on the accompanying paper, as scanned."""
    condition: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ManufactureStepRecorded(ProductEvent):
    """One step of the batch record."""

    TYPE: ClassVar[str] = "custody.manufacture_step_recorded"
    step: str
    details: str


@dataclass(frozen=True, kw_only=True)
class MeasuredValue:
    """A laboratory value as entered, in its declared unit."""

    text: str
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class MeasurementsRecorded(ProductEvent):
    """Results of the laboratory's tests; a later value of the same measurement replaces the earlier one."""

    TYPE: ClassVar[str] = "custody.measurements_recorded"
    values: dict[str, MeasuredValue]


@dataclass(frozen=True, kw_only=True)
class OutOfSpecificationFound(ProductEvent):
    """Not all release criteria hold; the treating physician may ask for the product nevertheless."""

    TYPE: ClassVar[str] = "custody.out_of_specification_found"
    results: tuple[CriterionResult, ...]


@dataclass(frozen=True, kw_only=True)
class ProductReleased(ProductEvent):
    """The qualified person released the product."""

    TYPE: ClassVar[str] = "custody.product_released"
    results: tuple[CriterionResult, ...]
    requested_by: str | None = None
    """The physician, for a product out of specification."""
    shown: str


@dataclass(frozen=True, kw_only=True)
class ManufactureFailed(ProductEvent):
    """There will be no product from this collection; the envelope has the reason."""

    TYPE: ClassVar[str] = "custody.manufacture_failed"


@dataclass(frozen=True, kw_only=True)
class BatchCertified(ProductEvent):
    """The qualified person certified the batch that leaves the laboratory."""

    TYPE: ClassVar[str] = "custody.batch_certified"
    batch_record: str
    """SHA-256 (hex) of the batch record."""
    shown: str


@dataclass(frozen=True, kw_only=True)
class SyringeHandedOver(ProductEvent):
    """What is in the covered syringe that was handed over, with both identifiers as scanned."""

    TYPE: ClassVar[str] = "custody.syringe_handed_over"
    slot: str
    content: str
    """product or comparator."""
    wristband: str
    to: str
    """Person who took it."""
    comparator_lot: str | None = None


@dataclass(frozen=True, kw_only=True)
class MixUpRecorded(ProductEvent):
    """Identifiers did not belong together, and it was found only afterwards."""

    TYPE: ClassVar[str] = "custody.mix_up_recorded"
    found_label: str
    found_wristband: str
    what: str


@dataclass(frozen=True, kw_only=True)
class ExcursionRecorded(ProductEvent):
    """The temperature left its limits in storage or transport."""

    TYPE: ClassVar[str] = "custody.excursion_recorded"
    lowest: str
    highest: str
    unit: str
    minutes: int
    usable: bool
    """The laboratory's judgement."""


@dataclass(frozen=True, kw_only=True)
class ProductAdministered(ProductEvent):
    """What was given, as the injecting physician knows it."""

    TYPE: ClassVar[str] = "custody.product_administered"
    slot: str
    content: str
    """product or comparator."""
    allocated: str | None = None
    """What the allocation says for the slot; absent where it could not be looked up."""
    wristband: str
    volume_ml: str
    dose: str | None = None
    """In the unit of ``custody.yaml``; none for the comparator."""
    planned_dose: str | None = None
    """Dose by the rule, from the weight on record; absent where there is no weight."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LateResultRecorded(ProductEvent):
    """A result that came after the release."""

    TYPE: ClassVar[str] = "custody.late_result_recorded"
    measurement: str
    value: MeasuredValue
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProductStored(ProductEvent):
    """The product lies here now, for example frozen in a period in which it is not given."""

    TYPE: ClassVar[str] = "custody.product_stored"
    place: str
    quantity: str


@dataclass(frozen=True, kw_only=True)
class ProductDestroyed(ProductEvent):
    """The product was destroyed; the envelope has the reason."""

    TYPE: ClassVar[str] = "custody.product_destroyed"
    how: str


EVENTS: tuple[type[Event], ...] = (
    SafetyGatePassed, LabelTaken, ProductCollected, ProductDecided, ExceptionalReleaseRequested,
    InjectionHandedOver, AdministrationAuthorised, InjectionGiven, LateResultReported, ProductReceived,
    ManufactureStepRecorded, MeasurementsRecorded, OutOfSpecificationFound, ProductReleased, ManufactureFailed,
    BatchCertified, SyringeHandedOver, MixUpRecorded, ExcursionRecorded, ProductAdministered, LateResultRecorded,
    ProductStored, ProductDestroyed,
)  # fmt: skip

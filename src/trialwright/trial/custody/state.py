"""Where each slot stands, as everybody sees it; where each product is, as the closed space knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trialwright.trial.consent.events import ConsentGiven, ConsentWithdrawn
from trialwright.trial.custody.events import (
    PARTICIPANT_DISCONTINUED,
    READY,
    REPEAT_COLLECTION,
    SLOT_CANCELLED,
    AdministrationAuthorised,
    BatchCertified,
    ExceptionalReleaseRequested,
    ExcursionRecorded,
    InjectionGiven,
    InjectionHandedOver,
    LabelTaken,
    LateResultRecorded,
    ManufactureFailed,
    MeasuredValue,
    MeasurementsRecorded,
    OutOfSpecificationFound,
    ProductAdministered,
    ProductCollected,
    ProductDecided,
    ProductDestroyed,
    ProductEvent,
    ProductReceived,
    ProductReleased,
    ProductStored,
    SafetyGatePassed,
    SyringeHandedOver,
)
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.state import Slice

SlotEvent = (
    SafetyGatePassed
    | ProductCollected
    | ProductDecided
    | ExceptionalReleaseRequested
    | InjectionHandedOver
    | AdministrationAuthorised
    | InjectionGiven
)


@dataclass
class SlotRecord:
    """One slot of one participant; the same in every arm."""

    label: str = ""
    """Of the newest collection."""
    collections: int = 0
    gates: set[str] = field(default_factory=set)
    """collection, administration: gates passed."""
    decision: str = ""
    """Of the newest collection; empty while the laboratory works."""
    decided_at: str = ""
    """UTC."""
    requested_by: str = ""
    """The physician who asked for a product out of specification."""
    handed_over: bool = False
    authorised: bool = False
    injected_on: str = ""

    @property
    def ready(self) -> bool:
        """The product of the newest collection is released."""
        return self.decision == READY

    @property
    def cancelled(self) -> bool:
        """There will be no injection in this slot."""
        return self.decision in (SLOT_CANCELLED, PARTICIPANT_DISCONTINUED)

    @property
    def repeatable(self) -> bool:
        """A further collection was offered."""
        return self.decision == REPEAT_COLLECTION


@dataclass
class Slots(Slice):
    """The slots of one participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        SafetyGatePassed, ProductCollected, ProductDecided, ExceptionalReleaseRequested, InjectionHandedOver,
        AdministrationAuthorised, InjectionGiven,
    )  # fmt: skip
    slots: dict[str, SlotRecord] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    """Label → slot, of every collection."""

    def peek(self, slot: str) -> SlotRecord:
        """The slot as it stands; an empty one before anything happened."""
        return self.slots.get(slot) or SlotRecord()

    def apply(self, fact: Fact) -> None:
        event = fact.event
        assert isinstance(event, SlotEvent)
        slot = self.slots.setdefault(event.slot, SlotRecord())
        match event:
            case SafetyGatePassed(before=before):
                slot.gates.add(before)
            case ProductCollected(label=label, attempt=attempt):
                slot.label, slot.collections = label, attempt
                slot.decision = slot.requested_by = ""
                slot.gates.discard("collection")  # a further collection passes the gate again
                self.labels[label] = event.slot
            case ProductDecided(decision=decision):
                slot.decision, slot.decided_at = decision, fact.at
                slot.handed_over = slot.authorised = False
            case ExceptionalReleaseRequested():
                slot.requested_by = fact.actor
            case InjectionHandedOver():
                slot.handed_over = True
            case AdministrationAuthorised():
                slot.authorised = True
            case InjectionGiven(date=date):
                slot.injected_on = date


@dataclass
class LabelUse(Slice):
    """Who carries a label."""

    STREAM: ClassVar[str] = "label/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (LabelTaken,)
    participant: str = ""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case LabelTaken(participant=participant):
                self.participant = participant


@dataclass
class TreatmentConsent(Slice):
    """Since when treatment is no longer consented to; a report may come later than the withdrawal it preceded."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (ConsentGiven, ConsentWithdrawn)
    given: bool = False
    ended_on: str = ""
    """Local date of the withdrawal."""
    ended_at: str = ""
    """When it was recorded, UTC."""

    def apply(self, fact: Fact) -> None:
        match fact.event:
            case ConsentGiven():
                self.given, self.ended_on, self.ended_at = True, "", ""
            case ConsentWithdrawn(scopes=scopes, date=date) if {"treatment", "visits"} & set(scopes):
                self.ended_on, self.ended_at = self.ended_on or date, self.ended_at or fact.at

    def ended_before(self, on: str, at: str) -> bool:
        """Whether something on this local date, at this instant (UTC text), came after the withdrawal."""
        return bool(self.ended_on) and (on > self.ended_on or (on == self.ended_on and at > self.ended_at))


@dataclass
class ProductRecord:
    """One product in the laboratory's hands."""

    received: bool = False
    values: dict[str, MeasuredValue] = field(default_factory=dict)
    out_of_specification: bool = False
    released_at: str = ""
    """UTC of the newest release."""
    failed: bool = False
    certified: bool = False
    unusable: bool = False
    """An excursion made it so."""
    given: bool = False
    destroyed: bool = False
    place: str = ""


@dataclass
class Laboratory(Slice):
    """The products made for one participant, by label."""

    STREAM: ClassVar[str] = "participant/{}"
    SPACE: ClassVar[Space] = Space.CLOSED
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (
        ProductReceived, MeasurementsRecorded, OutOfSpecificationFound, ProductReleased, ManufactureFailed,
        BatchCertified, SyringeHandedOver, ExcursionRecorded, ProductAdministered, LateResultRecorded, ProductStored,
        ProductDestroyed,
    )  # fmt: skip
    products: dict[str, ProductRecord] = field(default_factory=dict)
    handed_over: dict[str, str] = field(default_factory=dict)
    """Slot → content of the syringe."""

    def peek(self, label: str) -> ProductRecord:
        """The product as it stands."""
        return self.products.get(label) or ProductRecord()

    def apply(self, fact: Fact) -> None:
        event = fact.event
        assert isinstance(event, ProductEvent)
        product = self.products.setdefault(event.label, ProductRecord())
        match event:
            case ProductReceived():
                product.received = True
            case MeasurementsRecorded(values=values):
                product.values.update(values)
            case LateResultRecorded(measurement=measurement, value=value):
                product.values[measurement] = value
            case OutOfSpecificationFound():
                product.out_of_specification = True
            case ProductReleased():
                product.released_at = fact.at
            case ManufactureFailed():
                product.failed = True
            case BatchCertified():
                product.certified = True
            case SyringeHandedOver(slot=slot, content=content):
                self.handed_over[slot] = content
            case ExcursionRecorded(usable=usable):
                product.unusable = product.unusable or not usable
            case ProductAdministered(content=content):
                product.given = product.given or content == "product"
            case ProductStored(place=place):
                product.place = place
            case ProductDestroyed():
                product.destroyed = True


SLICES: tuple[type[Slice], ...] = (Slots, LabelUse, TreatmentConsent, Laboratory)

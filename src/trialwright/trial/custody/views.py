"""The custody board that everybody may see; the laboratory's board and the chain of identity of the closed space."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Row, Rows, Table
from trialwright.trial.custody.events import (
    AdministrationAuthorised,
    BatchCertified,
    ExceptionalReleaseRequested,
    ExcursionRecorded,
    InjectionGiven,
    InjectionHandedOver,
    LateResultRecorded,
    LateResultReported,
    ManufactureFailed,
    ManufactureStepRecorded,
    MeasuredValue,
    MeasurementsRecorded,
    MixUpRecorded,
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
from trialwright.trial.custody.state import SlotEvent
from trialwright.trial.event import Fact, Space
from trialwright.trial.view import View

SLOT = Table(
    "injection_slot",
    key=(Column("participant"), Column("slot")),
    columns=(
        Column("status"),
        Column("label"),
        Column("collections", "integer"),
        Column("collected_on"),
        Column("gate_collection_at"),
        Column("gate_administration_at"),
        Column("decision"),
        Column("decided_at"),
        Column("requested_by"),
        Column("handed_over_at"),
        Column("authorised_at"),
        Column("injected_on"),
        Column("late_result"),
        Column("flags"),
    ),
)
"""``status``: gate_passed, collected, ready, ask_physician, repeat_collection, slot_cancelled,
participant_discontinued, handed_over, authorised, injected. The same in every arm."""

PRODUCT = Table(
    "laboratory_product",
    key=(Column("participant"), Column("label")),
    columns=(
        Column("status"),
        Column("received_at"),
        Column("last_step"),
        Column("released_at"),
        Column("requested_by"),
        Column("certified_at"),
        Column("place"),
        Column("excursions", "integer"),
        Column("usable", "integer"),
        Column("slot"),
        Column("content"),
        Column("given_at"),
        Column("dose"),
        Column("planned_dose"),
        Column("flags"),
    ),
)

STEP = Table(
    "custody_step",
    key=(Column("participant"), Column("label"), Column("step", "integer")),
    columns=(
        Column("what"),
        Column("happened"),
        Column("recorded_at"),
        Column("local"),
        Column("actor"),
        Column("role"),
        Column("organisation"),
        Column("identifiers"),
        Column("details"),
    ),
)
"""The chain of identity: every closed step of one product in order."""

MEASUREMENT = Table(
    "product_measurement",
    key=(Column("participant"), Column("label"), Column("measurement")),
    columns=(Column("value"), Column("unit"), Column("recorded_at"), Column("late", "integer")),
)


def _slot_change(rows: Rows, event: SlotEvent | LateResultReported, **changes: Cell) -> None:
    key = (event.participant, event.slot)
    row = rows.get(SLOT, key) or {"participant": key[0], "slot": key[1], "collections": 0}
    rows.put(SLOT, {**row, **changes})


def _gate(event: SafetyGatePassed, fact: Fact, rows: Rows) -> None:
    if event.before == "collection":
        _slot_change(rows, event, status="gate_passed", gate_collection_at=fact.at)
    else:
        _slot_change(rows, event, gate_administration_at=fact.at)


def _collected(event: ProductCollected, fact: Fact, rows: Rows) -> None:
    _slot_change(
        rows,
        event,
        status="collected",
        label=event.label,
        collections=event.attempt,
        collected_on=event.date,
        decision=None,
        decided_at=None,
        requested_by=None,
        flags=_more(rows.get(SLOT, (event.participant, event.slot)), event.flags),
    )


def _decided(event: ProductDecided, fact: Fact, rows: Rows) -> None:
    _slot_change(
        rows,
        event,
        status=event.decision,
        decision=event.decision,
        decided_at=fact.at,
        handed_over_at=None,
        authorised_at=None,
    )


def _requested(event: ExceptionalReleaseRequested, fact: Fact, rows: Rows) -> None:
    _slot_change(rows, event, requested_by=fact.actor)


def _handed_over(event: InjectionHandedOver, fact: Fact, rows: Rows) -> None:
    _slot_change(rows, event, status="handed_over", handed_over_at=fact.at)


def _authorised(event: AdministrationAuthorised, fact: Fact, rows: Rows) -> None:
    _slot_change(rows, event, status="authorised", authorised_at=fact.at)


def _injected(event: InjectionGiven, fact: Fact, rows: Rows) -> None:
    flags = _more(rows.get(SLOT, (event.participant, event.slot)), event.flags)
    _slot_change(rows, event, status="injected", injected_on=event.date, flags=flags)


def _late_reported(event: LateResultReported, fact: Fact, rows: Rows) -> None:
    _slot_change(rows, event, late_result=f"{event.measurement} {event.result}")


def _product(rows: Rows, event: ProductEvent, **changes: Cell) -> None:
    key = (event.participant, event.label)
    row = rows.get(PRODUCT, key) or {"participant": key[0], "label": key[1], "excursions": 0, "usable": 1}
    rows.put(PRODUCT, {**row, **changes})


def _received(event: ProductReceived, fact: Fact, rows: Rows) -> None:
    flags = _more(rows.get(PRODUCT, (event.participant, event.label)), event.flags)
    _product(rows, event, status="received", received_at=fact.happened, flags=flags)


def _manufactured(event: ManufactureStepRecorded, fact: Fact, rows: Rows) -> None:
    _product(rows, event, status="in_manufacture", last_step=event.step)


def _measured(event: MeasurementsRecorded, fact: Fact, rows: Rows) -> None:
    for name, value in event.values.items():
        _measurement(rows, (event.participant, event.label, name), value, fact.at, late=0)


def _out_of_specification(event: OutOfSpecificationFound, fact: Fact, rows: Rows) -> None:
    _product(rows, event, status="out_of_specification")


def _released(event: ProductReleased, fact: Fact, rows: Rows) -> None:
    _product(rows, event, status="released", released_at=fact.at, requested_by=event.requested_by)


def _failed(event: ManufactureFailed, fact: Fact, rows: Rows) -> None:
    _product(rows, event, status="failed", usable=0)


def _certified(event: BatchCertified, fact: Fact, rows: Rows) -> None:
    _product(rows, event, status="certified", certified_at=fact.at)


def _syringe(event: SyringeHandedOver, fact: Fact, rows: Rows) -> None:
    if event.content == "product":
        _product(rows, event, status="handed_over", slot=event.slot)
    _product(rows, event, content=event.content)


def _excursion(event: ExcursionRecorded, fact: Fact, rows: Rows) -> None:
    row = rows.get(PRODUCT, (event.participant, event.label)) or {}
    usable = int(bool(row.get("usable", 1)) and event.usable)
    _product(rows, event, excursions=int(row.get("excursions") or 0) + 1, usable=usable)


def _administered(event: ProductAdministered, fact: Fact, rows: Rows) -> None:
    flags = _more(rows.get(PRODUCT, (event.participant, event.label)), event.flags)
    _product(
        rows,
        event,
        slot=event.slot,
        content=event.content,
        given_at=fact.happened,
        dose=event.dose,
        planned_dose=event.planned_dose,
        flags=flags,
    )
    if event.content == "product":
        _product(rows, event, status="given")


def _late(event: LateResultRecorded, fact: Fact, rows: Rows) -> None:
    _measurement(rows, (event.participant, event.label, event.measurement), event.value, fact.at, late=1)
    _product(rows, event, flags=_more(rows.get(PRODUCT, (event.participant, event.label)), event.flags))


def _stored(event: ProductStored, fact: Fact, rows: Rows) -> None:
    _product(rows, event, status="stored", place=event.place)


def _destroyed(event: ProductDestroyed, fact: Fact, rows: Rows) -> None:
    _product(rows, event, status="destroyed", usable=0, place=None)


def _measurement(rows: Rows, key: tuple[str, str, str], value: MeasuredValue, at: str, *, late: int) -> None:
    participant, label, measurement = key
    rows.put(
        MEASUREMENT,
        {
            "participant": participant,
            "label": label,
            "measurement": measurement,
            "value": value.text,
            "unit": value.unit,
            "recorded_at": at,
            "late": late,
        },
    )


def _more(row: Row | None, flags: tuple[str, ...]) -> Cell:
    """Flags are kept from step to step, each once."""
    before = str((row or {}).get("flags") or "").split()
    return " ".join(dict.fromkeys((*before, *flags))) or None


def _step(event: ProductEvent, fact: Fact, rows: Rows) -> None:
    identifiers, more = _scanned(event)
    rows.put(
        STEP,
        {
            "participant": event.participant,
            "label": event.label,
            "step": fact.stream_seq,
            "what": event.TYPE.removeprefix("custody."),
            "happened": fact.happened,
            "recorded_at": fact.at,
            "local": fact.local,
            "actor": fact.actor,
            "role": fact.role,
            "organisation": fact.organisation,
            "identifiers": identifiers,
            "details": more,
        },
    )


def _scanned(event: ProductEvent) -> tuple[str, str]:
    """Identifiers as scanned, and the rest of the event in words."""
    match event:
        case ProductReceived(wristband=wristband, condition=condition):
            return f"{event.label} {wristband}", condition
        case ManufactureStepRecorded(step=step, details=details):
            return event.label, f"{step}: {details}" if details else step
        case MeasurementsRecorded(values=values):
            return event.label, ", ".join(f"{n} {v.text} {v.unit or ''}".strip() for n, v in values.items())
        case SyringeHandedOver(wristband=wristband, content=content, to=to):
            return f"{event.label} {wristband}", f"{content} to {to}"
        case ProductAdministered(wristband=wristband, content=content, dose=dose):
            return f"{event.label} {wristband}", f"{content} {dose or ''}".strip()
        case MixUpRecorded(found_label=label, found_wristband=wristband, what=what):
            return f"{label} {wristband}", what
        case ExcursionRecorded() as e:
            return event.label, f"{e.lowest} to {e.highest} {e.unit}, {e.minutes} min"
        case LateResultRecorded(measurement=measurement, value=value):
            return event.label, f"{measurement} {value.text} {value.unit or ''}".strip()
        case ProductStored(place=place, quantity=quantity):
            return event.label, f"{place}: {quantity}"
        case ProductDestroyed(how=how):
            return event.label, how
        case BatchCertified(batch_record=record):
            return event.label, record
        case _:
            return event.label, ""


CHAIN: tuple[type[ProductEvent], ...] = (
    ProductReceived, ManufactureStepRecorded, MeasurementsRecorded, OutOfSpecificationFound, ProductReleased,
    ManufactureFailed, BatchCertified, SyringeHandedOver, MixUpRecorded, ExcursionRecorded, ProductAdministered,
    LateResultRecorded, ProductStored, ProductDestroyed,
)  # fmt: skip

VIEWS = (
    View(
        "custody",
        (SLOT,),
        {
            SafetyGatePassed: _gate,
            ProductCollected: _collected,
            ProductDecided: _decided,
            ExceptionalReleaseRequested: _requested,
            InjectionHandedOver: _handed_over,
            AdministrationAuthorised: _authorised,
            InjectionGiven: _injected,
            LateResultReported: _late_reported,
        },
    ),
    View(
        "laboratory",
        (PRODUCT, MEASUREMENT),
        {
            ProductReceived: _received,
            ManufactureStepRecorded: _manufactured,
            MeasurementsRecorded: _measured,
            OutOfSpecificationFound: _out_of_specification,
            ProductReleased: _released,
            ManufactureFailed: _failed,
            BatchCertified: _certified,
            SyringeHandedOver: _syringe,
            ExcursionRecorded: _excursion,
            ProductAdministered: _administered,
            LateResultRecorded: _late,
            ProductStored: _stored,
            ProductDestroyed: _destroyed,
        },
        Space.CLOSED,
    ),
    View("chain_of_identity", (STEP,), dict.fromkeys(CHAIN, _step), Space.CLOSED),
)

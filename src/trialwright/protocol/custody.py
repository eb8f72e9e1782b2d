"""``custody.yaml``: collection → manufacture → release → hand-over → administration of an autologous product."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialwright.protocol.declared import DecimalText, Declared, Expression, Name, Text
from trialwright.protocol.forms import Range
from trialwright.protocol.mapping import Mapping


class Slot(Declared):
    """One planned administration and the collection it waits for; the same for every arm."""

    id: Name
    label: Text
    period: Name | None = None
    collection: Name
    """Encounter of the collection."""
    administration: Name
    """Encounter of the administration."""


class Measurement(Declared):
    """Something the laboratory measures before the release decision, or the site before a gate."""

    id: Name
    label: Text
    type: Literal["boolean", "integer", "decimal", "quantity", "code"]
    unit: str | None = None
    codelist: Name | None = None
    possible: Range | None = None
    sdtm: Mapping | None = None
    """Test and name in SDTM's BS."""


class ReleaseCriterion(Declared):
    """Must hold for release; over the measurements."""

    id: Name
    text: Text
    expression: Expression


class GateCriterion(Declared):
    """Must hold before a collection or an administration; over ``form.item`` of that encounter."""

    id: Name
    text: Text
    before: tuple[Literal["collection", "administration"], ...] = Field(min_length=1)
    expression: Expression


class Dose(Declared):
    """Dose rule of the administered product."""

    per_kg: DecimalText
    maximum: DecimalText
    unit: str
    weight: str
    """``form.item`` of the dosing weight at the administration encounter."""


class Temperature(Declared):
    low: DecimalText
    high: DecimalText
    unit: str


class FailedManufacture(Declared):
    """The one path after a failed manufacture, the same for every arm."""

    repeat_collections: int = Field(ge=0)
    """How many further collections may be tried for the slot."""
    then: Literal["slot_cancelled", "participant_discontinued"]
    text: Text


class Custody(Declared):
    """The whole of ``custody.yaml``."""

    product: Text
    """Arm-neutral name, as blinded people see it."""
    specimen: str | None = None
    """What a collection takes, as CDISC names specimens: BONE MARROW, LIQUID."""
    product_specimen: str | None = None
    """What is made from it."""
    slots: tuple[Slot, ...] = Field(min_length=1)
    given_in: dict[Name, Literal["product", "comparator"]]
    """Arm → whether the participant's own product or the comparator is given in that arm."""
    identifier: str
    """Regular expression of a label's identifier, for scanning."""
    manufacture_days: int = Field(ge=0)
    """Planned days from collection to release decision."""
    measurements: tuple[Measurement, ...]
    release: tuple[ReleaseCriterion, ...]
    gates: tuple[GateCriterion, ...]
    dose: Dose
    expiry_hours: int = Field(ge=1)
    """From release to administration."""
    transport: Temperature
    failed_manufacture: FailedManufacture
    traceability_years: int = Field(default=30, ge=30)

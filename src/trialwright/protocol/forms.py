"""``forms/*.yaml``: item groups and items: type, unit, range, code list, condition, checks, derivation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialwright.foundation.missing import MissingReason
from trialwright.protocol.declared import DecimalText, Declared, Expression, Name, Text
from trialwright.protocol.mapping import FormMapping, Mapping
from trialwright.protocol.roles import Role

ItemType = Literal[
    "text", "integer", "decimal", "boolean", "code", "date", "partial_date", "time", "quantity", "scale"
]
"""``scale`` is a bounded integer shown as a row of choices."""


class Range(Declared):
    """Bounds in the item's first unit; either side may be absent."""

    low: DecimalText | None = None
    high: DecimalText | None = None


class Outcome(Declared):
    """A result that is not a number and not missing: unable because of the disease, no response recordable."""

    code: Name
    label: Text
    scored_as: DecimalText | None = None
    """The number it counts as in expressions and analysis; absent: expressions see it as unknown."""


class Derivation(Declared):
    """A computed value: by an expression, or by a published instrument."""

    expression: Expression | None = None
    instrument: str | None = None
    """A public function of :mod:`trialwright.instruments`, for example ``edss.score``."""
    inputs: dict[Name, str] = Field(default_factory=dict)
    """Argument → item of the same form, or a literal in quotes."""


class Item(Declared):
    """One field."""

    id: Name
    label: Text
    help: Text | None = None
    type: ItemType
    units: tuple[str, ...] = ()
    """UCUM; the first is the unit of ranges, expressions and exports; others are accepted and converted."""
    decimals: int | None = Field(default=None, ge=0, le=10)
    codelist: Name | None = None
    range: Range | None = None
    """Outside: a query asks to confirm or correct. Nothing is refused."""
    possible: Range | None = None
    """Outside is impossible (negative weight): the query says so."""
    required: bool = True
    """Required is not blocking: an empty required item keeps the form incomplete."""
    when: Expression | None = None
    """Asked only where this holds; otherwise not applicable."""
    derive: Derivation | None = None
    outcomes: tuple[Outcome, ...] = ()
    missing: tuple[MissingReason, ...] = (
        MissingReason.NOT_DONE,
        MissingReason.NOT_APPLICABLE,
        MissingReason.UNKNOWN,
        MissingReason.ASKED_UNKNOWN,
        MissingReason.REFUSED,
        MissingReason.PENDING,
    )
    origin: Literal["paper", "device", "ehr", "direct", "derived"] = "direct"
    """The data originator's source."""
    privacy: Literal["clinical", "free_text", "identifying"] = "clinical"
    critical: bool = False
    """Critical to quality: always verified against source."""
    sdtm: Mapping | None = None
    """Where it goes in SDTM."""


class ItemGroup(Declared):
    id: Name
    title: Text | None = None
    repeats: bool = False
    """A table of rows, for example trials of a test."""
    items: tuple[Item, ...] = Field(min_length=1)


class Check(Declared):
    """An edit check: states what should hold; where it does not, a query asks."""

    id: Name
    expression: Expression
    message: Text
    items: tuple[Name, ...] = Field(min_length=1)
    """Items the query is attached to; the first carries it."""


class Form(Declared):
    """One page of the case book."""

    id: Name
    title: Text
    kind: Literal[
        "demography", "history", "medication", "vital_signs", "laboratory", "serology", "neurological",
        "functional_test", "questionnaire", "electrophysiology", "ophthalmology", "imaging", "biomarker",
        "relapse", "procedure", "exposure", "disposition", "contact", "other",
    ]  # fmt: skip
    space: Literal["open", "closed"] = "open"
    filled_by: tuple[Role, ...] = Field(min_length=1)
    signed_by: Role | None = None
    participant_reported: bool = False
    repeats: bool = False
    """Several of this form may exist at one encounter or in the log."""
    sdtm: FormMapping | None = None
    """What all items of the form share in SDTM."""
    groups: tuple[ItemGroup, ...] = Field(min_length=1)
    checks: tuple[Check, ...] = ()

    def items(self) -> tuple[Item, ...]:
        """All items in order; item ids are unique in a form."""
        return tuple(item for group in self.groups for item in group.items)

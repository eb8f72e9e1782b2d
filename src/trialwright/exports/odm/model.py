"""What an ODM file says, whichever version it is written in: metadata, and values with their circumstances.

Names that begin with an underscore are Trialwright's own (the visit itself, missing reasons, sources); no study can
declare them, for its names begin with a letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Words = Mapping[str, str]
"""Language → wording."""
Version = Literal["1.3.2", "2.0"]
VERSIONS: tuple[Version, ...] = ("1.3.2", "2.0")

VISIT = "_visit"
"""The form that holds the date of a visit and whether it took place."""
LOG = "_log"
"""The event of forms that belong to no visit."""
UNSCHEDULED = "_unscheduled"
"""The event of visits that no schedule foresaw; it repeats."""
MISSING = "_missing"
"""The code list of reasons why there is no value."""
SOURCE = "_source"
"""The code list of where a value was seen first."""


@dataclass(frozen=True)
class OdmCode:
    """A term of a code list; ``standard`` is CDISC's submission value."""

    value: str
    label: Words
    standard: str | None = None


@dataclass(frozen=True)
class OdmCodeList:
    """A code list; ``standard`` is CDISC's code of it."""

    id: str
    label: Words
    codes: tuple[OdmCode, ...]
    standard: str | None = None


@dataclass(frozen=True)
class OdmLimit:
    """A bound in the first unit. ODM calls an impossible value *hard*; Trialwright asks and refuses nothing."""

    comparator: Literal["GE", "LE"]
    value: str
    impossible: bool


@dataclass(frozen=True)
class OdmCheck:
    """An edit check in the expression language; it hangs on the first of its items."""

    id: str
    expression: str
    message: Words


@dataclass(frozen=True)
class OdmDerivation:
    """How a value is computed: by an ``expression``, or by a published ``instrument`` and its inputs."""

    by: Literal["expression", "instrument"]
    text: str


@dataclass(frozen=True)
class OdmItem:
    """One item.

    Attributes:
        type: as the study declares it; more exact than ODM's data type.
        units: UCUM; the first is that of limits.
        when: asked only where this holds (ODM states the opposite: when it is not asked).
        outcomes: results that are neither a value nor missing.
        sdtm: the annotation: where it goes in SDTM.
    """

    id: str
    label: Words
    type: str
    help: Words | None = None
    units: tuple[str, ...] = ()
    decimals: int | None = None
    codelist: str | None = None
    limits: tuple[OdmLimit, ...] = ()
    checks: tuple[OdmCheck, ...] = ()
    required: bool = True
    when: str | None = None
    derivation: OdmDerivation | None = None
    outcomes: tuple[OdmCode, ...] = ()
    origin: str | None = None
    sdtm: str | None = None


@dataclass(frozen=True)
class OdmGroup:
    """An item group; one that repeats is a table of rows."""

    id: str
    title: Words | None
    repeats: bool
    items: tuple[OdmItem, ...]


@dataclass(frozen=True)
class OdmForm:
    """A form."""

    id: str
    title: Words
    kind: str | None
    repeats: bool
    groups: tuple[OdmGroup, ...]


@dataclass(frozen=True)
class OdmEvent:
    """A planned encounter, the unscheduled ones, or the log; with the forms filled there."""

    id: str
    label: Words
    kind: Literal["Scheduled", "Unscheduled", "Common"]
    repeats: bool
    when: str | None
    forms: tuple[str, ...]


@dataclass(frozen=True)
class OdmMetadata:
    """One version of the metadata: one build.

    Attributes:
        build: id of the build.
        name: version as the study numbers it.
        forms: by id, in order.
        codelists: by id, in order.
    """

    build: str
    name: str
    events: tuple[OdmEvent, ...]
    forms: Mapping[str, OdmForm]
    codelists: Mapping[str, OdmCodeList]


@dataclass(frozen=True)
class OdmStudy:
    """A study with all versions of its metadata, in the order of approval."""

    id: str
    title: str
    protocol: str
    versions: tuple[OdmMetadata, ...]


@dataclass(frozen=True)
class Place:
    """A filled form."""

    participant: str
    encounter: str
    form: str
    repeat: int


@dataclass(frozen=True)
class Entry:
    """What stands in one field. At most one of value, outcome and missing; none of them: content not shown."""

    item: str
    row: int
    value: str | None = None
    unit: str | None = None
    outcome: str | None = None
    missing: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Audit:
    """Who, where, when and why.

    Attributes:
        user: actor, role and organisation at the time of the act.
        site: None for somebody who belongs to none.
        at: ISO 8601, UTC.
        source: where it stands in the ledger.
    """

    user: tuple[str, str, str]
    site: str | None
    at: str
    reason: str | None
    source: str


Happening = Literal["entered", "removed", "signed", "not_done", "intentionally_blank"]


@dataclass(frozen=True)
class Act:
    """Something that happened to one form; in a snapshot, how the form stands (then without audit)."""

    build: str
    place: Place
    happening: Happening
    entries: tuple[Entry, ...] = ()
    audit: Audit | None = None


@dataclass(frozen=True)
class OdmValue:
    """One item value as a file holds it, with identifiers as they stand there.

    Attributes:
        flags: OID of a code list → value: why there is no value, an outcome, a source.
        transaction: Insert, Update, Remove or Context; None in a snapshot.
        user, location, at, reason: of its audit record.
    """

    version: str
    participant: str
    event: str
    event_key: str | None
    form: str
    form_key: str | None
    group: str
    group_key: str | None
    item: str
    value: str | None
    unit: str | None
    flags: Mapping[str, str]
    transaction: str | None = None
    user: str | None = None
    location: str | None = None
    at: str | None = None
    reason: str | None = None

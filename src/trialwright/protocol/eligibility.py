"""``eligibility.yaml``: facts that decide, and the criteria over them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialwright.protocol.declared import Declared, Expression, Name, Text


class Fact(Declared):
    """One thing that criteria ask about: answered by a person in the pre-screener, taken from forms in the trial."""

    id: Name
    type: Literal["boolean", "integer", "decimal", "code", "date", "quantity"]
    unit: str | None = None
    """UCUM; for a quantity."""
    codelist: Name | None = None
    from_items: Expression | None = Field(default=None, alias="from")
    """Expression over ``form.item`` at screening; absent, and no ``record``: the investigator states it."""
    record: Literal["consent"] | None = None
    """Known to the record itself and stated by nobody. consent: yes while consent for visits is in force, no once it
    was refused or withdrawn, unknown before."""
    label: Text | None = None
    """What staff read; absent: the label of the field it is taken from, where it is just that field's value."""
    question: Text | None = None
    """Asked in the pre-screener; absent: not a thing a patient can know."""
    hint: Text | None = None
    cost: int = Field(default=3, ge=1, le=5)
    """1 kind and quick to answer … 5 needs a hospital test; cheap questions are asked first."""
    world: Literal["open", "closed"] = "open"
    """closed: what is not recorded did not happen (a complete medication list); open: not recorded is unknown."""


class Criterion(Declared):
    """An inclusion states what must hold; an exclusion states what must not."""

    id: Name
    kind: Literal["inclusion", "exclusion"]
    text: Text
    plain: Text | None = None
    """Wording for patients."""
    expression: Expression | None = None
    """Over facts. Absent: the investigator decides."""
    decides: Literal["machine", "doctor"] = "machine"
    """machine: the verdict follows from the expression and the investigator signs it; doctor: judgement."""


class Eligibility(Declared):
    """The whole of ``eligibility.yaml``."""

    encounter: Name
    """The encounter whose forms the facts are taken from."""
    facts: tuple[Fact, ...]
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    rescreening: int = Field(default=1, ge=0)
    """How often a screen failure may be screened again."""

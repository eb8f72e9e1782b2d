"""``schedule.yaml``: encounters, their windows, and what is done at each. Neutral to the arm."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from trialwright.protocol.declared import Declared, Expression, Name, Text


class Offset(Declared):
    """Time from the anchor's local date; exactly one unit."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["days"]}, {"required": ["weeks"]}, {"required": ["months"]}]}
    )

    days: int | None = None
    weeks: int | None = None
    months: int | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Offset:
        if sum(x is not None for x in (self.days, self.weeks, self.months)) != 1:
            raise ValueError("an offset has exactly one of days, weeks, months")
        return self


class Window(Declared):
    """Days before and after the target that still count."""

    before: int = Field(ge=0)
    after: int = Field(ge=0)


class Act(Declared):
    """Something done at an encounter other than filling a form."""

    act: Literal["consent", "eligibility", "randomise", "safety_gate", "collection", "administration"]
    slot: Name | None = None
    """The product slot of ``custody.yaml`` that this safety gate, collection or administration belongs to."""


class Encounter(Declared):
    """A planned contact; called visit on screens."""

    id: Name
    label: Text
    epoch: Name
    period: Name | None = None
    anchor: Name | None = None
    """The encounter from whose date this one is counted; absent for the first."""
    offset: Offset | None = None
    window: Window | None = None
    after: Name | None = None
    """Must not take place before this encounter, even on the same day."""
    forms: tuple[Name, ...] = ()
    acts: tuple[Act, ...] = ()
    when: Expression | None = None
    """Takes place only where this holds (neutral to the arm)."""
    remote: bool = False
    """By telephone or video."""
    preparation: Text | None = None
    """What the participant does or brings; shown beside the date of the visit."""


class Schedule(Declared):
    """The whole of ``schedule.yaml``."""

    encounters: tuple[Encounter, ...] = Field(min_length=1)
    unscheduled_forms: tuple[Name, ...] = ()
    """Forms that may be filled at an unscheduled visit."""
    log_forms: tuple[Name, ...] = ()
    """Running forms outside visits: medication, relapses, adverse event details."""

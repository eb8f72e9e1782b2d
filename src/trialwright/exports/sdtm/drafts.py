"""A record of a data set while it is being made: values, where each came from, and what goes to SUPP--."""

from __future__ import annotations

from dataclasses import dataclass, field

from trialwright.exports.datasets import Source, Value


@dataclass(frozen=True)
class Supplement:
    """One supplemental qualifier."""

    name: str
    label: str
    value: str
    origin: str
    source: Source | None = None
    evaluator: str | None = None


@dataclass
class Draft:
    """One record.

    Attributes:
        domain: two letters.
        participant: whose; None in trial design.
        values: variable → value; absent is empty.
        sources: variable → form and item it was collected at.
        derived: variables whose value was computed.
        supplements: for SUPP--.
        encounter: at which it was collected, for visit, epoch and baseline.
    """

    domain: str
    participant: str | None = None
    values: dict[str, Value] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)
    supplements: list[Supplement] = field(default_factory=list)
    encounter: str | None = None

    def put(self, variable: str, value: Value, source: Source | None = None) -> None:
        """Set a variable, unless there is nothing to set."""
        if value is None or value == "":
            return
        self.values[variable] = value
        if source is not None:
            self.sources[variable] = source

    def get(self, suffix: str) -> Value:
        """The value of the variable with the domain's prefix."""
        return self.values.get(f"{self.domain}{suffix}")

    def set(self, suffix: str, value: Value, source: Source | None = None) -> None:
        """:meth:`put` with the domain's prefix."""
        self.put(f"{self.domain}{suffix}", value, source)

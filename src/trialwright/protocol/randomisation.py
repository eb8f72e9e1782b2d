"""``randomisation.yaml``: method, ratio, strata, unit. Never the seed, the block sizes or the list."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialwright.protocol.declared import Declared, Expression, Name, Text


class Stratum(Declared):
    """A stratification or minimisation factor."""

    id: Name
    label: Text
    levels: tuple[Name, ...] = Field(min_length=2)
    level: dict[Name, Expression] = Field(default_factory=dict)
    """Level → expression over facts; the first that holds counts. Absent for the factor ``site``."""
    weight: int = Field(default=1, ge=1)
    """Weight in minimisation."""


class Randomisation(Declared):
    """The whole of ``randomisation.yaml``."""

    unit: Literal["arm", "sequence"]
    method: Literal[
        "complete", "random_allocation_rule", "permuted_blocks", "random_permuted_blocks", "big_stick",
        "maximal_procedure", "efron", "wei_urn", "block_urn", "minimisation",
    ]  # fmt: skip
    ratio: dict[Name, int] = Field(min_length=2)
    """Arm or sequence → share, whole numbers."""
    strata: tuple[Stratum, ...] = ()
    by_site: bool = False
    """A list per site (or site as a minimisation factor)."""
    within_days_of_sign_off: int | None = Field(default=None, ge=0)
    """Sign-off older than this must be renewed before randomising."""

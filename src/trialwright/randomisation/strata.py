"""Names of strata: one spelling for a combination of levels, the same in the list and at the bedside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from trialwright.randomisation.errors import InvalidFactors

Factors = Mapping[str, Sequence[str]]

# With more strata than this nearly all are empty and stratification balances nothing.
_MOST_STRATA = 10_000


def strata(factors: Factors) -> tuple[str, ...]:
    """All strata, the last factor varying fastest: ``site=bergen,sex=female``, …

    Args:
        factors: factor → its levels. No factor gives the one stratum ``""``.

    Raises:
        InvalidFactors: a factor without levels, a level twice, a name with ``=`` or ``,`` in it, or more than
            10,000 strata.
    """
    check_factors(factors)
    count = prod(map(len, factors.values()))
    if count > _MOST_STRATA:
        raise InvalidFactors(
            f"the factors give {count} strata",
            remedy=f"use fewer factors or levels (at most {_MOST_STRATA} strata), or minimisation",
            count=count,
        )
    combinations = product(*factors.values())
    return tuple(_name(dict(zip(factors, levels, strict=True))) for levels in combinations)


def stratum_of(factors: Factors, values: Mapping[str, str]) -> str:
    """The stratum of a participant, spelled as :func:`strata` spells it.

    Raises:
        InvalidFactors: a factor has no value, an undeclared level, or a value is given for no factor.
    """
    check_factors(factors)
    check_values(factors, values)
    return _name({factor: values[factor] for factor in factors})


def check_factors(factors: Factors) -> None:
    """Raise :class:`InvalidFactors` unless every factor has distinct levels and unambiguous names."""
    for factor, levels in factors.items():
        if not levels or len(set(levels)) != len(levels):
            raise InvalidFactors(
                f"factor {factor!r} has the levels {list(levels)}",
                remedy="give each factor at least one level and each level once",
                factor=factor,
            )
        for name in (factor, *levels):
            if not name or "=" in name or "," in name:
                raise InvalidFactors(
                    f"{name!r} cannot name a factor or level",
                    remedy="use a name without '=' and ','",
                    given=name,
                )


def check_values(factors: Factors, values: Mapping[str, str]) -> None:
    """Raise :class:`InvalidFactors` unless ``values`` gives each factor one of its levels and nothing else."""
    if set(values) != set(factors):
        raise InvalidFactors(
            f"values were given for {sorted(values)}",
            remedy=f"give one value for each of: {', '.join(factors) or 'no factor at all'}",
            given=str(sorted(values)),
        )
    for factor, levels in factors.items():
        if values[factor] not in levels:
            raise InvalidFactors(
                f"{values[factor]!r} is not a level of {factor!r}",
                remedy=f"use one of: {', '.join(levels)}",
                factor=factor,
                given=str(values[factor]),
            )


def _name(levels: Mapping[str, str]) -> str:
    return ",".join(f"{factor}={level}" for factor, level in levels.items())

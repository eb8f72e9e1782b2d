"""The independent statistician makes a list and seals it, before anything of it reaches the trial.

The secret (seed and what the study file leaves out) never enters the record in the clear: the parameters are
sealed as a row of their own, under the same commitment, and the seed stays with the statistician, who can make the
list again from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trialwright.build import Build
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.ports import Entropy
from trialwright.protocol.randomisation import Randomisation
from trialwright.randomisation import (
    Design,
    MinimisationDesign,
    declare,
    declare_minimisation,
    generate_stratified,
    strata,
    stratum_of,
)
from trialwright.sealing import ExpandedDraws, Kind, SealBroken, SealedList, Sealer, expand_numbers, seal_list
from trialwright.trial.allocation.state import PARAMETERS

MINIMISATION = "minimisation"
_FORMAT = "trialwright prepared list 1"
_NAMES = {"efron": "biased_coin"}
"""Method of ``randomisation.yaml`` → name in the engine, where they differ."""


@dataclass(frozen=True)
class Secret:
    """What only the independent statistician knows.

    Args:
        seed: 32 bytes of entropy; whoever has them has the list.
        parameters: block sizes, tolerance, probability …, as the method takes them; JSON values, decimals as text.
        rows: stratum → rows to prepare; several times what is expected, because which stratum fills is not known.
            For minimisation the one stratum is ``""``.
    """

    seed: bytes = field(repr=False)
    parameters: Mapping[str, Any] = field(repr=False)
    rows: Mapping[str, int]


@dataclass(frozen=True)
class PreparedList:
    """A sealed list, ready to be committed to."""

    number: int
    method: str
    sealed: SealedList

    def as_json(self) -> dict[str, Any]:
        """Plain data, for the file that goes to the closed space. It holds nothing in the clear."""
        return {"format": _FORMAT, "number": self.number, "method": self.method, "sealed": self.sealed.as_json()}

    @classmethod
    def from_json(cls, data: object) -> PreparedList:
        """The inverse of :meth:`as_json`.

        Raises:
            SealBroken: anything else.
        """
        fields: Any = data
        try:
            number, method, sealed = fields["number"], fields["method"], fields["sealed"]
            known = fields["format"] == _FORMAT and type(number) is int and isinstance(method, str)
        except (KeyError, TypeError):
            known = False
        if not known:
            raise SealBroken("this is not a prepared list", remedy=f"give a file of the format {_FORMAT!r}")
        return cls(number, method, SealedList.from_json(sealed))


def strata_of(build: Build) -> tuple[str, ...]:
    """The strata that a study has lists for; the one stratum ``""`` for minimisation and for no factor."""
    if build.study.randomisation.method == MINIMISATION:
        return ("",)
    return strata(_factors(build))


def stratum_name(build: Build, levels: Mapping[str, str]) -> str:
    """The stratum of a participant with these factor levels, as :func:`strata_of` spells it.

    Raises:
        InvalidFactors: a factor without a level, or a level that the study does not have.
    """
    return "" if build.study.randomisation.method == MINIMISATION else stratum_of(_factors(build), levels)


def same_randomisation(one: Build, other: Build) -> bool:
    """Whether two builds randomise alike, so that one list serves both; sites may have been added."""
    a, b = one.study.randomisation, other.study.randomisation
    return (a.method, a.unit, a.ratio, a.strata, a.by_site) == (b.method, b.unit, b.ratio, b.strata, b.by_site)


def knows_levels(build: Build, levels: Mapping[str, str]) -> bool:
    """Whether the study has each of these factor levels; a site added later is not in an older build."""
    known = _factors(build)
    return all(level in known.get(factor, ()) for factor, level in levels.items())


def sealed_for(study: str, number: int) -> str:
    """The name that the seals of a list are bound to."""
    return f"{study}/closed/list/{number}"


def prepare_list(build: Build, secret: Secret, *, number: int, sealer: Sealer, entropy: Entropy) -> PreparedList:
    """Make the list, salt, commit to and seal it.

    Args:
        build: says method, ratio and strata.
        secret: says the rest.
        number: 1 for the first list of the study, 2 for one that continues it.
        sealer: seals to the dispensing and the unblinding key.
        entropy: for salts.

    Raises:
        InvalidDesign: parameters that the method does not take.
        InvalidListLength: a length that the method cannot make.
        InvalidValue: rows for strata that the study does not have.
    """
    method = build.study.randomisation.method
    rows = rows_of(build, secret, number=number)
    parameters = json.dumps(dict(secret.parameters), sort_keys=True, separators=(",", ":"))
    sealed = seal_list(
        {PARAMETERS: [parameters], **rows},
        ledger=sealed_for(build.study.identity.id, number),
        sealer=sealer,
        entropy=entropy,
        kind=Kind.NUMBER if method == MINIMISATION else Kind.ALLOCATION,
    )
    return PreparedList(number, method, sealed)


def rows_of(build: Build, secret: Secret, *, number: int) -> dict[str, tuple[str, ...]]:
    """The list itself, in the clear: stratum → labels (for minimisation: numbers) by position.

    Whoever has the secret makes the same list again, to compare it after the unblinding.

    Raises:
        InvalidDesign, InvalidListLength, InvalidValue: as :func:`prepare_list`.
    """
    unknown = set(secret.rows) - set(strata_of(build))
    if unknown or not secret.rows:
        raise InvalidValue(
            f"rows were asked for in the strata {sorted(unknown)}",
            remedy=f"the study has: {', '.join(repr(s) for s in strata_of(build))}",
            given=str(sorted(secret.rows)),
        )
    if build.study.randomisation.method == MINIMISATION:
        minimisation_design(build, secret.parameters)  # refuse parameters now, not at the bedside
        return _numbers(secret, number)
    return _labels(build, secret, number)


def list_design(build: Build, parameters: Mapping[str, Any]) -> Design:
    """The engine's design of a list method.

    Raises:
        InvalidDesign: parameters that the method does not take.
    """
    randomisation = build.study.randomisation
    return declare(_NAMES.get(randomisation.method, randomisation.method), _units(randomisation), **parameters)


def minimisation_design(build: Build, parameters: Mapping[str, Any]) -> MinimisationDesign:
    """The engine's design of a minimisation.

    Raises:
        InvalidDesign: no probability, or parameters that minimisation does not have.
    """
    randomisation = build.study.randomisation
    weights = {stratum.id: stratum.weight for stratum in randomisation.strata}
    return declare_minimisation(
        _units(randomisation),
        _factors(build),
        probability=parameters.get("probability", ""),
        weights=weights,
        measure=parameters.get("measure", "range"),
    )


def _labels(build: Build, secret: Secret, number: int) -> dict[str, tuple[str, ...]]:
    design = list_design(build, secret.parameters)
    return generate_stratified(
        design, secret.rows, lambda stratum: ExpandedDraws(secret.seed, f"list/{number}/{stratum}")
    )


def _numbers(secret: Secret, number: int) -> dict[str, tuple[str, ...]]:
    drawn = expand_numbers(secret.seed, secret.rows[""], purpose=f"minimisation/{number}")
    return {"": tuple(str(n) for n in drawn)}


def _units(randomisation: Randomisation) -> dict[str, int]:
    # Sorted, because the order of units decides what a stream of draws yields and a map in a file has none.
    return dict(sorted(randomisation.ratio.items()))


def _factors(build: Build) -> dict[str, tuple[str, ...]]:
    randomisation = build.study.randomisation
    factors = {"site": tuple(sorted(build.study.sites))} if randomisation.by_site else {}
    return {**factors, **{stratum.id: stratum.levels for stratum in randomisation.strata}}

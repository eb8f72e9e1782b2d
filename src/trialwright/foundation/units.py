"""Units of measurement in UCUM codes: exact factors and dimensions of the subset that trials use.

Source of codes and values: The Unified Code for Units of Measure, version 2.1 (Regenstrief Institute), tables
1 to 23. Two deliberate differences, both stricter: ``mol`` is a dimension of its own (UCUM counts it as the
number 6.02e23, which would let a concentration in mmol be compared with a bare count), and arbitrary units
such as ``[iU]`` are each a dimension of their own, as UCUM recommends. Annotations (``{cells}``) mean nothing
to the arithmetic and are kept as entered.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from trialwright.foundation.errors import InvalidValue

Dimension = tuple[tuple[str, int], ...]
"""Base dimensions with their exponents, sorted by name, none zero; ``()`` is a pure number."""


class UnknownUnit(InvalidValue):
    """A text that is not a UCUM code this software converts."""

    code = "unit.unknown"


class IncommensurableUnits(InvalidValue):
    """Two units that measure different things, such as ``kg`` and ``cm``."""

    code = "unit.incommensurable"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: ``value × factor + offset`` is the value in the base units of its dimension.

    ``offset`` is zero for every unit except Celsius and Fahrenheit.
    """

    code: str
    dimension: Dimension
    factor: Fraction
    offset: Fraction = Fraction(0)


# Prefixes, UCUM table 1.
_PREFIXES = {
    "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
    "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip

# Base units (UCUM table 2) and dimensions of their own; all but the arbitrary ones take prefixes.
_BASES = {
    "m": "length", "s": "time", "g": "mass", "rad": "angle", "K": "temperature", "C": "charge",
    "cd": "luminous intensity", "mol": "amount",
    "[iU]": "international units", "[IU]": "international units", "[arb'U]": "arbitrary units",
    "[CFU]": "colony forming units", "[PFU]": "plaque forming units", "[FFU]": "focus forming units",
    "[USP'U]": "USP units", "[CCID_50]": "cell culture infectious doses",
    "[TCID_50]": "tissue culture infectious doses",
}  # fmt: skip

# Derived atoms: code -> (value, unit it is defined by, takes prefixes). UCUM tables 3 to 23.
_DERIVED: dict[str, tuple[str, str, bool]] = {
    "10*": ("10", "1", False), "10^": ("10", "1", False),
    "%": ("1/100", "1", False), "[ppth]": ("1/1000", "1", False), "[ppm]": ("1/1000000", "1", False),
    "[ppb]": ("1/1000000000", "1", False),
    "[HPF]": ("1", "1", False), "[LPF]": ("1", "1", False),
    "sr": ("1", "rad2", True), "Hz": ("1", "s-1", True), "N": ("1", "kg.m/s2", True),
    "Pa": ("1", "N/m2", True), "J": ("1", "N.m", True), "W": ("1", "J/s", True), "A": ("1", "C/s", True),
    "V": ("1", "J/C", True), "F": ("1", "C/V", True), "Ohm": ("1", "V/A", True), "S": ("1", "A/V", True),
    "Wb": ("1", "V.s", True), "T": ("1", "Wb/m2", True), "H": ("1", "Wb/A", True),
    "lm": ("1", "cd.sr", True), "lx": ("1", "lm/m2", True), "Bq": ("1", "s-1", True),
    "Gy": ("1", "J/kg", True), "Sv": ("1", "J/kg", True),
    "l": ("1", "dm3", True), "L": ("1", "dm3", True), "ar": ("100", "m2", True), "t": ("1000", "kg", True),
    "bar": ("100000", "Pa", True), "atm": ("101325", "Pa", False),
    "min": ("60", "s", False), "h": ("60", "min", False), "d": ("24", "h", False), "wk": ("7", "d", False),
    "a": ("1461/4", "d", False), "a_j": ("1461/4", "d", False), "mo": ("487/16", "d", False),
    "mo_j": ("487/16", "d", False),
    "kat": ("1", "mol/s", True), "U": ("1", "umol/min", True), "eq": ("1", "mol", True),
    "osm": ("1", "mol", True),
    "m[Hg]": ("133.3220", "kPa", True), "m[H2O]": ("9.80665", "kPa", True),
    "cal": ("4.184", "J", True), "[Cal]": ("1", "kcal", False), "dyn": ("1", "g.cm/s2", True),
    "[diop]": ("1", "m-1", False), "[drp]": ("1/20", "mL", False),
    "[in_i]": ("2.54", "cm", False), "[ft_i]": ("12", "[in_i]", False), "[yd_i]": ("3", "[ft_i]", False),
    "[mi_i]": ("5280", "[ft_i]", False),
    "[gr]": ("64.79891", "mg", False), "[lb_av]": ("7000", "[gr]", False),
    "[oz_av]": ("1/16", "[lb_av]", False), "[stone_av]": ("14", "[lb_av]", False),
    "[degR]": ("5/9", "K", False),
}  # fmt: skip

# Units with an offset (UCUM table 5 and 13): value × factor + offset, in kelvin.
_OFFSET = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}

# The SI angle is an irrational multiple of rad; degrees therefore get a dimension of their own.
_ANGLES = {"deg": Fraction(1), "'": Fraction(1, 60), "''": Fraction(1, 3600)}

# What people write, and the code they mean.
_MEANT = {
    "mmhg": "mm[Hg]", "cmh2o": "cm[H2O]", "°c": "Cel", "degc": "Cel", "celsius": "Cel", "°f": "[degF]",
    "degf": "[degF]", "iu": "[iU]", "ie": "[iU]", "year": "a", "years": "a", "yr": "a", "y": "a",
    "month": "mo", "months": "mo", "week": "wk", "weeks": "wk", "day": "d", "days": "d",
    "hour": "h", "hours": "h", "hr": "h", "minute": "min", "minutes": "min",
    "second": "s", "seconds": "s", "sec": "s", "mcg": "ug", "µg": "ug", "μg": "ug", "µl": "uL", "μl": "uL",
    "µmol": "umol", "μmol": "umol", "µm": "um", "μm": "um", "cc": "mL", "ml": "mL", "meq": "meq",
    "lb": "[lb_av]", "lbs": "[lb_av]", "pound": "[lb_av]", "pounds": "[lb_av]",
    "inch": "[in_i]", "inches": "[in_i]", "ft": "[ft_i]",
    "cells": "{cells}", "score": "{score}", "points": "{points}", "percent": "%", "kgs": "kg",
    "gram": "g", "grams": "g", "litre": "L", "liter": "L", "beats/min": "{beats}/min", "bpm": "{beats}/min",
    "ml/min/1.73m2": "mL/min/{1.73_m2}", "ml/min/1.73.m2": "mL/min/{1.73_m2}",
}  # fmt: skip

# Composed units offered as "did you mean" beside the atoms.
_EVERYDAY = (
    "kg", "mg", "ug", "ng", "cm", "mm", "mL", "mL/min", "g/L", "g/dL", "mg/dL", "mg/L", "mmol/L", "umol/L",
    "10*9/L", "10*12/L", "10*6/kg", "mm[Hg]", "kg/m2", "pg/mL", "ng/mL", "U/L", "[iU]/L", "ms",
)  # fmt: skip

_LONGEST = 120
_FINEST = Fraction(10) ** -60  # beyond this magnitude a factor is a slip, and would not fit a double when squared
_TOKEN = re.compile(
    r"(?P<annotation>\{[^{}]*\})|(?P<power>10[*^])|(?P<number>[0-9]+)|(?P<operator>[./])|(?P<open>\()|(?P<close>\))"
    r"|(?P<atom>%|''|'|[A-Za-z_]*\[[^\[\]]*\]|[A-Za-z_]+)"
)
_EXPONENT = re.compile(r"[+-]?[0-9]{1,2}")


@lru_cache(maxsize=1024)
def unit(code: str) -> Unit:
    """The unit that a UCUM code names.

    Args:
        code: case-sensitive UCUM code, at most 120 characters: ``kg``, ``10*9/L``, ``10*6{cells}/kg``,
            ``{score}``, ``mm[Hg]``, ``Cel``.

    Raises:
        UnknownUnit: with the nearest code when there is one.
    """
    try:
        return _parse(code)
    except _Malformed:
        raise _unknown(code) from None


def dimension(code: str) -> Dimension:
    """What a unit measures: ``(("length", -3), ("mass", 1))`` for ``g/L``; ``()`` for counts and scores.

    Raises:
        UnknownUnit: as :func:`unit`.
    """
    return unit(code).dimension


def commensurable(first: str, second: str) -> bool:
    """Can values in one unit be converted to the other?

    Raises:
        UnknownUnit: as :func:`unit`.
    """
    return unit(first).dimension == unit(second).dimension


def convert(value: Fraction, from_unit: str, to_unit: str) -> Fraction:
    """The exact value in another unit.

    Raises:
        UnknownUnit: as :func:`unit`.
        IncommensurableUnits: the units measure different things.
    """
    if from_unit == to_unit:
        return value
    source, target = unit(from_unit), unit(to_unit)
    if source.dimension != target.dimension:
        raise IncommensurableUnits(
            f"{from_unit!r} measures {describe(source.dimension)}, {to_unit!r} measures {describe(target.dimension)}",
            remedy="use a unit of the same kind",
            given=from_unit,
            wanted=to_unit,
        )
    return (value * source.factor + source.offset - target.offset) / target.factor


def describe(dimension_: Dimension) -> str:
    """A dimension in words: ``mass·length^-3``, ``a number``."""
    if not dimension_:
        return "a number"
    by_sign = sorted(dimension_, key=lambda part: (part[1] < 0, part[0]))
    return "·".join(name if power == 1 else f"{name}^{power}" for name, power in by_sign)


_Scaled = tuple[Fraction, dict[str, int]]


class _Malformed(Exception):
    """The text is no unit; :func:`unit` turns it into an error with a suggestion."""


def _parse(code: str) -> Unit:
    if code in _OFFSET:
        factor, offset = _OFFSET[code]
        return Unit(code, (("temperature", 1),), factor, offset)
    if not code or len(code) > _LONGEST:
        raise _Malformed
    factor, powers, rest = _term(code, 0)
    if rest or not _FINEST <= factor <= 1 / _FINEST:
        raise _Malformed
    return Unit(code, tuple(sorted((name, power) for name, power in powers.items() if power)), factor)


def _term(rest: str, depth: int) -> tuple[Fraction, dict[str, int], str]:
    """Read components joined by ``.`` and ``/`` from left to right; ``/`` binds only the next component."""
    factor, powers, sign = Fraction(1), dict[str, int](), 1
    if rest.startswith("/"):
        sign, rest = -1, rest[1:]
    while True:
        part_factor, part_powers, rest = _component(rest, depth)
        factor *= part_factor**sign
        for name, power in part_powers.items():
            powers[name] = powers.get(name, 0) + sign * power
        if not rest or rest[0] not in "./":
            return factor, powers, rest
        sign, rest = (1 if rest[0] == "." else -1), rest[1:]


def _component(rest: str, depth: int) -> tuple[Fraction, dict[str, int], str]:
    found = _TOKEN.match(rest)
    if not found or depth > 5:
        raise _Malformed
    kind, token, rest = found.lastgroup, found.group(), rest[found.end() :]
    if kind == "annotation":
        return Fraction(1), {}, rest
    if kind == "open":
        factor, powers, rest = _term(rest, depth + 1)
        if not rest.startswith(")"):
            raise _Malformed
        return factor, powers, _skip_annotation(rest[1:])
    if kind == "number":
        # "1.73" would read as 1 times 73: UCUM has no decimals, so what was meant is not what it says.
        if int(token) == 0 or re.match(r"\.[0-9]", rest):
            raise _Malformed
        return Fraction(int(token)), {}, _skip_annotation(rest)
    if kind not in {"power", "atom"}:
        raise _Malformed
    scaled = _atom(token)
    if scaled is None:
        raise _Malformed
    power = _EXPONENT.match(rest)
    if power:
        scaled, rest = _raise(scaled, int(power.group())), rest[power.end() :]
    return *scaled, _skip_annotation(rest)


def _skip_annotation(rest: str) -> str:
    if rest.startswith("{"):
        end = rest.find("}")
        return rest if end < 0 else rest[end + 1 :]
    return rest


def _raise(scaled: _Scaled, power: int) -> _Scaled:
    return scaled[0] ** power, {name: exponent * power for name, exponent in scaled[1].items()}


def _atom(token: str) -> _Scaled | None:
    whole = _plain_atom(token)
    if whole:
        return whole
    # "da" before "d", or "dam" would be a deci-"am".
    for length in (2, 1):
        prefix, stem = token[:length], token[length:]
        if prefix in _PREFIXES and _takes_prefix(stem):
            scaled = _plain_atom(stem)
            if scaled:
                return scaled[0] * Fraction(10) ** _PREFIXES[prefix], scaled[1]
    return None


def _plain_atom(token: str) -> _Scaled | None:
    if token in _BASES:
        return Fraction(1), {_BASES[token]: 1}
    if token in _ANGLES:
        return _ANGLES[token], {"degrees": 1}
    if token in _DERIVED:
        value, definition, _ = _DERIVED[token]
        factor, powers, _ = _term(definition, 0)
        return Fraction(value) * factor, powers
    return None


def _takes_prefix(stem: str) -> bool:
    # International units take prefixes (k[iU]/L is everyday); degrees and the other arbitrary units do not.
    return (stem in _DERIVED and _DERIVED[stem][2]) or stem in _BASES


def _unknown(code: str) -> UnknownUnit:
    given = code[:60]
    meant = _suggestion(given)
    return UnknownUnit(
        f"{given!r} is not a UCUM unit code that can be converted",
        remedy=f"did you mean {meant!r}?" if meant else "use a UCUM code such as kg, 10*9/L, mm[Hg], Cel or {score}",
        given=given,
        **({"suggestion": meant} if meant else {}),
    )


def _suggestion(given: str) -> str | None:
    """What was probably meant, part by part: ``mcg/ml`` → ``ug/mL``."""
    lowered = given.strip().lower()
    if lowered in _MEANT:
        return _MEANT[lowered]
    parts = re.split(r"([./])", given.strip())
    mended = "".join(part if _known(part) else _MEANT.get(part.lower(), part) for part in parts)
    if mended != given and _known(mended):
        return mended
    everyday = [
        "kg",
        "mg",
        "ug",
        "g/L",
        "mg/dL",
        "mmol/L",
        "umol/L",
        "10*9/L",
        "mm[Hg]",
        "[lb_av]",
        "mL/min",
        "Cel",
    ]
    nearest = difflib.get_close_matches(given, [*everyday, *_BASES, *_DERIVED, *_OFFSET], n=1, cutoff=0.6)
    return nearest[0] if nearest else None


def _known(code: str) -> bool:
    try:
        _parse(code)
    except _Malformed:
        return False
    return True

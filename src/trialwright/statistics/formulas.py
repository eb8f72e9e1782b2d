"""Formulas as R and SAS users write them, and the design that they mean for a table of data.

Source: Wilkinson and Rogers, Appl Stat 1973;22:392–399; coding of factors as in Chambers and Hastie, Statistical
Models in S, 1992, section 2.4.1. The grammar is read by formulaic.

A formula is an outcome, ``~`` and terms: ``change ~ baseline + arm * visit``. Its words are columns of the data and
nothing else: functions are refused, for a derived covariate must be a column that can be looked at, and a plan from a
study folder must not run code. A column of numbers is a covariate; text, truth values and categories are factors,
coded against their first level. A factor stands with all its levels in a term whose remainder is not itself a term of
the model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, reduce
from itertools import product
from math import isnan
from typing import Any

import numpy as np

from trialwright.statistics.arrays import LARGEST, Array, vector
from trialwright.statistics.errors import CannotEstimate, DependentColumns, EmptyCell
from trialwright.statistics.repeated_sums import Index

Level = str | int | float | bool
"""One value of a factor."""
At = Mapping[str, Level]
"""Where to look: levels of factors, values of covariates, by column."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read.

    Attributes:
        outcome: its left side, or None.
        terms: each a tuple of columns, the empty one for the intercept; lower orders first.
    """

    outcome: str | None
    terms: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the terms name, in order of appearance."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term))


@lru_cache(maxsize=256)
def read_formula(text: str) -> Formula:
    """The meaning of a formula.

    Raises:
        CannotEstimate: it cannot be read, has several parts, calls a function or raises to a power.
    """
    from formulaic import Formula as Parsed
    from formulaic.errors import FormulaicError

    if len(text) > 2000 or "**" in text or "^" in text:
        raise _unread(text, "a formula of at most 2000 characters, without powers")
    try:
        parsed = Parsed(text)
        right = getattr(parsed, "rhs", parsed)
        factors = [tuple(term.factors) for term in right]
        left = [tuple(term.factors) for term in parsed.lhs] if right is not parsed else []
    except (FormulaicError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise _unread(text, "outcome ~ term + term, of the names of columns") from error
    if len(left) > 1 or any(len(term) != 1 for term in left):
        raise _unread(text, "one outcome")
    terms = tuple(tuple(factor.expr for factor in term if factor.expr != "1") for term in factors)
    called = [factor.expr for term in factors + left for factor in term if factor.eval_method.name == "PYTHON"]
    if called:
        raise _unread(text, f"a column in place of {called[0]!r}: functions are not evaluated")
    scaled = [f for term in factors for f in term if f.eval_method.name == "LITERAL" and f.expr != "1"]
    if scaled or not terms:
        raise _unread(text, "names of columns as terms")
    return Formula(left[0][0].expr if left else None, terms)


def _unread(text: str, wanted: str) -> CannotEstimate:
    return CannotEstimate(f"the formula {text[:200]!r} cannot be used", remedy=f"write {wanted}", formula=text[:200])


@dataclass(frozen=True, eq=False)
class Covariate:
    """A column of numbers: values (n,)."""

    name: str
    values: Array

    def columns(self, full: bool) -> Array:
        """(n, 1)."""
        return self.values[:, None]

    def labels(self, full: bool) -> tuple[str, ...]:
        return (self.name,)

    def point(self, full: bool, value: Level | None) -> Array:
        """The column at a value, or at the mean of the data where none is given."""
        if value is None:
            return np.array([self.average])
        if isinstance(value, str):
            raise CannotEstimate(f"{self.name!r} is a column of numbers", remedy="give a number", given=value[:40])
        return np.array([float(value)])

    @cached_property
    def average(self) -> float:
        """The mean of the values."""
        return float(self.values.mean())

    def steps(self, full: bool) -> Array:
        """Change of the column over one unit: (1, 1)."""
        return np.ones((1, 1))


@dataclass(frozen=True, eq=False)
class Factor:
    """A column of levels: codes (n,) into ``levels``, which all occur."""

    name: str
    codes: Index
    levels: tuple[Level, ...]
    ordered: bool
    """Whether the order of the levels was declared, or is that of numbers."""

    def columns(self, full: bool) -> Array:
        """Indicators of the levels, (n, L), without that of the first where not ``full``."""
        return np.asarray(_indicators(len(self.levels), full)[self.codes])

    def labels(self, full: bool) -> tuple[str, ...]:
        return tuple(f"{self.name}[{level}]" for level in (self.levels if full else self.levels[1:]))

    def point(self, full: bool, value: Level | None) -> Array:
        """The indicators of a level, or their mean over the levels, each with equal weight, where none is given."""
        indicators = _indicators(len(self.levels), full)
        return np.asarray(indicators.mean(axis=0) if value is None else indicators[self.place(value)])

    def steps(self, full: bool) -> Array:
        """Change of the indicators from the first level to each other one: (L − 1, L or L − 1)."""
        indicators = _indicators(len(self.levels), full)
        return np.asarray(indicators[1:] - indicators[0])

    def place(self, level: Level) -> int:
        """Which of the levels it is.

        Raises:
            CannotEstimate: none of them.
        """
        if level not in self.levels:
            known = ", ".join(map(repr, self.levels[:20]))
            raise CannotEstimate(f"{self.name!r} has no level {level!r}", remedy=f"use one of {known}")
        return self.levels.index(level)


@cache
def _indicators(levels: int, full: bool) -> Array:
    """A row for each level: which of the levels it is, without the first where not ``full``."""
    return np.eye(levels)[:, 0 if full else 1 :]


Variable = Covariate | Factor


def has_column(data: Mapping[str, Any], name: str) -> Any:
    """The column of that name.

    Raises:
        CannotEstimate: there is none.
    """
    try:
        return data[name]
    except (KeyError, ValueError, IndexError, TypeError) as error:
        known = ", ".join(str(known) for known in list(data)[:20])
        raise CannotEstimate(f"the data have no column {name!r}", remedy=f"columns are {known}") from error


def numbers(data: Mapping[str, Any], name: str) -> Array:
    """A column as floats, NaN where missing.

    Raises:
        CannotEstimate: no such column, or one that holds other things than numbers.
    """
    column = has_column(data, name)
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CannotEstimate(f"{name!r} is not a column of numbers", remedy="give numbers", column=name) from error
    if values.ndim != 1 or (np.abs(values) > LARGEST).any():
        raise CannotEstimate(
            f"{name!r} is not a column of numbers up to {LARGEST:g}", remedy="give one number a row", column=name
        )
    return values


def variable(data: Mapping[str, Any], name: str, rows: Index, *, as_factor: bool = False) -> Variable:
    """Some rows of a column as covariate or factor.

    Raises:
        CannotEstimate: no such column, or a missing value in these rows.
    """
    column = has_column(data, name)
    declared = getattr(getattr(column, "dtype", None), "categories", None)
    values = np.asarray(column)
    if values.ndim != 1 or (rows.size and rows[-1] >= values.size):
        raise CannotEstimate(f"{name!r} is not a column like the others", remedy="give one value a row", column=name)
    values = values[rows]
    if declared is None and values.dtype.kind in "iuf" and not as_factor:
        if np.isnan(values).any():
            raise _missing(name, int(np.isnan(values).sum()))
        return Covariate(name, vector(values, name=name))
    return _factor(name, values.tolist(), None if declared is None else list(declared), values.dtype.kind in "iuf")


def _factor(name: str, values: list[Any], declared: list[Any] | None, numeric: bool) -> Factor:
    try:
        present = set(values)
        if any(map(_is_missing, present)):
            raise _missing(name, sum(map(_is_missing, values)))
        levels = tuple(sorted(present) if declared is None else (level for level in declared if level in present))
    except TypeError as error:
        raise CannotEstimate(
            f"{name!r} mixes kinds of values", remedy="give text, or numbers", column=name
        ) from error
    place = {level: n for n, level in enumerate(levels)}
    codes = np.array([place[value] for value in values], dtype=np.intp)
    return Factor(name, codes, levels, ordered=declared is not None or numeric)


def _is_missing(value: object) -> bool:
    """None, NaN, or the missing value of a data frame's nullable column."""
    return (
        value is None or type(value).__name__ in {"NAType", "NaTType"} or (isinstance(value, float) and isnan(value))
    )


def _missing(name: str, count: int) -> CannotEstimate:
    return CannotEstimate(
        f"{name!r} is missing in {count} of the rows that have an outcome",
        remedy="decide before the analysis: impute, or leave these rows out",
        column=name,
    )


def outcome_of(formula: Formula, data: Mapping[str, Any]) -> tuple[Array, Index]:
    """The outcome (all rows, NaN where missing) and the numbers of the rows that have it.

    Raises:
        CannotEstimate: a formula without outcome, an outcome that holds no numbers, or none at all.
    """
    if formula.outcome is None:
        raise CannotEstimate("the formula has no outcome", remedy="write outcome ~ terms")
    y = numbers(data, formula.outcome)
    rows = np.flatnonzero(~np.isnan(y))
    if not rows.size:
        raise CannotEstimate(f"{formula.outcome!r} is missing in every row", remedy="look how the data were selected")
    return y, rows


@contextmanager
def naming(names: tuple[str, ...]) -> Iterator[None]:
    """Says of columns that depend on each other their names, where a model knows only their numbers."""
    try:
        yield
    except DependentColumns as error:
        found = error.given["columns"]
        called = [names[n] for n in found] if isinstance(found, tuple) else []
        raise DependentColumns(
            f"these coefficients cannot be told from the others: {', '.join(called)}",
            remedy="leave out a term that the others determine, or join levels",
            columns=tuple(called),
        ) from error


@dataclass(frozen=True, eq=False)
class _Term:
    parts: tuple[tuple[Variable, bool], ...]  # with all levels, or without the first

    def columns(self, n: int) -> Array:
        columns = [part.columns(full) for part, full in self.parts] or [np.ones((n, 1))]
        return reduce(_beside, columns)

    def labels(self) -> list[str]:
        labels = [part.labels(full) for part, full in reversed(self.parts)]
        return [":".join(reversed(names)) or "Intercept" for names in product(*labels)]

    def point(self, at: At) -> Array:
        return _products([part.point(full, at.get(part.name)) for part, full in self.parts])

    def names(self) -> frozenset[str]:
        return frozenset(part.name for part, _ in self.parts)


def _beside(one: Array, two: Array) -> Array:
    """All products of a column of ``one`` (n, a) with one of ``two`` (n, b), the first running fastest: (n, ab)."""
    return np.asarray((two[:, :, None] * one[:, None, :]).reshape(one.shape[0], -1))


def _products(rows: list[Array]) -> Array:
    """All products of entries of these rows, in the order of :func:`_beside`."""
    return reduce(lambda one, two: np.outer(two, one).ravel(), rows) if rows else np.ones(1)


class Design:
    """The design of a formula for a table of data.

    Args:
        formula: what was read.
        data: columns by name: a data frame, or a mapping to arrays.
        rows: which rows enter.
        factors: columns of numbers that are levels all the same.
        known: variables that were read already, by column.

    Attributes:
        x: (n, p).
        names: of the p columns.
        variables: of the terms, by column.

    Raises:
        CannotEstimate: a column that is missing, or has missing values in these rows.
        EmptyCell: a factor with one level only, or a combination of levels that a term needs and nobody has.
    """

    def __init__(
        self,
        formula: Formula,
        data: Mapping[str, Any],
        rows: Index,
        factors: Collection[str] = (),
        known: Mapping[str, Variable] | None = None,
    ) -> None:
        known = known or {}
        self.variables: dict[str, Variable] = {
            name: known[name] if name in known else variable(data, name, rows, as_factor=name in factors)
            for name in formula.columns
        }
        self._terms = _coded(formula, self.variables)
        for term in self._terms:
            _check_cells(term)
        self.x: Array = np.column_stack([term.columns(rows.size) for term in self._terms])
        self.names = tuple(name for term in self._terms for name in term.labels())

    def row(self, at: At) -> Array:
        """The columns at these values; elsewhere the mean of a covariate, and every level of a factor alike.

        Raises:
            CannotEstimate: a column that is not in the formula, or a level that is not in the data.
        """
        for name in at:
            self.variable(name)
        return np.concatenate([term.point(at) for term in self._terms])

    def variable(self, name: str) -> Variable:
        """A column of the terms.

        Raises:
            CannotEstimate: not in the formula.
        """
        if name not in self.variables:
            known = ", ".join(self.variables) or "none"
            raise CannotEstimate(f"{name!r} is not in the formula", remedy=f"its columns are {known}")
        return self.variables[name]

    def factor(self, name: str) -> Factor:
        """A factor of the terms.

        Raises:
            CannotEstimate: not in the formula, or a covariate.
        """
        found = self.variable(name)
        if isinstance(found, Covariate):
            raise CannotEstimate(
                f"{name!r} is a column of numbers", remedy="name it among the factors, or give values"
            )
        return found

    def effects(self, names: Collection[str]) -> Array:
        """Contrasts that are all zero when these columns have no joint effect, averaged over the others: (l, p).

        The hypothesis that SAS calls type III: differences of adjusted means for one factor, their differences for
        two, and the slope of a covariate.
        """
        chosen = frozenset(names)
        parts = [self.variable(name) for name in chosen]
        if not any(chosen <= term.names() for term in self._terms):
            raise CannotEstimate(f"no term holds {' and '.join(sorted(chosen))}", remedy="name columns of one term")
        shape = [part.steps(True).shape[0] for part in parts]
        rows = []
        for places in product(*(range(size) for size in shape)):
            at = {part.name: place for part, place in zip(parts, places, strict=True)}
            rows.append(np.concatenate([_change(term, at) for term in self._terms]))
        return np.stack(rows)


def _coded(formula: Formula, variables: Mapping[str, Variable]) -> list[_Term]:
    """The terms, each factor with all levels where the remainder of its term is not itself in the model."""
    present = {frozenset(term) for term in formula.terms}
    terms = []
    for term in formula.terms:
        coded = _Term(tuple((variables[name], frozenset(term) - {name} not in present) for name in term))
        if term and all(isinstance(part, Factor) and full for part, full in coded.parts):
            present.add(frozenset())  # all levels together are the intercept that was left out
        terms.append(coded)
    return terms


def _change(term: _Term, at: Mapping[str, int]) -> Array:
    """How the columns of a term change over one step of each column in ``at``."""
    if not at.keys() <= term.names():
        return np.zeros(len(term.labels()))
    return _products(
        [part.steps(full)[at[part.name]] if part.name in at else part.point(full, None) for part, full in term.parts]
    )


def _check_cells(term: _Term) -> None:
    """Every combination of levels that the term tells apart must have somebody."""
    factors = [(part, full) for part, full in term.parts if isinstance(part, Factor)]
    for factor, full in factors:
        if len(factor.levels) == 1 and not full:
            raise EmptyCell(
                f"{factor.name!r} has one level only, {factor.levels[0]!r}",
                remedy="leave it out of the formula, or look where the other levels went",
            )
    shape = [len(factor.levels) for factor, _ in factors]
    if len(factors) < 2 or len(factors) < len(term.parts):
        return
    counts = np.bincount(
        np.ravel_multi_index([factor.codes for factor, _ in factors], shape), minlength=np.prod(shape)
    )
    if not counts.all():
        places = np.unravel_index(int(np.flatnonzero(counts == 0)[0]), shape)
        cell = ", ".join(f"{f.name}={f.levels[p]}" for (f, _), p in zip(factors, places, strict=True))
        raise EmptyCell(f"nobody has {cell}", remedy="use a simpler term, or join levels", cell=cell)

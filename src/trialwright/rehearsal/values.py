"""A virtual person: hidden, correlated traits, and the values that forms would find at a visit.

What is drawn follows ``simulation.yaml``; items without a generator get an ordinary value within their range.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from trialwright.build import Build, CompiledExpression, CompiledForm, CompiledItem, ItemValue, number_of, value_of
from trialwright.build.formulas import ItemReference, compile_expression
from trialwright.build.scopes import form_scope, item_scope
from trialwright.expressions import Value
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth
from trialwright.protocol.simulation import Effect, Generator, Scenario
from trialwright.rehearsal.draws import Draws

_NOT_APPLICABLE = ItemValue(missing=MissingReason.NOT_APPLICABLE)
_NOT_DONE = ItemValue(missing=MissingReason.NOT_DONE)


@dataclass(frozen=True)
class Course:
    """One generator, ready: with its compiled condition."""

    generator: Generator
    where: CompiledExpression | None


class Population:
    """What all virtual people of a study share: generators by item, the scenario's effects.

    Args:
        build: the study.
        scenario: the world; its effects are added to values.
        draws: chance.
    """

    def __init__(self, build: Build, scenario: Scenario, draws: Draws) -> None:
        self.build = build
        self.scenario = scenario
        self.draws = draws
        self.courses: dict[str, list[Course]] = {}
        everywhere = item_scope(build.study)
        for generator in build.study.simulation.generators:
            form = build.study.forms[generator.item.partition(".")[0]]
            where = generator.where and compile_expression(
                generator.where, form_scope(build.study, form, everywhere), form=form.id
            )
            self.courses.setdefault(generator.item, []).append(Course(generator, where or None))
        self.effects: dict[str, list[Effect]] = {}
        for effect in scenario.effects:
            self.effects.setdefault(effect.item, []).append(effect)
        self.remembered = frozenset(self._read_later())

    def _read_later(self) -> Iterator[str]:
        """``form.item`` of everything that another value may follow, or a condition or derivation may read."""
        references: list[ItemReference] = []
        for courses in self.courses.values():
            for course in courses:
                if course.generator.of:
                    yield course.generator.of
                if course.where is not None:
                    references += course.where.references
        for form in self.build.forms.values():
            for item in form.items.values():
                for expression in (item.when, item.derive):
                    references += () if expression is None else expression.references
        yield from (f"{reference.form}.{reference.item}" for reference in references)


@dataclass(frozen=True)
class Given:
    """An arm that a person is under from a day on."""

    arm: str
    since: date


@dataclass
class VirtualPerson:
    """One person. Values depend only on the seed, the code, the item and the encounter.

    Args:
        population: generators, scenario, chance.
        code: addresses the draws.
    """

    population: Population
    code: str
    treated: list[Given] = field(default_factory=list)
    """What was given so far, in order; empty in a world where responses do not depend on it."""
    latest: dict[str, ItemValue] = field(default_factory=dict)
    """The newest value of each ``form.item`` that is read later; a person has hundreds that are not."""
    known: Mapping[tuple[str, str], float | None] = field(default_factory=dict)
    """(``form.item``, encounter) → value that is known beforehand, None where it is missing."""

    def given(self, arm: str, day: date) -> None:
        """From this day on the person is under the arm."""
        self.treated.append(Given(arm, day))

    def fill(self, form: CompiledForm, encounter: str, day: date) -> dict[str, ItemValue]:
        """What the form would find on that day: entered items only, in the order of the form."""
        filling = _Filling(self, form, encounter, day)
        found = {
            name: value
            for name, compiled in form.items.items()
            if compiled.derive is None and not compiled.repeats and (value := filling.value(name)) is not None
        }
        for name, value in filling.values.items():
            key = f"{form.form.id}.{name}"
            if value is not None and key in self.population.remembered:
                self.latest[sys.intern(key)] = value
        return {name: value for name, value in found.items() if value != _NOT_APPLICABLE}

    def trait(self, item: str, *address: object) -> float:
        """The person's standard normal trait behind an item, correlated as declared.

        With correlations r_k to other items' traits z_k, taken as independent of each other:
        z = Σ r_k z_k + √(1 − Σ r_k²) e, so that corr(z, z_k) = r_k and var(z) = 1.
        """
        draws = self.population.draws
        own = draws.normal(self.code, item, "trait", *address)
        correlate: dict[str, float] = {}
        for course in self.population.courses.get(item, ()):
            correlate |= {other: float(r) for other, r in course.generator.correlate.items()}
        left = 1.0 - sum(r * r for r in correlate.values())
        shared = sum(r * self.trait(other) for other, r in correlate.items())
        return shared + math.sqrt(max(left, 0.0)) * own

    def months_treated(self, day: date) -> float:
        """Months since the first administration; 0 before."""
        return max((day - self.treated[0].since).days / 30.4375, 0.0) if self.treated else 0.0

    def effect(self, item: str, day: date) -> float:
        """What the arm adds to the item on that day: the present one, and what is left of an earlier one."""
        total = 0.0
        for effect in self.population.effects.get(item, ()):
            for place, given in enumerate(self.treated):
                if given.arm != effect.arm or given.since > day:
                    continue
                over = place + 1 < len(self.treated) and self.treated[place + 1].since <= day
                share = float(self.population.scenario.carry_over) if over else 1.0
                waited = (day - given.since).days / 30.4375 >= float(effect.after_months)
                total += float(effect.change) * share if waited else 0.0
        return total


class _Filling:
    """One form being filled: values are drawn when first needed, because one item may follow another."""

    def __init__(self, person: VirtualPerson, form: CompiledForm, encounter: str, day: date) -> None:
        self._person = person
        self._form = form
        self._encounter = encounter
        self._day = day
        self.values: dict[str, ItemValue | None] = {}

    def value(self, name: str) -> ItemValue | None:
        if name not in self.values:
            self.values[name] = None  # a circle of followers ends here instead of turning for ever
            self.values[name] = self._draw(self._form.items[name])
        return self.values[name]

    def _draw(self, compiled: CompiledItem) -> ItemValue | None:
        if compiled.when is not None and compiled.when.verdict(self._row(compiled.when.references)).truth is Truth.NO:
            return _NOT_APPLICABLE
        if compiled.derive is not None:
            try:
                return compiled.derived(self._row(compiled.derive.references))
            except InvalidValue:
                return None
        place = (compiled.field.key, self._encounter)
        if place in self._person.known:
            return _known(compiled, self._person.known[place])
        course = self._course(compiled.field.key)
        if course is None:
            return _ordinary(compiled, self._day, self._chance("ordinary", compiled))
        return self._generated(compiled, course.generator)

    def _course(self, key: str) -> Course | None:
        for course in self._person.population.courses.get(key, ()):
            if course.where is None or course.where.verdict(self._row(course.where.references)).truth is Truth.YES:
                return course
        return None

    def _generated(self, compiled: CompiledItem, generator: Generator) -> ItemValue | None:
        draws, key = self._person.population.draws, compiled.field.key
        if generator.missing and draws.chance(
            float(generator.missing), self._person.code, key, "missing", self._encounter
        ):
            return _NOT_DONE
        outcome = self._outcome(generator, key)
        if outcome is not None:
            return ItemValue(outcome=outcome)
        match generator.distribution:
            case "choice":
                weights = {choice: float(weight) for choice, weight in generator.choices.items()}
                return ItemValue(text=draws.choice(weights, *self._address(generator)), unit=_unit(compiled))
            case "yes":
                happens = draws.chance(float(generator.mean or 0), *self._address(generator))
                return ItemValue(text="true" if happens else "false")
            case "date":
                return ItemValue(text=self._date(generator))
            case "follow":
                return self._following(compiled, generator)
            case "uniform":
                low, high = float(generator.low or 0), float(generator.high or 1)
                at = draws.uniform(*self._address(generator))
                return self._number(compiled, generator, low + at * (high - low))
            case _:
                return self._number(compiled, generator, self._size(generator))

    def _size(self, generator: Generator) -> float:
        person, item = self._person, generator.item
        between, within = float(generator.sd_between or 0), float(generator.sd_within or 0)
        mean, trait = float(generator.mean or 0), person.trait(item)
        error = person.population.draws.normal(person.code, item, "error", self._encounter)
        trend = float(generator.trend_per_month or 0) * person.months_treated(self._day)
        effect = person.effect(item, self._day)
        if generator.distribution == "lognormal":
            # mean and SD of the values become those of their logarithms: σ² = ln(1 + SD²/mean²), μ = ln mean − σ²/2.
            variance = math.log(1 + (between / mean) ** 2)
            log_error = math.sqrt(math.log(1 + within**2)) * error
            return math.exp(math.log(mean) - variance / 2 + math.sqrt(variance) * trait + log_error + trend) + effect
        return mean + between * trait + within * error + trend + effect

    def _number(self, compiled: CompiledItem, generator: Generator, size: float) -> ItemValue:
        low = float(generator.low) if generator.low is not None else -math.inf
        high = float(generator.high) if generator.high is not None else math.inf
        return _number(compiled, min(max(size, low), high), generator.step)

    def _date(self, generator: Generator) -> str:
        draws, address = self._person.population.draws, self._address(generator)
        days = float(generator.mean or 0) + float(generator.sd_between or 0) * draws.normal(*address)
        low = float(generator.low) if generator.low is not None else -math.inf
        high = float(generator.high) if generator.high is not None else math.inf
        return (self._day - timedelta(days=round(min(max(days, low), high)))).isoformat()

    def _following(self, compiled: CompiledItem, generator: Generator) -> ItemValue | None:
        draws = self._person.population.draws
        followed = self._followed(generator.of or "")
        if followed is None or followed.missing is not None or followed.outcome is not None:
            return followed
        error = 0.0
        if generator.choices:
            weights = {choice: float(weight) for choice, weight in generator.choices.items()}
            error = float(draws.choice(weights, *self._address(generator)))
        elif generator.sd_within:
            error = float(generator.sd_within) * draws.normal(*self._address(generator))
        if compiled.item.type in ("date", "partial_date"):
            first = PartialDate.parse(followed.text or "").earliest
            return ItemValue(text=(first + timedelta(days=round(error))).isoformat())
        source = self._person.population.build.field(generator.of or "")
        number = number_of(source, followed)
        if number is None or compiled.item.type in ("boolean", "code", "text"):
            return followed
        size = float(generator.mean or 0) + float(generator.slope) * float(number) + error
        return self._number(compiled, generator, size + self._person.effect(generator.item, self._day))

    def _followed(self, key: str) -> ItemValue | None:
        form, _, item = key.partition(".")
        return self.value(item) if form == self._form.form.id else self._person.latest.get(key)

    def _outcome(self, generator: Generator, key: str) -> str | None:
        weights = {code: float(p) for code, p in generator.outcomes.items()}
        if not weights:
            return None
        weights[""] = 1 - sum(weights.values())
        draws = self._person.population.draws
        return draws.choice(weights, self._person.code, key, "outcome", self._encounter) or None

    def _address(self, generator: Generator) -> tuple[object, ...]:
        person = (self._person.code, generator.item, generator.distribution)
        return person if generator.stable else (*person, self._encounter)

    def _chance(self, what: str, compiled: CompiledItem) -> float:
        return self._person.population.draws.uniform(self._person.code, compiled.field.key, what, self._encounter)

    def _row(self, references: tuple[ItemReference, ...]) -> dict[str, Value]:
        build = self._person.population.build
        row: dict[str, Value] = {}
        for reference in references:
            if reference.form is None:
                continue
            key = f"{reference.form}.{reference.item}"
            own = reference.form == self._form.form.id and reference.encounter in (None, self._encounter)
            stored = self.value(reference.item) if own and not reference.latest else self._person.latest.get(key)
            row[reference.key] = value_of(build.field(key), stored)
        return row


def mistyped(compiled: CompiledItem, value: ItemValue) -> ItemValue | None:
    """The value as a slipping finger types it: the decimal point lost or a digit doubled; None if it cannot be."""
    if value.text is None or compiled.item.type not in ("integer", "decimal", "quantity"):
        return None
    text = value.text.replace(".", "") if "." in value.text else value.text + value.text[-1:]
    if compiled.item.type == "integer" and len(text) > 15:
        return None
    wrong = str(Decimal(text))
    return ItemValue(text=wrong, unit=value.unit) if wrong != value.text else None


def _ordinary(compiled: CompiledItem, day: date, at: float) -> ItemValue | None:
    item = compiled.item
    match item.type:
        case "boolean":
            return ItemValue(text="false")
        case "code":
            return ItemValue(text=compiled.field.codes[int(at * len(compiled.field.codes))])
        case "date" | "partial_date":
            return ItemValue(text=day.isoformat())
        case "time":
            return ItemValue(text=f"{8 + int(at * 8):02d}:{int(at * 60) % 60:02d}")
        case "text":
            return ItemValue(text="no remark") if item.required else None
        case _:
            bounds = item.range or item.possible
            low = float((bounds and bounds.low) or 0)
            high = float((bounds and bounds.high) or low + 10)
            return _number(compiled, low + (0.3 + 0.4 * at) * (high - low), None)


def _known(compiled: CompiledItem, value: float | None) -> ItemValue:
    if value is None:
        return _NOT_DONE
    if compiled.item.type == "boolean":
        return ItemValue(text="true" if value else "false")
    return _number(compiled, value, None)


def _number(compiled: CompiledItem, size: float, step: str | None) -> ItemValue:
    item = compiled.item
    whole = item.type in ("integer", "scale")
    decimals = 0 if whole else item.decimals if item.decimals is not None else 1
    unit_of_rounding = Decimal(step) if step else Decimal(1).scaleb(-decimals)
    steps = (Decimal(repr(size)) / unit_of_rounding).to_integral_value(ROUND_HALF_UP)
    rounded = (steps * unit_of_rounding).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return ItemValue(text=str(rounded + 0), unit=_unit(compiled))


def _unit(compiled: CompiledItem) -> str | None:
    return compiled.item.units[0] if compiled.item.type == "quantity" else None


def weights_of(shares: Mapping[str, str]) -> dict[str, float]:
    """Shares as declared, as numbers."""
    return {key: float(share) for key, share in shares.items()}

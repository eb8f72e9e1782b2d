"""People drawn from ``simulation.yaml`` look like those of the publications, and staff would not drown in queries."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from trialwright.build import Build, CompiledForm, ItemReference, ItemValue, number_of, value_of
from trialwright.expressions import Value
from trialwright.foundation.quantities import Quantity
from trialwright.foundation.truth import Truth
from trialwright.rehearsal.draws import Draws
from trialwright.rehearsal.values import Population, VirtualPerson

PEOPLE = 150
DAY = date(2024, 1, 1)


@dataclass
class Cohort:
    """What was seen in a cohort of virtual people at screening and baseline."""

    numbers: dict[str, list[float]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    not_fitting: int = 0
    checks_asked: Counter[str] = field(default_factory=Counter)
    checks_failed: Counter[str] = field(default_factory=Counter)


@dataclass
class Visit:
    """One person's values, by ``form.item``; earlier visits stay."""

    build: Build
    person: VirtualPerson
    values: dict[str, ItemValue] = field(default_factory=dict)

    def attend(self, encounter: str, day: date, cohort: Cohort) -> None:
        for name in self.build.study.encounters[encounter].forms:
            form = self.build.forms[name]
            for item, value in self.person.fill(form, encounter, day).items():
                self.values[f"{name}.{item}"] = value
            self._derive(form)
            for check in form.checks:
                truth = check.verdict(self.row(check.condition.references)).truth
                cohort.checks_asked[f"{name}.{check.check.id}"] += truth is not Truth.UNKNOWN
                cohort.checks_failed[f"{name}.{check.check.id}"] += truth is Truth.NO
            for item in form.items:
                self._note(f"{name}.{item}", cohort)

    def facts(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name, fact in self.build.facts.items():
            if fact.source is None:
                found[name] = True
                continue
            answer = fact.source.evaluate(self.row(fact.source.references))
            if hasattr(answer, "truth"):
                found[name] = {Truth.YES: True, Truth.NO: False}.get(answer.truth)
            elif fact.fact.unit is not None and answer.value is not None:
                found[name] = Quantity(str(answer.value), fact.fact.unit)
            else:
                found[name] = answer.value
        return found

    def row(self, references: tuple[ItemReference, ...]) -> dict[str, Value]:
        keys = {reference.key: f"{reference.form}.{reference.item}" for reference in references}
        return {key: value_of(self.build.field(item), self.values.get(item)) for key, item in keys.items()}

    def _derive(self, form: CompiledForm) -> None:
        for item in form.derivation_order:
            compiled = form.items[item]
            assert compiled.derive is not None
            self.values[f"{form.form.id}.{item}"] = compiled.derived(self.row(compiled.derive.references))

    def _note(self, key: str, cohort: Cohort) -> None:
        value = self.values.get(key)
        number = None if value is None or value.missing else number_of(self.build.field(key), value)
        if number is not None:
            cohort.numbers.setdefault(key, []).append(float(number))


@pytest.fixture(scope="module")
def cohort(smart_ms_build: Build) -> Cohort:
    build, found = smart_ms_build, Cohort()
    scenario = next(s for s in build.study.simulation.scenarios if s.kind == "null")
    population = Population(build, scenario, Draws(2021))
    for n in range(PEOPLE):
        visit = Visit(build, VirtualPerson(population, f"person-{n}"))
        visit.attend("screening", DAY, found)
        facts = visit.facts()
        verdicts = {name: c.verdict(facts).truth for name, c in build.criteria.items() if c.condition is not None}
        found.failed.update(name for name, truth in verdicts.items() if truth is Truth.NO)
        found.unknown.update(name for name, truth in verdicts.items() if truth is Truth.UNKNOWN)
        found.not_fitting += Truth.NO in verdicts.values()
        visit.attend("baseline", DAY + timedelta(days=56), found)
    return found


def test_some_people_fail_screening_and_most_do_not(cohort: Cohort) -> None:
    assert 0.12 <= cohort.not_fitting / PEOPLE <= 0.40


def test_screening_fails_for_many_different_reasons(cohort: Cohort) -> None:
    assert len(cohort.failed) >= 8


def test_no_criterion_stays_open_when_every_form_is_filled(cohort: Cohort) -> None:
    assert not cohort.unknown


@pytest.mark.parametrize(
    ("item", "median", "margin"),
    [
        ("edss.rater_score", 6.0, 0.5),  # published: median 6 at entry
        ("symbol_digit.correct", 39.9, 4.0),  # published: mean 39.9
        ("nine_hole_peg.mean_time", 31.4, 5.0),  # of a log-normal with mean 35.8 and SD 19.6
        ("haematology.platelets", 250, 20),
    ],
)
def test_people_are_where_publications_put_them(cohort: Cohort, item: str, median: float, margin: float) -> None:
    assert statistics.median(cohort.numbers[item]) == pytest.approx(median, abs=margin)


def test_the_rater_misses_the_computed_score_at_about_one_visit_in_seven(cohort: Cohort) -> None:
    share = cohort.checks_failed["edss.scores_agree"] / cohort.checks_asked["edss.scores_agree"]
    assert share == pytest.approx(0.15, abs=0.06)


def test_other_checks_fire_seldom(cohort: Cohort) -> None:
    """A check that fires at one visit in ten asks staff to confirm what is ordinary."""
    often = {
        check: f"{failed} of {cohort.checks_asked[check]}"
        for check, failed in cohort.checks_failed.items()
        if check != "edss.scores_agree" and failed > 0.1 * cohort.checks_asked[check]
    }
    assert often == {}


def test_every_check_of_the_first_visits_can_be_answered(cohort: Cohort) -> None:
    never = {check for check, asked in cohort.checks_asked.items() if not asked}
    # Whoever never had the medicine or the disease has no date; 150 people are enough for some of each.
    assert never == set()

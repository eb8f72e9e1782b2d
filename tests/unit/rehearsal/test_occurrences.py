"""Events that are written down when they happen come at the declared rate, and at the arm's multiple of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from trialwright.protocol import load_study
from trialwright.rehearsal import occurrences
from trialwright.rehearsal.draws import Draws
from trialwright.rehearsal.occurrences import Occurrences
from trialwright.rehearsal.values import Given

FOLDER = Path(__file__).parents[3] / "studies" / "frexalimab-sc-iv"
FIRST = date(2026, 1, 5)
LATER = FIRST + timedelta(days=168)


@dataclass
class Alone:
    """As much of a world as one person's events need."""

    study: object
    known: object = None
    draws: Draws = field(default_factory=lambda: Draws(3))

    def build_at(self, site):
        return SimpleNamespace(study=self.study)

    def after(self, **duration):
        return duration


@pytest.fixture(scope="module")
def study():
    return load_study(FOLDER).study


@pytest.fixture
def pages(monkeypatch):
    found = []
    fill = lambda world, person, site, page, day: found.append((person.code, page, day))  # noqa: E731
    monkeypatch.setattr(occurrences.visits, "fill", fill)
    return found


def person(study, code, arm=None):
    scenario = next(each for each in study.simulation.scenarios if each.id == "fewer_lesions")
    treated = [Given(arm, FIRST)] if arm else []
    return SimpleNamespace(code=code, treated=treated, population=SimpleNamespace(scenario=scenario))


@pytest.mark.parametrize(("arm", "ratio"), [(None, 1.0), ("intravenous", 1.0), ("subcutaneous", 0.7)])
def test_events_come_at_the_declared_rate_times_the_ratio_of_the_arm(study, pages, arm, ratio):
    world, people = Alone(study), 2000
    for number in range(people):
        told = Occurrences(world, person(study, f"P{number}", arm), "01")
        assert list(told.tell("baseline", FIRST)) == []
        list(told.tell("week_24", LATER))

    expected = 1 - math.exp(-0.02 * ratio * 168 / 30.4375)
    assert len(pages) / people == pytest.approx(expected, abs=4 * (expected * (1 - expected) / people) ** 0.5)
    assert {(page.form, page.repeat, day) for _, page, day in pages} == {("relapse", 1, LATER)}


def test_a_further_event_is_a_further_row_of_the_running_form(study, pages):
    told = Occurrences(Alone(study), person(study, "P1"), "01")
    for number in range(60):
        list(told.tell(f"visit {number}", FIRST + timedelta(days=168 * number)))

    assert [page.repeat for _, page, _ in pages] == list(range(1, len(pages) + 1))
    assert len(pages) > 1


def test_where_values_are_known_beforehand_nothing_further_happens(study, pages):
    for number in range(200):
        told = Occurrences(Alone(study, known=object()), person(study, f"P{number}"), "01")
        list(told.tell("baseline", FIRST))
        list(told.tell("week_24", LATER))

    assert pages == []

"""Figures tell their numbers in words, too; the numbers are counted again here."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from lxml import etree

from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.figures import forest, profiles, survival_curves
from trialwright.analysis.groups import Groups
from trialwright.analysis.words import Words
from trialwright.statistics import kaplan_meier

VISITS = ("week_2", "week_12")


def shown(plan, *, pooled=False, mark=""):
    words = Words("en")
    return SimpleNamespace(plan=plan, words=words, mark=mark, groups=Groups(plan, words, pooled=pooled))


@pytest.fixture
def survival(parallel):
    time = np.arange(1.0, 25.0)
    censored = (np.arange(24) % 3 == 0) * 1.0
    return parallel(
        "time_to_event", ["week_12"], [{"id": "m", "method": "cox", "terms": ["arm"]}], [time], CNSR=censored
    )


def test_a_survival_figure_tells_the_curve_and_the_numbers_at_risk(survival):
    figure = survival_curves(shown(survival), survival.items[0], "km", "Survival")
    rows = survival.frames["ADTTE"]
    for group in Groups(survival, Words("en"), pooled=False).of_treatments:
        own = rows[rows["TRTP"] == group.id]
        last = kaplan_meier(own["AVAL"], 1 - own["CNSR"]).survival[-1]
        risk = ", ".join(str(int((own["AVAL"] >= at).sum())) for at in (0, 7, 14, 21))
        assert f"{group.label}: {last:.2f}; At risk {risk}" in figure.alt
    assert etree.fromstring(figure.svg.encode()).tag.endswith("svg")


def test_a_pooled_survival_figure_has_one_curve(survival):
    figure = survival_curves(shown(survival, pooled=True), survival.items[0], "km", "Survival")
    assert "All: " in figure.alt
    assert not [arm.id for arm in survival.study.identity.arms if arm.id in figure.alt]


def test_a_profile_tells_the_means_of_each_visit_by_arm(parallel):
    values = [np.arange(24.0), np.arange(24.0) * 2]
    plan = parallel("value", list(VISITS), [{"id": "m", "method": "mmrm", "terms": ["arm", "visit"]}], values)
    figure = profiles(shown(plan), plan.items[0], "profile", "Course")
    rows = plan.frames["ADEFF"]
    for group in Groups(plan, Words("en"), pooled=False).of_treatments:
        own = rows[rows["TRTP"] == group.id]
        means = ", ".join(f"{own.loc[own['AVISIT'] == visit, 'AVAL'].mean():.2f}" for visit in VISITS)
        assert f"{group.label}: {means}" in figure.alt


def test_a_forest_without_any_result_is_refused_with_its_reason(parallel):
    plan = parallel("value", ["week_12"], [{"id": "m", "method": "ancova"}], [np.zeros(24)])
    with pytest.raises(PlanCannotRun, match="nothing could be estimated"):
        forest(shown(plan), (), "forest", "Forest")


def test_a_figure_is_the_same_each_time_and_shows_the_mark(survival):
    one, two = (survival_curves(shown(survival), survival.items[0], "km", "Survival").svg for _ in range(2))
    marked = survival_curves(shown(survival, mark="DUMMY"), survival.items[0], "km", "Survival").svg
    assert one == two
    assert "#b00020" in marked and "#b00020" not in one

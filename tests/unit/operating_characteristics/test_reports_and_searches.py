"""Pages, tables, the search for the fewest participants, randomisation methods, and the grid."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy import stats

from trialwright.operating_characteristics import (
    CannotSimulate,
    Plan,
    Report,
    as_csv,
    as_html,
    assess,
    report,
    run,
    sample_size,
    settings,
    workers,
)
from trialwright.operating_characteristics.conduct import Conduct, tally_conduct
from trialwright.operating_characteristics.randomisation_methods import re_randomisation_size
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.tallies import mean_and_error
from trialwright.protocol.simulation import Grid, Misrating

HERE = workers("joblib", 1)


def _with_grids(study, *grids: Grid):
    return study.model_copy(update={"simulation": study.simulation.model_copy(update={"grids": grids})})


def test_a_grid_is_the_product_of_its_lists_and_points_are_simulated_once(smart_ms):
    grid = Grid(scenarios=("hoped",), participants=(12, 18), effect=("0.5", "1"))
    again = Grid(scenarios=("hoped",), participants=(18,))

    points = settings(_with_grids(smart_ms.study, grid, again))

    assert [point.id for point in points] == [
        "hoped, participants 12, effect 0.5",
        "hoped, participants 12",
        "hoped, effect 0.5",
        "hoped",
    ]


def test_every_key_of_a_grid_reaches_the_setting(smart_ms):
    grid = Grid(
        scenarios=("carry_over",), participants=(20,), effect=("2",), spread=("3",), covariance=("autoregressive",),
        dropout_per_year=("0.3",), missed_visit=("0.2",), carry_over=("0.6",), manufacture_failure=("0.1",),
        misrating=(Misrating(share="0.15", by="0.5"),), accrual=("1.5",), models=("primary_ancova",),
    )  # fmt: skip

    (point,) = settings(_with_grids(smart_ms.study, grid))

    assert (point.participants, point.effect, point.spread, point.covariance) == (20, 2.0, 3.0, "autoregressive")
    assert (point.dropout_per_year, point.missed_visit, point.carry_over) == (0.3, 0.2, 0.6)
    assert (point.manufacture_failure, point.misrated, point.misrated_by, point.accrual) == (0.1, 0.15, 0.5, 1.5)
    assert point.models == ("primary_ancova",)


class _Balanced(HTMLParser):
    """Remembers tags that were opened and not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Closes itself."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_table_and_page_hold_every_answer(smart_ms):
    grids = (
        Grid(scenarios=("hoped",), participants=(12, 18, 24), models=("primary_ancova", "crossover_mixed")),
        Grid(scenarios=("carry_over",), participants=(12, 18), carry_over=("0", "0.5"), models=("crossover_mixed",)),
    )
    points = settings(_with_grids(smart_ms.study, *grids))
    plan = Plan(smart_ms.canonical, points, (100,) * len(points), seed=1)
    found = report(smart_ms.study, plan, run(plan, HERE))

    tables = {name: list(csv.DictReader(io.StringIO(text))) for name, text in as_csv(found).items()}
    assert tables.keys() == {"answers", "conduct"}
    rows = tables["answers"]
    assert len(rows) == len(found.answers) == 10
    assert (float(rows[0]["significant"]), float(rows[0]["significant_mcse"])) == found.answers[0].significant
    assert len(tables["conduct"]) == len(found.conduct) == len(points)
    assert (
        float(tables["conduct"][0]["without"]), float(tables["conduct"][0]["without_mcse"])
    ) == found.conduct[0].without  # fmt: skip
    page = as_html(found)
    parser = _Balanced()
    parser.feed(page.removeprefix("<!doctype html>"))
    assert parser.open == []
    for answer in found.answers:
        assert answer.sentence() in page
    assert page.count("<polyline") == 2
    assert page.count("<rect") == 4
    assert not re.search(r"\b(src|href)=|url\(|<script", page), "nothing comes from elsewhere"


def test_the_fewest_participants_are_those_of_the_formula(smart_ms):
    """An ANCOVA without drop-out: the noncentral t distribution tells the power."""
    point = replace(
        settings(smart_ms.study, scenarios=("hoped",), grids=False)[0],
        dropout_per_year=0.0, missed_visit=0.0, manufacture_failure=0.0,
    )  # fmt: skip
    plan = Plan(smart_ms.canonical, (point,), (1,), seed=3)

    found = sample_size(plan, "primary_ancova", 0.8, HERE)

    assert found.participants is not None
    assert abs(found.participants - _by_formula(2.0, 1.52, 0.8)) <= 2
    powers = {each.participants: each.power for each in found.tried}
    assert powers[found.participants] >= 0.8
    assert powers[found.participants - 2] < 0.8


def _by_formula(difference: float, sd: float, target: float) -> int:
    n = 6
    while True:
        df, shift = n - 3, difference / (sd * (4 / n * (1 + 1 / (n - 4))) ** 0.5)
        limit = stats.t.ppf(0.975, df)
        if 1 - stats.nct.cdf(limit, df, shift) + stats.nct.cdf(-limit, df, shift) >= target:
            return n
        n += 2


def test_a_search_without_an_effect_or_a_power_is_refused(smart_ms):
    points = settings(smart_ms.study, scenarios=("no_difference",), grids=False)
    plan = Plan(smart_ms.canonical, points, (1,), seed=3)

    with pytest.raises(CannotSimulate, match="no scenario has an effect"):
        sample_size(plan, "primary_ancova", 0.8, HERE)
    with pytest.raises(CannotSimulate, match="target power"):
        sample_size(plan, "primary_ancova", 1.0, HERE)


def test_methods_are_shown_side_by_side_with_the_known_predictability(smart_ms):
    found = assess(smart_ms.study, participants=18, seed=1)

    assert [each.declared for each in found] == [True, *[False] * (len(found) - 1)]
    shares = {each.method: 100 * each.predictability[0] for each in found}
    known = {
        "permuted_blocks (size 2)": 75.0,
        "permuted_blocks (size 4)": 69.5,
        "random_permuted_blocks (sizes 2/4/6)": 69.6,
        "random_allocation_rule": 62.2,
        "maximal_procedure (tolerance 3)": 60.9,
        "big_stick (tolerance 3)": 57.1,
        "complete": 50.1,
    }
    for method, share in known.items():
        assert shares[method] == pytest.approx(share, abs=0.15)
    (own, *_) = csv.DictReader(io.StringIO(as_csv(_nothing(smart_ms), found)["methods"]))
    assert (own["declared"], float(own["size"])) == ("1", found[0].size[0])
    for each in found:
        assert abs(each.size[0] - 0.05) < 4 * (0.05 * 0.95 / BLOCK) ** 0.5 + 0.001


def _nothing(build) -> Report:
    return Report(build.study.identity.id, 1, 0.05, (), (), (), ())


def test_the_re_randomisation_test_counts_lists_that_differ_as_much():
    lists = np.array([[1, 0, 1, 0], [0, 1, 1, 0]], dtype=np.int8)
    every = np.array(
        [[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]], dtype=np.int8
    )
    outcomes = np.array([[9.0, 1.0, 8.0, 2.0], [1.0, 2.0, 1.0, 2.0]]).T

    # First trial: its difference of 7 is reached by 2 of 6 lists, p = 3/7. Second: 0 by all, p = 1.
    assert re_randomisation_size(lists, every, outcomes, 3 / 7 + 1e-9)[0] == 0.5
    assert re_randomisation_size(lists, every, outcomes, 3 / 7 - 1e-9)[0] == 0.0


def test_accrual_and_product_have_their_expectations():
    world = Conduct(participants=18, per_month=0.6, follow_up=20.0, collections=(0.0, 6.0), failure=0.27)
    sums = tally_conduct(world, Streams(2, "common", 0), BLOCK)

    for name, expected in (
        ("accrual", 30.0),
        ("duration", 50.0),
        ("failed_products", 36 * 0.27),
        ("cancelled_slots", 36 * 0.27),
        ("without", 18 * (1 - 0.73**2)),
    ):
        _assert_mean(sums, name, expected)
    assert sums["some_without"] / BLOCK == pytest.approx(1 - 0.73**36, abs=0.002)


def _assert_mean(sums: dict[str, float], name: str, expected: float) -> None:
    found = mean_and_error(sums, name, f"{name}_count")
    assert found is not None
    assert abs(found[0] - expected) < 4 * found[1]


def test_a_product_is_tried_again_as_often_as_the_study_allows():
    world = Conduct(participants=18, per_month=0.6, follow_up=20.0, collections=(0.0, 6.0), failure=0.27, attempts=2)
    sums = tally_conduct(world, Streams(2, "common", 0), BLOCK)

    _assert_mean(sums, "failed_products", 36 * (0.27 + 0.27**2))
    _assert_mean(sums, "cancelled_slots", 36 * 0.27**2)
    some = 1 - (1 - 0.27**2) ** 36
    assert sums["some_without"] / BLOCK == pytest.approx(some, abs=4 * (some * (1 - some) / BLOCK) ** 0.5)


@pytest.mark.parametrize("places", [1, 2, 3, 100])
def test_the_laboratory_is_full_when_a_product_begins_while_all_places_are_taken(places):
    """A plain reference: the arrivals of each trial, product after product."""
    world = Conduct(
        participants=6, per_month=1.5, follow_up=9.0, collections=(0.0, 2.5), failure=0.4, attempts=2,
        places=places, months=1.0,
    )  # fmt: skip
    streams = Streams(2, "common", 0)
    waits = -np.log(streams.uniforms("accrual", 6)) / 1.5
    luck = streams.uniforms("not given", 12).reshape(6, 2, BLOCK)
    full = 0
    for trial in range(200):
        begins, now = [], 0.0
        for person in range(6):
            now += waits[person, trial]
            for slot, collection in enumerate((0.0, 2.5)):
                begins.append(now + collection)
                if luck[person, slot, trial] < 0.4:
                    begins.append(now + collection + 1.0)
        full += any(sum(begin <= other < begin + 1.0 - 1e-9 for begin in begins) > places for other in begins)

    assert tally_conduct(world, streams, 200)["too_few_places"] == full

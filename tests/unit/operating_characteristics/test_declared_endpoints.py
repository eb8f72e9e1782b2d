"""Times to events, looks, strata and slots, as a study file declares them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from trialwright.build import Build, check_study, compile_study
from trialwright.operating_characteristics import (
    BLOCK,
    CannotSimulate,
    Plan,
    Streams,
    as_csv,
    as_html,
    cases,
    replay,
    report,
    run,
    sample_size,
    settings,
    workers,
)
from trialwright.operating_characteristics.lists import allocation_lists, declared_design, strata_shares
from trialwright.operating_characteristics.running import COMMON
from trialwright.protocol import LoadedStudy, load_study
from trialwright.statistics import spending_boundaries
from trialwright.statistics.group_sequential import lan_demets_obrien_fleming

HERE = workers("joblib", 1)
RATE, RATIO = 0.04, 0.5


@pytest.fixture(scope="module")
def loaded(request) -> LoadedStudy:
    """The folder, as it was read."""
    return load_study(request.config.rootpath / "studies" / "frexalimab-sc-iv")


@pytest.fixture(scope="module")
def frexalimab(loaded) -> Build:
    """Parallel arms, 240 participants, lists for each site and level."""
    return compile_study(loaded)


@pytest.fixture(scope="module")
def timed(frexalimab) -> Build:
    """The same with a time to the first relapse, rate 0.04 a month, halved by injections."""
    from trialwright.protocol.analysis import Endpoint, Estimand, Model
    from trialwright.protocol.simulation import EventTime, HazardRatio, Looks

    study = frexalimab.study
    text = study.analysis.endpoints[0].label
    plan = study.analysis
    endpoint = Endpoint(
        id="first_relapse", label=text, item="relapse.start", measure="time_to_event", at=("week_48",), better="lower"
    )
    estimand = Estimand(
        id="relapse", label=text, kind="exploratory", population="full_analysis", endpoint="first_relapse",
        summary="hazard_ratio",
    )  # fmt: skip
    models = tuple(
        Model(id=name, estimand="relapse", role="main", method=name, terms=("arm",)) for name in ("logrank", "cox")
    )
    analysis = plan.model_copy(
        update={
            "endpoints": (*plan.endpoints, endpoint),
            "estimands": (*plan.estimands, estimand),
            "models": (*plan.models, *models),
        }
    )
    scenarios = tuple(
        each.model_copy(
            update={
                "hazard_ratios": ()
                if each.kind == "null"
                else (HazardRatio(endpoint="first_relapse", arm="subcutaneous", ratio=str(RATIO)),)
            }
        )
        for each in study.simulation.scenarios
    )
    simulation = study.simulation.model_copy(
        update={
            "scenarios": scenarios,
            "event_times": (EventTime(endpoint="first_relapse", per_month=str(RATE)),),
            "looks": (
                Looks(id="half", model="logrank", fractions=("0.5", "1"), boundaries="lan_demets_obrien_fleming"),
            ),
            "grids": (),
        }
    )
    return replace(frexalimab, study=study.model_copy(update={"analysis": analysis, "simulation": simulation}))


def _found(build: Build, scenario: str, **changes):
    (point,) = settings(build.study, scenarios=(scenario,), grids=False)
    found, _ = cases(build.study, replace(point, models=("logrank", "cox"), **changes), 1)
    return found


def test_a_time_to_an_event_comes_at_the_declared_rate_and_is_followed_to_the_last_encounter(timed):
    logrank, cox = _found(timed, "fewer_lesions", dropout_per_year=0.0)
    data = logrank.world.simulate(Streams(1, COMMON, 0))

    months = 48 * 7 / 30.4375
    assert logrank.truth == pytest.approx(np.log(RATIO))
    assert logrank.measure == "log_hazard_ratio"
    assert data.time.max() == pytest.approx(months)
    for group, rate in ((0, RATE), (1, RATE * RATIO)):
        happened = data.event[data.group == group]
        expected = 1 - np.exp(-rate * months)
        assert happened.mean() == pytest.approx(expected, abs=5 * (0.25 / happened.size) ** 0.5)
    assert any("Cox" in note for note in cox.notes)


def test_who_drops_out_is_followed_to_that_day_only(timed):
    (all_stay, _), (some_leave, _) = (_found(timed, "no_difference", dropout_per_year=d) for d in (0.0, 0.5))
    streams = Streams(1, COMMON, 0)
    stay, leave = all_stay.world.simulate(streams), some_leave.world.simulate(streams)

    assert (leave.time <= stay.time).all()
    # Without an event: shares e^(−(rate + loss) T) reach the end.
    reached = np.exp(-(RATE - np.log(0.5) / 12) * 48 * 7 / 30.4375)
    assert (leave.time >= stay.time.max() * (1 - 1e-12)).mean() == pytest.approx(reached, abs=0.005)


def test_half_an_effect_is_the_root_of_a_hazard_ratio(timed):
    logrank, _ = _found(timed, "fewer_lesions", effect=0.5)

    assert logrank.truth == pytest.approx(0.5 * np.log(RATIO))


def test_an_event_without_a_declared_rate_is_named_as_not_simulated(timed):
    simulation = timed.study.simulation.model_copy(update={"event_times": ()})
    study = timed.study.model_copy(update={"simulation": simulation})
    (point,) = settings(study, scenarios=("no_difference",), grids=False)

    _, left_out = cases(study, point, 1)

    assert {each.model: each.why for each in left_out}["logrank"].startswith("nothing says how often the event")


def test_looks_have_the_declared_boundaries_and_agree_with_the_full_functions(timed):
    logrank, _ = _found(timed, "fewer_lesions", participants=60)
    ((name, looks),) = logrank.looks
    data = logrank.world.simulate(Streams(2, COMMON, 0))
    crossed = looks.first_crossing(data)

    assert (name, looks.participants) == ("half", (30, 60))
    assert looks.bounds == pytest.approx(spending_boundaries([0.5, 1], lan_demets_obrien_fleming(0.05)))
    assert [looks.first_crossing_of(data, trial) for trial in range(25)] == crossed[:25].tolist()
    assert 0 < (crossed == 1).mean() < (crossed == 2).mean()


def test_the_answer_of_looks_says_where_trials_stop_and_how_many_people_they_need(frexalimab):
    (point,) = settings(frexalimab.study, scenarios=("fewer_lesions",), grids=False)
    plan = Plan(frexalimab.canonical, (replace(point, models=("lesion_rate",)),), (400,), seed=3)

    found = report(frexalimab.study, plan, run(plan, HERE))

    (looks,) = found.looks
    assert looks.participants == (120, 240)
    stops = [share for share, _ in looks.stopped]
    assert sum(stops) == pytest.approx(looks.significant[0])
    assert looks.needed is not None
    assert looks.needed[0] == pytest.approx(240 - 120 * stops[0])
    assert looks.sentence().replace("|", "") in as_html(found)
    assert found.as_dict()["looks"]
    table = as_csv(found)["looks"].splitlines()
    assert [line.split(",")[-6] for line in table[1:]] == [repr(stop) for stop, _ in looks.stopped]


def test_a_look_at_too_few_participants_is_named_as_not_simulated(frexalimab):
    (point,) = settings(frexalimab.study, scenarios=("fewer_lesions",), participants=6, grids=False)

    _, left_out = cases(frexalimab.study, point, 1)

    assert any(each.model == "lesion_rate" and "looks after [3, 6]" in each.why for each in left_out)


def test_a_replayed_time_to_an_event_is_drawn_as_curves(timed):
    (point,) = settings(timed.study, scenarios=("fewer_lesions",), grids=False)
    found, _ = cases(timed.study, replace(point, models=("logrank",)), 1)
    data = found[0].world.simulate(Streams(1, COMMON, 0))
    again = data.again(3, [values for _, values in data.rows(3)])

    full = found[0].analysis.reference(data, 3)
    assert found[0].analysis.reference(again, 0) == full
    assert found[0].analysis.analyse(data).one(3).value == pytest.approx(full.value)


def test_each_stratum_is_allocated_from_a_list_of_its_own(frexalimab):
    """Within a stratum blocks of 2 or 4 are never more than 2 apart; over all 12 strata together they may be."""
    study = frexalimab.study
    shares = strata_shares(study)
    design = declared_design(study)
    one = allocation_lists(design, 240, 1, 200)
    many = allocation_lists(design, 240, 1, 200, shares=shares)

    assert len(shares) == len(study.sites) * 2
    assert sum(shares) == pytest.approx(1.0)
    apart = [np.abs(240 - 2 * lists.sum(axis=1)).mean() for lists in (one, many)]
    assert apart[0] < 1.0
    # The last block of each of 12 strata is cut: its surplus is 0 to 2, with either sign.
    assert 1.5 < apart[1] < 6.0


def test_a_rare_stratum_has_few_participants(frexalimab):
    accrual = {entry.site: float(entry.per_month) for entry in frexalimab.study.simulation.accrual}
    shares = np.array(strata_shares(frexalimab.study)).reshape(len(frexalimab.study.sites), 2).sum(axis=1)
    expected = np.array([accrual[site] for site in frexalimab.study.sites])

    assert shares == pytest.approx(expected / expected.sum())


def test_two_endpoints_of_one_item_see_the_same_people_in_one_trial(smart_ms):
    (point,) = settings(smart_ms.study, scenarios=("hoped",), grids=False)
    plan = Plan(smart_ms.canonical, (point,), (1,), seed=1)
    shown = {each.model: each for each in replay(plan, 0, 17)}

    first, both = shown["primary_ancova"].rows, shown["crossover_mixed"].rows
    assert [row.values for row in first] == [row.values[:2] for row in both]
    other = shown["brain_volume_ancova"].rows
    correlation = stats.pearsonr([row.values[0] for row in first], [row.values[0] for row in other])
    assert abs(correlation.statistic) < 0.9


def test_products_that_fail_twice_are_not_given(smart_ms):
    """custody.yaml allows one further collection: 0.27 fails at 0.27² of the slots."""
    (point,) = settings(smart_ms.study, scenarios=("hoped",), grids=False)
    found, _ = cases(smart_ms.study, replace(point, models=("primary_ancova",)), 1)
    world = found[0].world

    assert world.not_given is not None
    assert sorted(set(world.not_given.ravel().tolist())) == pytest.approx([0.0, 0.27**2])
    bare, treated = (replace(world, shifts=world.shifts * k).simulate(Streams(1, COMMON, 0)) for k in (0, 1))
    got = (treated.y - bare.y)[:, 1][np.broadcast_to(treated.group == 0, bare.y[:, 1].shape)]
    assert (got == 0).mean() == pytest.approx(0.27**2, abs=4 * (0.07 / (9 * BLOCK)) ** 0.5)


def test_what_cannot_be_simulated_by_name_is_refused(timed):
    (point,) = settings(timed.study, scenarios=("no_difference",), grids=False)

    with pytest.raises(CannotSimulate, match="follows by steps"):
        cases(timed.study, replace(point, models=("edss_mmrm",)), 1)


def test_a_study_file_reaches_the_log_rank_kernel_and_its_answer_is_in_plain_words(frexalimab):
    """Rate 0.02 a month, ratio 0.7, 240 participants over 47 weeks: Schoenfeld 1981 tells the power."""
    (point,) = settings(frexalimab.study, scenarios=("fewer_lesions",), grids=False)
    point = replace(point, models=("relapse_logrank",), dropout_per_year=0.0, effect=2.0)
    plan = Plan(frexalimab.canonical, (point,), (BLOCK,), seed=5)

    (answer,) = report(frexalimab.study, plan, run(plan, HERE)).answers

    log_ratio = 2 * np.log(0.7)
    months = (found := cases(frexalimab.study, point, 5)[0])[0].world.follow_up_months
    events = 120 * sum(1 - np.exp(-0.02 * ratio * months) for ratio in (1.0, 0.49))
    expected = stats.norm.sf(stats.norm.isf(0.025) - abs(log_ratio) * (events / 4) ** 0.5)
    assert [case.model for case in found] == ["relapse_logrank"]
    assert answer.truth == pytest.approx(log_ratio)
    assert answer.significant[0] == pytest.approx(expected, abs=3 * answer.significant[1] + 0.02)
    assert answer.sentence().startswith("With 240 participants this design finds a hazard ratio of 0.49 in ")


@pytest.mark.parametrize(("item", "refused"), [("relapse.start", False), ("ms_history.diagnosed", True)])
def test_an_event_is_written_down_when_it_happens_or_asked_for_at_the_visits_that_the_plan_names(
    loaded, item, refused
):
    plan = loaded.study.analysis
    endpoints = tuple(
        each.model_copy(update={"item": item}) if each.id == "first_relapse" else each for each in plan.endpoints
    )
    changed = loaded.study.model_copy(update={"analysis": plan.model_copy(update={"endpoints": endpoints})})

    found = [each for each in check_study(replace(loaded, study=changed)) if each.rule == "TW142"]

    assert bool(found) == refused


def test_the_search_for_the_fewest_participants_tries_no_looks_and_says_the_same_with_two_workers(request):
    study = compile_study(load_study(request.config.rootpath / "studies" / "ocrelizumab-sc"))
    points = settings(study.study, scenarios=("more_in_blood",), grids=False)
    plan = Plan(study.canonical, points, (1,), seed=1)
    assert study.study.simulation.looks[0].model == "level_ancova"

    found = [sample_size(plan, "level_ancova", 0.8, each, most_trials=BLOCK) for each in (HERE, workers("joblib", 2))]

    assert found[0].participants is not None
    assert found[0] == found[1]


def test_an_error_of_a_worker_arrives_as_it_is(frexalimab):
    points = settings(frexalimab.study, scenarios=("fewer_lesions",), participants=6, grids=False)
    plan = Plan(frexalimab.canonical, (replace(points[0], models=("lesion_rate",)),), (10,), seed=1)

    with pytest.raises(CannotSimulate, match=r"looks after \[3, 6\]"):
        run(plan, workers("joblib", 2))

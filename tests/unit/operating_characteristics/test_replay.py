"""One trial again: its figure, and its values through the commands of a rehearsal."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trialwright.cli.application import app
from trialwright.foundation.errors import InvalidValue
from trialwright.operating_characteristics import CannotSimulate, Plan, from_record, known_values, replay, settings
from trialwright.operating_characteristics.courses import parts
from trialwright.operating_characteristics.figures import event_curves
from trialwright.protocol.simulation import Grid

STUDIES = Path(__file__).parents[3] / "studies"


@pytest.fixture(scope="module")
def plan(smart_ms) -> Plan:
    (point,) = settings(smart_ms.study, scenarios=("hoped",), grids=False)
    return Plan(smart_ms.canonical, (point,), (1,), seed=1)


def test_a_value_of_a_sum_is_shared_out_among_its_items(smart_ms):
    for value in (8.4712, -3.0, 0.0):
        found = parts(smart_ms.study, "evoked_potentials.combined_score", value)

        assert set(found) == {f"evoked_potentials.{name}" for name in ("sep_z", "vep_z", "mep_z")}
        assert sum(part for part in found.values() if part is not None) == pytest.approx(value)
    assert set(parts(smart_ms.study, "evoked_potentials.combined_score", None).values()) == {None}
    assert parts(smart_ms.study, "mri.brain_volume", 1400.0) == {"mri.brain_volume": 1400.0}


def test_what_to_enter_holds_every_value_of_the_trial(smart_ms, plan):
    known = known_values(smart_ms.study, plan, 0, 17)
    shown = {each.model: each for each in replay(plan, 0, 17)}["crossover_mixed"]

    assert known.labels == tuple(shown.groups[row.group] for row in shown.rows)
    for place, row in enumerate(shown.rows):
        for visit, value in zip(shown.visits, row.values, strict=True):
            entered = [
                known.values[place, f"evoked_potentials.{name}", visit] for name in ("sep_z", "vep_z", "mep_z")
            ]
            if value is None:
                assert entered == [None] * 3
            else:
                assert sum(part or 0.0 for part in entered) == pytest.approx(value)


def test_values_that_come_back_unchanged_have_the_same_estimates(plan):
    shown = {each.model: each for each in replay(plan, 0, 5)}
    values = {
        (row.participant - 1, each.endpoint, visit): value
        for each in shown.values()
        for row in each.rows
        for visit, value in zip(each.visits, row.values, strict=True)
    }
    items = {"evoked_potentials.combined_score": "ep_both_periods", "mri.brain_volume": "brain_volume_change"}

    found = from_record(plan, 0, 5, lambda place, item, visit: values.get((place, items.get(item, ""), visit)))

    for model in ("crossover_mixed", "primary_ancova", "brain_volume_crossover"):
        assert found[model] == shown[model].full


def test_the_figure_of_a_trial_draws_every_participant_once(plan):
    shown = replay(plan, 0, 17)[0]

    picture = ET.fromstring(shown.figure("hoped <17>"))

    space = "{http://www.w3.org/2000/svg}"
    assert picture.find(f"{space}title").text == "hoped <17>"
    complete = [row for row in shown.rows if None not in row.values]
    assert len(picture.findall(f"{space}polyline")) == len(complete) + 2  # and the two means
    points = sum(value is not None for row in shown.rows for value in row.values)
    assert len(picture.findall(f"{space}circle")) == points + 4


def test_event_curves_fall_at_every_event_and_end_where_nobody_is_left():
    picture = ET.fromstring(event_curves("t", {"a": [(1.0, True), (2.0, False), (3.0, True)], "b": [(3.0, False)]}))

    drawn = [each.get("points") for each in picture.findall("{http://www.w3.org/2000/svg}polyline")]
    heights = [float(point.split(",")[1]) for point in drawn[0].split()]
    # 1, then 2/3 after the first of three, then 0: 264 is the bottom, 24 the top.
    assert sorted(set(heights)) == [24.0, 104.0, 264.0]


def test_a_trial_lives_through_the_real_commands_and_the_record_holds_its_estimates(tmp_path):
    asked = ["simulate", str(STUDIES / "smart-ms"), "--replay", "hoped:17", "--rehearse", "-n", "8"]

    done = CliRunner().invoke(app, [*asked, "--report", str(tmp_path), "--json"], catch_exceptions=False)

    said = json.loads(done.stdout)
    assert said["rehearsed"]["participants"] == 8
    assert said["rehearsed"]["events"] > 2000
    assert len(said["figures"]) == len({each["endpoint"] for each in said["models"]})
    for path in said["figures"]:
        ET.parse(path)
    compared = 0
    for each in said["models"]:
        recorded = said["rehearsed"]["from_record"].get(each["model"])
        if recorded is None:
            continue
        # Forms hold two decimals of a score, one of a volume: that is all that may differ.
        assert recorded["value"] == pytest.approx(each["full"]["value"], abs=0.02 * each["full"]["standard_error"])
        assert recorded["p_value"] == pytest.approx(each["full"]["p_value"], abs=0.01)
        compared += 1
    assert compared >= 8


def test_a_rehearsal_without_a_trial_is_refused():
    done = CliRunner().invoke(app, ["simulate", str(STUDIES / "smart-ms"), "--rehearse"])

    assert isinstance(done.exception, InvalidValue)
    assert "--replay" in done.exception.remedy


def test_a_trial_none_of_whose_endpoints_is_entered_is_refused(smart_ms, plan, monkeypatch):
    import importlib

    module = importlib.import_module("trialwright.operating_characteristics.replay")

    trial = module._trial(plan, 0, 1)
    monkeypatch.setattr(module, "_trial", lambda *_: [(case, data) for case, data in trial[:0]])

    with pytest.raises(CannotSimulate, match="no endpoint"):
        known_values(smart_ms.study, plan, 0, 1)


def test_a_point_with_all_models_is_not_simulated_again_with_some(smart_ms):
    grids = (Grid(), Grid(scenarios=("hoped",), participants=(18, 24), models=("primary_ancova",)))
    study = smart_ms.study.model_copy(
        update={"simulation": smart_ms.study.simulation.model_copy(update={"grids": grids})}
    )

    points = [point.id for point in settings(study)]

    assert len(points) == len(set(points)) == len(study.simulation.scenarios) + 1

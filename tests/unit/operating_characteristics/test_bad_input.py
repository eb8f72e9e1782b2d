"""What cannot be simulated is an error of the check, with file, line, column and remedy."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trialwright.cli.application import app

STUDY = Path(__file__).parents[3] / "studies" / "smart-ms"

CASES = {
    "negative SD": ("simulation.yaml", 'sd_within: "7"', 'sd_within: "-7"', "TW167", "negative"),
    "drop-out over 1": ("simulation.yaml", 'dropout_per_year: "0.11"', 'dropout_per_year: "1.1"', "TW164", "1.1"),
    "nobody passes": ("simulation.yaml", 'screen_failure: "0.25"', 'screen_failure: "1"', "TW164", "nobody"),
    "drop-out over 1 in a grid": ("simulation.yaml", '["0.05", "0.11", "0.2"]', '["0.05", "2"]', "TW170", "share 2"),
    "correlation beyond 1": (
        "simulation.yaml",
        'correlate: {fatigue_pain.fatigue: "0.4"}',
        'correlate: {fatigue_pain.fatigue: "1.4"}',
        "TW167",
        "correlation of 1.4",
    ),
    "correlations that cannot hold together": (
        "simulation.yaml",
        'correlate: {fatigue_pain.pain: "0.4"}',
        'correlate: {fatigue_pain.pain: "0.8", fatigue_pain.fatigue: "0.7"}',
        "TW171",
        "squared correlations",
    ),
    "no site recruits": ("simulation.yaml", 'per_month: "0.35"', 'per_month: "0"', "TW168", "recruits 0"),
    "no null scenario": ("simulation.yaml", 'kind: "null"', "kind: other", "TW160", "null"),
    "no carry-over scenario": ("simulation.yaml", "kind: carry_over", "kind: other", "TW160", "carry_over"),
    "looks without an end": (
        "simulation.yaml",
        "\naccrual:",
        "\nlooks:\n  - {id: a, model: primary_ancova, fractions: ['0.5', '0.9'], boundaries: pocock}\naccrual:",
        "TW172",
        "looks at 0.5, 0.9",
    ),
    "a model that is not there": ("simulation.yaml", "[crossover_mixed, crossover_unstr", "[crossover_mied, crossover_unstr", "TW170", "crossover_mied"),  # noqa: E501
}  # fmt: skip


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory) -> tuple[dict[str, str], list[str]]:
    """The study with all mistakes at once: its files, and what the check says."""
    folder = tmp_path_factory.mktemp("spoilt") / "study"
    shutil.copytree(STUDY, folder)
    for file, good, bad, _, _ in CASES.values():
        path = folder / file
        text = path.read_text()
        assert good in text
        path.write_text(text.replace(good, bad, 1))
    done = CliRunner().invoke(app, ["check", str(folder)])
    assert done.exit_code != 0
    return {file: (folder / file).read_text() for file, *_ in CASES.values()}, done.output.splitlines()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_mistake_is_found_by_the_check_at_its_line_with_a_remedy(case, spoilt):
    file, _, bad, rule, words = case
    texts, said = spoilt
    text = texts[file]
    begin = text[: text.index(bad)].count("\n") + 1
    lines = range(begin, begin + bad.count("\n") + 1)

    (found,) = [each for each in said if f" {rule} " in each and words in each]

    place = re.match(rf"{re.escape(file)}:(\d+):(\d+) {rule} .+ → .+", found)
    assert place, found
    # The error stands at the number itself, or, where something lacks, at the list that lacks it.
    assert int(place[1]) in lines or rule == "TW160"
    assert int(place[2]) >= 1


def test_a_study_without_sites_is_refused_at_its_line(tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(STUDY, folder)
    path = folder / "study.yaml"
    text = path.read_text()
    start = text.index("\nsites:") + 1
    end = start + re.search(r"\n(?=\S)", text[start:]).start()
    path.write_text(text[:start] + "sites: []" + text[end:])

    done = CliRunner().invoke(app, ["check", str(folder)])

    said = done.output + str(done.exception or "")
    assert re.search(r"study\.yaml:\d+:\d+ \S+ .*sites.* → .+", said), said[:500]


@pytest.mark.parametrize("rule", ["TW160"])
def test_the_rule_about_scenarios_says_why(rule):
    done = CliRunner().invoke(app, ["explain", rule])

    assert "type-I error" in done.output
    assert "carry-over" in done.output

"""Which values are verified against their source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trialwright.build import Build, compile_study, to_verify
from trialwright.protocol import load_study

STUDIES = Path(__file__).resolve().parents[3] / "studies"


@pytest.fixture(scope="module")
def build() -> Build:
    return compile_study(load_study(STUDIES / "smart-ms"))


def with_percent(build: Build, percent: int) -> Build:
    """The same study with another share of the values that are not critical."""
    identity = build.study.identity
    verification = identity.source_verification.model_copy(update={"others_percent": percent})
    study = build.study.model_copy(
        update={"identity": identity.model_copy(update={"source_verification": verification})}
    )
    return replace(build, study=study)


def places(build: Build) -> list[tuple[str, tuple[str, str, int], str]]:
    """Participant, form and item of a trial of 40 people."""
    return [
        (f"NO-01-{number:03d}", (encounter.id, form, 1), item)
        for number in range(1, 41)
        for encounter in build.study.schedule.encounters
        for form in encounter.forms
        for item, compiled in build.forms[form].items.items()
        if compiled.derive is None
    ]


def test_every_critical_value_is_verified_and_the_share_of_the_others(build: Build) -> None:
    others = []
    for participant, place, item in places(build):
        wanted = to_verify(build, participant, place, item)
        if build.forms[place[1]].items[item].item.critical:
            assert wanted
        else:
            others.append(wanted)
    # 10 % of some 30,000: four standard deviations are 0.7 %.
    assert abs(sum(others) / len(others) - 0.10) < 4 * (0.1 * 0.9 / len(others)) ** 0.5


@pytest.mark.parametrize(("percent", "share"), [(0, 0.0), (100, 1.0)])
def test_none_or_all_of_the_others_can_be_asked_for(build: Build, percent: int, share: float) -> None:
    changed = with_percent(build, percent)
    others = [
        to_verify(changed, participant, place, item)
        for participant, place, item in places(changed)[:2000]
        if not changed.forms[place[1]].items[item].item.critical
    ]
    assert sum(others) / len(others) == share


def test_a_larger_share_holds_the_smaller_one(build: Build) -> None:
    few, many = with_percent(build, 5), with_percent(build, 20)
    assert all(to_verify(many, *place) for place in places(build)[:5000] if to_verify(few, *place))


def test_neither_derived_nor_unknown_items_are_sampled(build: Build) -> None:
    everything = with_percent(build, 100)
    derived = [
        (form, name)
        for form, compiled in everything.forms.items()
        for name, item in compiled.items.items()
        if item.derive is not None and not item.item.critical
    ]
    assert derived
    assert not any(to_verify(everything, "NO-01-001", ("screening", form, 1), name) for form, name in derived)
    assert not to_verify(everything, "NO-01-001", ("screening", "no_such_form", 1), "x")
    assert not to_verify(everything, "NO-01-001", ("screening", "vital_signs", 1), "no_such_item")

"""A build is what the folder says: the same id everywhere, the same answers after reloading."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trialwright.build import (
    Build,
    CheckFailed,
    CompiledInstrument,
    ItemValue,
    NotCompiled,
    check_study,
    compile_study,
)
from trialwright.build.compile import compiled
from trialwright.expressions import Missing
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity
from trialwright.foundation.truth import Truth
from trialwright.protocol import LoadedStudy, load_study
from trialwright.schedule import Unit

HERE = Path(__file__).parents[3]


def test_the_id_is_the_digest_of_the_canonical_source(build: Build) -> None:
    assert build.id == hashlib.sha256(build.canonical).hexdigest()


def test_a_build_comes_back_from_its_canonical_source(build: Build) -> None:
    again = Build.from_canonical(build.canonical)
    assert again.id == build.id
    assert again.study == build.study
    assert again.summary() == build.summary()
    assert list(again.forms) == list(build.forms)
    assert list(again.study.randomisation.ratio) == list(build.study.randomisation.ratio)


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_id_does_not_depend_on_the_process(seed: str, build: Build) -> None:
    program = (
        "from pathlib import Path; from trialwright.build.compile import compiled;"
        "from trialwright.protocol import load_study;"
        "print(compiled(load_study(Path('studies/smart-ms')).study).id)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Pacific/Auckland"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=HERE, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == build.id


def test_a_study_with_errors_is_not_built(folder: Path) -> None:
    path = folder / "eligibility.yaml"
    path.write_text(path.read_text().replace("encounter: screening", "encounter: screning"))
    loaded = load_study(folder)
    with pytest.raises(CheckFailed) as caught:
        compile_study(loaded)
    assert caught.value.findings == check_study(loaded)
    assert [finding.rule for finding in caught.value.findings] == ["TW036"]
    assert caught.value.findings[0].line == 1 + next(
        n for n, line in enumerate(path.read_text().splitlines()) if line.startswith("encounter: screning")
    )


def test_a_finding_in_an_expression_points_at_the_word(folder: Path) -> None:
    path = folder / "forms/medication.yaml"
    path.write_text(path.read_text().replace("expression: stop >= start", "expression: stop >= strt"))
    found = check_study(load_study(folder))
    finding = next(f for f in found if f.rule == "TW021")
    line = path.read_text().splitlines()[finding.line - 1]
    assert line[finding.column - 1 :].startswith("strt")
    assert "start" in finding.remedy


def test_what_passed_no_check_is_not_compiled(folder: Path) -> None:
    path = folder / "forms/medication.yaml"
    path.write_text(path.read_text().replace("expression: stop >= start", "expression: stop >= strt"))
    with pytest.raises(NotCompiled):
        compiled(load_study(folder).study)


def test_criteria_say_whether_somebody_fits(build: Build) -> None:
    age, relapse = build.criteria["age_18_55"], build.criteria["relapse_2_years"]
    assert age.verdict({"age": 55}).truth is Truth.YES
    assert age.verdict({"age": 56}).truth is Truth.NO
    assert age.verdict({}).truth is Truth.UNKNOWN
    assert relapse.criterion.kind == "exclusion"
    assert relapse.verdict({"recent_relapse": False}).truth is Truth.YES
    assert relapse.verdict({"recent_relapse": True}).truth is Truth.NO
    assert relapse.verdict({"recent_relapse": Missing(MissingReason.PENDING)}).reasons[0].why is MissingReason.PENDING


def test_a_criterion_of_the_doctor_is_unknown_to_the_machine(build: Build) -> None:
    assert build.criteria["vulnerable"].verdict({}).truth is Truth.UNKNOWN


def test_facts_name_the_items_they_are_taken_from(build: Build) -> None:
    source = build.facts["egfr"].source
    assert source is not None
    assert [(r.form, r.item, r.encounter) for r in source.references] == [("chemistry", "egfr", None)]
    answer = source.evaluate({"chemistry.egfr": Quantity("90", "mL/min/{1.73_m2}")})
    assert answer.value == 90  # type: ignore[union-attr]


def test_short_names_belong_to_the_form_and_named_encounters_are_kept(build: Build) -> None:
    check = next(c for c in build.forms["pregnancy"].checks if "at(screening)" in c.condition.text)
    found = {(r.form, r.item, r.encounter) for r in check.condition.references}
    assert found == {("demographics", "sex", "screening"), ("pregnancy", "can_be_pregnant", None)}


def test_an_instrument_is_computed_from_its_items(build: Build) -> None:
    item = build.forms["edss"].items["computed_score"]
    assert isinstance(item.derive, CompiledInstrument)
    row = dict.fromkeys(("visual", "brainstem", "pyramidal", "cerebellar", "sensory", "bowel_bladder"), 0)
    row |= {"cerebral": 0, "ambulation": 5}
    assert item.derived(row) == ItemValue(text="6.0")  # ambulation 5 to 7 is 6.0
    del row["visual"]
    assert item.derived(row) == ItemValue(missing=MissingReason.NOT_ASKED)
    assert item.derived({**row, "visual": Missing(MissingReason.REFUSED)}) == ItemValue(missing=MissingReason.REFUSED)


def test_timed_trials_may_be_missing_one_by_one(build: Build) -> None:
    item = build.forms["walk"].items["mean_time"]
    one = item.derived({"trial_1": Quantity("10.0", "s"), "trial_2": Missing(MissingReason.NOT_DONE)})
    assert one == ItemValue(text=one.text, unit="s")
    assert one.text is not None
    assert float(one.text) == 10
    none = item.derived({"trial_1": None, "trial_2": Missing(MissingReason.NOT_DONE)})
    assert none.missing is MissingReason.NOT_DONE


def test_derived_items_come_after_what_they_are_computed_from(build: Build) -> None:
    order = build.forms["nine_hole_peg"].derivation_order
    assert order.index("mean_time") > order.index("dominant_mean") or "dominant_mean" not in [
        r.item
        for r in build.forms["nine_hole_peg"].items["mean_time"].derive.references  # type: ignore[union-attr]
    ]
    assert set(order) == {n for n, i in build.forms["nine_hole_peg"].items.items() if i.derive is not None}


def test_gates_and_release_decide_on_their_own_values(build: Build) -> None:
    gate = build.gates["platelets"]
    assert gate.verdict({"safety_gate.platelets": Quantity("100", "10*9/L")}).truth is Truth.YES
    assert gate.verdict({"safety_gate.platelets": Quantity("99", "10*9/L")}).truth is Truth.NO
    assert gate.verdict({}).truth is Truth.UNKNOWN
    viable = build.release["viable"]
    assert viable.verdict({"viability": Quantity("79.9", "%")}).truth is Truth.NO
    assert build.measurements["viability"].item.units == ("%",)


def test_the_plan_counts_the_second_period_from_the_second_injection(build: Build) -> None:
    plan = {encounter.id: encounter for encounter in build.plan()}
    assert list(plan) == [encounter.id for encounter in build.study.schedule.encounters]
    assert plan["screening"].anchor == "screening"  # begins its own part of the plan
    assert plan["month_9"].anchor == "injection_2"
    assert (plan["month_9"].offset.count, plan["month_9"].offset.unit) == (3, Unit.MONTHS)
    assert plan["injection_2"].after == ("marrow_2",)


def test_a_field_is_found_by_its_name_or_refused(build: Build) -> None:
    assert build.field("demographics.sex").codes
    with pytest.raises(InvalidValue):
        build.field("demographics.shoe_size")


def test_the_source_files_are_those_of_the_folder(build: Build, loaded: LoadedStudy) -> None:
    paths = [*loaded.folder.rglob("*.yaml"), *loaded.folder.rglob("*.md")]
    assert set(build.source_files) == {path.relative_to(loaded.folder).as_posix() for path in paths}


def test_levels_of_a_stratum_are_taken_in_order(folder: Path) -> None:
    path = folder / "randomisation.yaml"
    strata = (
        "strata:\n  - id: pressure\n    label: {en: Pressure}\n    levels: [moderate, high]\n"
        "    level:\n      high: systolic >= 160 'mm[Hg]'\n      moderate: systolic < 160 'mm[Hg]'\n"
    )
    path.write_text(path.read_text() + strata)
    stratum = compiled(load_study(folder).study).strata["pressure"]
    assert stratum.level({"systolic": Quantity("159", "mm[Hg]")}) == "moderate"
    assert stratum.level({"systolic": Quantity("160", "mm[Hg]")}) == "high"
    assert stratum.level({}) is None

"""What holds for every study of the repository and for the template of ``trialwright new``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from trialwright.build import Build, check_study, compile_study
from trialwright.protocol import LoadedStudy, Severity, Study, load_study
from trialwright.protocol.forms import Item
from trialwright.protocol.simulation import Generator


def test_there_are_three_studies_and_a_template() -> None:
    root = Path(__file__).resolve().parents[3]
    assert {path.name for path in (root / "studies").iterdir() if path.is_dir()} == {
        "smart-ms",
        "frexalimab-sc-iv",
        "ocrelizumab-sc",
    }


def test_the_folder_is_named_by_the_study(name: str, study: Study) -> None:
    assert study.identity.id == ("my-study" if name == "template" else name)


def test_a_study_checks_clean(loaded: LoadedStudy) -> None:
    serious = [finding for finding in check_study(loaded) if finding.severity is not Severity.NOTE]
    assert serious == []


def test_a_copy_on_another_machine_has_the_same_build(folder: Path, build: Build, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    for file in copy.rglob("*.*"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert compile_study(load_study(copy)).id == build.id


def test_changing_one_window_changes_the_build(folder: Path, build: Build, tmp_path: Path) -> None:
    copy = tmp_path / "changed"
    shutil.copytree(folder, copy)
    schedule = copy / "schedule.yaml"
    text = schedule.read_text(encoding="utf-8")
    changed = re.sub(r"after: 14\}", "after: 13}", text, count=1)
    assert changed != text
    schedule.write_text(changed, encoding="utf-8")
    assert compile_study(load_study(copy)).id != build.id


def test_every_form_is_reached(study: Study) -> None:
    reached = {form for encounter in study.schedule.encounters for form in encounter.forms}
    assert reached | set(study.schedule.unscheduled_forms) | set(study.schedule.log_forms) == set(study.forms)


def test_every_code_list_is_used(study: Study) -> None:
    used = {item.codelist for item in study.items.values()} | {fact.codelist for fact in study.eligibility.facts}
    if study.custody is not None:
        used |= {measurement.codelist for measurement in study.custody.measurements}
    assert set(study.terminology) == used - {None}


def test_every_entered_item_has_a_generator_and_no_other(study: Study) -> None:
    entered = {key for key, item in study.items.items() if item.derive is None}
    assert {generator.item for generator in study.simulation.generators} == entered


def test_the_last_generator_of_an_item_counts_always(study: Study) -> None:
    last = {generator.item: generator for generator in study.simulation.generators}
    assert [key for key, generator in last.items() if generator.where is not None] == []


def test_generators_fit_their_items(study: Study) -> None:
    faults = [
        f"{generator.item}: {fault}"
        for generator in study.simulation.generators
        for fault in _faults(study, generator, study.items[generator.item])
    ]
    assert faults == []


def test_person_effects_have_variance_one(study: Study) -> None:
    """Several correlations of one item are drawn as independent; where the others are correlated themselves, the
    person effect would get a variance other than 1."""
    correlate = {g.item: {other: float(r) for other, r in g.correlate.items()} for g in study.simulation.generators}
    for item, others in correlate.items():
        assert sum(r * r for r in others.values()) < 1, item
        for one in others:
            for other in others:
                assert one == other or not _ancestors(correlate, one) & _ancestors(correlate, other), item


def test_nobody_accrues_at_an_unknown_site(study: Study) -> None:
    assert {accrual.site for accrual in study.simulation.accrual} == set(study.sites)


def test_sites_plan_as_many_participants_as_the_study(study: Study) -> None:
    assert sum(site.planned_participants for site in study.sites.values()) == study.identity.planned_participants


@pytest.mark.parametrize("name", ["smart-ms", "ocrelizumab-sc"])
def test_labels_in_two_languages_are_not_copies(study: Study) -> None:
    """Only words that are the same in both languages may be; a handful of a study, never a tenth."""
    labels = [item.label for item in study.items.values()]
    first, second = study.identity.languages
    same = [label[first] for label in labels if label[first] == label[second]]
    assert len(same) < len(labels) / 10, same


def test_texts_of_the_public_page_do_not_repeat_ages(study: Study) -> None:
    """Ages come from the criteria; typed twice they drift, as they did on the page this project began with."""
    for text in study.public.values():
        for section in text.sections:
            assert not re.search(r"\b(18|55|60|65|80)\b.{0,12}\b(years|år|Jahre)", section.text), section.id


def test_consent_and_public_texts_have_the_same_sections_in_each_language(study: Study) -> None:
    for texts in (study.consent, study.public):
        assert len({tuple(section.id for section in text.sections) for text in texts.values()}) == 1
    assert len({tuple(question.id for question in text.head.teach_back) for text in study.consent.values()}) == 1


def _faults(study: Study, generator: Generator, item: Item) -> Iterator[str]:
    kinds = {"date": ("date", "partial_date"), "yes": ("boolean",)}
    numeric = ("integer", "decimal", "scale", "quantity")
    allowed = kinds.get(generator.distribution, numeric)
    if generator.distribution not in ("choice", "follow") and item.type not in allowed:
        yield f"{generator.distribution} makes no {item.type}"
    shares = generator.choices | generator.outcomes
    if any(not 0 <= float(share) <= 1 for share in shares.values()):
        yield "a share is no probability"
    if generator.choices and abs(sum(map(float, generator.choices.values())) - 1) > 1e-9:
        yield "choices do not add up to 1"
    if generator.distribution == "choice" and item.type == "code":
        codes = {code.code for code in study.terminology[str(item.codelist)].codes}
        yield from (f"no code {choice}" for choice in generator.choices if choice not in codes)
    yield from (f"no outcome {code}" for code in generator.outcomes if code not in {o.code for o in item.outcomes})
    yield from (f"correlated with no generator {other}" for other in generator.correlate if other not in study.items)
    if generator.distribution == "follow" and generator.of not in study.items:
        yield f"follows nothing: {generator.of}"


def _ancestors(correlate: dict[str, dict[str, float]], item: str) -> set[str]:
    return {item}.union(*(_ancestors(correlate, other) for other in correlate.get(item, {})))

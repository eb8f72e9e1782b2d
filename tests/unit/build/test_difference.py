"""What an amendment means: each kind of change by an edit of SMART-MS, and no change without a meaning."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trialwright.build import Approval, Build, DataEffect, Difference, check_study, diff
from trialwright.build.changes import ORDER, Change, changes
from trialwright.build.compile import compiled
from trialwright.build.consequences import CONSEQUENCES, UNCLASSIFIED, consequence
from trialwright.protocol import LoadedStudy
from trialwright.protocol.loader import FILES, FOLDERS

sys.path.insert(0, str(Path(__file__).parents[2] / "spec" / "rules"))  # the small edits of the rules serve here, too

from edits import DELETE, Edit, edited
from mutations import MUTATIONS

INCOMPATIBLE, RECHECK, ADDS, NONE = DataEffect.INCOMPATIBLE, DataEffect.RECHECK, DataEffect.ADDS, DataEffect.NONE
NO, TELL, ASK = Approval.NONE, Approval.NOTIFY, Approval.SUBSTANTIAL

NEW_ITEM = {"id": "waist", "label": {"en": "Waist", "nb": "Midje"}, "type": "quantity", "units": ["cm"]}


@pytest.mark.parametrize(
    ("file", "path", "value", "data", "reconsent", "approval"),
    [
        ("study.yaml", "version", "1.1", NONE, False, NO),
        ("study.yaml", "planned_participants", 24, NONE, False, ASK),
        ("study.yaml", "sites[02].name", "Another name", NONE, False, TELL),
        ("study.yaml", "arms[cells].description.en", "Two injections", NONE, True, ASK),
        ("eligibility.yaml", "criteria[age_18_55].expression", "18 <= age <= 60", NONE, False, ASK),
        ("eligibility.yaml", "facts[age].question.en", "Your age?", NONE, False, NO),
        ("schedule.yaml", "encounters[week_4].window.after", 5, RECHECK, False, TELL),
        ("schedule.yaml", "encounters[week_4].offset", {"weeks": 5}, RECHECK, False, ASK),
        ("schedule.yaml", "encounters[week_4].forms[+]", "mri", ADDS, True, ASK),
        ("schedule.yaml", "encounters[week_4].forms[haematology]", DELETE, INCOMPATIBLE, False, ASK),
        ("schedule.yaml", "encounters[month_18]", DELETE, RECHECK, False, ASK),
        ("forms/vital_signs.yaml", "item:pulse.range.high", "120", RECHECK, False, TELL),
        ("forms/vital_signs.yaml", "item:pulse.label.en", "Heart rate", NONE, False, TELL),
        ("forms/vital_signs.yaml", "item:weight.units[+]", "g", NONE, False, TELL),
        ("forms/vital_signs.yaml", "item:weight.units", ["kg"], INCOMPATIBLE, False, ASK),
        ("forms/vital_signs.yaml", "item:pulse.type", "decimal", INCOMPATIBLE, False, ASK),
        ("forms/vital_signs.yaml", "groups[body].items[+]", NEW_ITEM, ADDS, False, TELL),
        ("forms/vital_signs.yaml", "groups[body].items[height]", DELETE, INCOMPATIBLE, False, ASK),
        ("terminology/sex.yaml", "codes[F]", DELETE, INCOMPATIBLE, False, ASK),
        ("terminology/sex.yaml", "codes[F].label.en", "Woman", NONE, False, TELL),
        ("randomisation.yaml", "by_site", True, NONE, False, ASK),
        ("custody.yaml", "dose.maximum", "120", NONE, True, ASK),
        ("custody.yaml", "release[young]", DELETE, NONE, False, ASK),
        ("safety.yaml", "reference.version", "2.0", RECHECK, False, ASK),
        ("consent/en.md", "sections[0].text", "Another text.", NONE, True, ASK),
        ("consent/en.md", "head.status", "draft", NONE, False, NO),
        ("public/en.md", "sections[0].text", "Another text.", NONE, False, TELL),
        ("analysis.yaml", "estimands[primary].population", "per_protocol", NONE, False, ASK),
        ("simulation.yaml", "dropout_per_year", "0.2", NONE, False, NO),
    ],
)
def test_a_change_means_what_the_table_says(
    file: str,
    path: str,
    value: Any,
    data: DataEffect,
    reconsent: bool,
    approval: Approval,
    loaded: LoadedStudy,
) -> None:
    found = list(changes(loaded.study, edited(loaded, Edit(file, path, value)).study))

    assert len(found) == 1
    means = consequence(found[0])
    assert (means.data, means.reconsent, means.approval) == (data, reconsent, approval), found[0].place


def difference(loaded: LoadedStudy, build: Build, *edits: Edit) -> Difference:
    return diff(build, compiled(edited(loaded, *edits).study))


def test_nothing_changed_means_nothing(build: Build) -> None:
    found = diff(build, build)
    assert found.changes == ()
    assert found.data_compatible
    assert not found.reconsent
    assert not found.substantial
    assert found.sites_to_approve == ()


def test_touched_items_are_named(loaded: LoadedStudy, build: Build) -> None:
    found = difference(
        loaded,
        build,
        Edit("forms/vital_signs.yaml", "item:pulse.range.high", "120"),
        Edit("terminology/position.yaml", "codes[+]", {"code": "ELSE", "label": {"en": "Else", "nb": "Annet"}}),
    )
    assert found.items_touched == ("vital_signs.pulse",)
    assert found.data_compatible


def test_a_code_that_is_gone_touches_every_item_of_its_list(loaded: LoadedStudy, build: Build) -> None:
    found = difference(loaded, build, Edit("terminology/position.yaml", "codes[0]", DELETE))
    assert not found.data_compatible
    assert "vital_signs.position" in found.items_touched


def test_a_new_site_approves_alone_and_a_substantial_change_is_approved_by_all(
    loaded: LoadedStudy, build: Build
) -> None:
    site = {"id": "05", "name": "A hospital", "town": "Oslo", "country": "NO", "timezone": "Europe/Oslo"}
    assert difference(loaded, build, Edit("study.yaml", "sites[+]", site)).sites_to_approve == ("05",)
    larger = difference(loaded, build, Edit("study.yaml", "planned_participants", 24))
    assert larger.sites_to_approve == ("01", "02", "03", "04")


@pytest.mark.parametrize(("declared", "contradicts"), [(True, False), (False, True)])
def test_the_amendments_own_word_on_consent_is_compared(
    declared: bool, contradicts: bool, loaded: LoadedStudy, build: Build
) -> None:
    found = difference(
        loaded,
        build,
        Edit("study.yaml", "amendment", {"number": 1, "summary": {"en": "S", "nb": "S"}, "reconsent": declared}),
        Edit("custody.yaml", "dose.maximum", "120"),
    )
    assert found.reconsent
    assert (found.contradiction is not None) is contradicts


def test_moving_an_item_to_another_group_keeps_its_data(loaded: LoadedStudy) -> None:
    weight = next(item for item in loaded.study.forms["vital_signs"].items() if item.id == "weight")
    plain = weight.model_dump(mode="json", by_alias=True, exclude_unset=True)
    found = list(
        changes(
            loaded.study,
            edited(
                loaded,
                Edit("forms/vital_signs.yaml", "groups[body].items[weight]", DELETE),
                Edit("forms/vital_signs.yaml", "groups[blood_pressure].items[+]", plain),
            ).study,
        )
    )
    places = [change.place for change in found if change.path[-1] != ORDER]
    assert places == ["forms/vital_signs.yaml:items/weight/group"]
    assert {consequence(change).data for change in found} == {NONE}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_studies_with_different_sources_differ(mutation: Any, loaded: LoadedStudy) -> None:
    other = edited(loaded, *mutation.edits).study
    found = list(changes(loaded.study, other))
    assert found
    assert {c.place for c in changes(other, loaded.study)} == {c.place for c in found}


def test_the_order_of_members_is_a_change(loaded: LoadedStudy) -> None:
    items = [
        item.model_dump(mode="json", by_alias=True, exclude_unset=True)
        for item in loaded.study.forms["walk"].groups[0].items
    ]
    found = list(changes(loaded.study, edited(loaded, Edit("forms/walk.yaml", "groups[0].items", items[::-1])).study))
    assert [change.path for change in found] == [("items", ORDER)]


def places(model: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path that a declaration can have, with `x` for members and keys that authors name."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        yield (*path, key)
        inner, steps = _inner(field.annotation)
        if inner is not None:
            yield from places(inner, (*path, key, *steps))


def _inner(annotation: Any) -> tuple[Any, tuple[str, ...]]:
    if hasattr(annotation, "model_fields"):
        return annotation, ()
    for part in typing.get_args(annotation):
        found, steps = _inner(part)
        if found is not None:
            origin = typing.get_origin(annotation)
            return found, (("x", *steps) if origin in (tuple, dict) else steps)
    return None, ()


def test_no_key_of_a_study_is_without_a_meaning() -> None:
    undecided = []
    models = [(name, model) for name, (_, model) in FILES.items()]
    models += [(f"{folder}/x{suffix}", model) for folder, (suffix, model) in FOLDERS.items()]
    for file, model in models:
        for path in places(model):
            flat = path[2:] if file.startswith("forms/") and path[:3] == ("groups", "x", "items") else path
            change = Change("changed", file, flat, 1, 2)
            if consequence(change) == UNCLASSIFIED and not _matched_by_id(file, flat):
                undecided.append(change.place)
    assert undecided == []


def _matched_by_id(file: str, path: tuple[str, ...]) -> bool:
    """Ids are what members are matched by: another id is one member gone and one new, never a changed id."""
    lists = {("study.yaml", "sites"), ("forms/x.yaml", "items"), ("terminology/x.yaml", "codes")}
    return path[-1] in ("id", "code") or (len(path) == 1 and (file, path[0]) in lists)


def test_every_line_of_the_table_is_reached() -> None:
    """A line behind a wider one decides nothing."""
    hidden = []
    for n, (kinds, pattern, _) in enumerate(CONSEQUENCES):
        place = pattern.replace("*", "x") if not pattern.endswith(":*") else pattern[:-1].replace("*", "x") + "x"
        file, _, path = place.partition(":")
        for kind in kinds:
            change = Change(kind, file, tuple(path.split("/")) if path else (), None, None)
            first = next(k for k, (ks, p, _) in enumerate(CONSEQUENCES) if kind in ks and _matches(change.place, p))
            if first == n:
                break
        else:
            hidden.append(pattern)
    assert hidden == []


def _matches(place: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(place, pattern)


def test_the_difference_is_plain_data(loaded: LoadedStudy, build: Build) -> None:
    import json

    found = difference(loaded, build, Edit("custody.yaml", "dose.maximum", "120"))
    again = json.loads(json.dumps(found.as_dict()))
    assert again["changes"][0]["path"] == "dose/maximum"
    assert again["reconsent"] is True


def test_the_edits_used_here_are_sound_studies(loaded: LoadedStudy) -> None:
    edit = Edit("forms/vital_signs.yaml", "groups[body].items[+]", NEW_ITEM)
    rules = {finding.rule for finding in check_study(edited(loaded, edit))}
    assert rules == {"TW085", "TW169"}  # it is not exported, nothing generates it, and that is all

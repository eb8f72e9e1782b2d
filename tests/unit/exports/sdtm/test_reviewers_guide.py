"""What is wrong with the data has a name in the reviewer's guide, and nothing is dropped silently."""

from __future__ import annotations

import json

import pytest

from trialwright.build import Build
from trialwright.exports.sdtm import Kind, guide_page


def _notes(export, kind):
    return [note for note in export.notes if note.kind is kind]


def _with(build: Build, old: str, new: str) -> Build:
    source = build.canonical.decode()
    assert old in source, "the text to change is in the study"
    files = json.loads(source.replace(old, new))
    canonical = json.dumps(files, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Build.from_canonical(canonical.encode())


def _everywhere(record, old, new):
    """All builds with a change, under the ids that the record knows."""
    return {id_: _with(build, old, new) for id_, build in record.builds.items()}


def test_a_laboratory_value_without_its_unit_is_named_and_kept(smart_ms):
    def lose_unit(row):
        if row["item"] == "platelets" and row["encounter"] == "screening":
            row["unit"] = None
        return row

    export = smart_ms.altered("item", lose_unit)
    notes = _notes(export, Kind.UNIT_MISSING)
    assert notes and all("LB.PLAT" in note.about for note in notes)
    rows = [r for r in export.package.dataset("LB").dicts() if r["LBTESTCD"] == "PLAT" and r["VISIT"] == "SCREENING"]
    assert rows and all(row["LBORRES"] is not None and row["LBORRESU"] is None for row in rows)


def test_a_partial_date_of_birth_that_leaves_two_ages_is_named_and_not_imputed(smart_ms):
    def blur(row):
        if row["item"] == "birth_date":
            row["value"] = row["value"][:4]
        return row

    export = smart_ms.altered("item", blur)
    assert _notes(export, Kind.DATE_PARTIAL)
    for row in export.package.dataset("DM").dicts():
        assert len(str(row["BRTHDTC"])) == 4
        assert row["AGE"] is None


def test_an_age_that_a_partial_date_leaves_certain_is_computed(smart_ms, exported):
    def blur(row):
        if row["item"] == "birth_date" and row["value"][5:7] not in ("01", "02", "03", "04", "05", "06", "07"):
            row["value"] = row["value"][:7]
        return row

    ages = dict(zip(*(exported.package.dataset("DM").column(name) for name in ("USUBJID", "AGE")), strict=True))
    export = smart_ms.altered("item", blur)
    for row in export.package.dataset("DM").dicts():
        assert row["AGE"] in (ages[row["USUBJID"]], None)


def test_a_participant_without_a_reference_date_is_named_and_has_no_study_days(smart_ms, exported):
    untreated = {row["USUBJID"] for row in exported.package.dataset("DM").dicts() if row["RFSTDTC"] is None}
    assert untreated
    named = {note.about for note in _notes(exported, Kind.NO_REFERENCE_DATE)}
    assert {f"SMART-MS-{name}" for name in named} == untreated
    for row in exported.package.dataset("VS").dicts():
        assert (row["VSDY"] is None) == (row["USUBJID"] in untreated)


def test_two_results_that_could_both_be_the_baseline_are_named(smart_ms):
    visits = {row["encounter"]: row for row in smart_ms.open.rows.where(_visit()) if row["status"] == "held"}
    assert {"baseline", "injection_1"} <= set(visits)

    def same_day(row):
        if row["encounter"] == "baseline":
            row["date"] = next(
                (
                    other["date"]
                    for other in smart_ms.open.rows.where(_visit())
                    if other["participant"] == row["participant"] and other["encounter"] == "injection_1"
                ),
                row["date"],
            )
        return row

    export = smart_ms.altered("visit", same_day)
    notes = _notes(export, Kind.TWO_BASELINES)
    assert any(note.about.startswith("VS.WEIGHT") for note in notes)
    assert all("baseline" in note.what and "injection_1" in note.what for note in notes if "VS.WEIGHT" in note.about)


def _visit():
    from trialwright.trial.capture.views import VISIT

    return VISIT


def test_an_unmapped_item_goes_to_the_supplemental_qualifiers_and_is_named(smart_ms, exported):
    old = '"sdtm":{"domain":"SUPPCM","name":"Modulates the Immune System","variable":"IMMUNMOD"},'
    builds = _everywhere(smart_ms, old, "")
    export = smart_ms.altered(builds=builds)
    assert any(note.about == "medication.immunomodulating" for note in _notes(export, Kind.ITEM_UNMAPPED))
    before = [r for r in exported.package.dataset("SUPPCM").dicts() if r["QNAM"] == "IMMUNMOD"]
    after = [r for r in export.package.dataset("SUPPCM").dicts() if r["QNAM"] == "IMMUNOMO"]
    assert [row["QVAL"] for row in after] == [row["QVAL"] for row in before] and after


def test_an_item_that_is_not_submitted_is_named_with_the_reason(smart_ms):
    old = '"sdtm":{"domain":"SUPPCM","name":"Modulates the Immune System","variable":"IMMUNMOD"}'
    builds = _everywhere(smart_ms, old, '"sdtm":{"not_submitted":"used for checks only"}')
    export = smart_ms.altered(builds=builds)
    found = [note for note in _notes(export, Kind.ITEM_NOT_SUBMITTED) if note.about == "medication.immunomodulating"]
    assert found[0].what == "used for checks only" and found[0].count > 0


def test_a_value_of_an_item_that_no_build_declares_is_named(smart_ms):
    def rename(row):
        if row["item"] == "pulse":
            row["item"] = "heartbeat"
        return row

    export = smart_ms.altered("item", rename)
    assert [note.about for note in _notes(export, Kind.ITEM_UNKNOWN)] == ["vital_signs.heartbeat"]


def test_a_sex_that_no_list_knows_is_found_by_the_code_list_check(smart_ms):
    old = '{"cdisc":"F","code":"F","label":{"en":"Female","nb":"Kvinne"}}'
    builds = _everywhere(smart_ms, old, '{"cdisc":"Z","code":"F","label":{"en":"Female","nb":"Kvinne"}}')
    export = smart_ms.altered(builds=builds)
    found = _notes(export, Kind.TERM_NOT_ALLOWED)
    assert any(note.about == "DM.SEX" and "'Z'" in note.what for note in found)


def test_an_event_that_is_not_coded_says_so(smart_ms):
    def uncode(row):
        return {**row, "coded_term": None, "code": None, "body_system": None}

    export = smart_ms.altered("adverse_event", uncode)
    events = list(export.package.dataset("AE").dicts())
    assert events and all(row["AEDECOD"] == "UNCODED" and row["AEBODSYS"] is None for row in events)
    assert sum(note.count for note in _notes(export, Kind.ADVERSE_EVENT_UNCODED)) == len(events)


def test_a_long_text_is_split_and_kept_whole(smart_ms):
    long = "a long story " * 40

    def talk(row):
        return {**row, "term": long.strip()}

    export = smart_ms.altered("adverse_event", talk)
    parts = [row for row in export.package.dataset("SUPPAE").dicts() if str(row["QNAM"]).startswith("AETERM")]
    event = next(export.package.dataset("AE").dicts())
    mine = [r for r in parts if r["USUBJID"] == event["USUBJID"] and r["IDVARVAL"] == str(event["AESEQ"])]
    whole = str(event["AETERM"]) + "".join(str(row["QVAL"]) for row in sorted(mine, key=lambda row: row["QNAM"]))
    assert whole == long.strip().upper()
    assert _notes(export, Kind.VALUE_SPLIT)


def test_a_form_that_says_another_ending_than_the_record_is_named(smart_ms):
    def rewrite(row):
        if row["form"] == "end_of_study" and row["item"] == "status":
            row["value"] = "LOST"
        return row

    export = smart_ms.altered("item", rewrite)
    assert _notes(export, Kind.DISPOSITION_DIFFERS)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_note_has_a_sentence_of_its_own_on_the_page(kind, exported):
    from trialwright.exports.sdtm import Note

    page = guide_page(exported.package, [Note(kind, "somewhere | here", "something", 3)])
    assert kind.value in page and "somewhere \\| here" in page
    assert kind.value.endswith(".")

"""What every SDTM package must be, read from the finished data sets alone."""

from __future__ import annotations

from datetime import date

import pytest

from trialwright.exports.sdtm import WATERMARK, Kind, StillBlinded, guide_page, standard
from trialwright.exports.terminology import check_terms
from trialwright.trial.closure.views import ALLOCATION
from trialwright.trial.custody.views import PRODUCT, SLOT

FROM_RECORD = {"DM", "SE", "SV", "TA", "TE", "TV", "TI", "TS", "IE", "DS", "EX", "BE", "BS", "AE", "DV"}
FROM_FORMS = {
    "AG",
    "CE",
    "CM",
    "EC",
    "FT",
    "IS",
    "LB",
    "MB",
    "MH",
    "NV",
    "OE",
    "PE",
    "PR",
    "QS",
    "RP",
    "RS",
    "SC",
    "VS",
}
RELATIONS = {"RELREC", "RELSPEC", "SUPPAE", "SUPPDM", "SUPPEC", "SUPPMH"}


def _rows(exported, name):
    return list(exported.package.dataset(name).dicts())


def test_every_domain_of_the_flagship_is_there(exported):
    names = {dataset.name for dataset in exported.package.datasets}
    assert names >= FROM_RECORD | FROM_FORMS | RELATIONS


def test_required_variables_are_never_empty_and_expected_ones_are_columns(exported):
    for dataset in exported.package.datasets:
        for variable in standard.domain(dataset.name).variables:
            if variable.core in ("Req", "Exp"):
                assert variable.name in dataset.names, f"{dataset.name}.{variable.name}"
            if variable.core == "Req" and dataset.name != "RELREC":
                assert None not in dataset.column(variable.name), f"{dataset.name}.{variable.name}"
    assert None not in exported.package.dataset("RELREC").column("IDVAR")


def test_variables_stand_in_the_order_of_the_guide(exported):
    for dataset in exported.package.datasets:
        listed = [variable.name for variable in standard.domain(dataset.name).variables]
        known = [name for name in dataset.names if name in listed]
        assert known == sorted(known, key=listed.index), dataset.name


def test_labels_and_names_fit_a_transport_file(exported):
    for dataset in exported.package.datasets:
        assert len(dataset.label) <= 40
        for variable in dataset.variables:
            assert len(variable.name) <= 8 and len(variable.label) <= 40, f"{dataset.name}.{variable.name}"


def test_lengths_and_types_are_those_of_the_values(exported):
    for dataset in exported.package.datasets:
        for variable in dataset.variables:
            for value in dataset.column(variable.name):
                if value is None:
                    continue
                assert isinstance(value, int | float) == variable.is_number, f"{dataset.name}.{variable.name}"
                if variable.type == "text":
                    assert len(str(value).encode()) <= (variable.length or 0) <= 200
                if variable.type == "date":
                    date.fromisoformat(str(value))


def test_keys_tell_the_rows_apart_and_order_them(exported):
    for dataset in exported.package.datasets:
        places = [dataset.names.index(name) for name in dataset.keys]
        keys = [tuple(row[place] for place in places) for row in dataset.rows]
        assert len(set(keys)) == len(keys), dataset.name


def test_sequence_numbers_count_from_one_for_each_participant(exported):
    for dataset in exported.package.datasets:
        name = f"{dataset.name}SEQ"
        if name not in dataset.names or dataset.name == "TS":
            continue
        by_participant: dict[object, list[object]] = {}
        for row in dataset.dicts():
            by_participant.setdefault(row["USUBJID"], []).append(row[name])
        for numbers in by_participant.values():
            assert numbers == list(range(1, len(numbers) + 1)), dataset.name


def test_every_participant_of_every_data_set_is_in_demographics(exported):
    people = set(exported.package.dataset("DM").column("USUBJID"))
    for dataset in exported.package.datasets:
        if "USUBJID" in dataset.names and dataset.name != "RELREC":
            assert set(dataset.column("USUBJID")) <= people, dataset.name


def test_supplemental_qualifiers_belong_to_a_record(exported):
    for dataset in exported.package.datasets:
        if not dataset.name.startswith("SUPP"):
            continue
        parent = exported.package.dataset(dataset.name.removeprefix("SUPP"))
        if parent.name == "DM":
            continue
        known = {(row["USUBJID"], str(row[f"{parent.name}SEQ"])) for row in parent.dicts()}
        for row in dataset.dicts():
            assert (row["USUBJID"], row["IDVARVAL"]) in known


def _day(when: object, reference: object) -> int | None:
    """The study day by the words of SDTMIG 4.4.4, apart from the code under test."""
    if when is None or reference is None or len(str(when)) < 10:
        return None
    days = date.fromisoformat(str(when)[:10]).toordinal() - date.fromisoformat(str(reference)).toordinal()
    return days + 1 if days >= 0 else days


def test_study_days_agree_with_the_guide_and_there_is_no_day_0(exported):
    reference = {row["USUBJID"]: row["RFSTDTC"] for row in _rows(exported, "DM")}
    seen = 0
    for dataset in exported.package.datasets:
        for when, day in (("DTC", "DY"), ("STDTC", "STDY"), ("ENDTC", "ENDY")):
            name, shown = f"{dataset.name}{when}", f"{dataset.name}{day}"
            if name not in dataset.names or shown not in dataset.names:
                continue
            for row in dataset.dicts():
                assert row[shown] == _day(row[name], reference[row["USUBJID"]]), f"{dataset.name}: {row}"
                assert row[shown] != 0
                seen += row[shown] is not None
    assert seen > 1000


def test_the_last_result_before_the_first_exposure_is_marked(exported):
    """Apart from the code under test: over all results of a test, sorted by date and visit."""
    first = {row["USUBJID"]: row["RFXSTDTC"] for row in _rows(exported, "DM")}
    number = {row["VISIT"]: row["VISITNUM"] for row in _rows(exported, "TV")}
    visit = {"INJECTION_1": "FIRST INJECTION", "INJECTION_2": "SECOND INJECTION"}
    dosed_at = {row["USUBJID"]: number[visit[row["EXLNKID"]]] for row in reversed(_rows(exported, "EX"))}
    marked = 0
    for dataset in exported.package.datasets:
        flag, name = f"{dataset.name}LOBXFL", dataset.name
        if flag not in dataset.names:
            continue
        groups: dict[tuple[object, ...], list[dict[str, object]]] = {}
        for row in dataset.dicts():
            parts = ("TESTCD", "CAT", "SCAT", "SPEC", "LOC", "LAT", "METHOD", "BDAGNT")
            groups.setdefault((row["USUBJID"], *(row.get(f"{name}{part}") for part in parts)), []).append(row)
        for (participant, *_), rows in groups.items():
            start = first[participant]
            before = [
                row
                for row in rows
                if start
                and row[f"{name}ORRES"] is not None
                and (
                    str(row[f"{name}DTC"]) < start
                    or (row[f"{name}DTC"] == start and row["VISITNUM"] <= dosed_at[participant])
                )
            ]
            flagged = [row for row in rows if row[flag] == "Y"]
            assert len(flagged) == (1 if before else 0)
            if before:
                newest = max((str(row[f"{name}DTC"]), row["VISITNUM"]) for row in before)
                assert (str(flagged[0][f"{name}DTC"]), flagged[0]["VISITNUM"]) == newest
                marked += 1
    assert marked > 100


def test_epochs_are_filled_unless_something_began_before_consent_or_on_a_partial_date(exported):
    consent = {row["USUBJID"]: row["RFICDTC"] for row in _rows(exported, "DM")}
    for dataset in exported.package.datasets:
        if dataset.class_ not in ("EVENTS", "FINDINGS", "INTERVENTIONS") or dataset.name == "MH":
            continue
        for row in dataset.dicts():
            start = row.get(f"{dataset.name}STDTC")
            if start is None or (len(str(start)) >= 10 and str(start) >= str(consent[row["USUBJID"]])):
                assert row["EPOCH"] is not None, f"{dataset.name}: {row}"


def test_the_allocation_is_the_disclosed_one(smart_ms, exported):
    truth = {row["participant"]: row["label"] for row in smart_ms.closed.rows.where(ALLOCATION)}
    shown = {row["SUBJID"]: row["ARMCD"] for row in _rows(exported, "DM") if row["ARMCD"]}
    assert shown == {participant: label.upper() for participant, label in truth.items()}
    assert exported.package.watermark is None


def test_exposure_is_what_the_closed_space_recorded(smart_ms, exported):
    words = {"product": "AUTOLOGOUS MESENCHYMAL STEM CELLS", "comparator": "SODIUM CHLORIDE 9 MG/ML"}
    given = sorted(
        (str(row["participant"]), words[str(row["content"])], float(row["dose"] or 0))
        for row in smart_ms.closed.rows.where(PRODUCT)
        if row["given_at"]
    )
    ids = {row["USUBJID"]: row["SUBJID"] for row in _rows(exported, "DM")}
    shown = sorted((str(ids[row["USUBJID"]]), row["EXTRT"], float(row["EXDOSE"])) for row in _rows(exported, "EX"))
    assert shown == given


def test_a_form_about_an_injection_that_the_custody_does_not_know_is_named(smart_ms, exported):
    injected = [row for row in smart_ms.open.rows.where(SLOT) if row["injected_on"]]
    assert len(_rows(exported, "EX")) == len(injected)
    assert _exposures_that_differ(exported) == set()
    lost = (injected[0]["participant"], injected[0]["slot"])
    export = smart_ms.altered(
        SLOT.name, lambda row: {**row, "injected_on": None} if (row["participant"], row["slot"]) == lost else row
    )
    assert _exposures_that_differ(export) == {str(lost[0])}
    assert len(_rows(export, "EX")) == len(injected) - 1


def _exposures_that_differ(export) -> set[str]:
    return {note.about.split()[0] for note in export.notes if note.kind is Kind.EXPOSURE_DIFFERS}


def test_without_the_closed_space_the_allocation_is_a_dummy_that_nobody_can_mistake(smart_ms, exported):
    blinded = smart_ms.export(blinded=True)
    assert blinded.package.watermark == WATERMARK
    assert Kind.DUMMY_ALLOCATION in {note.kind for note in blinded.notes}
    assert all(str(row["ARM"]).startswith("DUMMY ") for row in _rows(blinded, "DM") if row["ARM"])
    assert all(str(row["EXTRT"]).startswith("DUMMY ") for row in _rows(blinded, "EX"))
    assert all(str(row["ARM"]).startswith("DUMMY ") for row in _rows(blinded, "TA"))
    assert WATERMARK in guide_page(blinded.package, blinded.notes)


def test_the_dummy_does_not_depend_on_the_allocation(smart_ms):
    one = smart_ms.export(blinded=True)
    truth = {row["participant"]: row["label"] for row in smart_ms.closed.rows.where(ALLOCATION)}
    assert truth, "the rehearsal disclosed an allocation"
    order = sorted(truth)
    shown = {row["SUBJID"]: row["ARMCD"] for row in _rows(one, "DM") if row["ARMCD"]}
    assert sorted(shown) == order
    assert sorted(shown.values()) == ["CELLS_FIRST"] * 2 + ["SALINE_FIRST"] * 2


def test_nothing_of_the_laboratory_leaves_before_unblinding(smart_ms):
    blinded = smart_ms.export(blinded=True)
    assert {row["BEDECOD"] for row in _rows(blinded, "BE")} == {"COLLECTING"}
    assert {row["BSTESTCD"] for row in _rows(blinded, "BS")} == {"VOLUME"}
    assert Kind.CLOSED_SPACE_LEFT_OUT in {note.kind for note in blinded.notes}


def test_the_closed_space_is_refused_while_the_study_is_blinded(smart_ms):
    with pytest.raises(StillBlinded) as caught:
        smart_ms.while_sealed()
    assert "unblind" in caught.value.remedy


def test_specimens_are_related_to_what_was_made_of_them(exported):
    specimens = {row["REFID"]: row for row in _rows(exported, "RELSPEC")}
    for row in specimens.values():
        if row["LEVEL"] == 1:
            assert row["PARENT"] is None and row["SPEC"] == "BONE MARROW, LIQUID"
        else:
            assert specimens[row["PARENT"]]["LEVEL"] == 1
    measured = {row["BSREFID"] for row in _rows(exported, "BS")}
    assert measured <= set(specimens)


def test_all_values_are_terms_of_their_lists(exported, ocrelizumab):
    assert check_terms(exported.package) == ()
    assert check_terms(ocrelizumab.export().package) == ()


def test_every_code_list_and_method_that_is_named_is_in_the_package(exported):
    package = exported.package
    for dataset in package.datasets:
        for variable in dataset.variables:
            for described in (variable, *variable.values):
                if described.codelist is not None:
                    package.codelist(described.codelist)
                if described.method is not None:
                    package.method(described.method)


def test_collected_values_name_the_form_and_item_they_come_from(exported, smart_ms):
    items = {
        (form.id, item.id)
        for build in smart_ms.builds.values()
        for form in build.study.forms.values()
        for item in form.items()
    }
    named = 0
    for dataset in exported.package.datasets:
        for variable in dataset.variables:
            for origin in (variable.origin, *(level.origin for level in variable.values)):
                for source in origin.collected_at if origin else ():
                    assert (source.form, source.item) in items
                    named += 1
    assert named > 150


def test_the_same_record_gives_the_same_package(smart_ms, exported):
    again = smart_ms.export()
    assert [list(d.rows) for d in again.package.datasets] == [list(d.rows) for d in exported.package.datasets]
    assert again.notes == exported.notes

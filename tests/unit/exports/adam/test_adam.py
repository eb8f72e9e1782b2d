"""Analysis data sets: every number can be worked out again from the record, every word of the plan has a name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from trialwright.exports.adam import PlanWords, adam_package, doses_of
from trialwright.exports.adam.columns import DAY_ZERO
from trialwright.exports.adam.errors import PlanNotMapped
from trialwright.exports.adam.notes import AdamKind
from trialwright.exports.adam.outcomes import Measured, Measurements
from trialwright.exports.adam.survival import Survival
from trialwright.exports.datasets import Dataset, Variable
from trialwright.exports.files import write_package
from trialwright.protocol.analysis import IntercurrentEvent
from trialwright.trial.capture.views import ITEM


def item_of(exported, code):
    (item,) = (p.item for p in exported.adam.words.parameters.values() if p.code == code)
    return item


def entered(exported, item):
    """(participant, encounter) → value, straight from the view of items: an independent way to each number."""
    form, _, name = item.partition(".")
    return {
        (str(row["participant"]), str(row["encounter"])): float(str(row["value"]))
        for row in exported.rows.where(ITEM)
        if row["form"] == form and row["item"] == name and row["value"] is not None
    }


@pytest.mark.parametrize("which", ["crossover", "parallel"])
def test_every_analysis_value_is_the_value_that_was_entered(which, request):
    exported = request.getfixturevalue(which)
    encounters = {number: name for name, number in exported.adam.words.visit_numbers.items()}
    compared = 0
    for row in exported.rows_of("ADEFF"):
        values = entered(exported, item_of(exported, row["PARAMCD"]))
        assert row["AVAL"] == values[row["SUBJID"], encounters[row["AVISITN"]]]
        compared += 1
    assert compared > 12


def test_no_value_that_the_plan_looks_at_is_lost(crossover):
    found = {(r["PARAMCD"], r["SUBJID"], r["AVISITN"]) for r in crossover.rows_of("ADEFF")}
    words = crossover.adam.words
    for parameter in words.parameters.values():
        wanted = {parameter.baseline, *parameter.visits}
        for participant, encounter in entered(crossover, parameter.item):
            if encounter in wanted:
                assert (parameter.code, participant, words.visit_numbers[encounter]) in found


def test_change_is_the_decimal_difference_from_baseline(crossover):
    changed = [row for row in crossover.rows_of("ADEFF") if row["CHG"] is not None]
    assert len(changed) > 30
    for row in changed:
        assert Decimal(repr(row["CHG"])) == Decimal(repr(row["AVAL"])) - Decimal(repr(row["BASE"]))
        assert row["PCHG"] == pytest.approx(100 * (row["AVAL"] / row["BASE"] - 1)) if row["BASE"] else True


def test_the_planned_treatment_of_a_period_follows_from_the_sequence(crossover):
    sequences = {sequence.id: sequence for sequence in crossover.study.identity.sequences}
    people = {row["USUBJID"]: row for row in crossover.rows_of("ADSL") if row["TRTSEQP"]}
    assert {row["TRTSEQP"] for row in people.values()} == set(sequences)
    for row in crossover.rows_of("ADEFF"):
        if row["APERIOD"] is not None:
            period = crossover.study.identity.periods[row["APERIOD"] - 1].id
            assert row["TRTP"] == sequences[row["TRTSEQP"]].arms[period]


def test_a_baseline_is_flagged_once_a_parameter_and_participant(crossover):
    flagged = [(r["USUBJID"], r["PARAMCD"]) for r in crossover.rows_of("ADEFF") if r["ABLFL"] == "Y"]
    assert len(flagged) == len(set(flagged)) > 0


def test_an_adverse_event_belongs_to_the_last_dose_before_it(crossover):
    doses = {}
    for row in crossover.sdtm.dataset("EX").dicts():
        doses.setdefault(row["USUBJID"], []).append((row["EXSTDTC"], row["EXLNKID"], row["EXTRT"]))
    visits = {name.upper(): crossover.adam.words.period_of(name) for name in crossover.adam.words.encounters}
    assert crossover.rows_of("ADAE")
    for row in crossover.rows_of("ADAE"):
        before = [dose for dose in sorted(doses.get(row["USUBJID"], [])) if dose[0] <= row["AESTDTC"]]
        assert row["TRTEMFL"] == ("Y" if before else None)
        assert row.get("APERIOD") == (visits[before[-1][1]] if before else None)
        named = {"cells": "AUTOLOGOUS MESENCHYMAL STEM CELLS", "saline": "SODIUM CHLORIDE 9 MG/ML"}
        assert named.get(row.get("TRTA")) == (before[-1][2] if before else None)


def test_a_dose_in_the_second_period_alone_is_not_taken_for_the_first(crossover):
    ex = crossover.sdtm.dataset("EX")
    first = ex.names.index("EXLNKID")
    second_only = [row for row in ex.rows if row[first] == "INJECTION_2"]
    assert second_only
    without = replace(
        crossover.sdtm,
        datasets=tuple(replace(ex, rows=second_only) if d.name == "EX" else d for d in crossover.sdtm.datasets),
    )
    doses = doses_of(without, crossover.study, crossover.adam.words)
    assert {dose.period for found in doses.values() for dose in found} == {2}


def test_strata_and_populations_of_the_plan_are_variables(parallel):
    row = next(row for row in parallel.rows_of("ADSL") if row["TRT01P"])
    words = parallel.adam.words
    assert row[words.strata["weight_group"]] in ("light", "heavy")
    assert {row[flag] for flag in words.populations.values()} <= {"Y", "N"}


def test_a_dummy_allocation_carries_its_watermark_into_every_file(parallel, tmp_path):
    assert parallel.adam.package.watermark
    write_package(parallel.adam.package, tmp_path, "dataset-json")
    assert "DUMMY" in (tmp_path / "define.xml").read_text()


@pytest.mark.parametrize("format_", ["xpt", "dataset-json", "parquet"])
def test_the_package_can_be_written(crossover, tmp_path, format_):
    assert write_package(crossover.adam.package, tmp_path, format_) == ()


def test_before_the_blind_review_a_population_is_everybody_randomised_and_said_to_be(parallel, crossover):
    undecided = [note for note in crossover.adam.notes if note.kind is AdamKind.POPULATION_NOT_DECIDED]
    assert undecided == []  # the rehearsal's blind review decided on all

    class NobodyDecided:
        def where(self, table, **equals):
            return iter(()) if table.name == "population" else crossover.rows.where(table, **equals)

    again = adam_package(crossover.sdtm, crossover.study, NobodyDecided())
    assert {n.about for n in again.notes if n.kind is AdamKind.POPULATION_NOT_DECIDED} == set(again.words.populations)


def test_a_plan_that_looks_at_an_item_without_a_place_is_refused_by_name(crossover):
    first, *others = crossover.study.analysis.endpoints
    nowhere = first.model_copy(update={"item": "demographics.sex"})
    analysis = crossover.study.analysis.model_copy(update={"endpoints": (nowhere, *others)})
    study = crossover.study.model_copy(update={"analysis": analysis})
    with pytest.raises(PlanNotMapped, match=r"demographics\.sex"):
        adam_package(crossover.sdtm, study, crossover.rows)


def test_two_populations_never_share_a_flag(crossover):
    words = PlanWords(crossover.study)
    assert len(set(words.populations.values())) == len(words.populations)
    assert all(len(flag) <= 8 for flag in words.populations.values())


class Seen:
    """Measurements as the tests want them."""

    def __init__(self, *found):
        self.found = found

    def of(self, parameter):
        return iter(self.found)


def survival_rows(exported, *found):
    first, *others = exported.study.analysis.endpoints
    timed = first.model_copy(update={"measure": "time_to_event", "id": "relapse_time"})
    analysis = exported.study.analysis.model_copy(update={"endpoints": (timed, *others)})
    words = PlanWords(exported.study.model_copy(update={"analysis": analysis}))
    people = type("People", (), {})()
    people.rows = {"P": {"TRTSDT": 100, "RANDDT": 90}}
    people.carried = lambda usubjid: {"STUDYID": "S", "USUBJID": usubjid}
    people.treatment = lambda usubjid, period: "cells"
    people.carried_variables = lambda: iter(())
    survival = Survival(words, people, Seen(*found))
    (parameter,) = (p for p in words.parameters.values() if p.survival)
    return list(survival._rows(parameter)), parameter


def seen(encounter, date, value):
    return Measured("P", encounter, value, None, date, None, "RS", 1)


def test_a_time_ends_at_the_first_visit_with_the_event(crossover):
    (encounter,) = crossover.study.analysis.endpoints[0].at
    # Day 100 since 1960-01-01 is 1960-04-10; the event was seen on day 129.
    (row,), _ = survival_rows(crossover, seen(encounter, "1960-05-09", 1.0), seen(encounter, "1960-06-09", 1.0))
    assert (row["AVAL"], row["CNSR"], row["ADT"]) == (30.0, 0, 129)


def test_without_an_event_a_time_is_censored_at_the_last_visit(crossover):
    (encounter,) = crossover.study.analysis.endpoints[0].at
    (row,), _ = survival_rows(crossover, seen(encounter, "1960-05-09", 0.0))
    assert (row["AVAL"], row["CNSR"], row["EVNTDESC"]) == (30.0, 1, "LAST VISIT WITHOUT THE EVENT")


def test_without_any_visit_a_time_is_censored_at_its_start(crossover):
    (row,), _ = survival_rows(crossover)
    assert (row["AVAL"], row["CNSR"], row["EVNTDESC"]) == (1.0, 1, "NO VISIT")


DAY_100 = "1960-04-10"


def relapse_rows(exported, *, relapses=(), visits=(), ended=None):
    """ADTTE of one participant, treated on day 100, whose relapses are written down when they happen."""
    first, *_ = exported.study.analysis.endpoints
    timed = first.model_copy(
        update={"id": "first_relapse", "item": "relapse.start", "measure": "time_to_event", "baseline": None}
    )
    analysis = exported.study.analysis.model_copy(update={"endpoints": (timed,)})
    words = PlanWords(exported.study.model_copy(update={"analysis": analysis}))
    numbers = words.visit_numbers
    tables = (
        table("CE", ("USUBJID", "CESEQ", "CECAT", "CESTDTC"), [("P", n, *row) for n, row in enumerate(relapses, 1)]),
        table("SV", ("USUBJID", "VISITNUM", "SVSTDTC"), [("P", numbers[name], day) for name, day in visits]),
    )
    people = type("People", (), {})()
    people.rows = {"P": {"TRTSDT": 100, "RANDDT": 90, "EOSDT": ended}}
    people.carried = lambda usubjid: {"STUDYID": "S", "USUBJID": usubjid}
    people.treatment = lambda usubjid, period: "cells"
    survival = Survival(words, people, Measurements(replace(exported.sdtm, datasets=tables), words))
    (parameter,) = words.parameters.values()
    (row,) = survival._rows(parameter)
    return row, survival.notes


def table(name, columns, rows):
    return Dataset(name, name, "EVENTS", "", tuple(Variable(column, column) for column in columns), rows)


def test_an_event_that_is_written_down_when_it_happens_has_its_own_date(crossover):
    (last,) = crossover.study.analysis.endpoints[0].at
    early, other = ("RELAPSE", "1960-04-01"), ("OTHER", "1960-04-11")
    row, _ = relapse_rows(
        crossover,
        relapses=[("RELAPSE", "1960-06-09"), early, other, ("RELAPSE", "1960-05-09")],
        visits=[("baseline", DAY_100), (last, "1960-09-01")],
    )
    assert (row["AVAL"], row["CNSR"], row["PARAMCD"]) == (30.0, 0, "FIRSTREL")
    assert (row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == ("CE", "CESTDTC", 4)


def test_events_after_the_last_encounter_of_the_endpoint_do_not_count(crossover):
    (last,) = crossover.study.analysis.endpoints[0].at
    row, _ = relapse_rows(crossover, relapses=[("RELAPSE", "1960-06-09")], visits=[(last, "1960-05-09")], ended=900)
    assert (row["AVAL"], row["CNSR"], row["SRCDOM"]) == (30.0, 1, None)


def test_who_missed_the_last_encounter_is_followed_to_the_end_of_the_study(crossover):
    row, _ = relapse_rows(crossover, visits=[("baseline", DAY_100)], ended=129)
    assert (row["AVAL"], row["CNSR"], row["EVNTDESC"]) == (30.0, 1, "END OF FOLLOW-UP WITHOUT THE EVENT")


def test_an_event_with_a_partial_date_ends_no_time_and_is_told(crossover):
    row, notes = relapse_rows(crossover, relapses=[("RELAPSE", "1960-05")], ended=129)
    assert (row["AVAL"], row["CNSR"]) == (30.0, 1)
    assert [(note.kind, note.what) for note in notes] == [(AdamKind.EVENT_NOT_DATED, "FIRSTREL CESTDTC 1960-05")]


def with_events(exported, *declared, relapses=()):
    """The data sets under a plan whose first estimand has these intercurrent events, and these relapses on record."""
    first, *others = exported.study.analysis.estimands
    changed = first.model_copy(update={"intercurrent": declared})
    analysis = exported.study.analysis.model_copy(update={"estimands": (changed, *others)})
    study = exported.study.model_copy(update={"analysis": analysis})
    kept = tuple(each for each in exported.sdtm.datasets if each.name != "CE")
    clinical = table("CE", ("USUBJID", "CESEQ", "CECAT", "CESTDTC"), list(relapses))
    made = adam_package(replace(exported.sdtm, datasets=(*kept, clinical)), study, exported.rows)
    return made, made.words.flag(changed), list(made.package.dataset("ADEFF").dicts())


def hypothetical(**more):
    return IntercurrentEvent.model_validate(
        {"id": "relapse", "label": {"en": "Relapse"}, "strategy": "hypothetical", "begins": "relapse.start"} | more
    )


def test_values_after_an_event_are_left_out_of_the_flag_of_that_strategy_only(crossover):
    values = [row for row in crossover.rows_of("ADEFF") if row["ANL01FL"] == "Y"]
    person = max({row["USUBJID"] for row in values}, key=lambda who: sum(row["USUBJID"] == who for row in values))
    days = sorted({row["ADT"] for row in values if row["USUBJID"] == person})
    assert len(days) >= 2
    began = (DAY_ZERO + timedelta(days=days[0])).isoformat()
    history = "2000-01-01"

    made, flag, rows = with_events(
        crossover, hypothetical(), relapses=[(person, 1, "RELAPSE", history), (person, 2, "RELAPSE", began)]
    )

    assert flag == "ANL02FL"
    flagged = [row for row in rows if row["ANL01FL"] == "Y"]
    assert len(flagged) == len(values)
    for row in flagged:
        kept = row["USUBJID"] != person or row["ADT"] <= days[0]
        assert row[flag] == ("Y" if kept else None)
    assert any(row[flag] is None for row in flagged)
    (method,) = (each for each in made.package.methods if each.id == "ANALYSED.ANL02FL")
    assert "Relapse (CE.CESTDTC, hypothetical)" in method.text
    variable = next(v for v in made.package.dataset("ADEFF").variables if v.name == flag)
    assert variable.method == method.id


def test_estimands_with_the_same_events_share_a_flag_and_policies_have_the_first(crossover):
    policy = hypothetical(strategy="treatment_policy")
    made, flag, _ = with_events(crossover, policy)
    assert flag == "ANL01FL"
    assert list(made.words.left_out) == ["ANL01FL"]
    made, flag, rows = with_events(crossover, hypothetical(strategy="while_on_treatment"), policy)
    assert list(made.words.left_out) == ["ANL01FL", "ANL02FL"]
    assert [row["ANL01FL"] for row in rows] == [row[flag] for row in rows]


def test_an_event_without_a_full_date_leaves_nothing_out_and_is_told(crossover):
    person = crossover.rows_of("ADEFF")[0]["USUBJID"]
    made, flag, rows = with_events(crossover, hypothetical(), relapses=[(person, 1, "RELAPSE", "2025-03")])
    assert [row["ANL01FL"] for row in rows] == [row[flag] for row in rows]
    assert (AdamKind.EVENT_NOT_DATED, person, "ANL02FL relapse.start 2025-03") in {
        (note.kind, note.about, note.what) for note in made.notes
    }


def test_an_event_without_a_place_in_the_tabulation_is_refused_by_name(crossover):
    with pytest.raises(PlanNotMapped, match=r"begins at .*nowhere"):
        with_events(crossover, hypothetical(begins="relapse.nowhere"))


def test_the_flags_are_in_define_xml(crossover, tmp_path):
    made, _, _ = with_events(crossover, hypothetical())
    write_package(made.package, tmp_path, "dataset-json")
    described = (tmp_path / "define.xml").read_text()
    assert "ANL02FL" in described
    assert "no value after the day on which one of these began" in described

"""The facts of SMART-MS as registers and publications state them, each asserted on the study folder."""

from __future__ import annotations

import math

import pytest

from trialwright.build import Build, CompiledExpression
from trialwright.foundation.quantities import Quantity
from trialwright.foundation.truth import Truth
from trialwright.protocol import Role, Study
from trialwright.protocol.declared import Mark
from trialwright.protocol.schedule import Act
from trialwright.protocol.simulation import Generator
from trialwright.protocol.study import PublicStatus


def test_identifiers_are_those_of_the_registers(smart_ms: Study) -> None:
    numbers = {identifier.register_name: identifier.id for identifier in smart_ms.identity.identifiers}
    assert numbers == {
        "EU CT": "2023-510228-63-00",
        "ClinicalTrials.gov": "NCT04749667",
        "EudraCT": "2020-002373-95",
    }


def test_four_norwegian_hospitals_with_bergen_coordinating(smart_ms: Study) -> None:
    sites = smart_ms.identity.sites
    assert {site.town for site in sites} == {"Bergen", "Trondheim", "Lørenskog", "Tromsø"}
    assert [site.town for site in sites if site.coordinating] == ["Bergen"]
    assert {site.country for site in sites} == {"NO"}


def test_eighteen_participants_cross_over_in_two_balanced_sequences(smart_ms: Study) -> None:
    assert smart_ms.identity.planned_participants == 18
    assert smart_ms.identity.design == "crossover"
    assert smart_ms.randomisation.unit == "sequence"
    assert set(smart_ms.randomisation.ratio.values()) == {1}
    orders = {tuple(sequence.arms.values()) for sequence in smart_ms.identity.sequences}
    assert orders == {("cells", "saline"), ("saline", "cells")}


def test_the_status_is_completed_and_the_drift_of_the_registers_is_kept(smart_ms: Study) -> None:
    assert smart_ms.identity.public_status is PublicStatus.COMPLETED
    drift = {field.field: field.values for field in smart_ms.identity.registers}
    assert drift["status"] == {
        "public_page": "recruiting",
        "clinicaltrials_gov": "active, not recruiting",
        "eudract": "not recruiting",
        "publication": "completed",
    }
    assert drift["disease_duration_years"]["clinicaltrials_gov"] == "2–15"
    assert drift["start"]["clinicaltrials_gov"] == "2021-08-09"
    assert drift["end"]["clinicaltrials_gov"] == "2025-01-04"
    assert set(drift) == {"status", "start", "end", "disease_duration_years", "enrolled", "comparator"}


def test_every_disagreement_of_the_registers_is_explained(smart_ms: Study) -> None:
    for field in smart_ms.identity.registers:
        said = {value for value in field.values.values() if value is not None}
        assert field.why or len(said) == 1, field.field


@pytest.mark.parametrize(
    ("criterion", "facts", "fits"),
    [
        ("age_18_55", {"age": 17}, False),
        ("age_18_55", {"age": 18}, True),
        ("age_18_55", {"age": 55}, True),
        ("age_18_55", {"age": 56}, False),
        ("progressive_ms", {"course": "SPMS"}, True),
        ("progressive_ms", {"course": "PPMS"}, True),
        ("progressive_ms", {"course": "RRMS"}, False),
        ("edss_4_7", {"edss": 3.5}, False),
        ("edss_4_7", {"edss": 4.0}, True),
        ("edss_4_7", {"edss": 7.0}, True),
        ("edss_4_7", {"edss": 7.5}, False),
        ("duration_2_18", {"disease_duration": 1}, False),
        ("duration_2_18", {"disease_duration": 2}, True),
        ("duration_2_18", {"disease_duration": 18}, True),
        ("duration_2_18", {"disease_duration": 19}, False),
        ("kidneys", {"kidney_failure": False, "egfr": Quantity("59.9", "mL/min/{1.73_m2}")}, False),
        ("kidneys", {"kidney_failure": False, "egfr": Quantity("60", "mL/min/{1.73_m2}")}, True),
        ("kidneys", {"kidney_failure": False}, None),
        ("kidneys", {"kidney_failure": True}, False),
        ("low_platelets", {"platelets": Quantity("99", "10*9/L")}, False),
        ("low_platelets", {"platelets": Quantity("100", "10*9/L")}, True),
        ("infection", {"infection_known": False}, None),
        ("relapse_2_years", {"recent_relapse": True}, False),
    ],
)
def test_criteria_draw_the_published_line(
    smart_ms_build: Build, criterion: str, facts: dict[str, object], fits: bool | None
) -> None:
    truth = smart_ms_build.criteria[criterion].verdict(facts).truth  # type: ignore[arg-type]  # table of plain values
    assert truth is {True: Truth.YES, False: Truth.NO, None: Truth.UNKNOWN}[fits]


@pytest.mark.parametrize(
    ("fact", "form_items", "expected"),
    [
        # Washouts from dates: never taken decides alone; a partial date is an interval.
        ("therapy_6_months", {"six_month_group": False}, Truth.NO),
        ("therapy_6_months", {"six_month_group": True, "six_month_group_last": "2023-09-01"}, Truth.YES),
        ("therapy_6_months", {"six_month_group": True, "six_month_group_last": "2023-06-01"}, Truth.NO),
        ("therapy_6_months", {"six_month_group": True, "six_month_group_last": "2023"}, Truth.UNKNOWN),
        ("therapy_6_months", {"six_month_group": True}, Truth.UNKNOWN),
        ("therapy_12_months", {"twelve_month_group": True, "twelve_month_group_last": "2023-01-05"}, Truth.YES),
        ("steroids_3_months", {"steroids": True, "steroids_last": "2023-09-20"}, Truth.NO),
        ("transplantation_12_months", {"transplantation": True, "transplantation_on": "2022"}, Truth.NO),
    ],
)
def test_washouts_follow_from_dates(
    smart_ms_build: Build, fact: str, form_items: dict[str, object], expected: Truth
) -> None:
    from trialwright.foundation.dates import PartialDate

    row = {
        f"ms_therapies.{item}": PartialDate.parse(value) if isinstance(value, str) else value
        for item, value in ({"assessed_on": "2024-01-01"} | form_items).items()
    }
    source = smart_ms_build.facts[fact].source
    assert isinstance(source, CompiledExpression)
    assert source.verdict(row).truth is expected  # type: ignore[arg-type]  # table of plain values


def test_no_exclusion_restates_an_inclusion(smart_ms: Study) -> None:
    """The public page excluded "not progressive MS" and "outside the age range" besides including both."""
    excluded = " ".join(
        str(criterion.expression) for criterion in smart_ms.eligibility.criteria if criterion.kind == "exclusion"
    )
    assert not {"age", "course", "edss", "disease_duration"} & set(excluded.replace("(", " ").split())


def test_what_no_expression_decides_a_doctor_decides(smart_ms: Study) -> None:
    without = {c.id for c in smart_ms.eligibility.criteria if c.expression is None}
    assert without == {c.id for c in smart_ms.eligibility.criteria if c.decides == "doctor"}
    assert without == {"vulnerable", "other_health", "tolerance", "life_expectancy", "cognition"}


def test_the_visits_are_those_of_the_publication_in_their_order(smart_ms: Study) -> None:
    assert list(smart_ms.encounters) == [
        "screening", "marrow_1", "baseline", "injection_1", "safety_day_1", "week_1", "week_4", "month_3",
        "month6_assessment", "marrow_2", "injection_2", "safety_day_2", "week_1_second", "week_4_second",
        "month_9", "month_12", "month_18",
    ]  # fmt: skip


def test_the_second_period_counts_from_the_second_injection(smart_ms: Study) -> None:
    later = ["safety_day_2", "week_1_second", "week_4_second", "month_9", "month_12", "month_18"]
    assert {smart_ms.encounters[encounter].anchor for encounter in later} == {"injection_2"}


def test_the_primary_assessment_comes_before_the_second_aspiration(smart_ms: Study) -> None:
    assert smart_ms.encounters["marrow_2"].after == "month6_assessment"
    assert smart_ms.encounters["injection_2"].after == "marrow_2"
    assert "evoked_potentials" in smart_ms.encounters["month6_assessment"].forms


def test_manufacture_fits_between_aspiration_and_injection(smart_ms: Study) -> None:
    assert smart_ms.custody is not None
    for aspiration, next_visit in (("marrow_1", "baseline"), ("marrow_2", "injection_2")):
        encounter = smart_ms.encounters[next_visit]
        assert encounter.anchor == aspiration
        assert encounter.offset is not None
        assert encounter.window is not None
        assert 7 * (encounter.offset.weeks or 0) - encounter.window.before >= smart_ms.custody.manufacture_days


def test_both_periods_do_the_same_in_the_same_order(smart_ms: Study) -> None:
    """Everyone has two aspirations and two injections, each behind the same gate: this protects the blind."""
    for first, second in (("marrow_1", "marrow_2"), ("injection_1", "injection_2"), ("week_1", "week_1_second")):
        one, other = smart_ms.encounters[first], smart_ms.encounters[second]
        assert one.forms == other.forms
        assert _without_randomisation(one.acts) == _without_randomisation(other.acts)


def test_the_dose_is_a_million_cells_a_kilogram_and_at_most_a_hundred_million(smart_ms: Study) -> None:
    assert smart_ms.custody is not None
    dose = smart_ms.custody.dose
    assert (dose.per_kg, dose.maximum, dose.unit) == ("1", "100", "10*6{cells}")
    assert smart_ms.custody.traceability_years == 30


@pytest.mark.parametrize(
    ("gate", "item", "value", "expected"),
    [
        ("platelets", "platelets", Quantity("99", "10*9/L"), Truth.NO),
        ("platelets", "platelets", Quantity("100", "10*9/L"), Truth.YES),
        ("platelets", "platelets", None, Truth.UNKNOWN),
        ("anticoagulants", "anticoagulant", True, Truth.NO),
        ("infection", "infection", False, Truth.YES),
        ("pregnancy", "can_be_pregnant", False, Truth.YES),
        ("pregnancy", "can_be_pregnant", True, Truth.UNKNOWN),
    ],
)
def test_gates_open_only_on_a_yes(
    smart_ms_build: Build, gate: str, item: str, value: object, expected: Truth
) -> None:
    row = {f"safety_gate.{item}": value}
    assert smart_ms_build.gates[gate].verdict(row).truth is expected  # type: ignore[arg-type]


def test_who_is_blinded(smart_ms: Study) -> None:
    unblinded = set(smart_ms.identity.blinding.unblinded_roles)
    assert {Role.CELL_LABORATORY, Role.INJECTING_PHYSICIAN} <= unblinded
    assert not {Role.PARTICIPANT, Role.BLINDED_RATER, Role.INVESTIGATOR, Role.STUDY_NURSE, Role.SPONSOR} & unblinded


def test_the_rater_neither_injects_nor_treats(smart_ms: Study) -> None:
    pairs = {frozenset(conflict.roles) for conflict in smart_ms.identity.conflicts}
    assert frozenset({Role.BLINDED_RATER, Role.INJECTING_PHYSICIAN}) in pairs
    assert frozenset({Role.BLINDED_RATER, Role.INVESTIGATOR}) in pairs


def test_only_the_blinded_rater_rates(smart_ms: Study) -> None:
    for form in ("edss", "walk", "nine_hole_peg", "symbol_digit"):
        assert smart_ms.forms[form].filled_by == (Role.BLINDED_RATER,)


def test_no_text_that_blinded_people_fill_in_names_an_arm(smart_ms: Study) -> None:
    telling = {word.lower() for arm in smart_ms.identity.arms for word in arm.revealing_words}
    telling |= {label.lower() for arm in smart_ms.identity.arms for label in arm.label.values()}
    for form in smart_ms.forms.values():
        text = form.model_dump_json().lower()
        assert [word for word in telling if word in text] == [], form.id


def test_unable_counts_as_the_longest_time_and_no_response_is_an_outcome(smart_ms: Study) -> None:
    scored = {
        key: {outcome.code: outcome.scored_as for outcome in smart_ms.items[key].outcomes}
        for key in ("walk.trial_1", "nine_hole_peg.other_2", "evoked_potentials.vep_right")
    }
    assert scored["walk.trial_1"] == {"unable": "180"}
    assert scored["nine_hole_peg.other_2"] == {"unable": "300"}
    assert scored["evoked_potentials.vep_right"] == {"no_response": None}


def test_the_case_book_asks_what_a_reader_would_look_for(smart_ms: Study) -> None:
    assert len(smart_ms.forms) >= 29
    assert sum(len(form.checks) for form in smart_ms.forms.values()) >= 60
    for item in smart_ms.items.values():
        assert {"en", "nb"} <= set(item.label)


def test_clocks_are_those_of_the_regulation(smart_ms: Study) -> None:
    days = {clock.applies: clock.days for clock in smart_ms.safety.clocks}
    assert days["susar"] == 15
    assert days["susar_fatal_or_life_threatening"] == 7
    assert days["serious"] == 0


def test_the_public_page_has_the_sections_of_the_lay_synopsis_in_order(smart_ms: Study) -> None:
    for text in smart_ms.public.values():
        assert [section.id for section in text.sections] == [
            "status", "about", "journey", "who", "where", "burden", "treatment", "disease", "registers", "results",
            "other_trials",
        ]  # fmt: skip


def test_the_results_are_the_published_ones(smart_ms: Study) -> None:
    english = next(s.text for s in smart_ms.public["en"].sections if s.id == "results")
    norwegian = next(s.text for s in smart_ms.public["nb"].sections if s.id == "results")
    for number in ("−0.31", "−1.84", "1.22", "−0.32", "−1.26", "0.62"):
        assert number in english
        assert number.replace(".", ",") in norwegian


def test_the_scenarios_ask_the_questions_of_a_crossover(smart_ms: Study) -> None:
    assert {scenario.kind for scenario in smart_ms.simulation.scenarios} >= {
        "null",
        "expected",
        "carry_over",
        "optimistic",
    }


@pytest.mark.parametrize(
    ("scenario", "items", "change"),
    [
        ("published", ("evoked_potentials.sep_z", "evoked_potentials.vep_z", "evoked_potentials.mep_z"), -0.31),
        ("published", ("mri.brain_volume",), 9.37),
        ("published", ("biomarkers.gfap",), -16.3),
        ("hoped", ("evoked_potentials.sep_z", "evoked_potentials.vep_z", "evoked_potentials.mep_z"), -2.0),
    ],
)
def test_scenarios_carry_the_published_differences(
    smart_ms: Study, scenario: str, items: tuple[str, ...], change: float
) -> None:
    found = next(s for s in smart_ms.simulation.scenarios if s.id == scenario)
    total = math.fsum(float(effect.change) for effect in found.effects if effect.item in items)
    assert total == pytest.approx(change, abs=1e-9)


def test_the_combined_score_has_the_published_residual_spread(smart_ms: Study) -> None:
    """Residual SD of the ANCOVA on 18 participants that reproduces the published p-values: 1.52.

    Sum of three z-scores; the visual and the motor one are correlated with the somatosensory one only.
    """
    sep, vep, mep = (_generator(smart_ms, f"evoked_potentials.{z}_z") for z in ("sep", "vep", "mep"))
    between = float(sep.sd_between or 0)
    assert {vep.sd_between, mep.sd_between} == {sep.sd_between}
    assert list(vep.correlate) == list(mep.correlate) == ["evoked_potentials.sep_z"]
    r, s = float(vep.correlate["evoked_potentials.sep_z"]), float(mep.correlate["evoked_potentials.sep_z"])
    variance_between = between**2 * (3 + 2 * (r + s + r * s))
    variance_within = sum(float(z.sd_within or 0) ** 2 for z in (sep, vep, mep))
    assert _residual_sd(variance_between, variance_within) == pytest.approx(1.52, abs=0.005)


@pytest.mark.parametrize(("item", "published"), [("mri.brain_volume", 9.0), ("biomarkers.gfap", 16.6)])
def test_other_endpoints_have_the_published_residual_spread(smart_ms: Study, item: str, published: float) -> None:
    generator = _generator(smart_ms, item)
    between, within = float(generator.sd_between or 0) ** 2, float(generator.sd_within or 0) ** 2
    assert _residual_sd(between, within) == pytest.approx(published, rel=0.005)


@pytest.mark.parametrize(
    ("term", "participants"),
    [("fever", 9), ("low back pain", 10), ("spinal MRI change", 7), ("arachnoiditis", 1)],
)
def test_adverse_events_come_to_as_many_of_eighteen_as_published(
    smart_ms: Study, term: str, participants: int
) -> None:
    rate = next(rate for rate in smart_ms.simulation.adverse_events if rate.term == term)
    assert rate.per == "administration"
    affected = 18 * (1 - (1 - float(rate.probability)) ** 2)
    assert affected == pytest.approx(participants, abs=0.05)


def test_a_peer_s_bank_released_eight_of_eleven(smart_ms: Study) -> None:
    assert float(smart_ms.simulation.manufacture_failure) == pytest.approx(3 / 11, abs=0.005)
    assert float(smart_ms.simulation.dropout_per_year) == pytest.approx(3 / 27, abs=0.005)


def test_the_analysis_protects_against_carry_over(smart_ms: Study) -> None:
    models = {model.id: model for model in smart_ms.analysis.models}
    crossover = models["crossover_mixed"]
    assert "sequence" in crossover.terms
    assert crossover.degrees_of_freedom == "kenward_roger"
    assert models["crossover_first_period"].periods == "first_only"
    assert models["primary_ancova"].periods == "first_only"


def test_assumptions_are_marked_as_such(smart_ms: Study) -> None:
    assert smart_ms.schedule.source is Mark.ASSUMPTION
    assert smart_ms.randomisation.source is Mark.ASSUMPTION
    assert smart_ms.custody is not None
    assert all(criterion.source is Mark.ASSUMPTION for criterion in smart_ms.custody.release)
    assert all(criterion.source is not None for criterion in smart_ms.eligibility.criteria)


def _without_randomisation(acts: tuple[Act, ...]) -> list[str]:
    return [act.act for act in acts if act.act != "randomise"]


def _generator(study: Study, item: str) -> Generator:
    return next(generator for generator in study.simulation.generators if generator.item == item)


def _residual_sd(between: float, within: float) -> float:
    """SD of follow-up given baseline: Var(y₁ | y₀) = σ² (1 − ρ²) with σ² = b + w, ρ = b / (b + w)."""
    total = between + within
    return math.sqrt(total * (1 - (between / total) ** 2))

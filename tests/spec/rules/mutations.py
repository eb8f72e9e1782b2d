"""For each rule, a small edit of SMART-MS that breaks it and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edits import DELETE, Edit


@dataclass(frozen=True)
class Mutation:
    """Edits that break one rule."""

    rule: str
    edits: tuple[Edit, ...]


def breaks(rule: str, file: str, path: str, value: Any, *more: Edit) -> Mutation:
    return Mutation(rule, (Edit(file, path, value), *more))


def both(en: str, nb: str) -> dict[str, str]:
    return {"en": en, "nb": nb}


_AGE_GROUPS = {
    "id": "age_group",
    "label": both("Age group", "Aldersgruppe"),
    "levels": ["young", "old"],
    "level": {"young": "age < 40", "old": "age >= 40"},
}
_DRAFTS = tuple(
    Edit(f"public/{language}.md", path, value)
    for language in ("en", "nb")
    for path, value in (("head.status", "draft"), ("head.reviewed_questions", DELETE))
)
"""A criterion that was changed is no longer the one that was reviewed, which is another rule's affair."""
_SERIOUS_TO_SPONSOR = "clocks[serious_to_sponsor].days"

MUTATIONS: tuple[Mutation, ...] = (
    # study.yaml, ids, texts
    breaks("TW001", "study.yaml", "title", {"en": "A study"}),
    breaks("TW002", "study.yaml", "title", {"en": "A study", "nb": "En studie", "no": "En studie"}),
    breaks("TW003", "study.yaml", "other_trials[+]", "Another Trial"),
    breaks("TW004", "terminology/sex.yaml", "codes[+]", {"code": "F", "label": both("Woman", "Kvinne")}),
    breaks("TW005", "study.yaml", "registers[status].why", DELETE),
    breaks("TW006", "study.yaml", "registers[enrolled].shown", "journal"),
    breaks("TW007", "study.yaml", "sites[01].timezone", "Europe/Bergen"),
    breaks("TW008", "study.yaml", "planned_participants", 20),
    breaks("TW009", "study.yaml", "sites[02].coordinating", True),
    breaks("TW010", "forms/vital_signs.yaml", "filled_by[+]", "pharmacist"),
    breaks("TW011", "study.yaml", "blinding.unblinded_roles[+]", "monitor"),
    breaks("TW012", "study.yaml", "blinding.kind", "open"),
    breaks("TW013", "study.yaml", "conflicts[0]", DELETE),
    breaks(
        "TW014",
        "study.yaml",
        "design",
        "parallel",
        Edit("randomisation.yaml", "unit", "arm"),
        Edit("randomisation.yaml", "ratio", {"cells": 1, "saline": 1}),
    ),
    breaks("TW015", "study.yaml", "sequences[cells_first].arms.period_2", DELETE),
    breaks("TW016", "study.yaml", "sequences[saline_first].arms", {"period_1": "cells", "period_2": "saline"}),
    # expressions
    breaks("TW020", "eligibility.yaml", "criteria[age_18_55].expression", "18 =< age"),
    breaks("TW021", "eligibility.yaml", "criteria[age_18_55].expression", "18 <= agee <= 55"),
    breaks("TW022", "eligibility.yaml", "criteria[age_18_55].expression", "age >= '2007-01-01'"),
    breaks("TW023", "custody.yaml", "gates[weight].expression", "safety_gate.dosing_weight > 30 'cm'"),
    breaks("TW024", "eligibility.yaml", "criteria[progressive_ms].expression", 'course in ("SPMS", "PPSM")'),
    breaks("TW025", "eligibility.yaml", "criteria[edss_4_7].expression", "edss + 1"),
    breaks("TW026", "eligibility.yaml", "facts[leukocytes].from", "haematology.leukocytes > 3 '10*9/L'"),
    # eligibility.yaml
    breaks(
        "TW030",
        "eligibility.yaml",
        "criteria[+]",
        {
            "id": "outside_age",
            "kind": "exclusion",
            "text": both("Outside the age range", "Utenfor aldersgrensene"),
            "expression": "age < 18 or not age <= 55",
        },
        *_DRAFTS,
    ),
    breaks(
        "TW031",
        "eligibility.yaml",
        "criteria[+]",
        {
            "id": "grown_up",
            "kind": "exclusion",
            "text": both("Older than 10 years", "Eldre enn 10 år"),
            "expression": "age > 10",
        },
        *_DRAFTS,
    ),
    breaks(
        "TW032",
        "eligibility.yaml",
        "criteria[+]",
        {
            "id": "any_age",
            "kind": "inclusion",
            "text": both("Any age", "Enhver alder"),
            "expression": "age >= 18 or age < 18",
        },
        *_DRAFTS,
    ),
    breaks("TW033", "eligibility.yaml", "criteria[vulnerable].decides", DELETE),
    breaks("TW034", "eligibility.yaml", "facts[+]", {"id": "shoe_size", "type": "integer"}),
    breaks("TW035", "eligibility.yaml", "facts[age].unit", "a"),
    breaks("TW036", "eligibility.yaml", "encounter", "screning"),
    breaks("TW037", "eligibility.yaml", "facts[*].question", DELETE, *_DRAFTS),
    breaks("TW038", "eligibility.yaml", "facts[age].record", "consent"),
    # schedule.yaml
    breaks("TW040", "schedule.yaml", "encounters[week_4].forms[+]", "vital_sings"),
    breaks("TW041", "schedule.yaml", "encounters[week_4].epoch", "first_treatmet"),
    breaks("TW042", "schedule.yaml", "encounters[week_4].window", {"before": 4, "after": 70}),
    breaks(
        "TW043",
        "schedule.yaml",
        "encounters[month_9].offset",
        {"weeks": 2},
        Edit("schedule.yaml", "encounters[month_9].window", {"before": 2, "after": 2}),
    ),
    breaks("TW044", "schedule.yaml", "encounters[week_4].window", DELETE),
    breaks("TW045", "schedule.yaml", "encounters[screening].acts", [{"act": "eligibility"}, {"act": "consent"}]),
    breaks("TW046", "schedule.yaml", "log_forms[relapse]", DELETE),
    breaks("TW047", "schedule.yaml", "encounters[week_4].forms[+]", "vital_signs"),
    breaks(
        "TW048",
        "schedule.yaml",
        "encounters[+]",
        {
            "id": "month_20",
            "label": both("Month 20", "Måned 20"),
            "epoch": "follow_up",
            "period": "period_2",
            "anchor": "injection_2",
            "offset": {"months": 14},
            "window": {"before": 7, "after": 7},
        },
    ),
    breaks("TW049", "schedule.yaml", "encounters[week_4].remote", True),
    breaks(
        "TW050",
        "schedule.yaml",
        "encounters[marrow_2].anchor",
        "month_3",
        Edit("schedule.yaml", "encounters[marrow_2].after", "month_3"),
        Edit("schedule.yaml", "encounters[marrow_2].offset", {"months": 2}),
    ),
    breaks("TW051", "schedule.yaml", "encounters[week_4].period", DELETE),
    breaks(
        "TW052",
        "study.yaml",
        "epochs[+]",
        {"id": "washout", "label": both("Washout", "Utvasking"), "kind": "washout"},
    ),
    breaks(
        "TW053",
        "schedule.yaml",
        "encounters[+]",
        {
            "id": "log",
            "label": both("Log", "Logg"),
            "epoch": "follow_up",
            "anchor": "injection_2",
            "offset": {"months": 15},
            "window": {"before": 14, "after": 28},
            "after": "month_18",
            "forms": ["vital_signs"],
        },
    ),
    # forms/*.yaml and terminology/*.yaml
    breaks("TW060", "forms/vital_signs.yaml", "item:position.decimals", 1),
    breaks("TW061", "forms/serology.yaml", "item:hiv.codelist", "test_reslt"),
    breaks("TW062", "forms/vital_signs.yaml", "item:pulse.units[0]", "beats"),
    breaks("TW063", "forms/vital_signs.yaml", "item:weight.units[+]", "cm"),
    breaks("TW064", "forms/vital_signs.yaml", "item:pulse.range", {"low": "110", "high": "45"}),
    breaks("TW065", "forms/vital_signs.yaml", "item:pulse.possible", {"low": "60", "high": "250"}),
    breaks("TW066", "forms/vital_signs.yaml", "item:pulse.range", {"low": "45.5", "high": "110"}),
    breaks("TW067", "forms/edss.yaml", "item:computed_score.derive.instrument", "edss.scor"),
    breaks(
        "TW068",
        "forms/vital_signs.yaml",
        "groups[body].items[+]",
        {
            "id": "first_sum",
            "label": both("First", "Første"),
            "type": "integer",
            "origin": "derived",
            "derive": {"expression": "second_sum + 1"},
            "sdtm": {"not_submitted": "only a sum"},
        },
        Edit(
            "forms/vital_signs.yaml",
            "groups[body].items[+]",
            {
                "id": "second_sum",
                "label": both("Second", "Andre"),
                "type": "integer",
                "origin": "derived",
                "derive": {"expression": "first_sum - 1"},
                "sdtm": {"not_submitted": "only a sum"},
            },
        ),
    ),
    breaks("TW069", "forms/pregnancy.yaml", "item:result.when", "can_be_pregnant and not can_be_pregnant"),
    breaks(
        "TW070",
        "forms/haematology.yaml",
        "checks[enough_platelets].expression",
        "platelets >= 100 '10*9/L' or platelets < 100 '10*9/L'",
    ),
    breaks("TW071", "forms/edss.yaml", "checks[scores_agree].items", ["distance"]),
    breaks("TW072", "eligibility.yaml", "facts[platelets].from", "at(month_12).haematology.platelets"),
    breaks("TW073", "schedule.yaml", "encounters[screening].forms[edss]", DELETE),
    breaks("TW074", "forms/edss.yaml", "signed_by", "study_nurse"),
    breaks("TW075", "forms/fatigue_pain.yaml", "participant_reported", False),
    breaks(
        "TW076",
        "forms/haematology.yaml",
        "space",
        "closed",
        Edit("forms/haematology.yaml", "filled_by", ["injecting_physician"]),
    ),
    breaks("TW077", "forms/relapse.yaml", "space", "closed"),
    breaks("TW078", "forms/edss.yaml", "filled_by[+]", "injecting_physician"),
    breaks("TW079", "forms/walk.yaml", "item:trial_1.outcomes[0].scored_as", "9999"),
    breaks("TW080", "forms/medical_history.yaml", "item:other.privacy", DELETE),
    breaks(
        "TW081",
        "terminology/colours.yaml",
        "",
        {
            "id": "colours",
            "label": both("Colours", "Farger"),
            "codes": [{"code": "RED", "label": both("Red", "Rød")}],
        },
    ),
    breaks("TW082", "forms/vital_signs.yaml", "filled_by[+]", "monitor"),
    breaks("TW083", "forms/edss.yaml", "item:computed_score.origin", DELETE),
    breaks("TW084", "forms/walk.yaml", "item:orthosis.when", "edss.ambulation <= 11"),
    # where items go in SDTM
    breaks("TW085", "forms/walk.yaml", "item:orthosis.sdtm", DELETE),
    breaks(
        "TW086",
        "forms/walk.yaml",
        "item:orthosis.sdtm.test",
        "T25FW103",
        Edit("forms/walk.yaml", "item:orthosis.sdtm.variable", "LBORRES"),
    ),
    # randomisation.yaml
    breaks("TW090", "randomisation.yaml", "ratio", {"cells_first": 1, "saline_frst": 1}),
    breaks(
        "TW091",
        "randomisation.yaml",
        "unit",
        "arm",
        Edit("randomisation.yaml", "ratio", {"cells": 1, "saline": 1}),
    ),
    breaks("TW092", "simulation.yaml", "block_size_candidates[+]", [3]),
    breaks("TW093", "randomisation.yaml", "strata[+]", {**_AGE_GROUPS, "level": {"young": "age < 40"}}),
    breaks(
        "TW094",
        "randomisation.yaml",
        "strata[+]",
        {**_AGE_GROUPS, "level": {"young": "age < 40", "old": "age > 40"}},
    ),
    breaks("TW095", "randomisation.yaml", "strata[+]", {**_AGE_GROUPS, "weight": 2}),
    breaks(
        "TW096",
        "randomisation.yaml",
        "strata[+]",
        _AGE_GROUPS,
        Edit("randomisation.yaml", "by_site", True),
    ),
    # custody.yaml
    breaks("TW100", "schedule.yaml", "encounters[week_4].acts[+]", {"act": "safety_gate", "slot": "slot_3"}),
    breaks("TW101", "schedule.yaml", "encounters[marrow_1].acts[collection]", DELETE),
    breaks("TW102", "schedule.yaml", "encounters[injection_1].acts[safety_gate]", DELETE),
    breaks("TW103", "custody.yaml", "manufacture_days", 40),
    breaks("TW104", "custody.yaml", "dose.weight", "vital_signs.weight"),
    breaks("TW105", "custody.yaml", "given_in.saline", DELETE),
    breaks("TW106", "custody.yaml", "identifier", ".*"),
    breaks("TW107", "custody.yaml", "transport", {"low": "8", "high": "2", "unit": "Cel"}),
    breaks("TW108", "custody.yaml", "release[young]", DELETE),
    breaks("TW109", "custody.yaml", "measurements[passage].unit", "%"),
    breaks("TW110", "custody.yaml", "slots[slot_2].period", "period_1"),
    breaks("TW111", "custody.yaml", "dose.per_kg", "0"),
    # safety.yaml
    breaks("TW120", "safety.yaml", "clocks[susar].days", 30),
    breaks("TW121", "safety.yaml", _SERIOUS_TO_SPONSOR, 7),
    breaks("TW122", "safety.yaml", "reference.terms[0].agent", "prodct"),
    breaks("TW123", "safety.yaml", "reference.terms[0].up_to_grade", 5),
    breaks(
        "TW124",
        "custody.yaml",
        "",
        DELETE,
        Edit("schedule.yaml", "encounters[marrow_1].acts", [{"act": "randomise"}]),
        Edit("schedule.yaml", "encounters[injection_1].acts", []),
        Edit("schedule.yaml", "encounters[marrow_2].acts", []),
        Edit("schedule.yaml", "encounters[injection_2].acts", []),
    ),
    # texts
    breaks("TW130", "forms/injection_procedure.yaml", "title.en", "Injection of saline"),
    breaks("TW131", "consent/nb.md", "", DELETE),
    breaks(
        "TW132",
        "consent/en.md",
        "head.withdrawal_scopes[visits]",
        DELETE,
        Edit("consent/nb.md", "head.withdrawal_scopes[visits]", DELETE),
        Edit("consent/nn.md", "head.withdrawal_scopes[visits]", DELETE),
        Edit("consent/en.md", "head.status", "draft"),
        Edit("consent/nb.md", "head.status", "draft"),
    ),
    breaks(
        "TW133",
        "consent/en.md",
        "head.teach_back[choice].right",
        "computer",
        Edit("consent/en.md", "head.status", "draft"),
    ),
    breaks("TW134", "consent/nb.md", "head.version", "0.9", Edit("consent/nb.md", "head.status", "draft")),
    breaks("TW135", "public/en.md", "head.updated", "last spring"),
    breaks("TW136", "schedule.yaml", "encounters[week_4].label.en", "<b>Week 4</b>"),
    breaks("TW137", "public/en.md", "head.title", "Another title"),
    # analysis.yaml
    breaks("TW140", "analysis.yaml", "estimands[primary].population", "full_analysi"),
    breaks("TW141", "analysis.yaml", "endpoints[walk_percent].item", "walk.mean_tme"),
    breaks("TW142", "schedule.yaml", "encounters[month_12].forms[biomarkers]", DELETE),
    breaks("TW143", "analysis.yaml", "endpoints[walk_percent].baseline", "month6_assessment"),
    breaks("TW144", "analysis.yaml", "estimands[primary].kind", "secondary"),
    breaks("TW145", "analysis.yaml", "models[primary_ancova].role", "sensitivity"),
    breaks("TW146", "analysis.yaml", "models[*].periods", DELETE),
    breaks("TW147", "analysis.yaml", "models[crossover_unstructured].degrees_of_freedom", "residual"),
    breaks("TW148", "analysis.yaml", "alpha", "5"),
    breaks("TW149", "analysis.yaml", "estimands[primary].summary", "hazard_ratio"),
    breaks("TW150", "analysis.yaml", "outputs[0].shows[+]", "primry"),
    breaks("TW151", "analysis.yaml", "estimands[primary].intercurrent[relapse].strategy", "hypothetical"),
    # simulation.yaml
    breaks("TW160", "simulation.yaml", "scenarios[carry_over].kind", "expected"),
    breaks(
        "TW161",
        "simulation.yaml",
        "scenarios[no_difference].effects[+]",
        {"item": "edss.ambulation", "arm": "cells", "change": "-1"},
    ),
    breaks(
        "TW162",
        "simulation.yaml",
        "scenarios[hoped].effects[+]",
        {"item": "edss.ambulation", "arm": "cels", "change": "-1"},
    ),
    breaks(
        "TW163",
        "simulation.yaml",
        "generators[+]",
        {"item": "vital_signs.wieght", "distribution": "normal", "mean": "75"},
    ),
    breaks("TW164", "simulation.yaml", "dropout_per_year", "11"),
    breaks("TW165", "simulation.yaml", "generators[demographics.sex].choices", {"F": "0.5", "M": "0.4"}),
    breaks("TW166", "simulation.yaml", "generators[demographics.sex].choices", {"F": "0.5", "W": "0.5"}),
    breaks("TW167", "simulation.yaml", "generators[vital_signs.pulse].sd_within", "-5"),
    breaks("TW168", "simulation.yaml", "accrual[01].site", "09"),
    breaks("TW169", "simulation.yaml", "generators[demographics.sex]", DELETE),
    breaks("TW170", "simulation.yaml", "grids", [{"dropout_per_year": ["0.1", "1.1"]}]),
    breaks(
        "TW171",
        "simulation.yaml",
        "generators[vital_signs.pulse].correlate",
        {"vital_signs.weight": "0.8", "vital_signs.systolic": "0.8"},
    ),
    breaks(
        "TW172",
        "simulation.yaml",
        "looks",
        [{"id": "half", "model": "primary_ancova", "fractions": ["0.5", "0.9"], "boundaries": "pocock"}],
    ),
)

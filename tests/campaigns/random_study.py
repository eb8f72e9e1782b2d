"""Studies made up from valid parts: design, sites, arms, blinding, randomisation, visits, forms, checks, custody.

What comes out is a folder of files like anybody's, to be read and built by the real loader and the real build.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trialwright.build import Build
from trialwright.build.check import compile_study
from trialwright.protocol import load_study

LABELS = ("zalvexid", "quontrine", "morbitane", "perilaxum")
"""Arms have names that stand nowhere else, so that one that got out is found."""

PLACES = (
    ("01", "NO", "Europe/Oslo"),
    ("02", "FI", "Europe/Helsinki"),
    ("03", "PT", "Atlantic/Azores"),
)
TWO_EQUAL_ARMS = ("big_stick", "efron", "maximal_procedure")
"""Methods that are defined for two arms of equal share."""
ANY_ARMS = (
    "complete", "random_allocation_rule", "permuted_blocks", "random_permuted_blocks", "wei_urn", "block_urn",
    "minimisation",
)  # fmt: skip

Json = dict[str, Any]


def text(words: str) -> Json:
    """A text of a study with one language."""
    return {"en": words}


def study_files(chance: random.Random) -> dict[str, str]:
    """Path in the folder → content."""
    crossover, blinded = chance.random() < 0.4, chance.random() < 0.6
    custody = blinded and chance.random() < 0.5
    arms = list(LABELS[: 2 if crossover else chance.choice((2, 2, 3, 4))])
    periods = ["first", "second"] if crossover else []
    visits = _visits(chance, periods, custody=custody)
    randomisation = _randomisation(chance, arms, crossover=crossover)
    smallest = sum(randomisation["ratio"].values())
    files = {
        "study.yaml": _identity(chance, arms, periods, blinded=blinded, custody=custody),
        "schedule.yaml": _schedule(visits),
        "eligibility.yaml": _eligibility(chance),
        "randomisation.yaml": randomisation,
        "analysis.yaml": _analysis(visits[-1]["id"], crossover=crossover),
        "safety.yaml": _SAFETY,
        "simulation.yaml": _simulation(arms, [smallest, 2 * smallest], crossover=crossover),
        "forms/screening.yaml": _screening_form(chance),
        "forms/visit.yaml": _visit_form(chance),
        "forms/medication.yaml": _MEDICATION_FORM,
        "terminology/sex.yaml": _codes("sex", "F", "M"),
    }
    if custody:
        files["custody.yaml"] = _custody(chance, arms, periods)
        files["forms/gate.yaml"] = _GATE_FORM
        files["terminology/result.yaml"] = _codes("result", "NEGATIVE", "POSITIVE")
    texts = {"consent/en.md": _CONSENT, "public/en.md": _PUBLIC}
    return {**{path: json.dumps(content) for path, content in files.items()}, **texts}


def written(files: Mapping[str, str], folder: Path) -> Path:
    """The folder with these files and no others."""
    for place in ("forms", "terminology", "consent", "public"):
        (folder / place).mkdir(parents=True, exist_ok=True)
    for optional in ("custody.yaml", "forms/gate.yaml", "terminology/result.yaml"):
        (folder / optional).unlink(missing_ok=True)
    for path, content in files.items():
        (folder / path).write_text(content)
    return folder


def random_build(seed: int, folder: Path) -> Build:
    """The build of one random study.

    Args:
        seed: says which.
        folder: where its files may be written.

    Raises:
        StudyFolderError, CheckFailed: a part of this module is not valid.
    """
    return compile_study(load_study(written(study_files(random.Random(f"study {seed}")), folder)))


def _identity(chance: random.Random, arms: list[str], periods: list[str], *, blinded: bool, custody: bool) -> Json:
    roles = ["investigator", "study_nurse", "monitor", "data_manager", "independent_statistician", "sponsor"]
    roles += ["participant", *(["blinded_rater"] if chance.random() < 0.5 else [])]
    unblinded = ["independent_statistician"]
    if custody:
        unblinded += ["injecting_physician", "cell_laboratory", "qualified_person"]
        roles += unblinded[1:]
    places = PLACES[: chance.randint(1, len(PLACES))]
    sites = [
        {"id": number, "name": f"Hospital {number}", "town": "Town", "country": country, "timezone": zone}
        for number, country, zone in places
    ]
    sites[0]["coordinating"] = True  # type: ignore[assignment]  # a JSON object
    kept_apart = ["investigator", *(["injecting_physician"] if custody else [])] if "blinded_rater" in roles else []
    found: Json = {
        "trialwright": 1, "id": "random", "version": "1.0", "title": text("A random study"), "acronym": "RANDOM",
        "phase": "II", "condition": text("A disease"), "objective": text("To be attacked."),
        "public_status": "recruiting", "languages": ["en"], "design": "crossover" if periods else "parallel",
        "planned_participants": 12, "sponsor": {"name": "A hospital", "country": "NO"}, "sites": sites,
        "arms": [
            {"id": arm, "label": text(arm), "kind": "experimental" if arm == arms[0] else "active_comparator",
             "description": text(f"{arm} as it is given"), "revealing_words": [arm]}
            for arm in arms
        ],
        "epochs": [
            {"id": "screening", "label": text("Screening"), "kind": "screening"},
            {"id": "treatment", "label": text("Treatment"), "kind": "treatment"},
        ],
        "blinding": {"kind": "blinded", "unblinded_roles": unblinded} if blinded else {"kind": "open"},
        "roles": roles,
        "conflicts": [
            {"roles": ["blinded_rater", role], "why": text("Who treats cannot rate.")} for role in kept_apart
        ],
        "source_verification": {"others_percent": chance.choice((0, 0, 30))},
    }  # fmt: skip
    if periods:
        first, second = arms
        found["periods"] = [{"id": period, "label": text(period)} for period in periods]
        found["sequences"] = [
            {"id": f"{first}_first", "label": text("A"), "arms": {"first": first, "second": second}},
            {"id": f"{second}_first", "label": text("B"), "arms": {"first": second, "second": first}},
        ]
    return found


def _visits(chance: random.Random, periods: list[str], *, custody: bool) -> list[Json]:
    """Screening, start with randomisation, and what follows; with custody a collection and an injection a slot."""
    first = {"id": "screening", "label": text("Screening"), "epoch": "screening", "forms": ["screening"]}
    first["acts"] = [{"act": "consent"}, {"act": "eligibility"}]
    start = _visit(chance, "start", "screening", ["gate"] if custody else ["visit"], {"weeks": 2})
    start["epoch"], start["acts"] = "screening", [{"act": "randomise"}]
    visits = [first, start]
    for period in periods or [None]:
        name = period or "only"
        if custody:
            acts = [{"act": "safety_gate", "slot": f"slot_{name}"}]
            collection = start if len(visits) == 2 else _visit(chance, f"collect_{name}", visits[-1]["id"], ["gate"])
            collection["acts"] = [*collection.get("acts", []), *acts, {"act": "collection", "slot": f"slot_{name}"}]
            if collection is not start:
                visits.append(collection | _during("first"))
            given = _visit(chance, f"give_{name}", collection["id"], ["gate"], {"weeks": 5})
            given["acts"] = [*acts, {"act": "administration", "slot": f"slot_{name}"}]
            visits.append(given | _during(period))
        for number in range(1, chance.randint(1, 2) + 1):
            visits.append(_visit(chance, f"visit_{name}_{number}", visits[-1]["id"], ["visit"]) | _during(period))
    return visits


def _during(period: str | None) -> Json:
    return {"period": period} if period else {}


def _visit(chance: random.Random, name: str, after: str, forms: list[str], offset: Json | None = None) -> Json:
    unit = chance.choice(("days", "weeks", "months"))
    offset = offset or {unit: {"days": chance.randint(10, 40), "weeks": chance.randint(2, 6), "months": 2}[unit]}
    window = {"before": chance.randint(0, 7), "after": chance.randint(0, 9)}
    found = {"id": name, "label": text(name), "epoch": "treatment", "anchor": after, "offset": offset}
    return {**found, "window": window, "after": after, "forms": forms}


def _schedule(visits: list[Json]) -> Json:
    return {"encounters": visits, "log_forms": ["medication"], "unscheduled_forms": ["visit"]}


def _eligibility(chance: random.Random) -> Json:
    facts = [
        {"id": "age", "type": "quantity", "unit": "a", "from": "screening.age"},
        {"id": "sex", "type": "code", "codelist": "sex", "from": "screening.sex"},
        {"id": "score", "type": "integer", "from": "screening.score"},
        {"id": "pregnant", "type": "boolean", "from": "screening.pregnant"},
        {"id": "willing", "type": "boolean"},
    ]
    criteria = [
        ("adult", "inclusion", f"age >= 18 'a' and age <= {chance.choice((55, 60, 70))} 'a'"),
        ("willing", "inclusion", "willing"),
        ("pregnancy", "exclusion", 'sex == "F" and pregnant'),
        ("mild", "exclusion", f"score < {chance.randint(1, 3)}"),
        ("young_or_mild", "inclusion", "age < 50 'a' or score <= 8"),
    ]
    chosen: list[Json] = [
        {"id": name, "kind": kind, "text": text(name), "expression": expression}
        for name, kind, expression in (criteria[0], *chance.sample(criteria[1:], chance.randint(1, 4)))
    ]
    if chance.random() < 0.7:
        chosen.append({"id": "fit", "kind": "inclusion", "text": text("Fit"), "decides": "doctor"})
    used = " ".join(str(criterion.get("expression")) for criterion in chosen)
    kept = [fact for fact in facts if str(fact["id"]) in used or fact["id"] in ("age", "sex")]
    rescreening = chance.randint(0, 2)
    return {"encounter": "screening", "rescreening": rescreening, "facts": kept, "criteria": chosen}


def _randomisation(chance: random.Random, arms: list[str], *, crossover: bool) -> Json:
    units = [f"{arm}_first" for arm in arms] if crossover else arms
    equal = len(units) == 2 and chance.random() < 0.6
    method = chance.choice((*TWO_EQUAL_ARMS, *ANY_ARMS) if equal else ANY_ARMS)
    ratio = dict.fromkeys(units, 1)
    if not equal and method not in ("wei_urn",) and chance.random() < 0.4:
        ratio[units[0]] = 2
    sex = {"id": "sex", "label": text("Sex"), "levels": ["female", "male"]}
    age = {"id": "age", "label": text("Age"), "levels": ["young", "old"]}
    strata = [
        {**sex, "level": {"female": 'sex == "F"', "male": 'sex == "M"'}},
        {**age, "level": {"young": "age < 40 'a'", "old": "age >= 40 'a'"}},
    ]
    found: Json = {"unit": "sequence" if crossover else "arm", "method": method, "ratio": ratio}
    found["strata"] = chance.sample(strata, 1 if method == "minimisation" else chance.randint(0, 2))
    found["by_site"] = chance.random() < 0.4
    if chance.random() < 0.7:
        found["within_days_of_sign_off"] = chance.choice((3, 14, 28))
    return found


def _analysis(last: str, *, crossover: bool) -> Json:
    method: Json = {"method": "crossover"} if crossover else {"method": "exact", "terms": ["arm"]}
    models = [{"id": "main", "estimand": "primary", "role": "main", **method}]
    if crossover:
        first: Json = {"method": "exact", "terms": ["arm"], "periods": "first_only"}
        models.append({"id": "first", "estimand": "primary", "role": "sensitivity", **first})
    return {
        "alpha": 0.05,
        "populations": [{"id": "all", "label": text("All"), "definition": text("All randomised")}],
        "endpoints": [
            {"id": "outcome", "label": text("Outcome"), "item": "visit.outcome", "measure": "value", "at": [last],
             "better": "lower"},
        ],
        "estimands": [
            {"id": "primary", "label": text("Primary"), "kind": "primary", "population": "all", "endpoint": "outcome",
             "summary": "mean_difference"},
        ],
        "models": models,
    }  # fmt: skip


_SAFETY: Json = {
    "grading": "ctcae_general_1_to_5", "dictionary": "synthetic",
    "agents": [{"id": "treatment", "label": text("The treatment")}],
    "clocks": [
        {"id": "serious_to_sponsor", "label": text("At once"), "applies": "serious", "days": 0, "to": "sponsor"},
        {"id": "susar_fatal", "label": text("7 days"), "applies": "susar_fatal_or_life_threatening", "days": 7,
         "to": "EudraVigilance"},
        {"id": "susar", "label": text("15 days"), "applies": "susar", "days": 15, "to": "EudraVigilance"},
    ],
    "reference": {"document": "Brochure", "version": "1.0", "terms": []},
    "collect_from": "consent", "follow_up_days": 28,
}  # fmt: skip


def _simulation(arms: list[str], sizes: list[int], *, crossover: bool) -> Json:
    carried: Json = {"id": "carry", "label": text("Carry-over"), "kind": "carry_over", "carry_over": 0.3}
    carried["effects"] = [{"item": "visit.outcome", "arm": arms[0], "change": "-5"}]
    found = [{"id": "nothing", "label": text("No effect"), "kind": "null"}, *([carried] if crossover else [])]
    return {"scenarios": found, "block_size_candidates": [sizes]}


def _screening_form(chance: random.Random) -> Json:
    age = {"id": "age", "label": text("Age"), "type": "quantity", "units": ["a"], "decimals": 0}
    age |= {"range": {"low": 18, "high": 80}, "possible": {"low": 0, "high": 120}, "critical": chance.random() < 0.5}
    items = [
        age,
        {"id": "sex", "label": text("Sex"), "type": "code", "codelist": "sex"},
        {"id": "score", "label": text("Score"), "type": "integer", "range": {"low": 0, "high": 10}},
        {"id": "pregnant", "label": text("Pregnant"), "type": "boolean", "when": 'sex == "F"'},
    ]
    checks = [
        {"id": "age_again", "expression": "age >= 18 'a'", "message": text("Is the age right?"), "items": ["age"]},
        {"id": "score_low", "expression": "score <= 8", "message": text("So high?"), "items": ["score"]},
    ]
    found = _form("screening", "demography", items, checks[: chance.randint(0, 2)])
    return found | ({"signed_by": "investigator"} if chance.random() < 0.6 else {})


def _visit_form(chance: random.Random) -> Json:
    measured = {"id": "outcome", "label": text("Outcome"), "type": "quantity", "units": ["s"], "decimals": 1}
    measured |= {"possible": {"low": 0, "high": 600}}
    left = {"id": "left", "label": text("Left"), "type": "integer", "range": {"low": 0, "high": 20}}
    right = {"id": "right", "label": text("Right"), "type": "integer", "required": chance.random() < 0.5}
    both = {"id": "both", "label": text("Both"), "type": "integer", "origin": "derived"}
    both |= {"derive": {"expression": "left + right"}}
    pain = {"id": "pain", "label": text("Pain"), "type": "boolean"}
    where = {"id": "where", "label": text("Where"), "type": "text", "when": "pain", "privacy": "free_text"}
    grade = {"id": "grade", "label": text("Grade"), "type": "scale", "range": {"low": 0, "high": 4}}
    grade |= {"possible": {"low": 0, "high": 4}}
    groups = [[left, right, both], [pain, where], [grade]]
    chosen = chance.sample(groups, chance.randint(1, 3))
    checks = [{"id": "slow", "expression": "outcome < 60 's'", "message": text("So slow?"), "items": ["outcome"]}]
    if groups[0] in chosen:
        checks.append(
            {"id": "sides", "expression": "left <= right", "message": text("Sides?"), "items": ["left", "right"]}
        )
    items = [measured, *(item for group in chosen for item in group)]
    found = _form("visit", "functional_test", items, chance.sample(checks, chance.randint(0, len(checks))))
    if chance.random() < 0.4:
        found["filled_by"] = ["study_nurse"]
    return found | ({"signed_by": "investigator"} if chance.random() < 0.4 else {})


def _form(name: str, kind: str, items: list[Json], checks: list[Json]) -> Json:
    groups = [{"id": "all", "items": items}]
    found = {"id": name, "title": text(name), "kind": kind, "filled_by": ["study_nurse", "investigator"]}
    return {**found, "groups": groups, "checks": checks}


_GATE_FORM = _form(
    "gate",
    "laboratory",
    [
        {"id": "platelets", "label": text("Platelets"), "type": "quantity", "units": ["10*9/L"]},
        {"id": "infection", "label": text("Infection"), "type": "boolean"},
        {"id": "weight", "label": text("Weight"), "type": "quantity", "units": ["kg", "g"]},
    ],
    [],
)
_MEDICATION_FORM = _form(
    "medication",
    "medication",
    [
        {"id": "name", "label": text("Name"), "type": "text", "privacy": "free_text"},
        {"id": "started", "label": text("Started"), "type": "partial_date"},
    ],
    [],
) | {"repeats": True}


def _custody(chance: random.Random, arms: list[str], periods: list[str]) -> Json:
    slots = []
    for number, period in enumerate(periods or [None]):
        name = period or "only"
        slot = {"id": f"slot_{name}", "label": text(name), "collection": f"collect_{name}" if number else "start"}
        slots.append(slot | {"administration": f"give_{name}"} | _during(period))
    gates = [
        ("platelets", ["collection", "administration"], "gate.platelets >= 100 '10*9/L'"),
        ("infection", ["collection", "administration"], "not gate.infection"),
        ("weight", ["administration"], "gate.weight > 30 'kg'"),
    ]
    return {
        "product": text("Study injection"), "slots": slots,
        "given_in": {arm: "product" if arm == arms[0] else "comparator" for arm in arms},
        "identifier": "S-[0-9]{4}", "manufacture_days": 21,
        "measurements": [
            {"id": "viability", "label": text("Viability"), "type": "quantity", "unit": "%",
             "possible": {"low": 0, "high": 100}},
            {"id": "sterility", "label": text("Sterility"), "type": "code", "codelist": "result"},
        ],
        "release": [
            {"id": "viable", "text": text("Viable"), "expression": "viability >= 80 '%'"},
            {"id": "sterile", "text": text("Sterile"), "expression": 'sterility == "NEGATIVE"'},
        ],
        "gates": [
            {"id": name, "text": text(name), "before": before, "expression": expression}
            for name, before, expression in (*gates[:1], *chance.sample(gates[1:], chance.randint(0, 2)))
        ],
        "dose": {"per_kg": 1, "maximum": 100, "unit": "10*6{cells}", "weight": "gate.weight"},
        "expiry_hours": chance.choice((6, 24)),
        "transport": {"low": 2, "high": 8, "unit": "Cel"},
        "failed_manufacture": {
            "repeat_collections": chance.randint(0, 2),
            "then": chance.choice(("slot_cancelled", "participant_discontinued")),
            "text": text("It may be repeated."),
        },
    }  # fmt: skip


def _codes(name: str, *codes: str) -> Json:
    return {"id": name, "label": text(name), "codes": [{"code": code, "label": text(code)} for code in codes]}


_CONSENT = """---
version: "1.0"
title: Consent
status: approved
withdrawal_scopes: [treatment, visits, data_use, samples]
teach_back:
  - id: leave
    question: May you leave?
    answers: {always: At any time, sometimes: Only with a reason}
    right: always
    explanation: You may leave at any time.
---
## What we ask {#what}
To take part.
"""
_PUBLIC = """---
title: A random study
status: approved
updated: "2025-01-01"
update_source: sponsor
---
## What is it about {#about}
A disease.
"""

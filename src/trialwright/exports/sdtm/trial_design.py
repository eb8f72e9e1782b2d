"""Trial design data sets: TA, TE, TI, TS and TV."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.exports.sdtm.conduct import criterion_codes, criterion_text
from trialwright.exports.sdtm.design import Design, Element
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.sdtm.standard import IG_VERSION, MODEL_VERSION
from trialwright.exports.sdtm.summary import summary


def trial_arms(design: Design) -> Iterator[Draft]:
    """TA, one record an element of an arm."""
    for unit, label in design.labels.items():
        for element in design.elements(unit):
            draft = Draft("TA", values={"DOMAIN": "TA", "ARMCD": design.code(unit), "ARM": label})
            draft.put("TAETORD", element.order)
            draft.put("ETCD", element.code)
            draft.put("ELEMENT", element.label)
            if _is_before_treatment(design, unit, element):
                draft.put("TABRANCH", f"Randomised to {label}"[:200])
            draft.put("EPOCH", element.term)
            yield draft


def _is_before_treatment(design: Design, unit: str, element: Element) -> bool:
    elements = design.elements(unit)
    following = elements[element.order] if element.order < len(elements) else None
    return element.arm is None and following is not None and following.arm is not None and element.order == 1


def trial_elements(design: Design) -> Iterator[Draft]:
    """TE, one record an element."""
    found: dict[str, Element] = {}
    for unit in design.labels:
        for element in design.elements(unit):
            found.setdefault(element.code, element)
    for code, element in sorted(found.items()):
        draft = Draft("TE", values={"DOMAIN": "TE", "ETCD": code, "ELEMENT": element.label})
        first = element.order == 1
        draft.put("TESTRL", "Informed consent" if first else f"First visit of {_words(design, code)}")
        draft.put("TEENRL", "First visit of the next epoch, or end of participation")
        yield draft


def _words(design: Design, code: str) -> str:
    terms = {element.term for unit in design.labels for element in design.elements(unit) if element.code == code}
    return " or ".join(sorted(terms)).lower()


def trial_visits(reading: Reading, design: Design) -> Iterator[Draft]:
    """TV, one record a planned visit; the same for all arms."""
    for encounter in reading.encounters.values():
        draft = Draft("TV", values={"DOMAIN": "TV", "VISITNUM": design.visit_numbers[encounter.id]})
        draft.put("VISIT", design.visit_name(encounter))
        draft.put("VISITDY", design.planned_days.get(encounter.id))
        draft.put("TVSTRL", _start_rule(reading, design, encounter.id))
        yield draft


def _start_rule(reading: Reading, design: Design, name: str) -> str:
    encounter = reading.encounters[name]
    if encounter.anchor is None or encounter.offset is None:
        return "Start of the trial for the participant"
    offset = encounter.offset
    for number, unit in ((offset.months, "months"), (offset.weeks, "weeks"), (offset.days, "days")):
        if number is not None:
            anchor = design.visit_name(reading.encounters[encounter.anchor])
            window = encounter.window
            allowed = f", {window.before} days before to {window.after} after" if window else ""
            return f"{number} {unit} after {anchor}{allowed}"
    return "Start of the trial for the participant"


def trial_criteria(reading: Reading) -> Iterator[Draft]:
    """TI, one record a criterion."""
    codes = criterion_codes(reading.study)
    for criterion in reading.study.eligibility.criteria:
        draft = Draft("TI", values={"DOMAIN": "TI", "IETESTCD": codes[criterion.id]})
        draft.put("IETEST", criterion_text(reading, criterion))
        draft.put("IECAT", criterion.kind.upper())
        draft.put("TIVERS", reading.study.identity.version)
        yield draft


def trial_summary(reading: Reading, design: Design, cut: str | None) -> Iterator[Draft]:
    """TS, one record a parameter value.

    Args:
        cut: ISO 8601 date of the data.
    """
    for parameter in summary(reading, design.planned_days, cut, ig=IG_VERSION, model=MODEL_VERSION):
        draft = Draft("TS", values={"DOMAIN": "TS", "TSPARMCD": parameter.code, "TSPARM": parameter.name})
        draft.put("TSVAL", parameter.value)
        draft.put("TSVALNF", parameter.null_flavour)
        draft.put("TSVALCD", parameter.value_code)
        draft.put("TSVCDREF", parameter.reference)
        draft.put("TSVCDVER", parameter.reference_version)
        yield draft

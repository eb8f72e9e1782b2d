"""Drafts → data sets: study days, sequence numbers, supplemental qualifiers, variables in the standard's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trialwright.exports.datasets import Dataset, Record, Value, Variable
from trialwright.exports.sdtm import standard
from trialwright.exports.sdtm.drafts import Draft, Supplement
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.metadata import Metadata
from trialwright.exports.sdtm.people import Person
from trialwright.exports.sdtm.visits import VisitWords

LONGEST = 200
"""Characters of a text variable; XPT allows no more."""

_DAYS = (("DTC", "DY"), ("STDTC", "STDY"), ("ENDTC", "ENDY"))
_EVENT_START = "STDTC"
_OBSERVATIONS = ("INTERVENTIONS", "EVENTS", "FINDINGS")
_TIMING = (
    "VISITNUM", "VISIT", "VISITDY", "TAETORD", "EPOCH", "--DTC", "--STDTC", "--ENDTC", "--DY", "--STDY", "--ENDY",
    "--STRTPT", "--STTPT", "--ENRTPT", "--ENTPT",
)  # fmt: skip
"""Order of the timing variables in the model; those that a domain of the guide does not list may be added."""


def complete(
    drafts: Iterable[Draft], people: Mapping[str, Person], words: VisitWords, study_id: str, guide: Guide
) -> None:
    """Fill in what follows from the rest: identifiers, visit, epoch, study days; split what is too long."""
    for draft in drafts:
        draft.put("STUDYID", study_id)
        person = people.get(draft.participant or "")
        if person is not None:
            draft.put("USUBJID", person.usubjid)
            _visit(draft, words)
            _epoch(draft, person, words)
            _days(draft, person)
            _still_going_on(draft, person)
        _split(draft, guide)


def _visit(draft: Draft, words: VisitWords) -> None:
    if standard.domain(draft.domain).find("VISITNUM") is not None:
        words.put(draft)


def _epoch(draft: Draft, person: Person, words: VisitWords) -> None:
    """By the date of the start, else by the visit, else by the date of collection."""
    known = standard.domain(draft.domain)
    if "EPOCH" in draft.values or (known.find("EPOCH") is None and known.class_ not in _OBSERVATIONS):
        return
    start = draft.get(_EVENT_START)
    if start is not None and draft.domain != "EC":
        draft.put("EPOCH", person.epoch_on(str(start)))
    else:
        draft.put("EPOCH", words.epoch(draft.encounter) or person.epoch_on(str(draft.get("DTC"))))


def _days(draft: Draft, person: Person) -> None:
    for when, day in _DAYS:
        value = draft.get(when)
        if value is not None:
            draft.set(day, person.day(str(value)))
            draft.derived.add(f"{draft.domain}{day}")


def _still_going_on(draft: Draft, person: Person) -> None:
    """What goes on does so at the end of participation, which is the reference point."""
    if draft.get("ENRTPT") is not None and draft.get("ENTPT") is None:
        draft.set("ENTPT", person.ended or "END OF PARTICIPATION")


def _split(draft: Draft, guide: Guide) -> None:
    for name, value in list(draft.values.items()):
        if not isinstance(value, str) or len(value) <= LONGEST:
            continue
        parts = [value[at : at + LONGEST] for at in range(0, len(value), LONGEST)]
        draft.values[name] = parts[0]
        guide.note(Kind.VALUE_SPLIT, f"{draft.domain}.{name}")
        for number, part in enumerate(parts[1:], 1):
            if draft.domain == "TS":
                draft.values[f"{name}{number}"] = part
            else:
                draft.supplements.append(
                    Supplement(f"{name[:7]}{number}", f"{name} Continued {number}", part, "Assigned")
                )


def datasets(drafts: Iterable[Draft], metadata: Metadata) -> tuple[Dataset, ...]:
    """All data sets, each sorted by its keys, trial design first, supplemental qualifiers beside their parent."""
    by_domain: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_domain.setdefault(draft.domain, []).append(draft)
    found: list[Dataset] = []
    for name in sorted(by_domain, key=_order):
        records = sorted(by_domain[name], key=_sort_key)
        _number(name, records)
        found.append(_dataset(name, records, metadata))
        supplements = [row for draft in records for row in _supplemental(draft)]
        if supplements:
            supplements.sort(key=_sort_key)
            found.append(_dataset(f"SUPP{name}", supplements, metadata))
    return tuple(found)


_CLASSES = (
    "TRIAL DESIGN", "SPECIAL PURPOSE", "INTERVENTIONS", "EVENTS", "FINDINGS", "FINDINGS ABOUT", "RELATIONSHIP",
)  # fmt: skip


def _order(name: str) -> tuple[int, str]:
    return _CLASSES.index(standard.domain(name).class_), name


def _sort_key(draft: Draft) -> tuple[tuple[int, float, str], ...]:
    """Empty before numbers before text, so that unlike values can be compared."""
    name = "SUPPQUAL" if draft.domain.startswith("SUPP") else draft.domain
    names = standard.keys("SUPP" if name == "SUPPQUAL" else name)
    return tuple(_comparable(draft.values.get(variable)) for variable in names)


def _comparable(value: Value) -> tuple[int, float, str]:
    if value is None:
        return 0, 0.0, ""
    return (2, 0.0, value) if isinstance(value, str) else (1, float(value), "")


def _number(name: str, records: list[Draft]) -> None:
    """--SEQ, from 1 for each participant (for each parameter in TS)."""
    if standard.domain(name).find(f"{name}SEQ") is None:
        return
    counted: dict[Value, int] = {}
    for draft in records:
        owner = draft.values.get("TSPARMCD") if name == "TS" else draft.values.get("USUBJID")
        counted[owner] = counted.get(owner, 0) + 1
        draft.values[f"{name}SEQ"] = counted[owner]


def _supplemental(draft: Draft) -> list[Draft]:
    rows = []
    sequence = draft.get("SEQ")
    for extra in draft.supplements:
        row = Draft(f"SUPP{draft.domain}", draft.participant)
        row.values = {
            "STUDYID": draft.values.get("STUDYID"),
            "RDOMAIN": draft.domain,
            "USUBJID": draft.values.get("USUBJID"),
            "IDVAR": None if sequence is None else f"{draft.domain}SEQ",
            "IDVARVAL": None if sequence is None else str(sequence),
            "QNAM": extra.name,
            "QLABEL": extra.label,
            "QVAL": extra.value[:LONGEST],
            "QORIG": extra.origin,
            "QEVAL": extra.evaluator,
        }
        if extra.source is not None:
            row.sources["QVAL"] = extra.source
        rows.append(row)
    return rows


def _names(name: str, known: standard.StandardDomain, used: set[str]) -> list[str]:
    """Required and expected variables, others that have values, and a study day beside every date."""
    names = [found.name for found in known.variables if found.core in ("Req", "Exp") or found.name in used]
    days = {f"{name}{day}" for when, day in _DAYS if f"{name}{when}" in names and known.class_ in _OBSERVATIONS}
    listed = {found.name for found in known.variables}
    names = [found.name for found in known.variables if found.name in {*names, *days}]
    for extra in sorted((used | days) - listed, key=lambda variable: (_rank(name, variable), variable)):
        names.insert(_place(name, names, extra), extra)
    return names


def _rank(name: str, variable: str) -> int:
    generic = f"--{variable.removeprefix(name)}" if variable.startswith(name) else variable
    return _TIMING.index(generic) if generic in _TIMING else -1


def _place(name: str, names: list[str], extra: str) -> int:
    """Before the first timing variable that comes later in the model; other variables come last."""
    rank = _rank(name, extra)
    later = [place for place, known in enumerate(names) if rank >= 0 and _rank(name, known) > rank]
    return later[0] if later else len(names)


def _dataset(name: str, records: list[Draft], metadata: Metadata) -> Dataset:
    known = standard.domain(name)
    used = {variable for draft in records for variable, value in draft.values.items() if value is not None}
    names = _names(name, known, used)
    rows: list[Record] = [tuple(draft.values.get(variable) for variable in names) for draft in records]
    variables: tuple[Variable, ...] = metadata.variables(name, names, records)
    return Dataset(
        name=name,
        label=metadata.label(name),
        class_=known.class_,
        structure=known.structure,
        variables=variables,
        rows=rows,
        domain=name.removeprefix("SUPP") if name.startswith("SUPP") else name,
        repeating=name != "DM",
        reference=known.class_ == "TRIAL DESIGN",
    )

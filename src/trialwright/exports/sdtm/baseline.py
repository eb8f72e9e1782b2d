"""--LOBXFL: the last result before the first exposure, for each participant and test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trialwright.exports.datasets import Value
from trialwright.exports.sdtm import standard
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.guide import Guide, Kind
from trialwright.exports.sdtm.people import Person, full_date
from trialwright.exports.sdtm.visits import VisitWords
from trialwright.protocol.mapping import FINDINGS

_SAME_TEST = ("TESTCD", "CAT", "SCAT", "SPEC", "LOC", "LAT", "METHOD", "BDAGNT")


def mark_last_before_exposure(
    drafts: Iterable[Draft], people: Mapping[str, Person], words: VisitWords, guide: Guide
) -> None:
    """Set --LOBXFL. On the day of the first exposure, results of that visit and of earlier ones count as before it,
    because the schedule puts them there and results carry no time of day.
    """
    candidates: dict[tuple[Value, ...], list[Draft]] = {}
    for draft in drafts:
        person = people.get(draft.participant or "")
        if draft.domain in FINDINGS and person is not None and _is_before(draft, person, words):
            candidates.setdefault(_test(draft), []).append(draft)
    for group in candidates.values():
        ordered = sorted(group, key=lambda draft: _when(draft, words))
        last = ordered[-1]
        last.set("LOBXFL", "Y")
        last.derived.add(f"{last.domain}LOBXFL")
        rivals = [draft for draft in ordered if _is_rival(draft, last)]
        if len(rivals) > 1:
            where = ", ".join(sorted({str(draft.encounter) for draft in rivals}))
            about = f"{last.domain}.{last.get('TESTCD')} of {last.participant}"
            guide.note(Kind.TWO_BASELINES, about, f"{last.get('DTC')}: {where}")


def _is_before(draft: Draft, person: Person, words: VisitWords) -> bool:
    if draft.get("ORRES") is None or standard.domain(draft.domain).find(f"{draft.domain}LOBXFL") is None:
        return False
    when, first = full_date(_text(draft.get("DTC"))), full_date(person.first_dose)
    if when is None or first is None:
        return False
    return when < first or (when == first and words.place(draft.encounter) <= _dose_place(person, words))


def _when(draft: Draft, words: VisitWords) -> tuple[str, float, int]:
    """By date, then by the schedule, then by the number of a repeated trial."""
    return str(draft.get("DTC")), words.place(draft.encounter), int(draft.get("REPNUM") or 0)


def _is_rival(draft: Draft, last: Draft) -> bool:
    """A result of the same day; repeated trials of one visit are no rivals."""
    repeated = draft.encounter == last.encounter and draft.get("REPNUM") != last.get("REPNUM")
    return draft.get("DTC") == last.get("DTC") and not repeated


def _dose_place(person: Person, words: VisitWords) -> float:
    return words.place(person.administrations[0].encounter)


def _test(draft: Draft) -> tuple[Value, ...]:
    return (draft.participant, draft.domain, *(draft.get(suffix) for suffix in _SAME_TEST))


def _text(value: Value) -> str | None:
    return None if value is None else str(value)

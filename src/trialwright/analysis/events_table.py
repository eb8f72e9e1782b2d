"""Adverse events by the treatment after which they began, by period and by grade."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas

from trialwright.analysis.content import Line, ReportTable
from trialwright.analysis.frames import where
from trialwright.analysis.material import Material

Column = tuple[str, pandas.DataFrame, int]
"""Head, events, participants who could have one."""


def events_table(material: Material, id_: str, title: str) -> ReportTable:
    """Participants with events and numbers of events: any, serious, worst grade, by period, by kind.

    In an open report the columns are before and after treatment, all participants together.
    """
    words, plan = material.words, material.plan
    people = plan.frames["ADSL"]
    enrolled = people[people["RANDDT"].notna()] if "RANDDT" in people else people.iloc[0:0]
    events = _blank(plan.frames.get("ADAE"))
    events = events[events["USUBJID"].isin(enrolled["USUBJID"])]
    columns = list(_columns(material, events, enrolled))
    lines = [
        _line(material, words("Any event"), columns, lambda rows: rows),
        _line(material, words("Any serious event"), columns, lambda rows: rows[rows["AESER"] == "Y"]),
        *_grades(material, columns),
        *_periods(material, columns),
        *_kinds(material, columns, events),
    ]
    heads = (words("{label} (n = {n})", label=head, n=n) for head, _, n in columns)
    note = words("Participants (share) [events]. An event belongs to the last dose before it.")
    return ReportTable(id_, "table", title, (words("Adverse event"), *heads), tuple(lines), (note,))


def treated_with(material: Material, people: pandas.DataFrame, arm: str | None) -> int:
    """How many were given the treatment of an arm; any treatment where none is named."""
    given = material.doses
    return sum(
        any(arm is None or dose.arm == arm for dose in given.get(usubjid, ())) for usubjid in people["USUBJID"]
    )


def _blank(events: pandas.DataFrame | None) -> pandas.DataFrame:
    """The events with every column that a table looks at, also where no event has a value in it."""
    names = ("USUBJID", "AESER", "ATOXGRN", "TRTEMFL", "TRTA", "APERIOD", "AEDECOD", "AEBODSYS", "AETERM")
    found = pandas.DataFrame(columns=list(names)) if events is None else events
    found = found.assign(**{name: None for name in names if name not in found})
    return found.assign(KIND=found["AEDECOD"].where(found["AEDECOD"].notna(), found["AETERM"]))


def _equal(column: str, value: object) -> Callable[[pandas.DataFrame], pandas.DataFrame]:
    return lambda rows: rows[rows[column] == value]


def _columns(material: Material, events: pandas.DataFrame, people: pandas.DataFrame) -> Iterator[Column]:
    words = material.words
    yield words("Before treatment"), events[events["TRTEMFL"] != "Y"], len(people)
    after = where(events, TRTEMFL="Y")
    for group in material.groups.of_treatments:
        head = words("After treatment") if group.id is None else words("After {label}", label=group.label)
        yield head, group.of(after, "TRTA"), treated_with(material, people, group.id)


def _line(
    material: Material,
    label: str,
    columns: list[Column],
    pick: Callable[[pandas.DataFrame], pandas.DataFrame],
    level: int = 0,
) -> Line:
    cells = []
    for _, events, n in columns:
        rows = pick(events)
        share = material.words.share(int(rows["USUBJID"].nunique()), n)
        cells.append(f"{share} [{len(rows)}]" if len(rows) else "0")
    return Line(label, tuple(cells), level)


def _grades(material: Material, columns: list[Column]) -> Iterator[Line]:
    words = material.words
    worst = [(head, _worst(events), n) for head, events, n in columns]
    for grade in (1, 2, 3, 4, 5):
        yield _line(material, words("Worst grade {grade}", grade=grade), worst, _equal("ATOXGRN", grade), 1)
    if any(rows["ATOXGRN"].isna().any() for _, rows, _ in worst):
        yield _line(material, words("Worst grade not known"), worst, lambda rows: rows[rows["ATOXGRN"].isna()], 1)


def _worst(events: pandas.DataFrame) -> pandas.DataFrame:
    """One row a participant: the event of the highest grade."""
    ordered = events.sort_values("ATOXGRN", ascending=False, na_position="last", kind="stable")
    return ordered.drop_duplicates("USUBJID")


def _periods(material: Material, columns: list[Column]) -> Iterator[Line]:
    periods = material.plan.words.periods
    if not periods:
        return
    yield Line(material.words("By period"))
    labels = {period.id: period.label for period in material.plan.study.identity.periods}
    for period, number in periods.items():
        label = material.plan.words.text(labels[period])
        yield _line(material, label, columns, _equal("APERIOD", number), 1)


def _kinds(material: Material, columns: list[Column], events: pandas.DataFrame) -> Iterator[Line]:
    if events.empty:
        return
    yield Line(material.words("By kind"))
    ordered = events["KIND"].value_counts(sort=False)
    for kind in sorted(ordered.index, key=lambda name: (-ordered[name], name)):
        shown = material.words("not coded") if kind == "UNCODED" else str(kind).capitalize()
        yield _line(material, shown, columns, _equal("KIND", kind), 1)

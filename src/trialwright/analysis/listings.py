"""Listings, and what was asked during treatment: row by row as collected, or counted by treatment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas

from trialwright.analysis.baseline_table import Items
from trialwright.analysis.content import Line, ReportTable
from trialwright.analysis.frames import frame_of, where
from trialwright.analysis.material import Material
from trialwright.exports.sdtm.reading import Collected


def serious_events(material: Material, id_: str, title: str) -> ReportTable:
    """Every serious adverse event; the treatment before it, except in an open report."""
    words, pooled = material.words, material.groups.pooled
    frame = material.plan.frames.get("ADAE", pandas.DataFrame())
    rows = where(frame, AESER="Y")
    arms = {group.id: group.label for group in material.groups.of_treatments}
    lines = []
    for _, row in rows.iterrows():
        treatment = () if pooled else (arms.get(row.get("TRTA"), words("Before treatment")),)
        first = (_text(row, name) for name in ("AETOXGR", "AESTDTC", "AEENDTC"))
        last = (_text(row, name).capitalize() for name in ("AEREL", "AEOUT"))
        cells = (_text(row, "AETERM").capitalize(), *first, *treatment, *last)
        lines.append(Line(str(row["SUBJID"]), cells))
    heads = ["Participant", "Event", "Grade", "From", "To", *([] if pooled else ["Treatment"]), "Related", "Outcome"]
    return _listing(material, id_, title, heads, lines)


def custody_listing(material: Material, id_: str, title: str) -> ReportTable:
    """Every specimen with what happened to it; collections alone where the closed space is not shown."""
    words = material.words
    found = next((dataset for dataset in material.sdtm.package.datasets if dataset.name == "BE"), None)
    frame = frame_of(found) if found is not None else pandas.DataFrame()
    prefix = f"{material.reading.study_id}-"
    lines = []
    for _, row in frame.iterrows():
        cells = (_text(row, "BEREFID"), _text(row, "BEDTC").replace("T", " "), _text(row, "BETERM").capitalize(),
                 _text(row, "BEPARTY"))  # fmt: skip
        lines.append(Line(str(row["USUBJID"]).removeprefix(prefix), cells))
    heads = ["Participant", "Specimen", "Date", "What happened", "By"]
    notes = (
        ()
        if material.reading.closed is not None
        else (words("Collections only: what the laboratory recorded is in the closed space."),)
    )
    return _listing(material, id_, title, heads, lines, notes)


def item_listing(material: Material, shows: Sequence[str], id_: str, title: str) -> ReportTable:
    """Values of items, a row for each visit; only where a conditional item was asked, if one is among them."""
    words, items = material.words, Items(material)
    declared = {shown: items.declared(shown) for shown in shows}
    conditional = [shown for shown, item in declared.items() if item is not None and item.when is not None]
    rows: dict[tuple[str, str, int], dict[str, Collected]] = {}
    for shown in shows:
        for value in items.of(shown):
            rows.setdefault((value.participant, value.encounter, value.repeat), {})[shown] = value
    order = list(material.reading.encounters)
    places = sorted(rows, key=lambda key: (key[0], order.index(key[1]) if key[1] in order else len(order), key[2]))
    lines = []
    for place in places:
        values = rows[place]
        if conditional and not any(_is_asked(values.get(shown)) for shown in conditional):
            continue
        participant, encounter, _ = place
        some = next(iter(values.values()))
        planned = material.reading.encounters.get(encounter)
        visit = material.plan.words.text(planned.label) if planned is not None else encounter
        shown_values = (_shown(items, values.get(shown)) for shown in shows)
        lines.append(Line(participant, (visit, material.reading.date_of(some) or "–", *shown_values)))
    heads = ["Participant", "Visit", "Date", *(items.label(shown) for shown in shows)]
    notes = ("Only visits at which a question that depends on an earlier answer was asked.",) if conditional else ()
    return _listing(material, id_, title, heads, lines, tuple(words(note) for note in notes))


def answers_table(material: Material, shows: Sequence[str], id_: str, title: str) -> ReportTable:
    """Answers to questions that are asked during treatment, counted by the treatment of the period."""
    words, items = material.words, Items(material)
    groups = material.groups.of_treatments
    treatment = dict(items.people.iterrows())
    lines: list[Line] = []
    for shown in shows:
        item = items.declared(shown)
        if item is None:
            continue
        lines.append(Line(f"{_form_title(material, shown)}: {items.label(shown)}"))
        given = [(value, _arm_of(material, treatment, value)) for value in items.of(shown) if value.value is not None]
        counts = [Counter(value.value for value, arm in given if group.id in (None, arm)) for group in groups]
        codes = items.codes(item) or tuple(sorted({str(value.value) for value, _ in given}))
        for code in codes:
            cells = (words.share(n[code], sum(n.values())) for n in counts)
            lines.append(Line(items.code(item, code), tuple(cells), 1))
    columns = (words("Guess"), *(group.label for group in groups))
    return ReportTable(id_, "table", title, columns, tuple(lines))


def is_asked_during_treatment(material: Material, shows: Sequence[str]) -> bool:
    """Whether some of the items are asked, and none of them before treatment."""
    items = Items(material)
    values = [value for shown in shows for value in items.of(shown)]
    return bool(values) and not any(items.is_before_treatment(value) for value in values)


def notes_listing(material: Material) -> ReportTable:
    """What a reader must know about the analysis data sets, counted by kind."""
    counts = Counter(note.kind for note in material.adam.notes)
    lines = [Line(kind.value, (str(n),)) for kind, n in counts.most_common()]
    words = material.words
    title = words("What the data sets tell")
    return ReportTable("data_notes", "listing", title, (words("What"), words("n")), tuple(lines))


def _arm_of(material: Material, people: dict[object, pandas.Series], value: Collected) -> str | None:
    row = people.get(material.reading.usubjid(value.participant))
    period = material.plan.words.period_of(value.encounter)
    if row is None or (material.plan.words.periods and period is None):
        return None
    arm = row.get(f"TRT{period or 1:02}P")
    return str(arm) if arm is not None else None


def _form_title(material: Material, shown: str) -> str:
    form = material.plan.study.forms[shown.partition(".")[0]]
    return material.plan.words.text(form.title)


def _is_asked(value: Collected | None) -> bool:
    return value is not None and (value.value is not None or value.outcome is not None)


def _shown(items: Items, value: Collected | None) -> str:
    if value is None:
        return "–"
    if value.value is None:
        return value.outcome or value.missing or "–"
    if value.item.type in ("code", "boolean"):
        return items.code(value.item, value.value)
    return f"{value.value} {value.unit}" if value.unit else value.value


def _text(row: pandas.Series, name: str) -> str:
    value = row.get(name)
    return "–" if value is None or pandas.isna(value) else str(value)


def _listing(
    material: Material, id_: str, title: str, heads: Sequence[str], lines: Sequence[Line], notes: tuple[str, ...] = ()
) -> ReportTable:
    columns = tuple(material.words(head) for head in heads)
    found = notes if lines else (*notes, material.words("Nothing to list."))
    return ReportTable(id_, "listing", title, columns, tuple(lines), found, frozenset(range(len(columns))))

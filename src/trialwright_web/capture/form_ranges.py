"""Reference ranges of laboratories, by site, sex, age and date; a value outside is flagged, never refused.

They belong to the laboratory, change without an amendment, and so stand in a file of the installation:
``STUDY.ranges.csv`` beside the installation file. See docs/adr/0030.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from trialwright.build import Build, CompiledItem, ItemValue, number_of
from trialwright.expressions import shown_unit
from trialwright.foundation.dates import PartialDate, WholeNumbers, years_between
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.quantities import convert, unit
from trialwright.trial.capture.saving import split_row
from trialwright.trial.capture.state import CaseBook
from trialwright_web.capture.form_place import FormPlace

COLUMNS = ("site", "item", "sex", "age_from", "age_to", "low", "high", "unit", "since")


class RangesNotReadable(InvalidValue):
    """The file of reference ranges says something impossible; the message names the line."""

    code = "web.ranges_not_readable"


@dataclass(frozen=True)
class ReferenceRange:
    """One line of the file.

    Args:
        site: whose laboratory.
        item: ``form.item``.
        sex: CDISC code (F, M), or empty for everybody.
        age_from: completed years, included.
        age_to: completed years, not included.
        low, high: bounds in ``unit``; None where the side is open.
        since: first day on which it holds; the newest that holds counts.
    """

    site: str
    item: str
    sex: str
    age_from: int
    age_to: int
    low: Fraction | None
    high: Fraction | None
    unit: str
    since: date


@dataclass(frozen=True)
class FieldRange:
    """A range for one field of one participant, in the item's first unit."""

    low: float | None
    high: float | None
    text: str

    def side(self, number: float) -> str:
        """``low`` or ``high`` where the number lies outside, else nothing."""
        if self.low is not None and number < self.low:
            return "low"
        return "high" if self.high is not None and number > self.high else ""

    def words(self, side: str) -> str:
        """The side with the range, in the reader's language."""
        if side == "low":
            return _("low (%(range)s)") % {"range": self.text}
        return _("high (%(range)s)") % {"range": self.text} if side == "high" else ""


def ranges_of(place: FormPlace) -> dict[str, FieldRange]:
    """Item → the range that holds for this participant on the day of the visit.

    Raises:
        RangesNotReadable: the file is wrong; nothing is flagged rather than something wrongly.
    """
    known = read_ranges(settings.ENVIRONMENT.installation.parent / f"{place.desk.study}.ranges.csv")
    own = [one for one in known if one.item.partition(".")[0] == place.id and one.site == place.visit.site]
    if not own:
        return {}
    day = date.fromisoformat(place.visit.date) if place.visit.date else place.desk.today
    sex, age = sex_and_age(place.build, place.visit.book, day)
    found: dict[str, FieldRange] = {}
    for name, item in place.compiled.items.items():
        chosen = chosen_range([one for one in own if one.item == f"{place.id}.{name}"], sex, age, day)
        if chosen is not None:
            found[name] = _in_unit_of(item, chosen)
    return found


def flags_of(place: FormPlace, ranges: Mapping[str, FieldRange], values: Mapping[str, ItemValue]) -> dict[str, str]:
    """Field → how its range judges the value; only those outside."""
    flags = {}
    for name, value in values.items():
        item = split_row(name)[0]
        number = number_of(place.compiled.items[item].field, value) if item in ranges else None
        side = ranges[item].side(float(number)) if number is not None else ""
        if side:
            flags[name] = ranges[item].words(side)
    return flags


def chosen_range(known: list[ReferenceRange], sex: str, age: WholeNumbers | None, day: date) -> ReferenceRange | None:
    """The newest range in force that surely is this person's; None where sex or age leave it open."""
    fitting = [
        one
        for one in known
        if one.since <= day
        and one.sex in ("", sex)
        and ((one.age_from, one.age_to) == (0, 999) or (age and one.age_from <= age.low and age.high < one.age_to))
    ]
    return max(fitting, key=lambda one: one.since, default=None)


def sex_and_age(build: Build, book: CaseBook, day: date) -> tuple[str, WholeNumbers | None]:
    """CDISC code of the sex and completed years on a day, from the items that the study maps to demographics."""
    sex, age = "", None
    for form, compiled in build.forms.items():
        for name, item in compiled.items.items():
            variable = _demographic(compiled.form.kind, item)
            value = book.value("screening", form, name) or _anywhere(book, form, name) if variable else None
            if value is None or value.text is None:
                continue
            if variable == "SEX":
                codes = build.study.terminology[item.item.codelist or ""].codes
                sex = next((code.cdisc or code.code for code in codes if code.code == value.text), "")
            elif variable == "BRTHDTC":
                age = years_between(PartialDate.parse(value.text), PartialDate.of(day))
    return sex, age


def _demographic(kind: str, item: CompiledItem) -> str:
    mapped = item.item.sdtm
    domain = mapped.domain or ("DM" if kind == "demography" else "") if mapped is not None else ""
    return str(mapped.variable) if mapped is not None and domain == "DM" else ""


def _anywhere(book: CaseBook, form: str, item: str) -> ItemValue | None:
    found = (record.values.get(item) for (_e, f, _r), record in book.live() if f == form)
    return next((value for value in found if value is not None), None)


def _in_unit_of(item: CompiledItem, one: ReferenceRange) -> FieldRange:
    own = item.item.units[0] if item.item.units else "1"
    low, high = (None if bound is None else convert(bound, one.unit or own, own) for bound in (one.low, one.high))
    texts = ["" if bound is None else f"{float(bound):.6g}" for bound in (low, high)]
    shown = f"{texts[0]}\N{EN DASH}{texts[1]} {shown_unit(own)}".strip()
    return FieldRange(None if low is None else float(low), None if high is None else float(high), shown)


# --- the file -------------------------------------------------------------------------------------------------


def read_ranges(path: Path) -> tuple[ReferenceRange, ...]:
    """The ranges of a file; none where there is no file. Read again when it changed.

    Raises:
        RangesNotReadable: with the line.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return ()
    return _read(path, changed)


@lru_cache(maxsize=32)
def _read(path: Path, changed: int) -> tuple[ReferenceRange, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(_lines(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RangesNotReadable(f"{path.name} cannot be read: {error}", remedy="save it as CSV in UTF-8") from error


def _lines(file: Iterator[str]) -> Iterator[ReferenceRange]:
    reader = csv.DictReader(file)
    absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if absent:
        raise RangesNotReadable(
            f"the ranges have no column {absent[0]}", remedy=f"the columns are {', '.join(COLUMNS)}"
        )
    for number, row in enumerate(reader, start=2):
        try:
            yield _line({name: (row[name] or "").strip() for name in COLUMNS})
        except (ValueError, InvalidOperation, InvalidValue) as error:
            raise RangesNotReadable(
                f"line {number} of the ranges cannot be read: {error}",
                remedy="numbers with a point, ages in years, dates as 2026-01-31",
            ) from error


def _line(row: Mapping[str, str]) -> ReferenceRange:
    low, high = (Fraction(Decimal(row[name])) if row[name] else None for name in ("low", "high"))
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise ValueError(f"low {row['low']!r} and high {row['high']!r} bound nothing")
    if row["unit"]:
        unit(row["unit"])
    return ReferenceRange(
        site=row["site"],
        item=row["item"],
        sex=row["sex"],
        age_from=int(row["age_from"] or 0),
        age_to=int(row["age_to"] or 999),
        low=low,
        high=high,
        unit=row["unit"],
        since=date.fromisoformat(row["since"]),
    )

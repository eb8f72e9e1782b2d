"""A file of comma-separated values read by its mapping: results by participant, visit and form. Nothing is judged."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from trialwright.build import Build
from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright_web.capture.import_mapping import ImportMapping, ItemMapping

MOST_BYTES = 2_000_000
MOST_LINES = 5_000
LONGEST_CELL = 4_000


class FileUnreadable(InvalidValue):
    """The file is no table that the mapping can read."""

    code = "import.file_unreadable"


class FileRevealsArm(Refusal):
    """Something in the file names an arm; it does not belong where blinded people work. Nothing of it was kept."""

    code = "import.file_reveals_arm"


@dataclass(frozen=True)
class Result:
    """One value of the file.

    Args:
        line: of the file, the header is 1.
        encounter: as the file names it.
        repeat: as in the file; ``1`` where it has none.
        day: as in the file; empty where it has none.
        item: ``form.item``.
        text: as in the file.
        unit: as in the file, or as the mapping says.
    """

    line: int
    participant: str
    encounter: str
    repeat: str
    day: str
    item: str
    text: str
    unit: str

    def as_list(self) -> list[Any]:
        """Plain data, for keeping."""
        return [self.line, self.participant, self.encounter, self.repeat, self.day, self.item, self.text, self.unit]


@dataclass(frozen=True)
class ReadFile:
    """What a file holds.

    Args:
        lines: how many lines it has, without the header.
        unused: columns that the mapping does not read.
        unknown_tests: names in the column of tests that the mapping does not know.
    """

    results: tuple[Result, ...]
    lines: int
    unused: tuple[str, ...]
    unknown_tests: tuple[str, ...]


def read_file(content: bytes, mapping: ImportMapping, build: Build, name: str = "") -> ReadFile:
    """Read a file.

    Args:
        name: of the file; it will stand in the record, so it must not name an arm either.

    Raises:
        FileUnreadable: too large, no text, no such columns.
        FileRevealsArm: an arm is named in a file of the open class.
    """
    if len(content) > MOST_BYTES:
        raise FileUnreadable(
            _("The file has %(number)s bytes.") % {"number": f"{len(content):,}"},
            remedy=_("Split it; at most %(number)s are read at once.") % {"number": f"{MOST_BYTES:,}"},
        )
    text = _text(content)
    # First of all, before anything of the file could be shown or kept.
    if mapping.blinding == "open" and build.study.identity.blinding.kind == "blinded":
        _refuse_arms(f"{name}\n{text}", build)
    first, *rest = _rows(text) or [[]]
    header = _header(first, mapping)
    lines = list(enumerate(rest, start=2))
    if len(lines) > MOST_LINES:
        raise FileUnreadable(
            _("The file has %(number)s lines.") % {"number": f"{len(lines):,}"},
            remedy=_("Split it; at most %(number)s are read at once.") % {"number": f"{MOST_LINES:,}"},
        )
    results, unknown = [], dict[str, None]()
    by_test = {item.test: item for item in mapping.items}
    for line, cells in lines:
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        if not any(row.values()):
            continue
        _check_cells(line, cells)
        if mapping.is_long:
            item = by_test.get(row.get(mapping.columns["test"], ""))
            if item is None:
                unknown[row.get(mapping.columns["test"], "")] = None
                continue
            items: tuple[ItemMapping, ...] = (item,)
        else:
            items = mapping.items
        results += [found for item in items if (found := _result(line, row, item, mapping)) is not None]
    used = set(mapping.header())
    unused = tuple(name for name in header if name and name not in used)
    return ReadFile(tuple(results), len(lines), unused, tuple(unknown))


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise FileUnreadable(_("The file is no text."), remedy=_("Save it as CSV in UTF-8."))


def _rows(text: str) -> list[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(";\t,", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise FileUnreadable(_("The file is no table: %s") % error, remedy=_("Save it as CSV again.")) from error


def _header(cells: list[str], mapping: ImportMapping) -> list[str]:
    header = [cell.strip() for cell in cells]
    optional = {item.unit_column for item in mapping.items}
    absent = [name for name in mapping.header() if name not in header and name not in optional]
    if absent:
        raise FileUnreadable(
            _("The file has no column %s.") % ", ".join(name[:40] for name in absent),
            remedy=_("Its first line names the columns: %s.") % ", ".join(mapping.header()),
        )
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise FileUnreadable(_("Two columns are named “%s”.") % twice[:40], remedy=_("Name each column once."))
    return header


def _check_cells(line: int, cells: list[str]) -> None:
    if any(len(cell) > LONGEST_CELL for cell in cells):
        raise FileUnreadable(
            _("Line %(line)d has a field of more than %(most)s characters.")
            % {"line": line, "most": f"{LONGEST_CELL:,}"},
            remedy=_("Shorten it."),
        )


def _result(line: int, row: Mapping[str, str], item: ItemMapping, mapping: ImportMapping) -> Result | None:
    """The value of an item in a line; None where the field is empty."""
    columns = mapping.columns
    text = row.get(columns["result"] if mapping.is_long else item.column, "")
    if not text:
        return None
    unit = row.get(item.unit_column or columns.get("unit", ""), "") or item.unit
    return Result(
        line=line,
        participant=row.get(columns["participant"], ""),
        encounter=row.get(columns["encounter"], ""),
        repeat=row.get(columns.get("repeat", ""), "") or "1",
        day=row.get(columns.get("date", ""), ""),
        item=item.key,
        text=text,
        unit=unit,
    )


def _refuse_arms(text: str, build: Build) -> None:
    """An arm's label or a revealing word anywhere, or a field that is an arm's or sequence's id and nothing else."""
    identity = build.study.identity
    phrases = [word for arm in identity.arms for word in (*arm.revealing_words, *arm.label.values())]
    phrases += [word for sequence in identity.sequences for word in sequence.label.values()]
    ids = [arm.id for arm in identity.arms] + [sequence.id for sequence in identity.sequences]
    # An id may be a common word ("cells"); alone in a field it is an allocation.
    alone = "|".join(re.escape(one) for one in ids)
    found = any(re.search(rf"\b{re.escape(phrase)}", text, re.IGNORECASE) for phrase in phrases)
    if found or re.search(rf"(?:^|[;,\t\"])\s*(?:{alone})\s*(?:$|[;,\t\"\r])", text, re.IGNORECASE | re.MULTILINE):
        raise FileRevealsArm(
            _("The file names a treatment, so it is not for blinded people; nothing of it was kept."),
            remedy=_("Whoever sent it takes that out, or it is imported in the closed process."),
        )

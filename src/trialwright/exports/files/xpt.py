"""SAS transport files, version 5 (SAS technical note TS-140), as agencies ask for them.

The format holds ASCII, names of 8, labels of 40 and texts of 200 bytes. The library that writes it lets more
through and cuts; so everything is looked at first. Letters that are not ASCII are written in the usual way (``ø`` as
``oe``) and each is reported as a :class:`Change`; what is too long is refused, never cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from trialwright.exports.datasets import Dataset, Package, Value
from trialwright.exports.files.writing import Change
from trialwright.foundation.errors import TrialwrightError

NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}\Z")
LABEL_CHARACTERS = 40
TEXT_BYTES = 200
WHOLE = 2**53
"""Numbers are IBM floating point with 56 bits; whole numbers up to here come back as they were."""

_LETTERS = str.maketrans(
    {
        "æ": "ae", "Æ": "AE", "ø": "oe", "Ø": "OE", "å": "aa", "Å": "AA", "ä": "ae", "Ä": "AE", "ö": "oe", "Ö": "OE",
        "ü": "ue", "Ü": "UE", "ß": "ss", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "µ": "u", "μ": "u", "°": "deg",
        "²": "2", "³": "3", "±": "+/-", "×": "x", "·": ".", "≥": ">=", "≤": "<=", "≠": "<>", "→": "->", "–": "-",
        "—": "-", "−": "-", "‐": "-", "‑": "-", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'",
        "…": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "½": "1/2", "¼": "1/4", "¾": "3/4", "€": "EUR",
    }
)  # fmt: skip
_CREATED = re.compile(rb"[0-9]{2}[A-Z]{3}[0-9]{2}:[0-9]{2}:[0-9]{2}:[0-9]{2}")
_HEADERS = 3 * 240


class XptCannotHold(TrialwrightError):
    """Something is longer or larger than the format allows."""

    code = "exports.xpt_cannot_hold"


def write_xpt(dataset: Dataset, package: Package, target: Path) -> tuple[Change, ...]:
    """Write one data set.

    Returns:
        What had to be written otherwise.

    Raises:
        XptCannotHold: a name, label, text or number the format has no room for; nothing was written.
    """
    import pandas
    import pyreadstat

    _check_names(dataset)
    changes: list[Change] = []
    columns = {variable.name: _column(dataset, place, changes) for place, variable in enumerate(dataset.variables)}
    frame = pandas.DataFrame(
        {
            variable.name: pandas.Series(columns[variable.name], dtype="float64" if variable.is_number else "object")
            for variable in dataset.variables
        }
    )
    pyreadstat.write_xport(
        frame,
        str(target),
        file_label=_ascii(dataset.label),
        column_labels=[_ascii(variable.label) for variable in dataset.variables],
        table_name=dataset.name,
        file_format_version=5,
        variable_format={v.name: v.display for v in dataset.variables if v.display},
    )
    _date(target, package.created)
    return tuple(changes)


def _check_names(dataset: Dataset) -> None:
    for name, label in ((dataset.name, dataset.label), *((v.name, v.label) for v in dataset.variables)):
        if not NAME.match(name):
            raise XptCannotHold(
                f"{dataset.name}: {name[:60]!r} is no name of 8 capital letters and digits", remedy="shorten the name"
            )
        if len(_ascii(label)) > LABEL_CHARACTERS:
            raise XptCannotHold(
                f"{dataset.name}.{name}: the label has {len(_ascii(label))} characters: {label[:80]!r}",
                remedy=f"shorten it to {LABEL_CHARACTERS}",
            )


def _column(dataset: Dataset, place: int, changes: list[Change]) -> list[str | float | None]:
    variable = dataset.variables[place]
    read = _number if variable.is_number else _text
    return [
        read(cell, dataset.name, variable.name, number, changes)
        for number, cell in enumerate((row[place] for row in dataset.rows), start=1)
    ]


def _number(cell: Value, dataset: str, variable: str, row: int, changes: list[Change]) -> float | None:
    if cell is None:
        return None
    if isinstance(cell, str) or (isinstance(cell, int) and abs(cell) > WHOLE):
        raise XptCannotHold(
            f"{dataset}.{variable}, row {row}: {str(cell)[:40]!r} is no number the format holds",
            remedy="give a number of at most 15 digits",
        )
    return float(cell)


def _text(cell: Value, dataset: str, variable: str, row: int, changes: list[Change]) -> str:
    if cell is None:
        return ""
    text = str(cell)
    plain = text if text.isascii() and text.isprintable() else _ascii(text)
    if len(plain) > TEXT_BYTES:
        raise XptCannotHold(
            f"{dataset}.{variable}, row {row}: {len(plain)} characters",
            remedy=f"split texts over {TEXT_BYTES} into supplemental qualifiers, or use Dataset-JSON",
        )
    if plain != text:
        changes.append(Change(dataset, variable, row, text, plain, "XPT holds printable ASCII only"))
    return plain


def _ascii(text: str) -> str:
    """The text in printable ASCII: usual spellings, then letters without their marks, then the code point."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_plain(text.translate(_LETTERS)))


def _plain(text: str) -> Iterator[str]:
    for character in text:
        if character.isascii():
            yield character if character.isprintable() else " "
            continue
        bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        yield bare or f"<U+{ord(character):04X}>"


def _date(target: Path, created: str) -> None:
    """Put the package's time where the library wrote the machine's, so that equal data are equal files."""
    stamp = datetime.fromisoformat(created).strftime("%d%b%y:%H:%M:%S").upper().encode()
    with target.open("r+b") as file:
        head = file.read(_HEADERS)
        file.seek(0)
        file.write(_CREATED.sub(stamp, head))

"""How a laboratory's file is read: declared beside the study, in ``imports/*.toml``, or made from a form.

A mapping is no part of the build: a laboratory that renames a column does not amend the protocol. What is recorded
with each imported value is the hash of the file and of the mapping it was read by.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from trialwright.build import Build, CompiledForm
from trialwright.foundation.errors import InvalidValue
from trialwright.trial.capture.commands import SOURCES
from trialwright_web.shell.record_words import form_words
from trialwright_web.shell.templatetags.shell import in_language

FOLDER = "imports"
PLAIN = "form."
"""In front of the form's id, for the mapping made from a form."""


class MappingInvalid(InvalidValue):
    """A mapping cannot be read, or does not fit the build."""

    code = "import.mapping_invalid"


@dataclass(frozen=True)
class ItemMapping:
    """Where an item's value stands in the file.

    Args:
        key: ``form.item``.
        column: its own column (one line a visit); or empty.
        test: its name in the column of tests (one line a result); or empty.
        unit: its unit where the file names none.
        unit_column: the column with its unit.
        units: unit as the laboratory writes it → unit of the item.
        values: text of the file → value, ``outcome:<code>`` or ``missing:<reason>``.
    """

    key: str
    column: str = ""
    test: str = ""
    unit: str = ""
    unit_column: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> str:
        return self.key.partition(".")[0]

    @property
    def item(self) -> str:
        return self.key.partition(".")[2]


@dataclass(frozen=True)
class ImportMapping:
    """One kind of file.

    Args:
        id: name of its file, or ``form.<form>``.
        blinding: ``open`` or ``closed``; the class of every form that it fills.
        source: where values were seen first.
        decimal: decimal sign of the file.
        columns: ``participant``, ``encounter``, and where there are such ``repeat``, ``date``, ``test``, ``result``,
            ``unit`` → column of the file.
        encounters: the file's name of a visit → the study's.
        digest: SHA-256 (hex) of the mapping.
    """

    id: str
    title: str
    blinding: str
    source: str
    decimal: str
    columns: Mapping[str, str]
    encounters: Mapping[str, str]
    items: tuple[ItemMapping, ...]
    digest: str

    @property
    def is_long(self) -> bool:
        """One line a result, with a column that names the test."""
        return "test" in self.columns

    def forms(self) -> tuple[str, ...]:
        """Forms that it fills, each once."""
        return tuple(dict.fromkeys(item.form for item in self.items))

    def header(self) -> tuple[str, ...]:
        """The columns that a file has to have."""
        own = (name for item in self.items for name in (item.column, item.unit_column) if name)
        return tuple(dict.fromkeys((*self.columns.values(), *own)))


def declared_mappings(folder: Path, build: Build) -> tuple[ImportMapping, ...]:
    """The mappings of a study folder, by name.

    Raises:
        MappingInvalid: one of them cannot be read or does not fit the build.
    """
    return tuple(read_mapping(path, build) for path in sorted((folder / FOLDER).glob("*.toml")))


def read_mapping(path: Path, build: Build) -> ImportMapping:
    """One mapping.

    Raises:
        MappingInvalid: as :func:`declared_mappings`.
    """
    try:
        content = path.read_bytes()
        table = tomllib.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingInvalid(
            f"{path.name} cannot be read: {error}", remedy="see docs/how-to/import-data.md"
        ) from error
    return _Reader(path.name, table, build).mapping(path.stem, hashlib.sha256(content).hexdigest())


def plain_mapping(form: CompiledForm, build: Build) -> ImportMapping:
    """Columns are named as the items are; one line a visit. Quantities may have a column ``<item>_unit``."""
    entered = [one for one in form.items.values() if one.derive is None and not one.repeats]
    columns = {"participant": "participant", "encounter": "encounter"}
    if form.form.repeats:
        columns["repeat"] = "repeat"
    items = tuple(
        ItemMapping(
            key=one.field.key,
            column=one.item.id,
            unit_column=f"{one.item.id}_unit" if one.item.type == "quantity" else "",
        )
        for one in entered
    )
    name = f"{PLAIN}{form.form.id}"
    return ImportMapping(
        id=name,
        title=form_words(build, form.form.id),
        blinding=form.form.space,
        source="",
        decimal=".",
        columns=columns,
        encounters={encounter: encounter for encounter in build.study.encounters},
        items=items,
        digest=hashlib.sha256(f"{name} {build.id}".encode()).hexdigest(),
    )


_TABLES = {"title", "blinding", "source", "decimal", "columns", "encounters", "items", "values", "units"}
_COLUMNS = {"participant", "encounter", "repeat", "date", "test", "result", "unit"}
_ITEM = {"column", "test", "unit", "unit_column", "units", "values"}


@dataclass
class _Reader:
    """Reads a mapping and checks it against the build."""

    name: str
    table: Mapping[str, Any]
    build: Build

    def mapping(self, id_: str, digest: str) -> ImportMapping:
        self._known(self.table, _TABLES, "")
        columns = self._texts("columns")
        self._known(columns, _COLUMNS, "columns.")
        for needed in ("participant", "encounter"):
            if needed not in columns:
                self._fail(f"columns.{needed} is missing", "say which column it is")
        if ("test" in columns) is not ("result" in columns):
            self._fail("columns.test and columns.result go together", "give both, or neither")
        title = self.table.get("title", id_)
        found = ImportMapping(
            id=id_,
            title=in_language(title) if isinstance(title, str | dict) else id_,
            blinding=self._one_of("blinding", ("open", "closed"), "open"),
            source=self._one_of("source", ("", *SOURCES), ""),
            decimal=self._one_of("decimal", (".", ","), "."),
            columns=columns,
            encounters=self._encounters(),
            items=tuple(self._items("test" in columns)),
            digest=digest,
        )
        self._check_class(found)
        return found

    def _encounters(self) -> dict[str, str]:
        given = self._texts("encounters")
        for encounter in given.values():
            if encounter not in self.build.study.encounters:
                self._fail(f"encounters: {encounter!r} is no visit of the study", "use an id of schedule.yaml")
        return given or {encounter: encounter for encounter in self.build.study.encounters}

    def _items(self, is_long: bool) -> Iterator[ItemMapping]:
        items = self.table.get("items")
        if not isinstance(items, dict) or not items:
            self._fail("items is missing", 'write [items."form.item"] for each item')
        common_units, common_values = self._texts("units"), self._texts("values")
        for key, given in items.items():
            if not isinstance(given, dict):
                self._fail(f"items.{key} is no table", "write column = or test =")
            self._known(given, _ITEM, f"items.{key}.")
            self._check_item(key)
            where = "test" if is_long else "column"
            if not isinstance(given.get(where), str):
                self._fail(f"items.{key}.{where} is missing", "say where the value stands")
            yield ItemMapping(
                key=key,
                column="" if is_long else given["column"],
                test=given["test"] if is_long else "",
                unit=str(given.get("unit", "")),
                unit_column=str(given.get("unit_column", "")),
                units={**common_units, **_texts(given.get("units"))},
                values={**common_values, **_texts(given.get("values"))},
            )

    def _check_item(self, key: str) -> None:
        form, _sep, item = key.partition(".")
        compiled = self.build.forms.get(form)
        found = compiled.items.get(item) if compiled is not None else None
        if found is None or found.derive is not None or found.repeats:
            self._fail(f"items: {key!r} is no item that can be entered", "use form.item of the study")

    def _check_class(self, found: ImportMapping) -> None:
        for form in found.forms():
            space = self.build.forms[form].form.space
            if space != found.blinding:
                self._fail(
                    f"blinding is {found.blinding}, the form {form} is {space}",
                    "what may tell the arm is imported apart, into forms of the closed space",
                )

    def _one_of(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.table.get(key, default)
        if value not in allowed:
            self._fail(f"{key} is {value!r}", f"use one of {', '.join(filter(None, allowed))}")
        return str(value)

    def _texts(self, key: str) -> dict[str, str]:
        value = self.table.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            self._fail(f"{key} is no table of texts", "write name = 'text'")
        return dict(value)

    def _known(self, table: Mapping[str, Any], known: set[str], where: str) -> None:
        unknown = next((key for key in table if key not in known), None)
        if unknown is not None:
            self._fail(f"{where}{unknown} is not known", f"use {', '.join(sorted(known))}")

    def _fail(self, what: str, remedy: str) -> NoReturn:
        raise MappingInvalid(f"{self.name}: {what}", remedy=remedy)


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(one) for key, one in value.items()} if isinstance(value, dict) else {}

"""What a save of a form amounts to: conditions, derivations, ranges, checks, completeness. Pure; decides nothing.

The browser runs the same expressions; what is computed here is what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trialwright.build import (
    Build,
    CompiledCheck,
    CompiledExpression,
    CompiledForm,
    CompiledItem,
    ItemReference,
    ItemValue,
    size_of,
)
from trialwright.expressions import Value
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth
from trialwright.trial.capture.state import CaseBook, FormKey, Values

NOT_APPLICABLE = ItemValue(missing=MissingReason.NOT_APPLICABLE)
NOT_ASKED = ItemValue(missing=MissingReason.NOT_ASKED)
"""Stands where an item was not applicable, and is asked again: as good as empty."""


@dataclass(frozen=True)
class Finding:
    """Something a check asks."""

    check: str
    item: str
    message: str
    reads: frozenset[str]
    """``form.item`` of everything it looked at."""


@dataclass(frozen=True)
class Outcome:
    """The form as it stands after the save."""

    values: Values
    derived: Values
    """What was computed and differs from before."""
    findings: tuple[Finding, ...]
    complete: bool


class Saving:
    """One save being worked out.

    Args:
        build: the build in force.
        casebook: what is on record.
        key: the form.
        live: its items as they will stand (old ones with the changes applied).
        entered: which of them are entered in this save.
        standing: other forms as they will stand, where that differs from the record.
    """

    def __init__(
        self,
        build: Build,
        casebook: CaseBook,
        key: FormKey,
        live: Values,
        *,
        entered: Iterable[str] = (),
        standing: Mapping[FormKey, Values] | None = None,
    ) -> None:
        self._build = build
        self._casebook = casebook
        self._key = key
        self._form: CompiledForm = build.forms[key[1]]
        record = casebook.peek(key)
        self._before = record.values
        self._computed = set(record.computed).difference(entered)
        self._values = dict(live)
        self._standing = dict(standing or {})
        self._contradicted: set[str] = set()
        self._rows = self._started_rows()

    def outcome(self) -> Outcome:
        """Work it out: conditions and derivations until nothing moves, then checks."""
        # A condition may read what is computed here; a chain is no longer than the form has items.
        for _ in self._form.items if self._is_chained() else (None,):
            before = dict(self._values)
            self._apply_conditions()
            self._derive()
            if before == self._values:
                break
        derived = {name: self._values[name] for name in sorted(self._computed)}
        changed = {name: value for name, value in derived.items() if self._before.get(name) != value}
        return Outcome(self._values, changed, tuple(self._findings()), self._is_complete())

    def checks_reading(self, form: str) -> tuple[tuple[Finding, ...], frozenset[str]]:
        """What those checks of this form ask that read another page of that form, and the names of all of them."""
        found: list[Finding] = []
        names: set[str] = set()
        for check in self._form.checks:
            references = (r for r in check.condition.references if r.form == form)
            if any(reference.means_another_page(self._key[1]) for reference in references):
                for row in self._rows_of(check):
                    names.add(_numbered(check.check.id, row))
                    found += self._asked(check, row)
        return tuple(found), frozenset(names)

    # --- rows of repeating groups ---------------------------------------------------------------------------

    def _started_rows(self) -> dict[str, tuple[int, ...]]:
        """Repeating group → rows in which something stands."""
        rows: dict[str, set[int]] = {}
        for name in self._values if self._form.has_rows else ():
            item, row = split_row(name)
            compiled = self._form.items.get(item)
            if compiled is not None and compiled.repeats:
                rows.setdefault(compiled.group, set()).add(row)
        return {group: tuple(sorted(found)) for group, found in rows.items()}

    def _rows_at(self, compiled: CompiledItem) -> tuple[int, ...]:
        return self._rows.get(compiled.group, ()) if compiled.repeats else (1,)

    def _rows_of(self, check: CompiledCheck) -> tuple[int, ...]:
        for reference in check.condition.references:
            compiled = self._form.items.get(reference.item) if reference.form == self._key[1] else None
            if compiled is not None and compiled.repeats:
                return self._rows_at(compiled)
        return (1,)

    def _row(self, references: tuple[ItemReference, ...], row: int) -> dict[str, Value]:
        values = self._values
        if row > 1:
            # In its second row, an expression that says ``dose`` means ``dose.2``.
            values = {name: value for name, value in values.items() if not self._repeats(name)}
            for name, compiled in self._form.items.items():
                if compiled.repeats and (value := self._values.get(_numbered(name, row))) is not None:
                    values[name] = value
        standing = {**self._standing, self._key: values}
        return self._casebook.row(self._build, references, self._key[0], own=self._key, standing=standing)

    def _repeats(self, name: str) -> bool:
        compiled = self._form.items.get(split_row(name)[0])
        return compiled is not None and compiled.repeats

    # --- conditions and derivations -------------------------------------------------------------------------

    def _is_chained(self) -> bool:
        return any(
            reference.form == self._key[1]
            and (compiled := self._form.items.get(reference.item)) is not None
            and (compiled.when is not None or compiled.derive is not None)
            for item in self._form.items.values()
            if item.when is not None
            for reference in item.when.references
        )

    def _apply_conditions(self) -> None:
        for item, compiled in self._form.items.items():
            if compiled.when is not None and compiled.derive is None:
                for row in self._rows_at(compiled):
                    self._apply_condition(_numbered(item, row), self._is_asked(compiled.when, row))

    def _apply_condition(self, name: str, asked: bool) -> None:
        value = self._values.get(name)
        self._contradicted.discard(name)
        if asked:
            if value == NOT_APPLICABLE and name in self._computed:
                self._values[name] = NOT_ASKED
        elif value is None or name in self._computed:
            self._values[name] = NOT_APPLICABLE
            self._computed.add(name)
        elif value.missing is None:
            # What was entered stays: the record never drops a value; a query asks which of the two is wrong.
            self._contradicted.add(name)

    def _is_asked(self, when: CompiledExpression, row: int) -> bool:
        verdict = when.verdict(self._row(when.references, row))
        if verdict.truth is not Truth.UNKNOWN:
            return verdict.truth is Truth.YES
        # Where the condition asks about something that is not applicable itself, neither is this.
        return not verdict.reasons or any(r.why is not MissingReason.NOT_APPLICABLE for r in verdict.reasons)

    def _derive(self) -> None:
        for item in self._form.derivation_order:
            compiled = self._form.items[item]
            for row in self._rows_at(compiled):
                name = _numbered(item, row)
                self._computed.add(name)
                if compiled.when is not None and not self._is_asked(compiled.when, row):
                    self._values[name] = NOT_APPLICABLE
                else:
                    self._values[name] = self._derived(compiled, row)

    def _derived(self, compiled: CompiledItem, row: int) -> ItemValue:
        assert compiled.derive is not None
        try:
            return compiled.derived(self._row(compiled.derive.references, row))
        except InvalidValue:
            # Inputs outside the instrument's domain have queries of their own; nothing can be computed.
            return ItemValue(missing=MissingReason.UNKNOWN)

    # --- what is asked --------------------------------------------------------------------------------------

    def _findings(self) -> Iterator[Finding]:
        for name in self._values:
            compiled = self._form.items.get(split_row(name)[0])
            if compiled is not None and compiled.derive is None:
                yield from self._at_odds(name, compiled)
                yield from self._size(name, compiled)
        for check in self._form.checks:
            for row in self._rows_of(check):
                yield from self._asked(check, row)

    def _at_odds(self, name: str, compiled: CompiledItem) -> Iterator[Finding]:
        if name in self._contradicted and compiled.when is not None:
            message = f"{compiled.item.label[self._language]}: a value is given where none is asked for."
            reads = self._reads(compiled.when, split_row(name)[1]) | {f"{self._key[1]}.{name}"}
            yield Finding(f"condition_{name}", name, message, reads)

    def _size(self, name: str, compiled: CompiledItem) -> Iterator[Finding]:
        value = self._values[name]
        size = size_of(compiled.field, value)
        if size == "usual":
            return
        label, shown = compiled.item.label[self._language], f"{value.text} {value.unit or ''}".strip()
        kind = "range" if size == "unusual" else "possible"
        asks = "is unusual. Confirm or correct." if size == "unusual" else "is not possible. Please correct."
        reads = frozenset({f"{self._key[1]}.{name}"})
        yield Finding(f"{kind}_{name}", name, f"{label}: {shown} {asks}", reads)

    def _asked(self, check: CompiledCheck, row: int) -> Iterator[Finding]:
        if check.verdict(self._row(check.condition.references, row)).truth is not Truth.NO:
            return
        item = check.check.items[0]
        name = _numbered(item, row) if self._repeats(item) else item
        reads = self._reads(check.condition, row)
        yield Finding(_numbered(check.check.id, row), name, check.check.message[self._language], reads)

    def _reads(self, expression: CompiledExpression, row: int) -> frozenset[str]:
        return frozenset(
            f"{r.form}.{_numbered(r.item, row) if r.form == self._key[1] and self._repeats(r.item) else r.item}"
            for r in expression.references
        )

    @property
    def _language(self) -> str:
        return self._build.study.identity.languages[0]

    def _is_complete(self) -> bool:
        return all(
            self._values.get(_numbered(item, row), NOT_ASKED) != NOT_ASKED
            for item, compiled in self._form.items.items()
            if compiled.derive is None and compiled.item.required
            for row in self._rows_at(compiled)
        )


def split_row(name: str) -> tuple[str, int]:
    """``dose.2`` → ``dose``, 2; ``dose`` → ``dose``, 1."""
    item, _, row = name.partition(".")
    return item, int(row) if row else 1


def _numbered(name: str, row: int) -> str:
    return name if row == 1 else f"{name}.{row}"

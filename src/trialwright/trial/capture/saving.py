"""What a save of a form amounts to: conditions, derivations, ranges, checks, completeness. Pure; decides nothing.

The browser runs the same expressions; what is computed here is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trialwright.build import Build, CompiledForm, CompiledItem, ItemReference, ItemValue, size_of
from trialwright.expressions import Value
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth
from trialwright.trial.capture.state import CaseBook, FormKey

NOT_APPLICABLE = ItemValue(missing=MissingReason.NOT_APPLICABLE)


@dataclass(frozen=True)
class Finding:
    """Something a check asks."""

    check: str
    item: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """The form as it stands after the save."""

    values: Mapping[str, ItemValue]
    derived: Mapping[str, ItemValue]
    """Computed or not-applicable items that differ from before."""
    findings: tuple[Finding, ...]
    complete: bool


class Saving:
    """One save being worked out.

    Args:
        build: the build in force.
        casebook: what is on record.
        key: the form.
        entered: the entered items as they will stand (old ones with the changes applied).
    """

    def __init__(self, build: Build, casebook: CaseBook, key: FormKey, entered: Mapping[str, ItemValue]) -> None:
        self._build = build
        self._casebook = casebook
        self._key = key
        self._form: CompiledForm = build.forms[key[1]]
        self._before = casebook.peek(key).values
        self._values = dict(entered)
        self._contradicted: list[str] = []

    def outcome(self) -> Outcome:
        """Work it out: conditions first, then derivations in order, then checks."""
        self._apply_conditions()
        self._derive()
        changed = {
            name: value
            for name, value in self._values.items()
            if self._is_computed(name, value) and self._before.get(name) != value
        }
        return Outcome(self._values, changed, tuple(self._findings()), self._is_complete())

    def _row(self, references: tuple[ItemReference, ...]) -> dict[str, Value]:
        return self._casebook.row(self._build, references, self._key[0], (self._key, self._values))

    def _apply_conditions(self) -> None:
        for name, compiled in self._form.items.items():
            if compiled.when is None or compiled.repeats:
                continue
            asked = compiled.when.verdict(self._row(compiled.when.references)).truth
            value = self._values.get(name)
            if asked is Truth.NO and value is None:
                self._values[name] = NOT_APPLICABLE
            elif asked is Truth.NO and value is not None and value.missing is None and compiled.derive is None:
                # What was entered stays: the record never drops a value; a query asks which of the two is wrong.
                self._contradicted.append(name)
            elif asked is not Truth.NO and value == NOT_APPLICABLE and name not in self._entered_now():
                del self._values[name]

    def _entered_now(self) -> set[str]:
        return {name for name, value in self._values.items() if self._before.get(name) != value}

    def _derive(self) -> None:
        for name in self._form.derivation_order:
            compiled = self._form.items[name]
            if self._values.get(name) == NOT_APPLICABLE and compiled.when is not None:
                continue
            assert compiled.derive is not None
            try:
                self._values[name] = compiled.derived(self._row(compiled.derive.references))
            except InvalidValue:
                # Inputs outside the instrument's domain have queries of their own; nothing can be computed.
                self._values[name] = ItemValue(missing=MissingReason.UNKNOWN)

    def _is_computed(self, name: str, value: ItemValue) -> bool:
        compiled = self._form.items.get(name)
        if compiled is None:
            return False
        return compiled.derive is not None or (value == NOT_APPLICABLE and compiled.when is not None)

    def _findings(self) -> Iterator[Finding]:
        language = self._build.study.identity.languages[0]
        for name in self._contradicted:
            label = self._form.items[name].item.label[language]
            yield Finding(f"condition_{name}", name, f"{label}: a value is given where none is asked for.")
        for name, value in self._values.items():
            compiled = self._item(name)
            if compiled is not None and compiled.derive is None:
                yield from self._size(name, compiled, value, language)
        for check in self._form.checks:
            if check.verdict(self._row(check.condition.references)).truth is Truth.NO:
                yield Finding(check.check.id, check.check.items[0], check.check.message[language])

    def _size(self, name: str, compiled: CompiledItem, value: ItemValue, language: str) -> Iterator[Finding]:
        size = size_of(compiled.field, value)
        if size == "usual":
            return
        label, shown = compiled.item.label[language], f"{value.text} {value.unit or ''}".strip()
        kind = "range" if size == "unusual" else "possible"
        asks = "is unusual. Confirm or correct." if size == "unusual" else "is not possible. Please correct."
        yield Finding(f"{kind}_{name.replace('.', '_')}", name, f"{label}: {shown} {asks}")

    def _is_complete(self) -> bool:
        return all(
            name in self._values or not compiled.item.required
            for name, compiled in self._form.items.items()
            if compiled.derive is None and not compiled.repeats
        )

    def _item(self, name: str) -> CompiledItem | None:
        return self._form.items.get(name.partition(".")[0])

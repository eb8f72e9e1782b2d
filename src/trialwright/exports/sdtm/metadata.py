"""What Define-XML will say of each variable: type, length, code list, origin, method, and the same by test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from trialwright.exports.datasets import (
    CodeList,
    Condition,
    DataType,
    Method,
    Origin,
    OriginSource,
    Source,
    Value,
    ValueLevel,
    Variable,
)
from trialwright.exports.sdtm import standard
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.methods import derivation_method, method_of
from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.sdtm.terms import CodeLists
from trialwright.protocol.forms import Form, Item

_FROM_PROTOCOL = ("STUDYID", "VISITNUM", "VISIT", "VISITDY")
_EXTRA_LABELS = {"TSVAL": "Parameter Value {0}", "COVAL": "Comment {0}"}
_TIMING_LABELS = {
    "EPOCH": "Epoch",
    "DY": "Study Day of Visit/Collection/Exam",
    "STDY": "Study Day of Start of Observation",
    "ENDY": "Study Day of End of Observation",
    "STRTPT": "Start Relative to Reference Time Point",
    "STTPT": "Start Reference Time Point",
    "ENRTPT": "End Relative to Reference Time Point",
    "ENTPT": "End Reference Time Point",
}


class Metadata:
    """Describes variables, and remembers the code lists and methods that they name."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._lists = CodeLists(reading)
        self._methods: dict[str, Method] = {}
        self._items: dict[Source, tuple[Form, Item]] = {
            Source(form.id, item.id): (form, item)
            for build in reading.builds.values()
            for form in build.study.forms.values()
            for item in form.items()
        }

    @property
    def codelists(self) -> tuple[CodeList, ...]:
        """Every code list named so far."""
        return self._lists.all()

    @property
    def methods(self) -> tuple[Method, ...]:
        """Every method named so far."""
        return tuple(self._methods[id_] for id_ in sorted(self._methods))

    def label(self, name: str) -> str:
        """Label of a data set."""
        if name.startswith("SUPP"):
            return f"Supplemental Qualifiers for {name.removeprefix('SUPP')}"
        return standard.domain(name).label

    def variables(self, name: str, names: Sequence[str], records: Sequence[Draft]) -> tuple[Variable, ...]:
        """The variables of a data set, in the order of ``names``."""
        return tuple(self._variable(name, variable, records) for variable in names)

    def _variable(self, name: str, variable: str, records: Sequence[Draft]) -> Variable:
        known = standard.domain(name).find(variable)
        values = [draft.values.get(variable) for draft in records]
        day = variable.endswith("DY") and _timing(name, variable) is not None
        type_ = data_type(variable, values, number=day or (known is not None and known.number))
        keys = standard.keys(name)
        levels = self._levels(name, variable, records)
        origin = None if levels else self._origin(name, variable, records)
        method = method_of(name, variable) if origin is not None and origin.kind == "Derived" else None
        if method is not None:
            self._methods[method.id] = method
        return Variable(
            name=variable,
            label=known.label if known else _extra_label(name, variable),
            type=type_,
            length=length(type_, values),
            origin=origin,
            role=known.role if known else "Timing" if _timing(name, variable) else "Record Qualifier",
            key=keys.index(variable) + 1 if variable in keys else None,
            codelist=self._lists.of_variable(known, records) if known else None,
            method=method.id if method else None,
            mandatory=known is not None and known.core == "Req",
            significant_digits=decimals(values) if type_ == "float" else None,
            values=levels,
        )

    def _origin(self, name: str, variable: str, records: Sequence[Draft]) -> Origin:
        class_ = standard.domain(name).class_
        if class_ == "TRIAL DESIGN":
            return Origin("Protocol", "Sponsor")
        sources = tuple(dict.fromkeys(draft.sources[variable] for draft in records if variable in draft.sources))
        if sources:
            return Origin("Collected", self._who(sources), sources)
        derived = any(variable in draft.derived for draft in records) or method_of(name, variable) is not None
        if derived:
            return Origin("Derived", "Sponsor")
        return Origin("Protocol" if variable in _FROM_PROTOCOL else "Assigned", "Sponsor")

    def _who(self, sources: tuple[Source, ...]) -> OriginSource:
        reported = all(self._items[source][0].participant_reported for source in sources if source in self._items)
        return "Subject" if reported else "Investigator"

    def _levels(self, name: str, variable: str, records: Sequence[Draft]) -> tuple[ValueLevel, ...]:
        """By test for --ORRES, by qualifier for QVAL."""
        by = {f"{name}ORRES": f"{name}TESTCD", "QVAL": "QNAM"}.get(variable)
        if by is None or name == "IE":
            return ()
        groups: dict[str, list[Draft]] = {}
        for draft in records:
            if draft.values.get(variable) is not None:
                groups.setdefault(str(draft.values[by]), []).append(draft)
        return tuple(self._level(name, variable, by, value, group) for value, group in sorted(groups.items()))

    def _level(self, name: str, variable: str, by: str, value: str, records: list[Draft]) -> ValueLevel:
        values = [draft.values.get(variable) for draft in records]
        sources = tuple(dict.fromkeys(draft.sources[variable] for draft in records if variable in draft.sources))
        items = [self._items[source] for source in sources if source in self._items]
        derived = [(form, item) for form, item in items if item.derive is not None]
        method = derivation_method(self._reading, *derived[0]) if derived else None
        if method is not None:
            self._methods[method.id] = method
        origin = self._origin(name, variable, records)
        if derived and len(derived) == len(items):
            origin = Origin("Derived", "Sponsor")
        type_ = numeric_type(values)
        label = "QLABEL" if by == "QNAM" else by.removesuffix("CD")
        return ValueLevel(
            where=(Condition(by, (value,)),),
            label=str(records[0].values.get(label) or value)[:40],
            type=type_,
            length=length(type_, values),
            significant_digits=decimals(values) if type_ == "float" else None,
            codelist=self._lists.of_item(items[0][1], values) if items else None,
            origin=origin,
            method=method.id if method and origin.kind == "Derived" else None,
        )


def data_type(variable: str, values: Iterable[Value], *, number: bool) -> DataType:
    """The type that all values of a variable have."""
    if number:
        return "float" if any(isinstance(value, float) for value in values) else "integer"
    if variable.endswith("DTC"):
        return _date_type([str(value) for value in values if value is not None])
    return "durationDatetime" if variable.endswith(("DUR", "ELTM")) else "text"


def _date_type(values: list[str]) -> DataType:
    timed, partial = any("T" in value for value in values), any(len(value) < 10 for value in values)
    if timed:
        return "partialDatetime" if partial or not all("T" in value for value in values) else "datetime"
    return "partialDate" if partial else "date"


def numeric_type(values: Iterable[Value]) -> DataType:
    """Integer or float where all texts are numbers, else text."""
    texts = [str(value) for value in values if value is not None]
    if texts and all(_is_number(text) for text in texts):
        return "float" if any("." in text for text in texts) else "integer"
    return "text"


def _is_number(text: str) -> bool:
    whole, _, part = text.removeprefix("-").partition(".")
    return whole.isascii() and whole.isdigit() and (not part or (part.isascii() and part.isdigit()))


def length(type_: DataType, values: Iterable[Value]) -> int | None:
    """Bytes of the longest text, or digits of the longest number; None for dates; at least 1."""
    if type_ not in ("text", "integer", "float", "durationDatetime"):
        return None
    texts = [_shown(value) for value in values if value is not None]
    return max((len(text.encode()) for text in texts), default=1) or 1


def decimals(values: Iterable[Value]) -> int:
    """Decimals of the number that has most."""
    return max((len(_shown(value).partition(".")[2]) for value in values if value is not None), default=0)


def _shown(value: Value) -> str:
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def _timing(name: str, variable: str) -> str | None:
    """Label of a timing variable that the guide does not list for the domain."""
    return _TIMING_LABELS.get(variable) or _TIMING_LABELS.get(variable.removeprefix(name))


def _extra_label(name: str, variable: str) -> str:
    timing = _timing(name, variable)
    if timing is not None:
        return timing
    stem = variable.rstrip("0123456789")
    number: Mapping[str, str] = _EXTRA_LABELS
    return number.get(stem, variable).format(variable.removeprefix(stem))

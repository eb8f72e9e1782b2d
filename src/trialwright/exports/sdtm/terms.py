"""The code lists of a package: of each variable CDISC's list cut down to the terms used, and the study's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trialwright.exports.datasets import CodeList, Term, Value
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.sdtm.standard import StandardVariable
from trialwright.exports.terminology import PublishedList, published_list
from trialwright.protocol.forms import Item

STANDARD = "CT.SDTM"
"""Id of CDISC's terminology among the standards of the package."""

_OWN = {"ARMCD": "ARM", "ACTARMCD": "ACTARM", "ETCD": "ELEMENT", "IETESTCD": "IETEST", "QNAM": "QLABEL"}
"""Variables with a list of the study's own → the variable that holds the decode."""


class CodeLists:
    """Collects the values used of each list while variables are described."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._published: dict[str, tuple[tuple[str, ...], set[str]]] = {}
        self._own: dict[str, tuple[str, dict[str, str]]] = {}

    def of_variable(self, variable: StandardVariable, records: Sequence[Draft]) -> str | None:
        """Id of the list of a variable, None where it has none or no values."""
        used = {str(draft.values[variable.name]) for draft in records if draft.values.get(variable.name) is not None}
        kept = tuple(code for code in variable.lists if published_list(code) is not None)
        if not used:
            return None
        id_ = f"CL.{variable.name}"
        if kept:
            self._published.setdefault(id_, (kept, set()))[1].update(used)
            return id_
        decode = _OWN.get(variable.name) or (variable.name[:-2] if variable.name.endswith("TESTCD") else None)
        if decode is None or variable.name == "QNAM":
            return None
        terms = self._own.setdefault(id_, (variable.label, {}))[1]
        for draft in records:
            value = draft.values.get(variable.name)
            if value is not None:
                terms.setdefault(str(value), str(draft.values.get(decode) or value))
        return id_

    def of_item(self, item: Item, values: Iterable[Value]) -> str | None:
        """Id of the list of an item's results, None where it has none."""
        if item.type == "boolean":
            used = {str(value) for value in values if value is not None}
            if not used <= {"Y", "N"}:
                return None
            self._published.setdefault("CL.NY", (("C66742",), set()))[1].update(used)
            return "CL.NY"
        codelist = self._reading.study.terminology.get(item.codelist or "")
        if codelist is None:
            return None
        id_ = f"CL.STUDY.{codelist.id.upper()}"
        terms = self._own.setdefault(id_, (self._reading.text(codelist.label), {}))[1]
        written = item.sdtm.terms if item.sdtm else {}
        for code in codelist.codes:
            label = self._reading.text(code.label)
            value = written.get(code.code, code.cdisc or label)
            if value is not None:
                terms.setdefault(value, label)
        return id_

    def all(self) -> tuple[CodeList, ...]:
        """All lists, by id."""
        found = [_cut(id_, codes, used) for id_, (codes, used) in self._published.items()]
        found += [
            CodeList(id_, name, tuple(Term(value, decode) for value, decode in terms.items()))
            for id_, (name, terms) in self._own.items()
        ]
        return tuple(sorted(found, key=lambda codelist: codelist.id))


def _cut(id_: str, codes: tuple[str, ...], used: set[str]) -> CodeList:
    """The published list with the terms used, or, of several lists, a list of the study's with terms of all."""
    lists = [published for code in codes if (published := published_list(code)) is not None]
    fits = [published for published in lists if used <= set(published.terms)] or [
        published for published in lists if published.extensible and used & set(published.terms)
    ]
    if len(lists) == 1 or len(fits) == 1:
        chosen = fits[0] if fits else lists[0]
        return _terms(id_, chosen, used)
    terms = [_term(published, value) for published in lists for value in sorted(used & set(published.terms))]
    strange = used - {term.value for term in terms}
    if any(published.extensible for published in lists):
        terms += [Term(value, value, extended=True) for value in sorted(strange)]
    return CodeList(id_, lists[0].name, tuple(dict.fromkeys(terms)))


def _terms(id_: str, published: PublishedList, used: set[str]) -> CodeList:
    known = [_term(published, value) for value in sorted(used & set(published.terms))]
    added = [Term(value, value, extended=True) for value in sorted(used - set(published.terms))]
    terms = tuple(known + (added if published.extensible else []))
    return CodeList(id_, published.name, terms, published.code, STANDARD)


def _term(published: PublishedList, value: str) -> Term:
    return Term(value, published.terms[value], published.codes.get(value))

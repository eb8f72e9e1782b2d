"""A checked study to a build: frozen, content-addressed, what the system runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from trialwright.build.compiled import (
    CompiledCheck,
    CompiledCriterion,
    CompiledFact,
    CompiledForm,
    CompiledGate,
    CompiledItem,
    CompiledRelease,
    CompiledStratum,
)
from trialwright.build.errors import NotCompiled
from trialwright.build.formulas import CompiledExpression, CompiledInstrument, compile_instrument
from trialwright.build.plan import plan
from trialwright.build.scopes import codes_of
from trialwright.build.sites import Site, expression_sites
from trialwright.build.values import Field
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol import canonical_files, canonical_source, study_from_canonical
from trialwright.protocol.custody import Measurement
from trialwright.protocol.folder import Study
from trialwright.protocol.forms import Form, Item
from trialwright.schedule import PlannedEncounter


@dataclass(frozen=True)
class Build:
    """A study, checked, compiled and content-addressed. What a running trial uses; it never changes.

    Attributes:
        id: SHA-256 (hex) of :attr:`canonical`; two folders that say the same have the same id.
        canonical: the study's canonical source, from which :meth:`from_canonical` makes this build again.
        study: what is declared.
        forms: compiled forms by id.
        facts: compiled facts by id.
        criteria: compiled criteria by id, in the order of the file.
        strata: stratification factors by id.
        gates: gates before collection and administration by id.
        release: release criteria by id.
        measurements: laboratory measurements by id, as fields that values can be read into.
        encounter_when: conditions of optional encounters by encounter.
        populations: conditions of analysis populations by id.
    """

    id: str
    canonical: bytes
    study: Study
    forms: Mapping[str, CompiledForm]
    facts: Mapping[str, CompiledFact]
    criteria: Mapping[str, CompiledCriterion]
    strata: Mapping[str, CompiledStratum]
    gates: Mapping[str, CompiledGate]
    release: Mapping[str, CompiledRelease]
    measurements: Mapping[str, Field]
    encounter_when: Mapping[str, CompiledExpression]
    populations: Mapping[str, CompiledExpression]

    @classmethod
    def from_canonical(cls, canonical: bytes) -> Build:
        """The build of a stored canonical source.

        Raises:
            NotAStudy: the bytes are not a canonical source.
            NotCompiled: an expression no longer compiles (it did when the build was made).
        """
        return compiled(study_from_canonical(canonical), canonical)

    @property
    def source_files(self) -> dict[str, bytes]:
        """File of the study folder → its canonical bytes."""
        return canonical_files(self.study)

    def plan(self) -> tuple[PlannedEncounter, ...]:
        """The schedule, for the schedule engine."""
        return self._plan

    @cached_property
    def _plan(self) -> tuple[PlannedEncounter, ...]:
        return plan(self.study)

    @cached_property
    def forms_reading(self) -> Mapping[str, frozenset[str]]:
        """Form → the forms of the open space with checks that read another page of it."""
        found: dict[str, set[str]] = {name: set() for name in self.forms}
        for name, form in self.forms.items():
            if form.form.space == "open":
                for reference in (r for check in form.checks for r in check.condition.references):
                    if reference.means_another_page(name):
                        found.setdefault(reference.form or "", set()).add(name)
        return {form: frozenset(readers) for form, readers in found.items()}

    def field(self, key: str) -> Field:
        """The field of ``form.item``.

        Raises:
            InvalidValue: no such item.
        """
        form, _, item = key.partition(".")
        if form not in self.forms or item not in self.forms[form].items:
            raise InvalidValue(f"{key!r} is no item of this build", remedy="name form.item", item=key)
        return self.forms[form].items[item].field

    def summary(self) -> dict[str, int | str]:
        """Counts that let a person recognise the build."""
        study = self.study
        forms = study.forms.values()
        return {
            "study": study.identity.id,
            "version": study.identity.version,
            "build": self.id,
            "sites": len(study.identity.sites),
            "arms": len(study.identity.arms),
            "encounters": len(study.schedule.encounters),
            "forms": len(study.forms),
            "items": len(study.items),
            "checks": sum(len(form.checks) for form in forms),
            "derivations": sum(item.derive is not None for item in study.items.values()),
            "facts": len(study.eligibility.facts),
            "criteria": len(study.eligibility.criteria),
            "code_lists": len(study.terminology),
            "languages": len(study.identity.languages),
        }


def compiled(study: Study, canonical: bytes | None = None) -> Build:
    """Compile a study that needs no more checking. Compiled expressions are a cache of what is declared.

    The study is read back from its canonical source first, so that a build made from a folder and one reloaded
    from its record cannot differ, not even in the order of a map.

    Raises:
        NotCompiled: an expression or a derivation cannot be compiled.
    """
    source = canonical_source(study) if canonical is None else canonical
    return _Compiler(study_from_canonical(source)).build(source)


class _Compiler:
    def __init__(self, study: Study) -> None:
        self._study = study
        self._found: dict[tuple[str, tuple[str, ...]], CompiledExpression] = {}
        for site in expression_sites(study):
            self._found[site.purpose, site.owner] = _must_compile(site)

    def build(self, source: bytes) -> Build:
        study = self._study
        custody = study.custody
        return Build(
            id=hashlib.sha256(source).hexdigest(),
            canonical=source,
            study=study,
            forms={form.id: self._form(form) for form in study.forms.values()},
            facts={f.id: CompiledFact(f, self._get("fact", f.id)) for f in study.eligibility.facts},
            criteria={c.id: CompiledCriterion(c, self._get("criterion", c.id)) for c in study.eligibility.criteria},
            strata={
                s.id: CompiledStratum(s.id, s.levels, {name: self._have("stratum", s.id, name) for name in s.level})
                for s in study.randomisation.strata
            },
            gates={g.id: CompiledGate(g, self._have("gate", g.id)) for g in (custody.gates if custody else ())},
            release={
                r.id: CompiledRelease(r, self._have("release", r.id)) for r in (custody.release if custody else ())
            },
            measurements={m.id: self._measurement(m) for m in (custody.measurements if custody else ())},
            encounter_when=self._all("encounter"),
            populations=self._all("population"),
        )

    def _form(self, form: Form) -> CompiledForm:
        items = {
            item.id: self._item(form, group.id, group.repeats, item) for group in form.groups for item in group.items
        }
        checks = tuple(CompiledCheck(check, self._have("check", form.id, check.id)) for check in form.checks)
        return CompiledForm(form, items, checks, _derivation_order(form, items))

    def _item(self, form: Form, group: str, repeats: bool, item: Item) -> CompiledItem:
        return CompiledItem(
            field=Field(form.id, item, codes_of(self._study, item.codelist)),
            group=group,
            repeats=repeats,
            when=self._get("item_when", form.id, item.id),
            derive=self._derivation(form, item),
        )

    def _derivation(self, form: Form, item: Item) -> CompiledExpression | CompiledInstrument | None:
        if item.derive is None:
            return None
        if item.derive.instrument is None:
            return self._have("item_derive", form.id, item.id)
        return compile_instrument(item.derive.instrument, item.derive.inputs, form=form.id, items=form_units(form))

    def _measurement(self, measurement: Measurement) -> Field:
        item = Item(
            id=measurement.id,
            label=measurement.label,
            type=measurement.type,
            units=(measurement.unit,) if measurement.unit else (),
            codelist=measurement.codelist,
            possible=measurement.possible,
        )
        return Field("laboratory", item, codes_of(self._study, measurement.codelist))

    def _get(self, purpose: str, *owner: str) -> CompiledExpression | None:
        return self._found.get((purpose, owner))

    def _have(self, purpose: str, *owner: str) -> CompiledExpression:
        found = self._get(purpose, *owner)
        if found is None:
            raise NotCompiled(f"{'.'.join(owner)} has no expression", remedy="check the study first")
        return found

    def _all(self, purpose: str) -> dict[str, CompiledExpression]:
        return {owner[0]: found for (kind, owner), found in self._found.items() if kind == purpose}


def form_units(form: Form) -> dict[str, str | None]:
    """Item → the unit its numbers are given in, None for plain numbers."""
    return {item.id: item.units[0] if item.units else None for item in form.items()}


def _must_compile(site: Site) -> CompiledExpression:
    if site.compiled is None:
        raise NotCompiled(
            f"{site.file}: {'.'.join(site.owner)} cannot be compiled: {site.errors[0]}",
            remedy="check the study first",
        )
    return site.compiled


def _derivation_order(form: Form, items: Mapping[str, CompiledItem]) -> tuple[str, ...]:
    """Derived items, each after those it is computed from."""
    needs = {name: inputs_of(form.id, item) for name, item in items.items() if item.derive is not None}
    try:
        order: Iterable[str] = TopologicalSorter(
            {name: [n for n in sorted(found) if n in needs] for name, found in sorted(needs.items())}
        ).static_order()
        return tuple(order)
    except CycleError as error:
        raise NotCompiled(
            f"derivations of {form.id} go in a circle: {' → '.join(error.args[1])}", remedy="break the circle"
        ) from error


def inputs_of(form: str, item: CompiledItem) -> set[str]:
    """Items of the same form and encounter that a derived item is computed from."""
    if item.derive is None:
        return set()
    return {r.item for r in item.derive.references if r.form == form and r.encounter is None and not r.latest}

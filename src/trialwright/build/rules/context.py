"""What rules look at: the study, its expressions compiled once, its plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from trialwright.build.plan import plan
from trialwright.build.rules.texts import all_texts
from trialwright.build.scopes import fact_type, item_type
from trialwright.build.sites import Purpose, Scopes, Site, expression_sites, items_with_paths
from trialwright.expressions import Type
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.folder import Study
from trialwright.protocol.forms import Form, Item
from trialwright.protocol.positions import KeyPath
from trialwright.protocol.roles import Role
from trialwright.protocol.schedule import Encounter
from trialwright.schedule import PlannedEncounter


@dataclass(frozen=True)
class StudyContext:
    """A study as rules see it. Nothing here fails: what cannot be computed is left out, and some rule says so."""

    study: Study

    @cached_property
    def scopes(self) -> Scopes:
        """The names that each expression may use."""
        return Scopes(self.study)

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every expression of the study."""
        return expression_sites(self.study, self.scopes)

    def sites_for(self, *purposes: Purpose) -> Iterator[Site]:
        """Expressions with one of these purposes."""
        return (site for site in self.sites if site.purpose in purposes)

    def site(self, purpose: Purpose, *owner: str) -> Site | None:
        """The expression of one owner."""
        return next((s for s in self.sites if s.purpose == purpose and s.owner == owner), None)

    def declared_type(self, site: Site) -> Type | None:
        """The type that a computed item or a fact is declared with."""
        if site.purpose == "fact":
            fact = next(f for f in self.study.eligibility.facts if f.id == site.owner[0])
            return fact_type(self.study, fact)
        if site.purpose == "item_derive":
            return item_type(self.study, self.study.items[".".join(site.owner)])
        return None

    @cached_property
    def texts(self) -> tuple[tuple[str, KeyPath, dict[str, str]], ...]:
        """Every text with one wording per language: file, path, wordings."""
        return tuple(all_texts(self.study))

    @cached_property
    def plan(self) -> tuple[PlannedEncounter, ...]:
        """The schedule; empty where an offset is beyond any calendar."""
        try:
            return plan(self.study)
        except InvalidValue:
            return ()

    @cached_property
    def encounter_index(self) -> dict[str, int]:
        """Encounter → its place in the schedule."""
        return {encounter.id: n for n, encounter in enumerate(self.study.schedule.encounters)}

    def encounters(self) -> Iterator[tuple[KeyPath, Encounter]]:
        """Encounters with their paths in ``schedule.yaml``."""
        for n, encounter in enumerate(self.study.schedule.encounters):
            yield ("encounters", n), encounter

    def items(self) -> Iterator[tuple[str, KeyPath, Form, Item]]:
        """File, path, form and item, over all forms."""
        for form in self.study.forms.values():
            for path, item in items_with_paths(form):
                yield f"forms/{form.id}.yaml", path, form, item

    @cached_property
    def blinded_roles(self) -> frozenset[Role]:
        """Roles of this study that must not learn an allocation; none in an open study."""
        identity = self.study.identity
        if identity.blinding.kind == "open":
            return frozenset()
        return frozenset(identity.roles) - frozenset(identity.blinding.unblinded_roles)

    @cached_property
    def primary_encounters(self) -> frozenset[str]:
        """Encounters at which a primary endpoint is assessed."""
        analysis = self.study.analysis
        endpoints = {e.endpoint for e in analysis.estimands if e.kind == "primary"}
        return frozenset(at for endpoint in analysis.endpoints if endpoint.id in endpoints for at in endpoint.at)

    def comes_after(self, encounter: str) -> frozenset[str]:
        """Encounters that must have taken place before this one, by ``after`` and by anchors that come first."""
        found: set[str] = set()
        waiting = [encounter]
        while waiting:
            declared = self.study.encounters.get(waiting.pop())
            if declared is None:
                continue
            before = {name for name in (declared.after, declared.anchor) if name} - found
            found |= before
            waiting.extend(before)
        return frozenset(found - {encounter})

    @cached_property
    def collected_at(self) -> dict[str, tuple[str, ...]]:
        """Form → encounters that carry it, in the order of the schedule."""
        found: dict[str, list[str]] = {form: [] for form in self.study.forms}
        for encounter in self.study.schedule.encounters:
            for form in encounter.forms:
                found.setdefault(form, []).append(encounter.id)
        return {form: tuple(at) for form, at in found.items()}

    def used_at(self, site: Site) -> tuple[str, ...]:
        """Encounters at which an expression is asked; none for log forms and for what is asked at the end."""
        match site.purpose:
            case "fact":
                return (self.study.eligibility.encounter,)
            case "item_when" | "item_derive" | "check":
                return self.collected_at.get(site.form or "", ())
            case "encounter":
                return site.owner
            case "gate":
                return self.gated_at(site.owner[0])
            case _:
                return ()

    def gated_at(self, gate: str) -> tuple[str, ...]:
        """Encounters whose collection or administration a gate stands before, each once."""
        custody = self.study.custody
        if custody is None:
            return ()
        before = next((g.before for g in custody.gates if g.id == gate), ())
        found = [getattr(slot, act) for slot in custody.slots for act in before]
        return tuple(dict.fromkeys(found))

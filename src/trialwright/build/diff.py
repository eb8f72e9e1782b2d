"""The difference of two builds, in participants' terms: whose data, whose consent, whose approval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trialwright.build.changes import Change, changes
from trialwright.build.compile import Build
from trialwright.build.consequences import Approval, Consequence, DataEffect, consequence

_LONGEST = 60


@dataclass(frozen=True)
class Classified:
    """A change and what it means.

    Attributes:
        change: what differs.
        consequence: for data, consent and approval, with the reason.
        items: ``form.item`` whose stored values are touched.
        sites: sites that must approve before they work under it; all sites of the new build, or the new one.
    """

    change: Change
    consequence: Consequence
    items: tuple[str, ...]
    sites: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.change.place} {_said(self.change)}: {self.consequence.why}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "file": self.change.file,
            "path": "/".join(self.change.path),
            "kind": self.change.kind,
            "old": self.change.old,
            "new": self.change.new,
            "data": self.consequence.data.value,
            "items": list(self.items),
            "reconsent": self.consequence.reconsent,
            "approval": self.consequence.approval.value,
            "sites": list(self.sites),
            "why": self.consequence.why,
        }


@dataclass(frozen=True)
class Difference:
    """What an amendment changes.

    Attributes:
        old, new: build ids.
        changes: every change with its meaning, in the order of files.
        declared_reconsent: what the new build's ``amendment`` says; None where there is none.
    """

    old: str
    new: str
    changes: tuple[Classified, ...]
    declared_reconsent: bool | None

    @property
    def data_compatible(self) -> bool:
        """Whether all stored values still fit."""
        return all(c.consequence.data is not DataEffect.INCOMPATIBLE for c in self.changes)

    @property
    def items_touched(self) -> tuple[str, ...]:
        """``form.item`` whose stored values are judged anew, do not fit, or are gone; each once."""
        return tuple(sorted({item for change in self.changes for item in change.items}))

    @property
    def reconsent(self) -> bool:
        """Whether participants must be asked again."""
        return any(c.consequence.reconsent for c in self.changes)

    @property
    def substantial(self) -> bool:
        """Whether some change is a substantial modification."""
        return any(c.consequence.approval is Approval.SUBSTANTIAL for c in self.changes)

    @property
    def sites_to_approve(self) -> tuple[str, ...]:
        """Sites that must approve before they may work under the new build."""
        return tuple(sorted({site for change in self.changes for site in change.sites}))

    @property
    def contradiction(self) -> str | None:
        """Where the amendment's own word on consent disagrees with the changes, in plain words."""
        if self.declared_reconsent is None or self.declared_reconsent == self.reconsent:
            return None
        if self.reconsent:
            return "the amendment says that nobody must consent again, but changes require it"
        return "the amendment says that participants must consent again, but no change requires it"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` and for the record."""
        return {
            "old": self.old,
            "new": self.new,
            "data_compatible": self.data_compatible,
            "items_touched": list(self.items_touched),
            "reconsent": self.reconsent,
            "declared_reconsent": self.declared_reconsent,
            "substantial": self.substantial,
            "sites_to_approve": list(self.sites_to_approve),
            "contradiction": self.contradiction,
            "changes": [change.as_dict() for change in self.changes],
        }


def diff(old: Build, new: Build) -> Difference:
    """What changed from one build to another, and what it means for data, participants and sites."""
    amendment = new.study.identity.amendment
    return Difference(
        old=old.id,
        new=new.id,
        changes=tuple(_classified(change, old, new) for change in changes(old.study, new.study)),
        declared_reconsent=None if amendment is None else amendment.reconsent,
    )


def _classified(change: Change, old: Build, new: Build) -> Classified:
    found = consequence(change)
    touched = found.data in (DataEffect.RECHECK, DataEffect.INCOMPATIBLE)
    return Classified(
        change=change,
        consequence=found,
        items=_items(change, old) if touched else (),
        sites=_sites(change, found, new),
    )


def _items(change: Change, old: Build) -> tuple[str, ...]:
    """Items of the old build whose stored values a change touches."""
    folder, _, name = change.file.partition("/")
    stem = name.rpartition(".")[0]
    if folder == "forms":
        return _of_form(change, old, stem)
    if folder == "terminology":
        return tuple(key for key, item in old.study.items.items() if item.codelist == stem)
    if change.path[:1] == ("encounters",) and change.path[-1:] == ("forms",):
        gone = set(change.old or ()) - set(change.new or ())
        return tuple(key for key in old.study.items if key.split(".")[0] in gone)
    return ()


def _of_form(change: Change, old: Build, form: str) -> tuple[str, ...]:
    own = tuple(key for key in old.study.items if key.startswith(f"{form}."))
    if change.path[:1] == ("items",):
        return tuple(key for key in own if key == f"{form}.{change.path[1]}")
    if change.path[:1] == ("checks",) and len(change.path) > 1:
        checks = [c for c in old.study.forms[form].checks if c.id == change.path[1]]
        return tuple(f"{form}.{item}" for check in checks for item in check.items)
    if change.path[:1] == ("groups",) and len(change.path) > 1:
        groups = [g for g in old.study.forms[form].groups if g.id == change.path[1]]
        return tuple(f"{form}.{item.id}" for group in groups for item in group.items)
    return own


def _sites(change: Change, found: Consequence, new: Build) -> tuple[str, ...]:
    if found.approval is not Approval.SUBSTANTIAL:
        return ()
    if change.file == "study.yaml" and change.path[:1] == ("sites",) and len(change.path) == 2:
        return (change.path[1],) if change.kind == "added" else ()
    return tuple(sorted(new.study.sites))


def _said(change: Change) -> str:
    if change.kind == "changed":
        return f"changed from {_short(change.old)} to {_short(change.new)}"
    return change.kind


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")

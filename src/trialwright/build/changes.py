"""What differs between two studies, thing by thing; members of lists are matched by their ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from trialwright.protocol import Study, canonical_files

Kind = Literal["added", "removed", "changed"]

ORDER = "order of members"
"""Last step of a path where only the order of a list differs."""

_IDS = ("id", "code", "field", "act", "site", "register", "agent")


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        kind: added, removed or changed.
        file: in the study folder.
        path: keys and ids that lead to it: ``("items", "weight", "range", "low")``; empty for a whole file.
        old, new: plain data; None where there is nothing.
    """

    kind: Kind
    file: str
    path: tuple[str, ...]
    old: Any
    new: Any

    @property
    def place(self) -> str:
        """``forms/walk.yaml:items/trial_1/range`` for patterns and people."""
        return f"{self.file}:{'/'.join(self.path)}"


def changes(old: Study, new: Study) -> Iterator[Change]:
    """All differences, in the order of files; a thing that was added or removed is one change, not one per key."""
    before, after = _plain(old), _plain(new)
    for file in sorted(before.keys() | after.keys()):
        if file not in before:
            yield Change("added", file, (), None, after[file])
        elif file not in after:
            yield Change("removed", file, (), before[file], None)
        else:
            yield from _compared(file, (), before[file], after[file])


class _Members(dict[str, Any]):
    """A list whose members have ids, by those ids; unlike those of a map, their order is part of the study."""


def _plain(study: Study) -> dict[str, Any]:
    return {file: _by_id(_flat(file, json.loads(content))) for file, content in canonical_files(study).items()}


def _flat(file: str, data: Any) -> Any:
    """A form's items by id over all groups: an item that only moves to another group keeps its data."""
    if not file.startswith("forms/"):
        return data
    items = [{**item, "group": group["id"]} for group in data["groups"] for item in group["items"]]
    groups = [{key: value for key, value in group.items() if key != "items"} for group in data["groups"]]
    return {**data, "groups": groups, "items": items}


def _by_id(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _by_id(value) for key, value in data.items()}
    if not isinstance(data, list):
        return data
    if data and all(isinstance(member, dict) for member in data):
        for key in _IDS:
            names = [member.get(key) for member in data]
            if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
                return _Members((str(member[key]), _by_id(member)) for member in data)
    return [_by_id(member) for member in data]


def _compared(file: str, path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield Change("changed", file, path, old, new)
        return
    if isinstance(old, _Members) and isinstance(new, _Members):
        before, after = [k for k in old if k in new], [k for k in new if k in old]
        if before != after:
            yield Change("changed", file, (*path, ORDER), before, after)
    for key in sorted(old.keys() | new.keys()):
        here = (*path, key)
        if key not in old:
            yield Change("added", file, here, None, new[key])
        elif key not in new:
            yield Change("removed", file, here, old[key], None)
        else:
            yield from _compared(file, here, old[key], new[key])

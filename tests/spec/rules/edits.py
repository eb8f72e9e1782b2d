"""Small edits of a study's files, written as paths.

``encounters[week_4].window`` walks keys and list members; a member is named by its id (or code, field, item, act, site,
or its own text), by its number, by ``*`` for all, or by ``+`` for a new one at the end. ``item:weight`` finds an item of
a form in whichever group it stands. An empty path is the whole file.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trialwright.protocol import LoadedStudy, Positions, Study, canonical_files, study_from_canonical

DELETE = object()
"""As a value: the thing at the path is removed."""

_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]+)\]")
_NAMES = ("id", "code", "field", "item", "act", "site")


@dataclass(frozen=True)
class Edit:
    """Put ``value`` at ``path`` of ``file``."""

    file: str
    path: str
    value: Any


def edited(loaded: LoadedStudy, *edits: Edit) -> LoadedStudy:
    """The study after the edits; refused like a folder would be when it no longer reads as a study."""
    files = {name: json.loads(content) for name, content in canonical_files(loaded.study).items()}
    for edit in edits:
        if edit.path:
            _apply(files[edit.file], list(_steps(edit.path)), edit.value)
        elif edit.value is DELETE:
            del files[edit.file]
        else:
            files[edit.file] = copy.deepcopy(edit.value)
    study: Study = study_from_canonical(
        json.dumps(files, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )
    return LoadedStudy(study, Positions(), loaded.folder)


def _steps(path: str) -> Iterator[tuple[str, str]]:
    for key, member in _STEP.findall(path):
        yield ("member", member) if member else ("key", key)


def _apply(data: Any, steps: list[tuple[str, str]], value: Any) -> None:
    (kind, name), rest = steps[0], steps[1:]
    if kind == "key" and name.startswith("item:"):
        _apply(_item(data, name.removeprefix("item:")), rest, value)
        return
    if kind == "member" and name == "*":
        for member in data:
            _apply(member, rest, value)
        return
    if kind == "member" and name == "+":
        assert not rest, "a new member is given whole"
        data.append(copy.deepcopy(value))
        return
    where: Any = _index(data, name) if kind == "member" else name
    if rest:
        if kind == "key" and rest == [("member", "+")]:
            data.setdefault(where, [])
        _apply(data[where], rest, value)
    elif value is not DELETE:
        data[where] = copy.deepcopy(value)
    elif kind == "member" or where in data:
        del data[where]


def _item(form: Any, name: str) -> Any:
    return next(item for group in form["groups"] for item in group["items"] if item["id"] == name)


def _index(members: list[Any], name: str) -> int:
    for n, member in enumerate(members):
        if member == name or (isinstance(member, dict) and name in [member.get(key) for key in _NAMES]):
            return n
    return int(name)

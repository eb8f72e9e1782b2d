"""Small edits of a study's files, written as paths.

``encounters[week_4].window`` walks keys and list members; a member is named by its id (or code, field, item, act,
site, or its own text), by its number, by ``*`` for all, or by ``+`` for a new one at the end. ``item:weight`` finds
an item of a form in whichever group it stands. An empty path is the whole file.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trialwright.protocol import LoadedStudy, Positions, Study, canonical_files
from trialwright.protocol.loader import FILES, FOLDERS

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
    written = canonical_files(loaded.study)
    files: dict[str, Any] = {}
    for edit in edits:
        data = files.setdefault(edit.file, json.loads(written.get(edit.file, b"null")))
        if edit.path:
            _apply(data, list(_steps(edit.path)), edit.value)
        else:
            files[edit.file] = None if edit.value is DELETE else copy.deepcopy(edit.value)
    return edited_files(loaded, files)


def edited_files(loaded: LoadedStudy, files: dict[str, Any]) -> LoadedStudy:
    """The study with whole files exchanged; None removes a file."""
    parts = {name: getattr(loaded.study, name) for name in Study.model_fields}
    for file, data in files.items():
        _replace(parts, file, data)
    return LoadedStudy(Study.model_construct(**parts), Positions(), loaded.folder)


def _replace(parts: dict[str, Any], file: str, data: Any) -> None:
    """Put one file's new content in, validated as the loader does."""
    if file in FILES:
        attribute, model = FILES[file]
        parts[attribute] = None if data is None else model.model_validate_json(json.dumps(data), strict=True)
        return
    folder, _, name = file.partition("/")
    suffix, model = FOLDERS[folder]
    key = name.removesuffix(suffix)
    parts[folder] = {k: v for k, v in parts[folder].items() if k != key}
    if data is not None:
        parts[folder][key] = model.model_validate_json(json.dumps(data), strict=True)


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

"""Walking a study: every text per language, every list of things with ids."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from trialwright.protocol.declared import Language
from trialwright.protocol.folder import Study
from trialwright.protocol.loader import FILES, FOLDERS
from trialwright.protocol.positions import KeyPath

_IDS = ("id", "code")


def declarations(study: Study) -> Iterator[tuple[str, BaseModel]]:
    """Each file and what it declares."""
    for name, (attribute, _) in FILES.items():
        declared = getattr(study, attribute)
        if declared is not None:
            yield name, declared
    for folder, (suffix, _) in FOLDERS.items():
        for key, declared in getattr(study, folder).items():
            yield f"{folder}/{key}{suffix}", declared


def walk(model: BaseModel, path: KeyPath = ()) -> Iterator[tuple[KeyPath, BaseModel]]:
    """A declaration and all inside it, with their paths."""
    yield path, model
    for name, field in type(model).model_fields.items():
        yield from _inside(getattr(model, name), (*path, field.alias or name))


def all_texts(study: Study) -> Iterator[tuple[str, KeyPath, dict[str, str]]]:
    """Every text of the study that has one wording per language: file, path, wordings."""
    for file, declared in declarations(study):
        for path, model in walk(declared):
            for name, field in type(model).model_fields.items():
                value = getattr(model, name)
                if isinstance(value, dict) and _is_text(field.annotation):
                    yield file, (*path, field.alias or name), value


def lists_with_ids(study: Study) -> Iterator[tuple[str, KeyPath, str, list[tuple[KeyPath, str]]]]:
    """Lists whose members have ids, which must differ: file, path, what it is, and (path inside, id) of each."""
    for file, declared in declarations(study):
        for path, model in walk(declared):
            for name, field in type(model).model_fields.items():
                ids = _ids(getattr(model, name))
                if ids:
                    yield file, (*path, field.alias or name), name, ids
    for form in study.forms.values():
        found: list[tuple[KeyPath, str]] = [
            ((g, "items", n), item.id) for g, group in enumerate(form.groups) for n, item in enumerate(group.items)
        ]
        if len(form.groups) > 1 and not _twice_in_one_group(found):
            yield f"forms/{form.id}.yaml", ("groups",), "the form", found


def _twice_in_one_group(found: list[tuple[KeyPath, str]]) -> bool:
    pairs = [(path[0], item) for path, item in found]
    return len(set(pairs)) < len(pairs)


def _ids(value: object) -> list[tuple[KeyPath, str]]:
    if not isinstance(value, tuple):
        return []
    found: list[tuple[KeyPath, str]] = []
    for n, member in enumerate(value):
        key = next((k for k in _IDS if isinstance(getattr(member, k, None), str)), None)
        if isinstance(member, BaseModel) and key is not None and type(member).__name__ != "Identifier":
            found.append(((n, key), getattr(member, key)))
    return found


def _inside(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, BaseModel]]:
    if isinstance(value, BaseModel):
        yield from walk(value, path)
    elif isinstance(value, tuple):
        for n, member in enumerate(value):
            yield from _inside(member, (*path, n))
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _inside(member, (*path, key))


def _is_text(annotation: Any) -> bool:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_is_text(inner) for inner in typing.get_args(annotation))
    return typing.get_origin(annotation) is dict and typing.get_args(annotation) == (Language, str)

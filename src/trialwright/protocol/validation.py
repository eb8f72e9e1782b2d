"""Plain data to declarations, with every refusal as a finding at its place."""

from __future__ import annotations

import json
import types
import typing
from enum import Enum
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trialwright.protocol.declared import LANGUAGE_PATTERN, NAME_PATTERN, Declared
from trialwright.protocol.findings import Finding, did_you_mean
from trialwright.protocol.positions import KeyPath, Place, Position, Positions
from trialwright.protocol.yaml_source import Data

D = TypeVar("D", bound=Declared)

_KINDS = {
    "string_type": "a text is expected",
    "int_type": "a whole number is expected",
    "bool_type": "true or false is expected",
    "float_type": "a number is expected",
    "tuple_type": "a list is expected",
    "dict_type": "a map is expected",
    "model_type": "a map with keys is expected",
    "model_attributes_type": "a map with keys is expected",
}


def declaration(
    model: type[D], data: Data, file: str, places: dict[KeyPath, Place]
) -> tuple[D | None, list[Finding]]:
    """One declaration and what is wrong with it.

    Args:
        model: the declaration wanted.
        data: plain data as read.
        file: its file.
        places: the place of every path in it.
    """
    try:
        # JSON mode: lists for tuples and texts for enumerations, but never "no" for false or "3" for 3.
        return model.model_validate_json(json.dumps(data), strict=True), []
    except ValidationError as errors:
        positions = Positions({file: places})
        wrong = [error for error in errors.errors(include_url=False) if not _is_echo(error)]
        return None, [_finding(model, error, data, file, positions) for error in wrong]


def _is_echo(error: ErrorDetails) -> bool:
    """A list whose entries are all refused is also reported as too short; once is enough."""
    return error["type"] == "too_short" and bool(error["input"])


def _finding(model: type[BaseModel], error: ErrorDetails, data: Data, file: str, positions: Positions) -> Finding:
    loc, is_key = error["loc"], False
    if loc and loc[-1] == "[key]":
        loc, is_key = loc[:-1], True
    path = _written(loc, data)
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(model, path, file, positions)
    if kind == "missing":
        name = loc[-1] if loc else "?"
        return _at(file, positions.of_key(file, path[:-1] if path == loc else path), "TW904",
                   f"key {name!r} is missing{_inside(path, loc)}", _missing_remedy(model, loc))  # fmt: skip
    place = positions.of_key(file, path) if is_key else positions.of(file, path)
    rule, message, remedy = _wrong_value(error)
    return _at(file, place, rule, f"{_dotted(loc)}: {message}", remedy)


def _unknown_key(model: type[BaseModel], path: KeyPath, file: str, positions: Positions) -> Finding:
    key, owner = str(path[-1]), _model_at(model, path[:-1])
    known = _keys(owner) if owner else []
    remedy = did_you_mean(key, known) or f"known keys are {', '.join(known)}"
    return _at(file, positions.of_key(file, path), "TW903", f"key {key!r} is not known here", remedy)


def _wrong_value(error: ErrorDetails) -> tuple[str, str, str]:
    kind, context, given = error["type"], error.get("ctx", {}), error["input"]
    shown = repr(given)[:60] if given is None or isinstance(given, str | int | float) else _shape(given)
    if kind in ("literal_error", "enum"):
        expected = str(context["expected"])
        names = [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]
        return "TW906", f"{shown} is not known", did_you_mean(given, names) or f"use one of {', '.join(names)}"
    if kind == "string_pattern_mismatch" and context["pattern"] == NAME_PATTERN:
        remedy = "use lower-case letters, digits and single underscores, starting with a letter"
        return "TW907", f"{shown} is not a name", remedy
    if kind in _KINDS:
        return "TW905", f"{shown} was given where {_KINDS[kind]}", _type_remedy(kind, given)
    if kind == "too_short":
        return "TW905", "nothing is given", f"give at least {context['min_length']}"
    if kind == "string_pattern_mismatch" and context["pattern"] == LANGUAGE_PATTERN:
        return "TW905", f"{shown} is no language", "write en, nb …; a text with a comma inside { } needs quotes"
    if kind == "string_pattern_mismatch":
        return "TW905", f"{shown} has the wrong form", f"it must match {context['pattern']}"
    message = error["msg"].removeprefix("Value error, ")
    return "TW905", f"{shown}: {message[0].lower()}{message[1:]}", "correct the value"


def _type_remedy(kind: str, given: object) -> str:
    if kind == "string_type" and isinstance(given, int | float):
        return "put it in quotes"
    if kind == "bool_type" and isinstance(given, str) and given.lower() in ("yes", "no", "on", "off"):
        return "write true or false"
    if kind == "tuple_type":
        return "write a list: [a, b], or one entry per line after a dash"
    return "correct the value" if given is not None else "give a value or remove the key"


def _missing_remedy(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    owner = _model_at(model, loc[:-1])
    field = next((f for n, f in owner.model_fields.items() if loc[-1] in (n, f.alias)), None) if owner else None
    meaning = f" ({field.description.splitlines()[0].rstrip('.')})" if field and field.description else ""
    return f"add it{meaning}"


def _inside(path: KeyPath, loc: tuple[int | str, ...]) -> str:
    outer = path[:-1] if path == loc else path
    return f" in {_dotted(outer)}" if outer else ""


def _written(loc: tuple[int | str, ...], data: Data) -> KeyPath:
    """The part of a validation path that exists in the data (it may hold names of types, too)."""
    path: list[str | int] = []
    for step in loc:
        inside: Data = None
        try:
            inside = data[step]  # type: ignore[index]  # a step that does not fit ends the path
        except (TypeError, KeyError, IndexError):
            break
        data = inside
        path.append(step)
    return tuple(path)


def _model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The declaration whose keys stand at a path."""
    here: Any = model
    for step in path:
        here = _without_none(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = next((f for name, f in here.model_fields.items() if step in (name, f.alias)), None)
            here = field.annotation if field else None
        else:
            arguments = [a for a in typing.get_args(here) if a is not ...]
            here = arguments[-1] if arguments else None
    here = _without_none(here)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [a for a in typing.get_args(annotation) if a is not type(None)]
        return _without_none(inner[0])
    return annotation


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _shape(given: object) -> str:
    if isinstance(given, Enum):
        return repr(given.value)
    return "a list" if isinstance(given, list | tuple) else "a map"


def _dotted(path: tuple[int | str, ...]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".") or "the file"


def _at(file: str, place: Position, rule: str, message: str, remedy: str) -> Finding:
    return Finding(file=file, line=place.line, column=place.column, rule=rule, message=message, remedy=remedy)

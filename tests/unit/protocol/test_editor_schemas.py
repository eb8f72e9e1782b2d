"""The JSON Schemas for editors accept what the loader accepts, and refuse what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

import trialwright.protocol
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol import SCHEMA_KINDS, json_schema
from trialwright.protocol.schemas import KINDS
from trialwright.protocol.text_source import read_text
from trialwright.protocol.validation import declaration
from trialwright.protocol.yaml_source import read_yaml

REPOSITORY = Path(__file__).parents[3]
TEMPLATE = Path(trialwright.protocol.__file__).parent / "template"
STUDIES = sorted(path.parent for path in (REPOSITORY / "studies").glob("*/study.yaml"))
KIND_OF_FOLDER = {"forms": "form", "terminology": "terminology", "consent": "consent_head", "public": "public_head"}


def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json_schema(kind))


def files(study: Path) -> Iterator[tuple[str, Path, Any]]:
    """Kind, path and data of every file of a study; of texts, the head."""
    for path in sorted([*study.glob("*.yaml"), *study.glob("*/*.yaml"), *study.glob("*/*.md")]):
        kind = path.stem if path.parent == study else KIND_OF_FOLDER[path.parent.name]
        text = path.read_text(encoding="utf-8")
        source = read_text(text, path.name) if path.suffix == ".md" else read_yaml(text, path.name)
        data: Any = source.data
        yield kind, path, data["head"] if path.suffix == ".md" else data


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_a_schema_is_a_schema(kind: str) -> None:
    Draft202012Validator.check_schema(json_schema(kind))


@pytest.mark.parametrize("study", [TEMPLATE, *STUDIES], ids=lambda path: path.name)
def test_every_file_of_every_study_is_accepted(study: Path) -> None:
    for kind, path, data in files(study):
        problems = [f"{path}: {error.json_path} {error.message}" for error in validator(kind).iter_errors(data)]
        assert problems == []


def spoilt(data: Any) -> Iterator[tuple[str, Any]]:
    """The data with one thing made wrong, at every map and list."""
    for path in paths(data):
        here = at(data, path)
        if isinstance(here, dict):
            yield f"unknown key at {path}", put(data, (*path, "Unknown Key"), "x")
            for key in here:
                yield f"{key} becomes a list of lists at {path}", put(data, (*path, key), [[[]]])


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in members:
        yield from paths(value, (*path, key))


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    new = copy.deepcopy(data)
    at(new, path[:-1])[path[-1]] = value
    return new


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_what_the_loader_refuses_for_its_form_the_schema_refuses(kind: str) -> None:
    study = REPOSITORY / "studies" / "smart-ms"
    data = min((d for k, _, d in files(study) if k == kind), key=lambda d: len(json.dumps(d)))
    data = shortened(data)
    accepts = validator(kind)
    tried = 0
    for what, wrong in spoilt(data):
        declared, findings = declaration(KINDS[kind], wrong, kind, {})
        schema_accepts = accepts.is_valid(wrong)
        assert schema_accepts == (declared is not None), f"{what}: {findings}"
        tried += 1
    assert tried > 5


def shortened(data: Any) -> Any:
    """At most two members of each list, so that each kind of thing is tried and the test stays short."""
    if isinstance(data, dict):
        return {key: shortened(value) for key, value in data.items()}
    return [shortened(member) for member in data[:2]] if isinstance(data, list) else data


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("randomisation", {"unit": "arm", "method": "complete"}),
        ("randomisation", {"unit": "arms", "method": "complete", "ratio": {"a": 1, "b": 1}}),
        ("randomisation", {"unit": "arm", "method": "complete", "ratio": {"a": "1", "b": 1}}),
        ("randomisation", {"unit": "arm", "method": "complete", "ratio": {"a": 1}}),
        ("randomisation", {"unit": "arm", "method": "complete", "ratio": {"a": 1, "b": 1}, "by_site": "yes"}),
        ("schedule", {"encounters": [{"id": "V 1", "label": {"en": "x"}, "epoch": "e"}]}),
        ("schedule", {"encounters": []}),
        ("schedule", {"encounters": [{"id": "v", "label": {}, "epoch": "e", "offset": {"days": 1, "weeks": 1}}]}),
        ("schedule", {"encounters": [{"id": "v", "label": {}, "epoch": "e", "offset": {}}]}),
        ("schedule", {"encounters": [{"id": "v", "label": {"EN": "x"}, "epoch": "e"}]}),
    ],
)
def test_wrong_files_are_refused(kind: str, data: Any) -> None:
    with pytest.raises(ValidationError):
        validator(kind).validate(data)


def test_keys_are_explained() -> None:
    assert "IANA zone" in json.dumps(json_schema("study"))


def test_another_kind_is_refused_with_the_kind_that_was_meant() -> None:
    with pytest.raises(InvalidValue, match="did you mean 'schedule'"):
        json_schema("shedule")

"""The page of every key of every file says what the code accepts.

After changing a declaration: ``python tests/repository/test_folder_reference.py`` writes the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trialwright.foundation.missing import MissingReason
from trialwright.protocol import SCHEMA_KINDS, Role, json_schema
from trialwright.protocol.study import PublicStatus

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "study-folder.md"

FILES = {
    "form": "forms/ID.yaml",
    "terminology": "terminology/ID.yaml",
    "consent_head": "consent/LANGUAGE.md (the head)",
    "public_head": "public/LANGUAGE.md (the head)",
}
"""Where a kind of file stands, when not ``KIND.yaml``."""

HEAD = """# The study folder: every key of every file

Written from the declarations that the loader uses; `trialwright schema FOLDER` writes the same as JSON Schemas, so
that an editor completes and explains while you type. `trialwright new` shows every file at work, and `studies/` has
three larger ones.

- A key that is not listed here is an error, with the nearest one that is. **Bold** keys must be there.
- *name*: lower-case letters, digits and underscores, a letter first. *text*: one wording for each language,
  `{en: Weight, nb: Vekt}`. *decimal*: a number that is kept digit by digit; quotes may be left out. *expression*: see
  [the language](expressions.md).
- Every object may carry `source:` (`P` public page, `R` register or publication, `D` derived, `A` assumption) and
  `note:`, any text. They are not repeated below.
- A file in `forms/` and `terminology/` is named by its `id`, one in `consent/` and `public/` by its language.
  `custody.yaml` is optional: only a study with a product chain has it.
- YAML 1.2: two blanks of indentation, `- ` for members of a list. The country code `NO` is a text here, never "no".
"""

LISTS = {
    "MissingReason": "[missing reason](#missing-reason)",
    "Role": "[role](#role)",
    "PublicStatus": "[status](#status)",
}
"""Lists of words with a section of their own at the end."""

EXPRESSIONS = {"expression", "when", "from", "where"}
"""Keys that take an expression; a schema knows only that it is text."""

CODE = re.compile(r"``(.+?)``|:\w+:`~?(?:trialwright\.)?(?:[\w.]*\.)?(\w+)`")


def page() -> str:
    """The whole page."""
    return HEAD + "".join(part for kind in SCHEMA_KINDS for part in _file(kind)) + "".join(_lists())


def _lists() -> Iterator[str]:
    for title, words in (("Role", Role), ("Missing reason", MissingReason), ("Status", PublicStatus)):
        yield f"\n## {title}\n\n{', '.join(f'`{word.value}`' for word in words)}\n"


def _file(kind: str) -> Iterator[str]:
    schema = json_schema(kind)
    yield f"\n## {FILES.get(kind, kind + '.yaml')}\n"
    yield from _keys(schema)
    for name in _used(schema, schema, []):
        definition = schema["$defs"][name]
        yield f"\n### {_words(name)} ({kind.replace('_', ' ')})\n"
        if definition.get("description"):
            yield f"\n{_prose(definition['description'])}\n"
        yield from _keys(definition)


def _keys(schema: dict[str, Any]) -> Iterator[str]:
    required = set(schema.get("required", ()))
    rows = {k: v for k, v in schema["properties"].items() if k not in ("source", "note")}
    yield "\n| key | takes | default | |\n|---|---|---|---|\n"
    for key, what in rows.items():
        name = f"**`{key}`**" if key in required else f"`{key}`"
        default = "" if key in required or what.get("default") in (None, [], {}) else _literal(what["default"])
        description = _prose(what.get("description", "")).replace("\n", " ").replace("|", "\\|")
        takes = "expression" if key in EXPRESSIONS else _takes(what)
        yield f"| {name} | {takes} | {default} | {description} |\n"


def _literal(value: Any) -> str:
    return ", ".join(f"`{v}`" for v in value) if isinstance(value, list) else f"`{json.dumps(value)}`"


def _takes(what: dict[str, Any]) -> str:
    if "anyOf" in what:
        options = [option for option in what["anyOf"] if option.get("type") != "null"]
        if any(option.get("type") == "number" for option in options):
            return "decimal"
        return " or ".join(_takes(option) for option in options)
    if "$ref" in what:
        name = what["$ref"].rpartition("/")[2]
        return LISTS.get(name, _words(name))
    if "enum" in what:
        return ", ".join(f"`{value}`" for value in what["enum"])
    if "const" in what:
        return f"`{what['const']}`"
    match what.get("type"):
        case "array" if "prefixItems" in what:
            return f"list of {len(what['prefixItems'])}: {_takes(what['prefixItems'][0])}"
        case "array":
            return f"list of {_takes(what['items'])}"
        case "object":
            return _map(what)
        case "integer":
            low, high = what.get("minimum"), what.get("maximum")
            bounds = f", {low} to {high}" if high is not None else f", {low} or more" if low is not None else ""
            return f"whole number{bounds}"
        case "boolean":
            return "`true` or `false`"
        case "number":
            return f"number, {what['minimum']:g} to {what['maximum']:g}" if "minimum" in what else "number"
        case "string":
            return _string(what)
    raise AssertionError(what)


def _map(what: dict[str, Any]) -> str:
    (pattern, value), *_ = [*what.get("patternProperties", {}).items(), ("", what.get("additionalProperties"))]
    if pattern == "^[a-z]{2,3}$" and value == {"type": "string"}:
        return "text"
    key = "name" if pattern.startswith("^[a-z][a-z0-9]*") else "key"
    return f"{key} → {_takes(value) if isinstance(value, dict) else 'text'}"


def _string(what: dict[str, Any]) -> str:
    pattern = what.get("pattern", "")
    if pattern.startswith("^[a-z][a-z0-9]*(_"):
        return "name"
    if re.fullmatch(r"\^\((\w+\|)+\w+\)\$", pattern):
        return ", ".join(f"`{word}`" for word in pattern[2:-2].split("|"))
    known = {
        "^[A-Z]{2}$": "two capital letters",
        "^[0-9]{2}$": "two digits, in quotes",
        "^[a-z]{2,3}$": "language code",
    }
    return known.get(pattern, f"words like `{pattern}`".replace("|", "\\|") if pattern else "words")


def _used(part: Any, schema: dict[str, Any], found: list[str]) -> list[str]:
    """Definitions that the part uses, in the order in which a reader meets them."""
    if isinstance(part, dict):
        name = part.get("$ref", "").rpartition("/")[2]
        definition = schema["$defs"].get(name, {}) if name else {}
        if "properties" in definition and name not in found:
            found.append(name)
            _used(definition, schema, found)
        for key, inner in part.items():
            if key not in ("$defs", "source"):
                _used(inner, schema, found)
    elif isinstance(part, list):
        for inner in part:
            _used(inner, schema, found)
    return found


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _prose(text: str) -> str:
    return CODE.sub(lambda found: f"`{found[1] or found[2]}`", text.strip())


def test_the_page_is_as_the_code_says_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_every_key_stands_on_the_page(kind: str) -> None:
    schema = json_schema(kind)
    text = page()
    keys = {key for part in [schema, *schema.get("$defs", {}).values()] for key in part.get("properties", ())}
    assert keys
    assert not {key for key in keys - {"source", "note"} if f"`{key}`" not in text}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

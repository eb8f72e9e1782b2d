"""The reference of the study folder is written from the declarations, so that it cannot say something else.

After changing a declaration: ``python tests/unit/protocol/test_reference_of_the_folder.py`` writes
``docs/reference/study-folder.md``.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from trialwright.protocol.declared import NAME_PATTERN, DecimalText, Declared, Language, Name, Text
from trialwright.protocol.documents import ConsentHead, PublicHead
from trialwright.protocol.loader import FILES, FOLDERS, OPTIONAL

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "study-folder.md"

INTRODUCTION = """# The study folder

A study is a folder of readable files. This page is written from the declarations that read them.

| file | holds |
|---|---|
{files}

**YAML 1.2.** `NO` is a text, not an answer. Indentation is made of spaces. Anchors, aliases and tags are not read.
A text with a colon, or with a comma or bracket inside `{{ }}` or `[ ]`, goes into quotes. Decimal numbers may stand
with or without quotes. Unknown keys are errors.

**Names** are lower-case letters, digits and single underscores, starting with a letter, 60 at most. **Texts** have
one wording per language: `{{en: Weight, nb: Vekt}}`; every language of the study must be there.

**Everything** may have `source:` (P public page, R register or publication, D derived, A assumption; `trialwright
check` lists the assumptions) and `note:`. These two are left out of the tables below.

**Texts in Markdown** have a head between `---` lines and sections `## Heading {{#id}}`; text before the first heading
is an error.

**Editors.** `trialwright schema FOLDER` writes JSON Schemas into `.trialwright/schema/`. An editor with a YAML
language server completes and explains keys when the first line of a file names its schema:

```yaml
# yaml-language-server: $schema=.trialwright/schema/study.schema.json          (in study.yaml)
# yaml-language-server: $schema=../.trialwright/schema/form.schema.json        (in forms/*.yaml)
# yaml-language-server: $schema=../.trialwright/schema/terminology.schema.json (in terminology/*.yaml)
```

**What does not matter** for a build's id: comments, formatting, the order of keys, quotes around numbers, line ends,
blanks at the ends of lines. The order of lists does matter.
"""


def render() -> str:
    """The page."""
    files: list[tuple[str, type[BaseModel]]] = [(name, model) for name, (_, model) in FILES.items()]
    files += [(f"{folder}/*.yaml", FOLDERS[folder][1]) for folder in ("forms", "terminology")]
    files += [("consent/*.md", ConsentHead), ("public/*.md", PublicHead)]
    listed = "\n".join(f"| `{name}` | {holds(name, model)} |" for name, model in files)
    parts = [INTRODUCTION.format(files=listed)]
    for name, model in files:
        parts.append(f"## {name}\n")
        parts += [section(part, top=part is model) for part in dict.fromkeys(nested(model))]
    return "\n".join(parts).rstrip() + "\n"


def holds(name: str, model: type[BaseModel]) -> str:
    """What a file is for, from the docstring of its module."""
    first = (inspect.getdoc(inspect.getmodule(model)) or "").splitlines()[0]
    text = first.partition(": ")[2] or first
    return f"{text.rstrip('.')}{' (may be absent)' if name in OPTIONAL else ''}"


def nested(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A declaration and all that stand inside it."""
    yield model
    for field in model.model_fields.values():
        for part in declarations(field.annotation):
            yield from nested(part)


def declarations(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in typing.get_args(annotation):
        yield from declarations(part)


def section(model: type[BaseModel], *, top: bool) -> str:
    """One declaration as a table."""
    lines = [] if top else [f"### {model.__name__}\n"]
    said = inspect.getdoc(model) or ""
    if said and said != inspect.getdoc(Declared) and not said.startswith("The whole of"):
        lines.append(f"{said}\n")
    lines += ["| key | value | needed | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name not in Declared.model_fields:
            needed = "yes" if field.is_required() else default(field)
            meaning = " ".join((field.description or "").split()).replace("|", "\\|")
            lines.append(f"| `{field.alias or name}` | {kind(with_metadata(field))} | {needed} | {meaning} |")
    return "\n".join(lines) + "\n"


def with_metadata(field: FieldInfo) -> Any:
    return typing.Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, tuple):
        return ", ".join(str(getattr(part, "value", part)) for part in value)
    return f"else `{str(value).lower() if isinstance(value, bool) else value}`"


NAMED = ((Name, "name"), (Language, "language"), (DecimalText, "decimal number"))


def kind(annotation: Any) -> str:
    """An annotation in words."""
    for known, words in NAMED:
        if annotation == known:
            return words
    if annotation == Text:
        return "text per language"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        if any(getattr(part, "pattern", None) == NAME_PATTERN for part in arguments[1:]):
            return "name"
        return kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(kind(part) for part in arguments if part is not type(None))
    if origin is typing.Literal:
        return ", ".join(f"`{part}`" for part in arguments)
    if origin is tuple:
        inner = [part for part in arguments if part is not ...]
        return f"list of {kind(inner[0])}" if len(inner) == 1 else " and ".join(kind(part) for part in inner)
    if origin is dict:
        return f"map: {kind(arguments[0])} → {kind(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    plain = {str: "text", int: "whole number", bool: "true or false", float: "number"}
    return plain[annotation]


def test_the_reference_is_as_the_declarations_say_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == render()


def test_every_key_of_every_file_is_in_the_reference() -> None:
    page = render()
    for _, model in FILES.values():
        for part in nested(model):
            for name, field in part.model_fields.items():
                assert f"`{field.alias or name}`" in page or name in Declared.model_fields


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")

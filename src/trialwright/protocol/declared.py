"""What all declarations of a study have in common: strictness, texts per language, and where a fact comes from."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_DECIMAL = r"^-?[0-9]{1,30}(\.[0-9]{1,15})?$"


def _number_as_text(value: object) -> object:
    """A number written without quotes means the same as its text; ``1e6`` becomes ``1000000``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    written = Decimal(repr(value))
    return f"{written:f}" if written.is_finite() and abs(written.adjusted()) <= 15 else value


def _decimal_text(text: str) -> str:
    if not re.match(_DECIMAL, text):
        raise PydanticCustomError("not_a_decimal", "{given} is not a decimal number", {"given": repr(text[:40])})
    return text


NAME_PATTERN = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
LANGUAGE_PATTERN = r"^[a-z]{2,3}$"

Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]
"""A name inside a study: lower-case letters, digits, underscores."""

Language = Annotated[str, Field(pattern=LANGUAGE_PATTERN)]
"""ISO 639 language code: ``en``, ``nb``, ``nn`` …"""

Text = dict[Language, str]
"""One wording per language. Labels are text, never HTML."""

Expression = str
"""A text in the expression language; parsed and typed by the build."""

DecimalText = Annotated[
    str,
    BeforeValidator(_number_as_text),
    AfterValidator(_decimal_text),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _DECIMAL}, {"type": "number"}]}),
]
"""A decimal number, kept as text so that no binary rounding touches it; quotes may be left out in the file."""


class Mark(Enum):
    """Where a declaration comes from. Assumptions are listed by ``trialwright check``."""

    PUBLIC_PAGE = "P"
    REGISTER = "R"
    DERIVED = "D"
    ASSUMPTION = "A"


class Declared(BaseModel):
    """Base of everything in a study folder: unknown keys are errors, objects never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source: Mark | None = None
    """P public page, R register or publication, D derived (calculation in `note`), A assumption of the authors."""
    note: str | None = None
    """Anything the next reader should know: the calculation, the citation, the doubt."""

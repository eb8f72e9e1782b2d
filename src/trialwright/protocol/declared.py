"""What all declarations of a study have in common: strictness, texts per language, and where a fact comes from."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trialwright.foundation.ids import slug

Name = Annotated[str, AfterValidator(slug)]
"""A name inside a study: lower-case letters, digits, underscores."""

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
"""ISO 639 language code: ``en``, ``nb``, ``nn`` …"""

Text = dict[Language, str]
"""One wording per language. Labels are text, never HTML."""

Expression = str
"""A text in the expression language; parsed and typed by the build."""


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

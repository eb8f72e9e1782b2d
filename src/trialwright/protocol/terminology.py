"""``terminology/*.yaml``: code lists."""

from __future__ import annotations

from pydantic import Field

from trialwright.protocol.declared import Declared, Name, Text


class Code(Declared):
    code: str = Field(pattern=r"^[A-Za-z0-9_.+-]{1,40}$")
    label: Text
    cdisc: str | None = None
    """Submission value in CDISC terminology."""


class CodeList(Declared):
    """One file of ``terminology/`` holds one code list."""

    id: Name
    label: Text
    cdisc: str | None = None
    """CDISC code list code, for example C66731."""
    codes: tuple[Code, ...] = Field(min_length=1)

"""``safety.yaml``: grading, seriousness, events of special interest, clocks, expectedness reference."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trialwright.protocol.declared import Declared, Name, Text


class CausalAgent(Declared):
    """Something a causal relation is judged for separately: the product, the aspiration, the injection."""

    id: Name
    label: Text


class ReportingClock(Declared):
    """A deadline counted from the sponsor's awareness."""

    id: Name
    label: Text
    applies: Literal["serious", "susar", "susar_fatal_or_life_threatening", "special_interest"]
    days: int = Field(ge=0)
    """Calendar days; 0 means immediately, without undue delay (24 hours)."""
    to: str
    """Who must have received it: sponsor, EudraVigilance, ethics committee …"""


class SpecialInterest(Declared):
    id: Name
    label: Text
    terms: tuple[str, ...]


class ExpectedTerm(Declared):
    """An adverse reaction that the reference safety information lists, with the grade up to which it is expected."""

    term: str
    agent: Name
    up_to_grade: int = Field(ge=1, le=5)


class Reference(Declared):
    """The reference safety information in force."""

    document: str
    version: str
    terms: tuple[ExpectedTerm, ...] = ()


class Safety(Declared):
    """The whole of ``safety.yaml``."""

    grading: Literal["ctcae_general_1_to_5"]
    dictionary: str
    """``synthetic`` for demonstrations, ``meddra`` with the user's own copy."""
    agents: tuple[CausalAgent, ...] = Field(min_length=1)
    clocks: tuple[ReportingClock, ...] = Field(min_length=1)
    special_interest: tuple[SpecialInterest, ...] = ()
    reference: Reference
    collect_from: Literal["consent", "first_collection", "first_administration"]
    follow_up_days: int = Field(ge=0)
    """After the last encounter."""

"""The words of sentences and explanations in English, bokmål and nynorsk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trialwright.expressions.values import Obstacle
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth

Language = Literal["en", "nb", "nn"]


@dataclass(frozen=True)
class Labels:
    """What things are called in the language asked for; whatever is not here keeps its own name.

    Args:
        items: dotted item name to label.
        codes: (dotted item name, code) to label.
        encounters: encounter name to label.
    """

    items: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    encounters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Words:
    """One language. ``{a}``, ``{b}`` and ``{c}`` stand for parts of the expression."""

    decimal_mark: str
    numbers: Mapping[str, str]
    dates: Mapping[str, str]
    equal: str
    unequal: str
    between: str
    member: str
    no_member: str
    missing: str
    known: str
    unclear: str
    clear: str
    both: str
    either: str
    negation: str
    is_yes: str
    is_no: str
    yes: str
    no: str
    absolute: str
    smallest: str
    largest: str
    first_known: str
    days: str
    years: str
    at: str
    latest: str
    latest_within: str
    verdicts: Mapping[Truth, str]
    reasons: Mapping[MissingReason | Obstacle, str]


_ENGLISH = Words(
    decimal_mark=".",
    numbers={
        "<": "{a} is less than {b}",
        "<=": "{a} is at most {b}",
        ">": "{a} is more than {b}",
        ">=": "{a} is at least {b}",
    },
    dates={
        "<": "{a} is before {b}",
        "<=": "{a} is on or before {b}",
        ">": "{a} is after {b}",
        ">=": "{a} is on or after {b}",
    },
    equal="{a} is {b}",
    unequal="{a} is not {b}",
    between="{a} is from {b} to {c}",
    member="{a} is one of {b}",
    no_member="{a} is none of {b}",
    missing="{a} is missing",
    known="{a} is known",
    unclear="it is not known whether {a}",
    clear="it is known whether {a}",
    both="and",
    either="or",
    negation="it is not true that {a}",
    is_yes="{a}: yes",
    is_no="{a}: no",
    yes="yes",
    no="no",
    absolute="the magnitude of {a}",
    smallest="the smallest of {a}",
    largest="the largest of {a}",
    first_known="the first known of {a}",
    days="the number of days from {a} to {b}",
    years="the number of full years from {a} to {b}",
    at="{a} at {b}",
    latest="the latest {a}",
    latest_within="the latest {a} (at most {b} days old)",
    verdicts={Truth.YES: "yes", Truth.NO: "no", Truth.UNKNOWN: "not known yet"},
    reasons={
        MissingReason.NOT_ASKED: "not asked yet",
        MissingReason.NOT_DONE: "not done",
        MissingReason.NOT_APPLICABLE: "not applicable",
        MissingReason.UNKNOWN: "unknown",
        MissingReason.ASKED_UNKNOWN: "asked, but not known",
        MissingReason.REFUSED: "declined to answer",
        MissingReason.PENDING: "result pending",
        MissingReason.INTENTIONALLY_BLANK: "left blank on purpose",
        MissingReason.ERASED: "erased",
        Obstacle.DIVISION_BY_ZERO: "the divisor is zero",
        Obstacle.OUT_OF_RANGE: "not a number that can be used",
        Obstacle.PARTIAL_DATE: "the date is not known to the day",
    },
)

_BOKMAAL = Words(
    decimal_mark=",",
    numbers={
        "<": "{a} er mindre enn {b}",
        "<=": "{a} er høyst {b}",
        ">": "{a} er mer enn {b}",
        ">=": "{a} er minst {b}",
    },
    dates={
        "<": "{a} er før {b}",
        "<=": "{a} er senest {b}",
        ">": "{a} er etter {b}",
        ">=": "{a} er tidligst {b}",
    },
    equal="{a} er {b}",
    unequal="{a} er ikke {b}",
    between="{a} er fra {b} til {c}",
    member="{a} er en av {b}",
    no_member="{a} er ingen av {b}",
    missing="{a} mangler",
    known="{a} er kjent",
    unclear="det er ikke kjent om {a}",
    clear="det er kjent om {a}",
    both="og",
    either="eller",
    negation="det er ikke slik at {a}",
    is_yes="{a}: ja",
    is_no="{a}: nei",
    yes="ja",
    no="nei",
    absolute="størrelsen av {a}",
    smallest="den minste av {a}",
    largest="den største av {a}",
    first_known="den første kjente av {a}",
    days="antall dager fra {a} til {b}",
    years="antall hele år fra {a} til {b}",
    at="{a} ved {b}",
    latest="siste {a}",
    latest_within="siste {a} (høyst {b} dager gammel)",
    verdicts={Truth.YES: "ja", Truth.NO: "nei", Truth.UNKNOWN: "ikke kjent ennå"},
    reasons={
        MissingReason.NOT_ASKED: "ikke spurt ennå",
        MissingReason.NOT_DONE: "ikke utført",
        MissingReason.NOT_APPLICABLE: "ikke aktuelt",
        MissingReason.UNKNOWN: "ukjent",
        MissingReason.ASKED_UNKNOWN: "spurt, men ikke kjent",
        MissingReason.REFUSED: "ønsket ikke å svare",
        MissingReason.PENDING: "venter på svar",
        MissingReason.INTENTIONALLY_BLANK: "tom med vilje",
        MissingReason.ERASED: "slettet",
        Obstacle.DIVISION_BY_ZERO: "divisoren er null",
        Obstacle.OUT_OF_RANGE: "ikke et tall som kan brukes",
        Obstacle.PARTIAL_DATE: "datoen er ikke kjent på dagen",
    },
)

_NYNORSK = Words(
    decimal_mark=",",
    numbers={
        "<": "{a} er mindre enn {b}",
        "<=": "{a} er høgst {b}",
        ">": "{a} er meir enn {b}",
        ">=": "{a} er minst {b}",
    },
    dates={
        "<": "{a} er før {b}",
        "<=": "{a} er seinast {b}",
        ">": "{a} er etter {b}",
        ">=": "{a} er tidlegast {b}",
    },
    equal="{a} er {b}",
    unequal="{a} er ikkje {b}",
    between="{a} er frå {b} til {c}",
    member="{a} er ein av {b}",
    no_member="{a} er ingen av {b}",
    missing="{a} manglar",
    known="{a} er kjent",
    unclear="det er ikkje kjent om {a}",
    clear="det er kjent om {a}",
    both="og",
    either="eller",
    negation="det er ikkje slik at {a}",
    is_yes="{a}: ja",
    is_no="{a}: nei",
    yes="ja",
    no="nei",
    absolute="storleiken av {a}",
    smallest="den minste av {a}",
    largest="den største av {a}",
    first_known="den første kjende av {a}",
    days="talet på dagar frå {a} til {b}",
    years="talet på heile år frå {a} til {b}",
    at="{a} ved {b}",
    latest="siste {a}",
    latest_within="siste {a} (høgst {b} dagar gammal)",
    verdicts={Truth.YES: "ja", Truth.NO: "nei", Truth.UNKNOWN: "ikkje kjent enno"},
    reasons={
        MissingReason.NOT_ASKED: "ikkje spurt enno",
        MissingReason.NOT_DONE: "ikkje utført",
        MissingReason.NOT_APPLICABLE: "ikkje aktuelt",
        MissingReason.UNKNOWN: "ukjent",
        MissingReason.ASKED_UNKNOWN: "spurt, men ikkje kjent",
        MissingReason.REFUSED: "ønskte ikkje å svare",
        MissingReason.PENDING: "ventar på svar",
        MissingReason.INTENTIONALLY_BLANK: "tom med vilje",
        MissingReason.ERASED: "sletta",
        Obstacle.DIVISION_BY_ZERO: "divisoren er null",
        Obstacle.OUT_OF_RANGE: "ikkje eit tal som kan brukast",
        Obstacle.PARTIAL_DATE: "datoen er ikkje kjend på dagen",
    },
)

WORDS: Mapping[Language, Words] = {"en": _ENGLISH, "nb": _BOKMAAL, "nn": _NYNORSK}
"""The languages there are."""

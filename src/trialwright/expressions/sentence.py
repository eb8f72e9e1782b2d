"""The sentence target: an expression as a person would say it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from trialwright.expressions._evaluation import as_partial
from trialwright.expressions._meaning import (
    Absolute,
    Arithmetic,
    Compare,
    Converted,
    Every,
    Extreme,
    FirstKnown,
    Fixed,
    Input,
    IsMissing,
    Meaning,
    Member,
    Negation,
    Negative,
    Operator,
    Some,
    Span,
    parts,
)
from trialwright.expressions._resolver import resolve
from trialwright.expressions.syntax import Expression, Reference
from trialwright.expressions.types import BooleanType, DateType, QuantityType, Scope, Type
from trialwright.expressions.words import WORDS, Labels, Language, Words

_SWAPPED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE: dict[Operator, Operator] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_SHOWN_UNITS = {"Cel": "°C", "[degF]": "°F", "a": "y", "1": ""}
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def to_sentence(expression: Expression, scope: Scope, labels: Labels | None = None, language: Language = "en") -> str:
    """An expression as a sentence: ``18 <= age <= 55`` → ``Age is from 18 to 55.``

    Args:
        expression: see :func:`parse`.
        scope: the types of its references.
        labels: what items, codes and encounters are called in that language.
        language: ``en``, ``nb`` or ``nn``.

    Raises:
        ExpressionError: the expression does not fit the scope.
    """
    clause = Speaker(labels or Labels(), language).clause(resolve(expression, scope))
    return f"{clause[:1].upper()}{clause[1:]}."


class Speaker:
    """Says the parts of an expression in one language.

    Args:
        labels: what things are called.
        language: which language.
    """

    def __init__(self, labels: Labels, language: Language) -> None:
        self._labels = labels
        self.words: Words = WORDS[language]

    def clause(self, node: Meaning) -> str:
        """A condition or a value, without capital and full stop."""
        words = self.words
        match node:
            case Input(type=BooleanType()):
                return words.is_yes.format(a=self.name(node.reference))
            case Negation(value=Input() as value):
                return words.is_no.format(a=self.name(value.reference))
            case Negation(value=Compare() as value):
                return self._compare(_OPPOSITE[value.operator], value.left, value.right)
            case Negation(value=Member() as value):
                return self._member(value, words.no_member)
            case Negation(value=IsMissing(value=value)):
                return self._missing(value, words.known, words.clear)
            case Negation(value=Negation(value=value)):
                return self.clause(value)
            case Negation(value=value):
                return words.negation.format(a=self._bracketed(value))
            case Compare():
                return self._compare(node.operator, node.left, node.right)
            case Member():
                return self._member(node, words.member)
            case IsMissing(value=value):
                return self._missing(value, words.missing, words.unclear)
            case Every():
                return self.between(node) or self._joined(node.values, words.both)
            case Some():
                return self._joined(node.values, words.either)
            case _:
                return self._value(node)

    def name(self, reference: Reference) -> str:
        """What a reference is called."""
        item = self._labels.items.get(reference.item, reference.item)
        if reference.encounter is not None:
            encounter = self._labels.encounters.get(reference.encounter, reference.encounter)
            return self.words.at.format(a=item, b=encounter)
        if reference.within is not None:
            return self.words.latest_within.format(a=item, b=reference.within)
        return self.words.latest.format(a=item) if reference.latest else item

    def shown(self, value: Any, type_: Type, item: str = "") -> str:
        """A value behind the door as text, with its unit."""
        match value:
            case bool():
                return self.words.yes if value else self.words.no
            case (date() as low, date() as high):
                return as_partial(low, high)
            case (low, high):
                return f"{self.shown(low, type_)}–{self.shown(high, type_)}"
            case float():
                unit = shown_unit(type_.unit) if isinstance(type_, QuantityType) else ""
                return f"{self._number(value)} {unit}".rstrip()
            case date():
                return value.isoformat()
            case _:
                return self._labels.codes.get((item, str(value)), str(value))

    def _number(self, value: float) -> str:
        text = f"{value:.0f}" if value == int(value) else repr(value)
        return text.replace(".", self.words.decimal_mark)

    def _bracketed(self, node: Meaning) -> str:
        text = self.clause(node)
        several = isinstance(node, Every | Some | Arithmetic) and not self.between(node)
        return f"({text})" if several else text

    def _operand(self, node: Meaning) -> str:
        """What is compared: sums need no brackets there, conditions do."""
        return self.clause(node) if isinstance(node, Arithmetic) else self._bracketed(node)

    def _joined(self, values: Sequence[Meaning], word: str) -> str:
        return f" {word} ".join(self._bracketed(value) for value in values)

    def _compare(self, operator: Operator, left: Meaning, right: Meaning) -> str:
        if isinstance(left, Fixed):
            operator, left, right = _SWAPPED[operator], right, left
        words = self.words
        if isinstance(left.type, BooleanType) and isinstance(right, Fixed):
            wanted = bool(right.value) is (operator == "==")
            if isinstance(left, Input):
                return (words.is_yes if wanted else words.is_no).format(a=self.name(left.reference))
        phrases = words.dates if isinstance(left.type, DateType) else words.numbers
        phrase = {**phrases, "==": words.equal, "!=": words.unequal}[operator]
        return phrase.format(a=self._operand(left), b=self._beside(right, left))

    def between(self, node: Meaning) -> str | None:
        """``low <= x <= high`` in one breath; None for anything else."""
        if not isinstance(node, Every):
            return None
        if len(node.values) != 2:
            return None
        bounds = [_bound(value) for value in node.values]
        if None in bounds:
            return None
        (first, low, low_sign), (second, high, high_sign) = sorted(
            (bound for bound in bounds if bound), key=lambda bound: bound[2], reverse=True
        )
        if first != second or (low_sign, high_sign) != (">=", "<="):
            return None
        return self.words.between.format(
            a=self._bracketed(first), b=self._beside(low, first), c=self._beside(high, first)
        )

    def _member(self, node: Member, phrase: str) -> str:
        options = [self._beside(option, node.value) for option in node.options]
        if len(options) == 1:
            single = self.words.equal if phrase == self.words.member else self.words.unequal
            return single.format(a=self._bracketed(node.value), b=options[0])
        return phrase.format(a=self._bracketed(node.value), b=", ".join(options))

    def _missing(self, value: Meaning, phrase: str, about_condition: str) -> str:
        if isinstance(value, Input):
            return phrase.format(a=self.name(value.reference))
        if isinstance(value.type, BooleanType):
            return about_condition.format(a=self._bracketed(value))
        return phrase.format(a=self._bracketed(value))

    def _beside(self, node: Meaning, neighbour: Meaning) -> str:
        """A literal code is called as its neighbour's list calls it."""
        if isinstance(node, Fixed) and isinstance(node.value, str):
            item = next((part.reference.item for part in _inputs(neighbour)), "")
            return self.shown(node.value, node.type, item)
        return self._operand(node)

    def _value(self, node: Meaning) -> str:
        words = self.words
        match node:
            case Input():
                return self.name(node.reference)
            case Fixed():
                return self._literal(node)
            case Arithmetic():
                sign = {"-": "−", "*": "×", "/": "÷"}.get(node.operator, node.operator)
                return f"{self._bracketed(node.left)} {sign} {self._bracketed(node.right)}"
            case Converted(value=value):
                return self.clause(value)
            case Negative(value=value):
                return f"−{self._bracketed(value)}"
            case Absolute(value=value):
                return words.absolute.format(a=self._bracketed(value))
            case Extreme(which=which, values=values):
                phrase = words.smallest if which == "min" else words.largest
                return phrase.format(a=", ".join(self._beside(value, node) for value in values))
            case FirstKnown(values=values):
                return words.first_known.format(a=", ".join(self._beside(value, node) for value in values))
            case Span(unit=unit, start=start, end=end):
                phrase = words.days if unit == "days" else words.years
                return phrase.format(a=self._bracketed(start), b=self._bracketed(end))
        raise AssertionError(f"no words for {type(node).__name__}")

    def _literal(self, node: Fixed) -> str:
        """As it was written, with the unit that was written."""
        if isinstance(node.value, float):
            number, _, unit = node.shown.partition(" ")
            return f"{number.replace('.', self.words.decimal_mark)} {shown_unit(unit)}".rstrip()
        if isinstance(node.value, bool):
            return self.words.yes if node.value else self.words.no
        return node.shown


def shown_unit(code: str) -> str:
    """A UCUM code as people write it: ``10*9/L`` → ``×10⁹/L``, ``mm[Hg]`` → ``mmHg``, ``{score}`` → nothing."""
    if code in _SHOWN_UNITS:
        return _SHOWN_UNITS[code]
    text = code.replace("{1.73_m2}", "1\N{BULLET}73 m2").replace("[iU]", "IU").replace("[IU]", "IU")
    text = re.sub(r"\{[^{}]*\}", "", text).replace(".", "·").replace("\N{BULLET}", ".")
    text = re.sub(r"10[*^](-?[0-9]+)", lambda power: f"×10{power.group(1).translate(_SUPERSCRIPT)}", text)
    text = re.sub(r"\[([A-Za-z]+?)(?:_[a-z]+)?\]", r"\1", text)
    text = re.sub(r"(?<=[a-z])([23])\b", lambda power: power.group(1).translate(_SUPERSCRIPT), text)
    return re.sub(r"\bu(?=[A-Za-z])", "µ", text)


def _bound(node: Meaning) -> tuple[Meaning, Fixed, Operator] | None:
    match node:
        case Compare(operator=operator, left=left, right=Fixed() as right):
            return left, right, operator
        case Compare(operator=operator, left=Fixed() as left, right=right):
            return right, left, _SWAPPED[operator]
        case _:
            return None


def _inputs(node: Meaning) -> list[Input]:
    if isinstance(node, Input):
        return [node]
    return [found for part in parts(node) for found in _inputs(part)]

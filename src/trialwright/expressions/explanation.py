"""Why a verdict is what it is, in plain words, with the values and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialwright.expressions._evaluation import Evaluated, evaluate, settled
from trialwright.expressions._meaning import Every, Input, Negation, Some
from trialwright.expressions.python import Compiled
from trialwright.expressions.sentence import Speaker
from trialwright.expressions.types import BooleanType
from trialwright.expressions.values import Row
from trialwright.expressions.words import Labels, Language
from trialwright.foundation.truth import Truth


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that a condition looked at.

    Args:
        key: the reference.
        name: what it is called.
        shown: the value in words, or why there is none.
        source: where it comes from and from when, as the caller said.
    """

    key: str
    name: str
    shown: str
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A condition with its verdict.

    Args:
        clause: the condition in words.
        truth: yes, no or unknown; None for an expression that is not a condition.
        answer: the verdict or the value in words.
        facts: the values it looked at; for a conjunction or disjunction they are below.
        below: its conditions.
    """

    clause: str
    truth: Truth | None
    answer: str
    facts: tuple[Fact, ...]
    below: tuple[Explanation, ...]

    def lines(self, indent: int = 0) -> list[str]:
        """The explanation as text, a condition a line, two spaces deeper for each level."""
        known = "; ".join(
            f"{fact.name}: {fact.shown}" + (f", {fact.source}" if fact.source else "") for fact in self.facts
        )
        line = f"{'  ' * indent}{self.answer}: {self.clause}" + (f" ({known})" if known else "")
        return [line, *(text for part in self.below for text in part.lines(indent + 1))]


def explain(
    compiled: Compiled,
    row: Row,
    labels: Labels | None = None,
    language: Language = "en",
    sources: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain an expression on one row.

    Args:
        compiled: see :func:`compile_python`.
        row: the values, see :func:`admit`.
        labels: what items, codes and encounters are called.
        language: ``en``, ``nb`` or ``nn``.
        sources: for a reference key, where its value comes from: ``"Screening, 2025-03-01"``.
    """
    teller = _Teller(Speaker(labels or Labels(), language), sources or {})
    return teller.told(settled(evaluate(compiled.meaning, row)))


class _Teller:
    def __init__(self, speaker: Speaker, sources: Mapping[str, str]) -> None:
        self._speaker = speaker
        self._sources = sources

    def told(self, evaluated: Evaluated) -> Explanation:
        node = evaluated.node
        condition = isinstance(node.type, BooleanType)
        truth = Truth.of(evaluated.value) if condition else None
        inner = node.value if isinstance(node, Negation) else node
        divided = isinstance(inner, Every | Some) and not self._speaker.between(inner)
        return Explanation(
            clause=self._speaker.clause(node),
            truth=truth,
            answer=self._answer(evaluated, truth),
            facts=() if divided else tuple(self._facts(evaluated)),
            below=tuple(self.told(part) for part in evaluated.below) if divided else (),
        )

    def _answer(self, evaluated: Evaluated, truth: Truth | None) -> str:
        words = self._speaker.words
        if truth is not None:
            return words.verdicts[truth]
        if evaluated.value is None:
            return words.verdicts[Truth.UNKNOWN]
        return self._speaker.shown(evaluated.value, evaluated.node.type)

    def _facts(self, evaluated: Evaluated) -> list[Fact]:
        found: dict[str, Fact] = {}
        waiting = [evaluated]
        while waiting:
            part = waiting.pop()
            if isinstance(part.node, Input):
                found[part.node.key] = self._fact(part, part.node)
            waiting.extend(reversed(part.below))
        return list(found.values())

    def _fact(self, evaluated: Evaluated, node: Input) -> Fact:
        name = self._speaker.name(node.reference)
        if evaluated.value is None:
            shown = self._speaker.words.reasons[evaluated.reasons[0].why]
        else:
            shown = self._speaker.shown(evaluated.value, node.type, node.reference.item)
        return Fact(node.key, name, shown, self._sources.get(node.key, ""))

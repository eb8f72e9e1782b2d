"""The pre-screener: what somebody can answer at home, a verdict per criterion, what to ask next, and whom.

It decides nothing about the trial: eligibility is assessed and signed at the site. It runs in the browser by
:meth:`PreScreener.javascript`, so that no answer leaves the device, and here by :meth:`PreScreener.judge`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from trialwright.build import Build
from trialwright.build.scopes import fact_scope
from trialwright.expressions import (
    Compiled,
    Expression,
    Missing,
    Scope,
    Value,
    admit,
    ask_next,
    compile_python,
    inputs,
    javascript_asking,
    javascript_runtime,
    parse,
    shown_unit,
    to_javascript_questions,
)
from trialwright.finder.errors import AnswerNotUnderstood
from trialwright.finder.languages import Said, say
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import exact
from trialwright.foundation.truth import Truth, all_of
from trialwright.protocol.eligibility import Criterion, Fact

NOT_KNOWN = "?"
"""What a form sends for "I do not know"."""

Answers = Mapping[str, Value]
"""Fact → value, or ``Missing(ASKED_UNKNOWN)`` for "I do not know"; facts without an answer are absent."""


class Waits(Enum):
    """What an undecided criterion waits for."""

    ANSWER = "answer"
    """A question that was not answered yet."""
    KNOWLEDGE = "knowledge"
    """Something the reader does not know, but a doctor's letter may say."""
    TEST = "test"
    """An examination at the hospital."""
    DOCTOR = "doctor"
    """The judgement of the study doctor, or a step of the study itself."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a question with a list."""

    code: str
    label: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that a layperson can answer.

    Attributes:
        fact: its id; the name of the field.
        type: boolean, integer, decimal, quantity, code or date.
        text, hint: as declared.
        unit: as people write it, or empty.
        choices: of a code.
    """

    fact: str
    type: str
    text: Said
    hint: Said | None
    unit: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionLine:
    """A criterion as the page shows it.

    Attributes:
        criterion: its id.
        kind: inclusion or exclusion.
        plain: for patients; the wording for doctors where there is none.
        exact: the wording of the protocol.
        asks: facts with a question that it reads.
        later: waits for a test or a doctor even when every question is answered.
    """

    criterion: str
    kind: str
    plain: Said
    exact: Said
    asks: tuple[str, ...]
    later: Waits | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one criterion stands: YES fits, NO does not, UNKNOWN says what it waits for, and for which questions."""

    criterion: str
    fits: Truth
    waits: Waits | None = None
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Screening:
    """All verdicts together.

    Attributes:
        verdicts: one for each criterion, in the study's order.
        next: the fact to ask for now, or None when nothing more needs to be or can be asked.
    """

    verdicts: tuple[Verdict, ...]
    next: str | None

    @property
    def fits(self) -> Truth:
        """NO as soon as one criterion says so. YES never comes from answers alone where a doctor or test decides."""
        return all_of(verdict.fits for verdict in self.verdicts)

    def for_the_doctor(self) -> tuple[Verdict, ...]:
        """What is worth taking to one's own doctor: everything that does not fit or is not known."""
        return tuple(verdict for verdict in self.verdicts if verdict.fits is not Truth.YES)


class PreScreener:
    """The questions and criteria of one build.

    Args:
        build: whose criteria.
    """

    def __init__(self, build: Build) -> None:
        self.build = build
        self._facts: dict[str, Fact] = {fact.id: fact for fact in build.study.eligibility.facts}
        self._scope: Scope = fact_scope(build.study)
        self._fits = {c.id: self._condition(c) for c in build.study.eligibility.criteria if c.expression is not None}
        self._compiled = {name: compile_python(found, self._scope) for name, found in self._fits.items()}
        self._costs = {
            fact.id: float(fact.cost) if fact.question is not None else math.inf for fact in self._facts.values()
        }
        self._used = {
            key: type_ for found in self._fits.values() for key, type_ in inputs(found, self._scope).items()
        }

    @staticmethod
    def _condition(criterion: Criterion) -> Expression:
        """True means that one fits."""
        text = criterion.expression or ""
        return parse(text if criterion.kind == "inclusion" else f"not ({text})", criterion.id)

    # --- what is asked ----------------------------------------------------------------------------------------

    def questions(self, language: str) -> tuple[Question, ...]:
        """Questions that some criterion needs, in the order of the study.

        Args:
            language: of the reader.
        """
        return tuple(
            self._question(fact, language)
            for fact in self._facts.values()
            if fact.question is not None and fact.id in self._used
        )

    def criteria(self, language: str) -> tuple[CriterionLine, ...]:
        """Every criterion, in the order of the study."""
        return tuple(self._line(criterion, language) for criterion in self.build.study.eligibility.criteria)

    def read(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Answers of a form: fact → text; empty is no answer, ``?`` is "I do not know".

        Raises:
            AnswerNotUnderstood: an unknown question, or a text that is no answer to it.
        """
        asked = {question.fact: question for question in self.questions(self.build.study.identity.languages[0])}
        found: dict[str, Value] = {}
        for name, text in given.items():
            if name not in asked:
                raise AnswerNotUnderstood(f"there is no question {name[:40]!r}", remedy="use those of the page")
            if text.strip():
                found[name] = _answer(asked[name], text.strip()[:40])
        return found

    # --- what follows -----------------------------------------------------------------------------------------

    def judge(self, answers: Answers) -> Screening:
        """Verdicts and the next question.

        Args:
            answers: as of :meth:`read`.

        Raises:
            InvalidValue: a value that is not of its fact's type.
        """
        row = admit(self._used, answers)
        criteria = self.build.study.eligibility.criteria
        asked = ask_next(list(self._compiled.values()), row, self._costs)
        return Screening(tuple(self._verdict(c, answers) for c in criteria), asked.key if asked else None)

    def javascript(self) -> str:
        """The text of a script that declares ``trialwrightPrescreener`` and needs nothing else.

        ``trialwrightPrescreener.judge(row, why)`` takes fact → value (number, true/false, code, ISO date) or null,
        and for null whether it was ``asked_unknown``. It answers as :meth:`judge` does:
        ``{verdicts: {criterion: {fits: true/false/null, waits, facts}}, next: fact or null}``.
        """
        trees = ",\n".join(
            f"{{id: {_json(name)}, tree: {to_javascript_questions(found, self._scope)}}}"
            for name, found in self._fits.items()
        )
        told = {
            "criteria": [criterion.id for criterion in self.build.study.eligibility.criteria],
            "asked": {name: list(self._asks(compiled)) for name, compiled in self._compiled.items()},
            "later": {
                criterion.id: waits.value
                for criterion in self.build.study.eligibility.criteria
                if (waits := self._later(criterion)) is not None
            },
        }
        costs = ", ".join(
            f"{_json(name)}: {'Infinity' if math.isinf(cost) else cost}" for name, cost in self._costs.items()
        )
        return "\n".join(
            [
                javascript_runtime(),
                javascript_asking(),
                _PROGRAM % {"trees": trees, "told": _json(told), "costs": costs, "build": _json(self.build.id)},
            ]
        )

    # --- one by one -------------------------------------------------------------------------------------------

    def _verdict(self, criterion: Criterion, answers: Answers) -> Verdict:
        compiled = self._compiled.get(criterion.id)
        if compiled is None:
            return Verdict(criterion.id, Truth.UNKNOWN, Waits.DOCTOR)
        truth = compiled.verdict(answers).truth
        if truth is not Truth.UNKNOWN:
            return Verdict(criterion.id, truth)
        asks = self._asks(compiled)
        unanswered = tuple(name for name in asks if name not in answers)
        if unanswered:
            return Verdict(criterion.id, truth, Waits.ANSWER, unanswered)
        unknown = tuple(name for name in asks if isinstance(answers[name], Missing))
        if unknown:
            return Verdict(criterion.id, truth, Waits.KNOWLEDGE, unknown)
        return Verdict(criterion.id, truth, self._later(criterion) or Waits.DOCTOR)

    def _asks(self, compiled: Compiled) -> tuple[str, ...]:
        return tuple(name for name in compiled.inputs if self._facts[name].question is not None)

    def _later(self, criterion: Criterion) -> Waits | None:
        """What a criterion waits for beside the questions: an item of a form is a test, the rest is judgement."""
        compiled = self._compiled.get(criterion.id)
        if compiled is None:
            return Waits.DOCTOR
        silent = [self._facts[name] for name in compiled.inputs if self._facts[name].question is None]
        if not silent:
            return None
        return Waits.TEST if any(fact.from_items is not None for fact in silent) else Waits.DOCTOR

    def _line(self, criterion: Criterion, language: str) -> CriterionLine:
        reference = self.build.study.identity.languages[0]
        compiled = self._compiled.get(criterion.id)
        return CriterionLine(
            criterion=criterion.id,
            kind=criterion.kind,
            plain=say(criterion.plain or criterion.text, language, reference),
            exact=say(criterion.text, language, reference),
            asks=self._asks(compiled) if compiled else (),
            later=self._later(criterion),
        )

    def _question(self, fact: Fact, language: str) -> Question:
        study = self.build.study
        reference = study.identity.languages[0]
        assert fact.question is not None, "only facts with a question are asked"
        codes = study.terminology[fact.codelist].codes if fact.type == "code" and fact.codelist else ()
        return Question(
            fact=fact.id,
            type=fact.type,
            text=say(fact.question, language, reference),
            hint=say(fact.hint, language, reference) if fact.hint else None,
            unit=shown_unit(fact.unit) if fact.unit else "",
            choices=tuple(Choice(code.code, say(code.label, language, reference)) for code in codes),
        )


def _answer(question: Question, text: str) -> Value:
    if text == NOT_KNOWN:
        return Missing(MissingReason.ASKED_UNKNOWN)
    try:
        match question.type:
            case "boolean":
                return {"yes": True, "no": False}[text]
            case "code":
                return next(choice.code for choice in question.choices if choice.code == text)
            case "date":
                return PartialDate.parse(text)
            case "integer":
                return int(text)
            case _:
                return exact(text.replace(",", "."))
    except (KeyError, StopIteration, ValueError, InvalidValue) as error:
        wanted = {"boolean": "yes or no", "code": "one of the choices", "date": "a date", "integer": "a whole number"}
        raise AnswerNotUnderstood(
            f"{text!r} is no answer to {question.text.text!r}",
            remedy=f"give {wanted.get(question.type, 'a number')}, or say that you do not know",
            fact=question.fact,
            given=text,
        ) from error


def _json(data: object) -> str:
    return json.dumps(data).replace("<", "\\u003c")


_PROGRAM = """const trialwrightPrescreener = (() => {
  "use strict";
  const fits = [%(trees)s];
  const told = %(told)s;
  const costs = {%(costs)s};
  const trees = new Map(fits.map(({ id, tree }) => [id, tree]));
  const has = (row, name) => Object.prototype.hasOwnProperty.call(row, name) && row[name] !== null;

  const verdict = (criterion, row, why) => {
    const tree = trees.get(criterion);
    if (tree === undefined) return { fits: null, waits: "doctor", facts: [] };
    const value = tree.value(row);
    if (value !== null) return { fits: value, waits: null, facts: [] };
    const unanswered = told.asked[criterion].filter((name) => !has(row, name) && why[name] !== "asked_unknown");
    if (unanswered.length) return { fits: null, waits: "answer", facts: unanswered };
    const unknown = told.asked[criterion].filter((name) => !has(row, name));
    if (unknown.length) return { fits: null, waits: "knowledge", facts: unknown };
    return { fits: null, waits: told.later[criterion] ?? "doctor", facts: [] };
  };

  const judge = (row, why) => ({
    verdicts: Object.fromEntries(told.criteria.map((criterion) => [criterion, verdict(criterion, row, why)])),
    next: trialwrightAsking.next(fits.map(({ tree }) => tree), row, why, costs),
  });

  return { build: %(build)s, criteria: told.criteria, judge };
})();
"""

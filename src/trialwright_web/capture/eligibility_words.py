"""Why a criterion stands as it does, said as a sentence with the values it saw, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from trialwright.build import Build, CompiledFact
from trialwright.expressions import Compiled, Explanation, Labels, Language, Value, admit, explain
from trialwright_web.capture.words import short_name
from trialwright_web.shell.templatetags.shell import in_language

LANGUAGES = ("en", "nb", "nn")


@dataclass(frozen=True)
class Because:
    """A condition as a sentence, and the values that it looked at: name and value."""

    sentence: str
    facts: tuple[tuple[str, str], ...]


def because(build: Build, condition: Compiled, facts: Mapping[str, Value], *, excludes: bool = False) -> Because:
    """A criterion's condition and what it saw.

    Args:
        build: says what facts and codes are called.
        condition: of a criterion.
        facts: the values that it sees.
        excludes: whether who fulfils it cannot take part; the sentence then says so.
    """
    language = reader()
    explained = explain(condition, admit(condition.inputs, facts), _labels(build, language), language)
    clause = explained.clause
    sentence = f"{clause[:1].upper()}{clause[1:]}."
    if excludes:
        sentence = _("Excluded if: %(condition)s") % {"condition": sentence}
    return Because(sentence, tuple(dict.fromkeys(_seen(explained))))


def reader() -> Language:
    """The reader's language, as far as expressions have words in it."""
    found = get_language() or "en"
    return cast(Language, found) if found in LANGUAGES else "en"


def _seen(explained: Explanation) -> Iterator[tuple[str, str]]:
    for fact in explained.facts:
        yield f"{fact.name[:1].upper()}{fact.name[1:]}", fact.shown
    for part in explained.below:
        yield from _seen(part)


_KNOWN: dict[tuple[str, Language], Labels] = {}
"""By build and language; a process sees few."""


def _labels(build: Build, language: Language) -> Labels:
    known = _KNOWN.get((build.id, language))
    if known is None:
        items = {name: fact_name(build, fact, language) for name, fact in build.facts.items()}
        codes = {
            (name, code.code): in_language(code.label, language)
            for name, fact in build.facts.items()
            if (found := build.study.terminology.get(fact.fact.codelist or "")) is not None
            for code in found.codes
        }
        known = _KNOWN[build.id, language] = Labels(items=items, codes=codes)
    return known


def fact_name(build: Build, fact: CompiledFact, language: Language) -> str:
    """What a fact is called: its label, or that of the field whose value it is.

    Without either by its id, which is English; for other readers by its question, where it has one.
    """
    label = fact.fact.label or _label_of_field(build, fact)
    if label is not None:
        return in_language(label, language)
    question = fact.fact.question
    if language != "en" and question is not None and language in question:
        return f"«{in_language(question, language)}»"
    return short_name(fact.fact.id)


def _label_of_field(build: Build, fact: CompiledFact) -> Mapping[str, str] | None:
    source = fact.source
    if source is None or len(source.references) != 1 or source.text.strip() != source.references[0].key:
        return None
    reference = source.references[0]
    form = build.forms.get(reference.form or "")
    return form.items[reference.item].item.label if form is not None and reference.item in form.items else None

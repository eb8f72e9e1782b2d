"""Conditions of items as sentences, for paper and people: what the study writes as ``treated == "YES"``."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.build import Build, CompiledExpression, CompiledForm, CompiledItem
from trialwright.expressions import Labels, Language, admit, explain
from trialwright_web.capture.eligibility_words import reader
from trialwright_web.capture.form_model import codes_of
from trialwright_web.shell.templatetags.shell import in_language


def condition_words(build: Build, form: CompiledForm, condition: CompiledExpression) -> str:
    """A condition in the reader's language, its items and codes called as on the forms; no full stop.

    Args:
        form: on which it stands; its own items go without the form's name.
    """
    language = reader()
    compiled = condition.compiled
    return explain(compiled, admit(compiled.inputs, {}), _labels(build, form, language), language).clause


def _labels(build: Build, form: CompiledForm, language: Language) -> Labels:
    named = list(_named(build, form))
    return Labels(
        items={name: in_language(item.item.label, language) for name, item in named},
        codes={(name, code): label for name, item in named for code, label in codes_of(build, item)},
        encounters={name: in_language(one.label, language) for name, one in build.study.encounters.items()},
    )


def _named(build: Build, own: CompiledForm) -> Iterator[tuple[str, CompiledItem]]:
    for form in build.forms.values():
        for name, item in form.items.items():
            yield f"{form.form.id}.{name}", item
    yield from own.items.items()

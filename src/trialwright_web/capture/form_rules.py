"""A form's conditions, derivations and checks for the browser: the JavaScript target of the very expressions.

One ES module a form and build, without any text of the study or datum of a participant, so that it may be cached.
Published instruments are not translated: what they compute comes back from the server with each autosave.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from trialwright.build import Build, CompiledCheck, CompiledExpression, CompiledForm, CompiledItem
from trialwright.build.scopes import form_scope, item_scope
from trialwright.expressions import QuantityType, Scope, javascript_runtime, to_javascript
from trialwright.foundation.quantities import convert
from trialwright_web.shell.desk import Desk, Request, at_desk


@at_desk()
@require_GET
def rules(request: Request, desk: Desk, build: str, form: str) -> HttpResponse:
    """The module of one form of one build."""
    found = desk.builds.get(build)
    compiled = found.forms.get(form) if found is not None else None
    if found is None or compiled is None or (compiled.form.space == "closed" and not desk.is_unblinded):
        raise Http404
    response = HttpResponse(_module(found, form), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


_MODULES: dict[tuple[str, str], str] = {}
"""(build, form) → text; a process sees few builds, and what is made of one never changes."""


def _module(build: Build, form: str) -> str:
    key = (build.id, form)
    if key not in _MODULES:
        _MODULES[key] = f"{javascript_runtime()}\nexport const rules = {rules_of(build, form)};\n"
    return _MODULES[key]


def rules_of(build: Build, form: str) -> str:
    """The object ``rules`` of a form, as JavaScript.

    ``items``: for each item its ``type``, ``group`` and ``repeats``, ``required``, factors of its ``units`` to the
    first one, its scored ``outcomes``, ``limits`` (low, high, size; the graver first), and ``when`` and ``derive``.
    ``checks``: ``id``, ``items`` and ``condition``. A condition has ``value`` (a function of a row), the ``keys`` it
    reads, and which of them are items of this ``own`` page. ``order``: derived items, each after its inputs.
    """
    compiled = build.forms[form]
    scope = form_scope(build.study, compiled.form, item_scope(build.study))
    writer = _Writer(compiled, scope)
    items = ", ".join(f"{_json(name)}: {writer.item(item)}" for name, item in compiled.items.items())
    checks = ", ".join(map(writer.check, compiled.checks))
    return f"{{items: {{{items}}}, order: {_json(compiled.derivation_order)}, checks: [{checks}]}}"


class _Writer:
    def __init__(self, form: CompiledForm, scope: Scope) -> None:
        self._form = form
        self._scope = scope

    def item(self, compiled: CompiledItem) -> str:
        item = compiled.item
        told = {
            "type": item.type,
            "group": compiled.group,
            "repeats": compiled.repeats,
            "required": item.required and item.derive is None,
            "units": dict(_units(compiled)),
            "outcomes": {o.code: None if o.scored_as is None else float(o.scored_as) for o in item.outcomes},
            "limits": [
                [None if low is None else float(low), None if high is None else float(high), size]
                for low, high, size in compiled.field.limits
            ],
        }
        more = {}
        if compiled.when is not None:
            more["when"] = self.expression(compiled.when)
        if isinstance(compiled.derive, CompiledExpression):
            more["derive"] = self._derivation(compiled, compiled.derive)
        elif compiled.derive is not None:
            more["instrument"] = "true"
        return _object({name: _json(value) for name, value in told.items()}, **more)

    def check(self, compiled: CompiledCheck) -> str:
        told = {"id": _json(compiled.check.id), "items": _json(compiled.check.items)}
        return _object(told, condition=self.expression(compiled.condition))

    def expression(self, expression: CompiledExpression) -> str:
        """A condition or another expression with what it reads."""
        own = {r.key: r.item for r in expression.references if r.form == self._form.form.id and _is_plain(r)}
        return _object(
            {"keys": _json([r.key for r in expression.references]), "own": _json(own)},
            value=to_javascript(expression.compiled.expression, self._scope),
        )

    def _derivation(self, compiled: CompiledItem, expression: CompiledExpression) -> str:
        item = compiled.item
        whole = item.type in ("integer", "scale")
        decimals = 0 if whole else 4 if item.decimals is None else item.decimals
        factor = [1.0, 1.0, 0.0]
        if isinstance(expression.type, QuantityType) and item.units:
            factor = _factor(expression.type.unit, item.units[0])
        told = {"decimals": _json(decimals), "factor": _json(factor)}
        return _object(told, of=self.expression(expression))


def _is_plain(reference: Any) -> bool:
    return reference.encounter is None and not reference.latest


def _units(compiled: CompiledItem) -> Iterator[tuple[str, list[float]]]:
    for unit in compiled.item.units:
        yield unit, _factor(unit, compiled.item.units[0])


def _factor(unit: str, to: str) -> list[float]:
    """Numerator, denominator and shift: value × numerator / denominator + shift, as the runtime converts."""
    shift = convert(Fraction(0), unit, to)
    slope = convert(Fraction(1), unit, to) - shift
    return [float(slope.numerator), float(slope.denominator), float(shift)]


def _object(told: dict[str, str], **more: str) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in (told | more).items()) + "}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True).replace("<", "\\u003c")

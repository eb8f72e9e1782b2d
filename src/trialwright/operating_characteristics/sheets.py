"""The answers as tables (CSV); every simulated number with its Monte-Carlo standard error beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from trialwright.operating_characteristics.answers import ConductAnswer, Number, Report
from trialwright.operating_characteristics.randomisation_methods import Assessed

_ANSWERS = ("significant", "bias", "coverage", "half_width", "standard_error", "empirical_error", "not_estimated")
_CONDUCT = tuple(field.name for field in fields(ConductAnswer) if field.name != "setting")
_METHODS = ("predictability", "imbalance", "size")

Cells = Sequence[object]


def as_csv(found: Report, methods: Sequence[Assessed] = ()) -> Mapping[str, str]:
    """Tables by name: ``answers`` and ``conduct``, and ``looks`` and ``methods`` where there are any.

    Args:
        found: the answers.
        methods: randomisation methods side by side, where they were assessed.

    Returns:
        Name → CSV with a heading; a cell is empty where there is no number, ``_mcse`` is the Monte-Carlo standard
        error of the number before it.
    """
    tables = {"answers": _sheet(_answers(found)), "conduct": _sheet(_conduct(found))}
    if found.looks:
        tables["looks"] = _sheet(_looks(found))
    if methods:
        tables["methods"] = _sheet(_methods(methods))
    return tables


def _answers(found: Report) -> Iterator[Cells]:
    """One line for each setting and model."""
    yield ("setting", "scenario", "participants", "model", "question", "trials", "truth", *_heads(_ANSWERS))
    for each in found.answers:
        at = each.setting
        first = (at.id, at.scenario, at.participants, each.model, each.question, each.trials, repr(each.truth))
        yield (*first, *_numbers(each, _ANSWERS))


def _conduct(found: Report) -> Iterator[Cells]:
    """One line for each setting: months, products and slots."""
    yield ("setting", *_heads(_CONDUCT))
    yield from ((each.setting.id, *_numbers(each, _CONDUCT)) for each in found.conduct)


def _looks(found: Report) -> Iterator[Cells]:
    """One line for each look; the last columns are of all looks together."""
    heads = ("setting", "looks", "model", "truth", "participants", "bound")
    yield (*heads, *_heads(("stopped", "significant", "needed")))
    for each in found.looks:
        together = (*_pair(each.significant), *_pair(each.needed))
        for people, bound, stopped in zip(each.participants, each.bounds, each.stopped, strict=True):
            first = (each.setting.id, each.looks, each.model, repr(each.truth), people, repr(bound))
            yield (*first, *_pair(stopped), *together)


def _methods(methods: Sequence[Assessed]) -> Iterator[Cells]:
    yield ("method", "declared", *_heads(_METHODS))
    yield from ((each.method, int(each.declared), *_numbers(each, _METHODS)) for each in methods)


def _heads(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield from (name, f"{name}_mcse")


def _numbers(of: object, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield from _pair(getattr(of, name))


def _pair(value: Number | None) -> tuple[str, str]:
    return ("", "") if value is None else (repr(value[0]), repr(value[1]))


def _sheet(lines: Iterable[Cells]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()

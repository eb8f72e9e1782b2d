"""``results.json``: every number of the report for machines, each with its plan item, snapshot and code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from trialwright.analysis.content import LeftOut, ReportFigure
from trialwright.analysis.estimates import Result, Tested
from trialwright.analysis.report import Piece, Report

FORMAT = "trialwright-results/1"


def results_json(report: Report) -> str:
    """The whole as one JSON text, the same whenever it is made from the same record by the same code."""
    return json.dumps(as_dict(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    """Plain data.

    Keys: ``format``, ``study``, ``kind``, ``mark``, ``language``, ``source`` (ledger, entries, root, build, software,
    code), ``frozen_code`` (state: same, differs, not_frozen or rehearsed), ``results``, ``order``, ``pieces``,
    ``notes``. Each result, step and piece names its item of the plan and repeats the snapshot's root and the code's
    digest, so that it can be quoted alone.
    """
    material = report.material
    source = dict(material.source)
    belongs = {"snapshot": source["root"], "software": source["software"], "code": source["code"]}
    return {
        "format": FORMAT,
        "study": material.package.study,
        "kind": material.kind.name.lower(),
        "mark": material.mark,
        "language": report.language,
        "source": source,
        "frozen_code": {"state": material.frozen_code.state, "recorded": material.frozen_code.recorded},
        "data_until": material.package.created,
        "results": [_result(result, belongs) for result in report.results],
        "order": [_step(step, belongs) for step in report.order],
        "pieces": [_piece(piece, belongs) for piece in report.pieces],
        "notes": [
            {"kind": note.kind.name.lower(), "about": note.about, "what": note.what} for note in material.adam.notes
        ],
    }


def _result(result: Result, belongs: Mapping[str, str]) -> dict[str, Any]:
    comparison = result.comparison
    return {
        "plan_item": result.item,
        **belongs,
        "estimand": result.estimand,
        "endpoint": result.endpoint,
        "role": result.role,
        "method": result.method,
        "formula": result.formula,
        "comparison": {"one": comparison.one, "other": comparison.other},
        "scale": result.scale,
        "value": result.value,
        "level": result.level,
        "low": result.low,
        "high": result.high,
        "standard_error": result.standard_error,
        "df": result.df,
        "p_value": result.p_value,
        "participants": result.participants,
        "values": result.values,
        "arms": [
            {
                "arm": arm.arm,
                "participants": arm.participants,
                "values": arm.values,
                "mean": arm.mean,
                "sd": arm.sd,
                "events": arm.events,
            }
            for arm in result.arms
        ],
        "notes": [str(note) for note in result.notes],
        "failed": result.failed,
    }


def _step(step: Tested, belongs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "plan_item": step.item,
        **belongs,
        "estimand": step.estimand,
        "p_value": step.p_value,
        "adjusted": step.adjusted,
        "tested": step.tested,
        "significant": step.significant,
    }


def _piece(piece: Piece, belongs: Mapping[str, str]) -> dict[str, Any]:
    content = piece.content
    head: dict[str, Any] = {
        "plan_item": content.id if piece.planned else None,
        **belongs,
        "number": piece.number,
        "kind": content.kind,
        "id": content.id,
        "title": content.title,
        "models": list(piece.models),
    }
    if isinstance(content, LeftOut):
        return {**head, "left_out": content.why}
    if isinstance(content, ReportFigure):
        return {**head, "shows": content.alt, "notes": list(content.notes)}
    lines = [
        {"label": line.label, "cells": list(line.cells), "level": line.level, "models": list(line.items)}
        for line in content.lines
    ]
    return {**head, "columns": list(content.columns), "lines": lines, "notes": list(content.notes)}

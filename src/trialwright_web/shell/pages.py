"""Drawing pages and answering refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.foundation.errors import RecordError, Refusal, TrialwrightError


def render_page(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page from a template; ``context`` beside what every page knows (see ``shell.context``)."""
    return render(request, template, dict(context or {}), status=status)


def status_of(error: TrialwrightError) -> int:
    """422 for what was asked wrongly, 409 for a gate that stays closed, 503 where the record cannot be had."""
    if isinstance(error, RecordError):
        return 503
    return 409 if isinstance(error, Refusal) else 422


def render_error(request: HttpRequest, error: TrialwrightError) -> HttpResponse:
    """A page that says what was wrong, what was given and what to do."""
    return render_page(request, "shell/refused.html", {"error": error}, status=status_of(error))

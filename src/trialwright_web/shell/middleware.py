"""The outermost answers: a named error is a page that says what to do, whatever screen it came from."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from trialwright.foundation.errors import RecordError, TrialwrightError
from trialwright_web.shell.pages import render_error, status_of
from trialwright_web.shell.studies import installation

LOG = logging.getLogger("trialwright_web")


class Answers:
    """Middleware; see the module."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a named error; anything else is a bug and goes on."""
        if not isinstance(exception, TrialwrightError):
            return None
        if isinstance(exception, RecordError):
            # A broken connection must not stay: the next request opens the stores anew.
            installation().release()
            vars(request).pop("desk", None)  # it holds the closed stores, and the page that answers has a menu
            LOG.error("%s", exception.code)
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse(exception.as_dict(), status=status_of(exception))
        return render_error(request, exception)

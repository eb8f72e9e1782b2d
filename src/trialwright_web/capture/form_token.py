"""A fresh token for a page that stayed open while its person signed out and in again."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.http import require_GET

from trialwright_web.shell.desk import Desk, Request, at_desk


@at_desk()
@require_GET
def token(request: Request, desk: Desk) -> HttpResponse:
    """The token, and whose it is: a page of somebody else must not go on under another name."""
    return JsonResponse({"token": get_token(request), "person": desk.person, "role": desk.place.key})

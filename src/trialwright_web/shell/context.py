"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from trialwright_web.shell.menu import menu


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the desk (None where there is none), the menu, the process and its neighbours."""
    desk = getattr(request, "desk", None)
    return {
        "desk": desk,
        "menu": menu(desk, request.path) if desk is not None else (),
        "process": settings.ENVIRONMENT.process,
        "page_language": get_language() or "en",
        "languages": settings.LANGUAGES,
        "staff_address": settings.ENVIRONMENT.staff_address,
        "closed_address": settings.ENVIRONMENT.closed_address,
        "public_address": settings.ENVIRONMENT.public_address,
    }

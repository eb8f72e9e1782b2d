"""Which language a page speaks: as chosen before, else as the browser asks. No cookie until somebody chooses."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

CODES = tuple(code for code, _ in settings.LANGUAGES)
PARAMETER = "lang"


class LanguageMiddleware:
    """Middleware; see the module. ``?lang=nb`` chooses for one page without any cookie."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(language_of(request)):
            response = self._answer(request)
            response.setdefault("Content-Language", translation.get_language() or "en")
        patch_vary_headers(response, ("Accept-Language",))
        return response


def remember_language(response: HttpResponse, code: str) -> None:
    """Keep the language in a cookie of its own; only where somebody chose it, and never on a public page."""
    secure = settings.ENVIRONMENT.https
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=31536000, samesite="Lax", secure=secure)


def language_of(request: HttpRequest) -> str:
    """The language of a request."""
    for chosen in (request.GET.get(PARAMETER), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)):
        if chosen in CODES:
            return str(chosen)
    for part in request.headers.get("Accept-Language", "").lower().split(","):
        code = part.partition(";")[0].strip().partition("-")[0]
        if code == "no":  # browsers of old say Norwegian and mean bokmål
            code = "nb"
        if code in CODES:
            return code
    return "en"

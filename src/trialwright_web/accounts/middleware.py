"""Rules that hold for every signed-in request: idle sessions end, the second factor is there, nothing is cached."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

SEEN = "seen_at"
SECOND_FACTOR = "second_factor"
_WRITE_AFTER = 60
"""Seconds after which a request is written into the session; not each one, for each would wait for the disk."""

Answer = Callable[[HttpRequest], HttpResponse]


class SessionRules:
    """Middleware; see the module."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._checked(request) or self._answer(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.setdefault("Cache-Control", "no-store")
        return response

    def _checked(self, request: HttpRequest) -> HttpResponse | None:
        if not request.user.is_authenticated or request.path.startswith(settings.STATIC_URL):
            return None
        now = int(timezone.now().timestamp())
        seen = request.session.get(SEEN, now)
        if now - seen > settings.ENVIRONMENT.idle_minutes * 60:
            logout(request)
            return redirect(f"{reverse('account_login')}?next={request.path}&ended=idle")
        if SEEN not in request.session or now - seen > _WRITE_AFTER:
            request.session[SEEN] = now
        return self._second_factor(request)

    def _second_factor(self, request: HttpRequest) -> HttpResponse | None:
        if not settings.ENVIRONMENT.second_factor_required or request.path.startswith("/accounts/"):
            return None
        if not request.session.get(SECOND_FACTOR):
            if not is_mfa_enabled(request.user):
                return redirect("mfa_activate_totp")
            # Signing in demanded the second factor, as it does wherever one is set up; once a session is enough.
            request.session[SECOND_FACTOR] = True
        return None

"""The shell's own pages: choice of desk, language, health, errors."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from trialwright.foundation.errors import RecordError
from trialwright.protocol.roles import Role
from trialwright_web.shell.desk import Place, open_to_all, places_of, take
from trialwright_web.shell.language import CODES, remember_language
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.studies import installation
from trialwright_web.store.connections import databases_answer


@open_to_all
@login_required
@require_http_methods(["GET", "POST"])
def desks(request: HttpRequest) -> HttpResponse:
    """Choose a study and a role; somebody with one desk is taken there."""
    places = places_of(request.user.person)  # type: ignore[union-attr]
    wanted = request.POST.get("desk") if request.method == "POST" else None
    following = request.POST.get("next") or request.GET.get("next") or ""
    for place in places:
        if wanted == f"{place.study}:{place.key}" or (request.method == "GET" and len(places) == 1):
            take(request, place)
            return redirect(_safe(request, following) or home_of(place))
    studies = {name: installation().folder_build(name).study for name in sorted({p.study for p in places})}
    return render_page(request, "shell/desks.html", {"places": places, "studies": studies, "next": following})


def home_of(place: Place) -> str:
    """Where a desk's work begins."""
    closed = settings.ENVIRONMENT.process == "closed"
    name = CLOSED_HOMES.get(place.role, "laboratory:board") if closed else "capture:home"
    return reverse(name, args=(place.study,))


CLOSED_HOMES = {
    Role.INVESTIGATOR: "laboratory:emergency",
    Role.SAFETY_OFFICER: "safety:board",
    Role.INDEPENDENT_STATISTICIAN: "laboratory:allocations",
}
"""Roles that begin elsewhere than at the laboratory's board in the closed process."""


@open_to_all
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie of its own, and go back."""
    code = request.POST.get("language", "")
    response = redirect(_safe(request, request.POST.get("next", "")) or "/")
    if code in CODES:
        remember_language(response, code)
    return response


@open_to_all
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """For a load balancer: this process answers, and its databases and stores can be read; else 503."""
    try:
        healthy = databases_answer() and all(
            installation().trial(name).open_head()[0] >= 0 for name in installation().studies
        )
    except RecordError:
        installation().release()
        healthy = False
    answer = {"process": settings.ENVIRONMENT.process, "healthy": healthy}
    return JsonResponse(answer, status=200 if healthy else 503)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was too old, or came from elsewhere."""
    return render_page(request, "shell/stale.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return render_page(request, "shell/not_found.html", status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """500: our fault; nothing of it is shown."""
    return render_page(request, "shell/failed.html", status=500)


def _safe(request: HttpRequest, address: str) -> str | None:
    secure = settings.ENVIRONMENT.https
    return address if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=secure) else None

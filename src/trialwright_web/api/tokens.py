"""The page on which somebody makes and revokes tokens of their own desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.foundation.operating_system import SystemClock
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.signing import reauthenticate
from trialwright_web.shell.tokens import LONGEST, make_token, revoke_token, tokens_of


@at_desk()
@require_http_methods(["GET", "POST"])
def page(request: Request, desk: Desk) -> HttpResponse:
    """List, make, revoke. A new token is shown once, on the answer to the post, and never again."""
    context: dict[str, Any] = {"longest": LONGEST.days, "now": SystemClock().now()}
    status = 200
    if "revoke" in request.POST:
        number = request.POST["revoke"]
        if number.isascii() and number.isdecimal() and len(number) < 18:
            revoke_token(desk.account, int(number), SystemClock().now())
        return redirect(reverse("api:tokens", args=(desk.study,)))
    if request.method == "POST":
        try:
            context["token"] = _make(request, desk)
        except (InvalidValue, Refusal) as error:
            context |= {"error": error, "name": request.POST.get("name", ""), "days": request.POST.get("days", "")}
            status = status_of(error)
    context["tokens"] = tokens_of(desk.account, desk.study, desk.place.key)
    return render_page(request, "api/tokens.html", context, status=status)


def _make(request: Request, desk: Desk) -> str:
    name, days = request.POST.get("name", "").strip(), request.POST.get("days", "")
    if not name:
        raise InvalidValue("the token has no name", remedy="say which program will use it")
    if not (days.isascii() and days.isdecimal() and len(days) < 4 and 1 <= int(days) <= LONGEST.days):
        raise InvalidValue(f"{days[:20]!a} days is not a time", remedy=f"give 1 to {LONGEST.days} days")
    reauthenticate(request)
    return make_token(desk.account, desk.study, desk.place.key, name, timedelta(days=int(days)), SystemClock().now())

"""Coming in, choosing a password, what waits today, going out."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trialwright.schedule import Status
from trialwright_web.participant.access import (
    AccessRefused,
    PasswordTooShort,
    Person,
    as_participant,
    choose_password,
    enter,
    of_session,
    sign_in,
)
from trialwright_web.participant.held import Held, held_by
from trialwright_web.participant.models import Invitation
from trialwright_web.participant.standing import Standing
from trialwright_web.shell.desk import Request, open_to_all
from trialwright_web.shell.language import CODES, PARAMETER, remember_language
from trialwright_web.shell.pages import render_page


@open_to_all
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enter_page(request: HttpRequest) -> HttpResponse:
    """Sign in with the number and the password, at the first time with the code of the letter."""
    problem, waiting = False, held_by(request)
    if request.method == "POST":
        try:
            invitation = enter(request, request.POST.get("number", ""), request.POST.get("secret", ""))
        except AccessRefused:
            problem = True
        else:
            sign_in(request, invitation)
            return _private(_led_on(request, invitation, waiting))
    ended = request.GET.get("ended") == "1" or bool(waiting.texts)
    number = request.POST.get("number", "")[:40]
    context = {"problem": problem, "number": number, "held": waiting, "ended": ended}
    page = _private(render_page(request, "participant/enter.html", context, status=422 if problem else 200))
    if request.GET.get(PARAMETER) in CODES:  # the public pages carry the language in their addresses; these do not
        remember_language(page, request.GET[PARAMETER])
    return page


def _led_on(request: HttpRequest, invitation: Invitation, waiting: Held) -> HttpResponse:
    if not invitation.password:
        first = redirect("participant:password")
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and invitation.language in CODES:
            remember_language(first, invitation.language)  # that of their letter
        return first
    if waiting.texts and waiting.following and waiting.is_of(invitation.pk):
        return render_page(request, "participant/held.html", {"held": waiting})
    return redirect(waiting.following or "participant:home")


@open_to_all
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Choose the own password, once, after the letter's code."""
    invitation = of_session(request)
    if invitation is None or invitation.password:
        return redirect("participant:home")
    problem = ""
    if request.method == "POST":
        first, second = request.POST.get("password", ""), request.POST.get("again", "")
        try:
            if first == second:
                choose_password(invitation, first)
                sign_in(request, invitation)
                return _private(redirect("participant:home"))
            problem = "differ"
        except PasswordTooShort:
            problem = "short"
    context = {"problem": problem}
    return _private(render_page(request, "participant/password.html", context, status=422 if problem else 200))


@as_participant
@require_safe
def home(request: Request, person: Person) -> HttpResponse:
    """What waits, one thing a line; and the way to everything else."""
    standing = Standing(person.desk, person.code)
    coming = standing.coming(person.desk.today) if standing.in_force else []
    ahead = [visit for visit in coming if visit.status is not Status.OVERDUE]
    context = {
        "standing": standing,
        "encounters": standing.build.study.encounters,
        "next_visit": ahead[0] if ahead else None,
        "passed_by": len(ahead) < len(coming),
        "to_fill": standing.to_fill(),
        "diaries": standing.diaries(),
        "site": standing.build.study.sites[standing.site],
    }
    return render_page(request, "participant/home.html", context)


@open_to_all
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out; nothing stays in the browser."""
    request.session.flush()
    response = _private(redirect("participant:enter"))
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response

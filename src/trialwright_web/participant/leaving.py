"""Stopping, as easy as joining: what to stop is chosen, no reason is asked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trialwright.finder import blocks
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright_web.participant.access import Person, as_participant
from trialwright_web.participant.standing import Standing
from trialwright_web.shell.desk import Request, new_request_id
from trialwright_web.shell.pages import render_page


@as_participant
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: Request, person: Person) -> HttpResponse:
    """Choose, see what it means, confirm."""
    standing = Standing(person.desk, person.code)
    language, text = standing.text(person.desk.language)
    offered = list(standing.left_to_stop)
    chosen = [scope for scope in offered if scope in request.POST.getlist("scope")]
    section = next((s for s in text.sections if s.id == "withdrawal"), None)
    context = {
        "standing": standing,
        "offered": offered,
        "chosen": chosen,
        "explanation": blocks(section.text) if section else (),
        "text_language": language,
        "request_id": new_request_id(),
        "nothing": request.method == "POST" and not chosen,
    }
    if request.method == "POST" and chosen and request.POST.get("sure") == "yes":
        command = WithdrawConsent(participant=person.code, scopes=tuple(chosen))
        person.desk.dispatch(command, request_id=request.POST.get("request_id", ""))
        messages.success(request, _("It is done. Your usual care stays the same. The study nurse will call you."))
        return redirect("participant:home")
    template = "participant/stop_confirm.html" if chosen else "participant/stop.html"
    return render_page(request, template, context, status=422 if context["nothing"] else 200)

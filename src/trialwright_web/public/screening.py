"""Can I join? In the browser, where no answer leaves the device; without JavaScript a list to print, or a POST."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from trialwright.finder import AnswerNotUnderstood, Listing, PreScreener, public_page
from trialwright_web.public import shelf, words
from trialwright_web.public.templatetags.public import in_language_of
from trialwright_web.public.views import frame, reader_language
from trialwright_web.shell.desk import open_to_all
from trialwright_web.shell.pages import render_page


@open_to_all  # type: ignore[arg-type]  # django-csp types its decorator for views of one argument
@require_safe
@csp_replace({"connect-src": [NONE]})  # type: ignore[arg-type]  # as above
def join(request: HttpRequest, study: str) -> HttpResponse:
    """The questions. The browser is told that this page may not connect anywhere."""
    return render_page(request, "public/join.html", _context(shelf.listing(study), {}))


@open_to_all
@csrf_exempt  # changes and stores nothing, and a token would need a cookie
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def answers(request: HttpRequest, study: str) -> HttpResponse:
    """The same without JavaScript: judged here, after a notice, and forgotten with the answer."""
    listing = shelf.listing(study)
    if request.method != "POST":
        return redirect(in_language_of(request, f"/trials/{study}/join"))
    screener = shelf.screener(listing.build)
    given = {question.fact: request.POST.get(question.fact, "") for question in screener.questions("en")}
    context = _context(listing, given)
    try:
        judged = screener.judge(screener.read(given))
    except AnswerNotUnderstood as error:
        problem = {"fact": error.given.get("fact"), "given": error.given.get("given")}
        return render_page(request, "public/join.html", {**context, "problem": problem}, status=422)
    verdicts = {verdict.criterion: verdict for verdict in judged.verdicts}
    lines = [{"line": line, "verdict": verdicts[line.criterion]} for line in context["page"].criteria]
    return _unstored(render_page(request, "public/answers.html", {**context, "judged": judged, "lines": lines}))


@open_to_all
@require_safe
def script(request: HttpRequest, study: str, build: str) -> HttpResponse:
    """The criteria compiled for the browser; named by the build, so it may be kept for ever."""
    listing = shelf.listing(study)
    if build != listing.build.id:
        raise Http404
    response = HttpResponse(shelf.screener(listing.build).javascript(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@open_to_all
@require_safe
def checklist(request: HttpRequest, study: str) -> HttpResponse:
    """Every criterion with room for a tick, to print and take along."""
    return render_page(request, "public/checklist.html", _context(shelf.listing(study), {}))


def _context(listing: Listing, given: dict[str, str]) -> dict[str, Any]:
    language = reader_language()
    page = public_page(listing.build, listing.record, language)
    screener: PreScreener = shelf.screener(listing.build)
    questions = screener.questions(language)
    return {
        **frame(page),
        "questions": [{"question": question, "given": given.get(question.fact, "")} for question in questions],
        "words": _words(closed=page.status.code in words.CLOSED),
    }


def _words(*, closed: bool) -> dict[str, Any]:
    """What the script of the page says; of a trial that takes nobody, not that one might join."""
    return {
        "fits": {str(key): str(text) for key, text in words.FITS.items()},
        "waits": {key.value: str(text) for key, text in words.WAITS.items()},
        "notKnown": _("I do not know"),
        "change": _("Change"),
        "go": _("Continue"),
        "yes": _("Yes"),
        "no": _("No"),
        "numberWanted": _("Write a number, or choose “I do not know”."),
        "answerWanted": _("Choose an answer, or “I do not know”."),
        "might": _("The rules of this study might fit you") if closed else _("You might be able to join"),
        "mightSo": _("Nothing you answered speaks against it. Only the study doctor can decide, after tests."),
        "asking": _("So far nothing speaks against it"),
        "probablyNot": _("This study probably does not fit you"),
        "probablyNotSo": _(
            "At least one of the study’s rules does not fit. Talk with your doctor if you are not sure."
        ),
        "progress": _("{done} of about {all} questions answered"),
        "left": _("Rules that fit: {fit}. Not known yet: {open}."),
    }


def _unstored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response

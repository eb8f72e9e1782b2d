"""The site's side of consent: letters of access, questions to answer, paper, and the second signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trialwright.finder import blocks
from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol.roles import Role
from trialwright.trial.consent.commands import IDENTITY_CHECKS, CountersignConsent, RecordPaperConsent
from trialwright.trial.consent.text import text_hash
from trialwright_web.participant.access import invite
from trialwright_web.participant.consenting import questions_of, seal_question
from trialwright_web.participant.contact import enquiries
from trialwright_web.participant.copies import consent_pdf
from trialwright_web.participant.models import ConsentQuestion, Enquiry, Invitation
from trialwright_web.participant.standing import Standing
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.language import CODES
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.signing import needs_code, sign
from trialwright_web.shell.typed import shown_day, typed_moment
from trialwright_web.shell.waiting import Waiting, says_what_waits

STAFF = (Role.INVESTIGATOR, Role.STUDY_NURSE)
LONGEST_ANSWER = 4000
CHECKS = {
    "known_to_interviewer": gettext_lazy("I have known the person before"),
    "photo_document": gettext_lazy("Passport, identity card or driving licence with a picture"),
    "electronic_id": gettext_lazy("Electronic identity, for example BankID"),
}


@dataclass(frozen=True)
class Line:
    """One participant in the list."""

    standing: Standing
    invitation: Invitation | None
    questions: int


def _waiting(desk: Desk) -> Iterator[Waiting]:
    """Questions of participants, and people who ask about joining. Signatures to give stand among the tasks."""
    asked = ConsentQuestion.objects.filter(study=desk.study, site=desk.site or "", answer=None)
    for code in dict.fromkeys(asked.order_by("asked_at").values_list("participant", flat=True)):
        address = reverse("consents:questions", args=(desk.study, code))
        yield Waiting(_("Asks something and waits for an answer"), address, code)
    for _row in Enquiry.objects.filter(study=desk.study, site=desk.site or "", done_at=None):
        yield Waiting(_("Somebody asks about joining"), reverse("consents:home", args=(desk.study,)), "")


@says_what_waits(_waiting)
@at_desk(*STAFF)
@require_safe
def consents(request: Request, desk: Desk) -> HttpResponse:
    """Everybody of the site who is under way: access, consent, open questions."""
    invitations = {row.participant: row for row in Invitation.objects.filter(study=desk.study, site=desk.site or "")}
    waiting = ConsentQuestion.objects.filter(study=desk.study, site=desk.site or "", answer=None)
    open_questions: dict[str, int] = {}
    for row in waiting:
        open_questions[row.participant] = open_questions.get(row.participant, 0) + 1
    lines = [
        Line(standing, invitations.get(standing.participant), open_questions.get(standing.participant, 0))
        for row in desk.participants()
        if (standing := Standing(desk, str(row["participant"]))).is_under_way
    ]
    lines.sort(key=lambda line: (not line.standing.pending, not line.questions, line.standing.participant))
    return render_page(
        request,
        "participant/staff_consents.html",
        {"lines": lines, "enquiries": enquiries(desk.study, desk.site or "")},
    )


@at_desk(*STAFF)
@require_POST
def answered(request: Request, desk: Desk, number: int) -> HttpResponse:
    """An enquiry was answered: it is deleted."""
    Enquiry.objects.filter(pk=number, study=desk.study, site=desk.site or "").delete()
    return redirect("consents:home", desk.study)


@at_desk(*STAFF)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Make a letter with the code of the first sign-in. The code is shown once; an earlier letter is void."""
    standing = _standing(desk, participant)
    known = Invitation.objects.filter(study=desk.study, participant=participant).first()
    code, language = "", request.POST.get("language", known.language if known is not None else "")
    if language not in CODES:
        language = desk.language if desk.language in CODES else "en"
    if request.method == "POST":
        code = invite(desk.study, participant, standing.site, language, desk.person)
    context = {
        "standing": standing,
        "known": known,
        "code": code,
        "site": standing.build.study.sites[standing.site],
        "language": language,
        "languages": settings.LANGUAGES,
    }
    response = render_page(request, "participant/staff_letter.html", context)
    response["Cache-Control"] = "no-store"
    return response


@at_desk(*STAFF)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def countersign(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Confirm the talk and the identity: the second signature, over the hash of the text that was signed."""
    standing = _standing(desk, participant)
    pending = standing.pending
    text = standing.signed_text(pending) if pending is not None else None
    if pending is None or text is None:
        return redirect("consents:home", desk.study)
    problem: TrialwrightError | None = None
    chosen = request.POST.get("identity_check", "")
    if request.method == "POST" and chosen:
        try:
            signature = sign(request, desk, "countersign_consent", request.POST.get("shown", ""))
            command = CountersignConsent(participant=participant, identity_check=chosen)
            desk.dispatch(command, request_id=request.POST.get("request_id", ""), signature=signature)
        except TrialwrightError as error:
            problem = error
        else:
            messages.success(request, _("The consent of %(code)s is in force.") % {"code": participant})
            return redirect("consents:home", desk.study)
    context = {
        "standing": standing,
        "pending": pending,
        "text": text,
        "sections": [{"heading": s.heading, "blocks": blocks(s.text)} for s in text.sections],
        "checks": [(check, CHECKS[check]) for check in IDENTITY_CHECKS],
        "chosen": chosen,
        "unchosen": request.method == "POST" and not chosen,
        "shown": text_hash(text),
        "request_id": new_request_id(),
        "needs_code": needs_code(request),
        "problem": problem,
        "error": problem,
        "questions": questions_of(desk, participant),
    }
    status = status_of(problem) if problem else 422 if context["unchosen"] else 200
    return render_page(request, "participant/staff_countersign.html", context, status=status)


@at_desk(*STAFF)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Read a participant's questions and answer them."""
    standing = _standing(desk, participant)
    text = request.POST.get("answer", "").replace("\r\n", "\n").strip()
    number = request.POST.get("question", "")
    if request.method == "POST" and number.isdecimal() and 0 < len(text) <= LONGEST_ANSWER:
        ConsentQuestion.objects.filter(
            pk=int(number), study=desk.study, participant=participant, site=standing.site, answer=None
        ).update(answer=seal_question(desk, participant, text), answered_at=desk.now, answered_by=desk.person)
        return redirect("consents:questions", desk.study, participant)
    context = {
        "standing": standing,
        "asked": questions_of(desk, participant),
        "empty": request.method == "POST",
    }
    return render_page(request, "participant/staff_questions.html", context, status=422 if context["empty"] else 200)


@at_desk(*STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def paper(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Record that the participant signed on paper; the second signature follows as for one on screen."""
    standing = _standing(desk, participant)
    texts = standing.build.study.consent
    problem: TrialwrightError | None = None
    if request.method == "POST":
        language = request.POST.get("language", "")
        if language in texts:
            command = RecordPaperConsent(
                participant=participant, version=texts[language].head.version, language=language, teach_back={}
            )
            try:
                signed_at = _signed_at(desk, standing.site, request.POST.get("day", ""), request.POST.get("time", ""))
                desk.dispatch(command, request_id=request.POST.get("request_id", ""), observed_at=signed_at)
            except TrialwrightError as error:
                problem = error
            else:
                return redirect("consents:countersign", desk.study, participant)
    context: dict[str, Any] = {
        "standing": standing,
        "texts": texts,
        "today": shown_day(desk.today.isoformat()),
        "given": request.POST,
        "request_id": new_request_id(),
        "problem": problem,
        "error": problem,
        "missing": request.method == "POST" and problem is None,
    }
    status = status_of(problem) if problem else 422 if context["missing"] else 200
    return render_page(request, "participant/staff_paper.html", context, status=status)


@at_desk(*STAFF)
@require_safe
def copy(request: Request, desk: Desk, participant: str, number: int) -> HttpResponse:
    """The participant's copy, to print for those who have no access of their own."""
    standing = _standing(desk, participant)
    row = next((row for row in standing.log if row["what"] == "signed" and row["number"] == number), None)
    text = standing.signed_text(row) if row is not None else None
    if row is None or text is None:
        raise Http404
    response = HttpResponse(consent_pdf(standing, row, text), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{participant}-consent-{row["version"]}.pdf"'
    return response


def _standing(desk: Desk, participant: str) -> Standing:
    """How a participant of the desk's site stands; 404 for any other."""
    desk.participant(participant)
    return Standing(desk, participant)


def _signed_at(desk: Desk, site: str, day: str, hour: str) -> str:
    """When somebody signed on paper, by the site's clock; a time that nobody typed is not made up."""
    return typed_moment(f"{day.strip()} {hour.strip()}", desk.now.astimezone(desk.zone(site))).isoformat()

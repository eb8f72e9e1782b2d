"""Consent in layers: the key points, each part, questions that teach, questions to the staff, the signature."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from trialwright.finder import blocks
from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol import review_of
from trialwright.protocol.documents import ConsentText
from trialwright.trial.consent.commands import RefuseConsent, SignConsent
from trialwright.trial.consent.text import text_hash
from trialwright_web.participant import kept
from trialwright_web.participant.access import Person, as_participant
from trialwright_web.participant.differences import changed_sections
from trialwright_web.participant.models import ConsentQuestion
from trialwright_web.participant.secrets_kept import seal, unseal
from trialwright_web.participant.standing import Standing
from trialwright_web.shell.desk import Desk, Request, new_request_id
from trialwright_web.shell.forgettable import key_of_texts
from trialwright_web.shell.pages import render_page, status_of

PLACE = "consent"
LONGEST_QUESTION = 2000


class Reading:
    """Somebody reading the text in force: where they are, what they answered."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.standing = Standing(person.desk, person.code)
        self.language, self.text = self.standing.text(person.desk.language)
        self.place = f"{PLACE}/{text_hash(self.text)}"
        self.kept = kept.find(person, self.place)

    @property
    def answers(self) -> dict[str, str]:
        """Teach-back question → answer chosen."""
        found: dict[str, str] = self.kept.get("answers", {})
        return found

    @property
    def page(self) -> int:
        """The furthest part that was opened."""
        return int(self.kept.get("page", 0))

    def note(self, **more: Any) -> None:
        """Keep where they are."""
        self.kept.update(more)
        kept.keep(self.person, self.place, self.kept)

    def context(self, **more: Any) -> dict[str, Any]:
        """What every page of the consent needs."""
        return {
            "reading": self,
            "standing": self.standing,
            "text": self.text,
            "text_language": self.language,
            "review": review_of(self.text),
            **more,
        }


@as_participant
@require_safe
def start(request: Request, person: Person) -> HttpResponse:
    """The key points, or what was signed and where the copies are."""
    reading = Reading(person)
    key = _section(reading.text, "key_points") or reading.text.sections[0]
    # Where the key points are the first part, it is read here; the same list again would be a page for nothing.
    first = 2 if key is reading.text.sections[0] and len(reading.text.sections) > 1 else 1
    if reading.page == 0 and first == 2 and reading.standing.may_sign:
        reading.note(page=1)
    return render_page(
        request,
        "participant/consent.html",
        reading.context(
            key_points=blocks(key.text),
            heading=key.heading,
            first=first,
            copies=copies_of(reading.standing),
        ),
    )


@as_participant
@require_safe
def changes(request: Request, person: Person) -> HttpResponse:
    """What is new since the text that was signed."""
    reading = Reading(person)
    given = reading.standing.given
    old = reading.standing.signed_text(given) if given is not None else None
    if given is None or old is None:
        return redirect("participant:consent")
    # The old text may be in another language than the reader chose now; then it is compared in that one.
    new = reading.standing.build.study.consent.get(str(given["language"]), reading.text)
    amendment = reading.standing.build.study.identity.amendment
    context = {"old": old, "new": new, "sections": changed_sections(old, new), "amendment": amendment}
    return render_page(request, "participant/changes.html", reading.context(**context))


@as_participant
@require_safe
def read(request: Request, person: Person, page: int) -> HttpResponse:
    """One part of the text a page."""
    reading = Reading(person)
    sections = reading.text.sections
    if not 1 <= page <= len(sections):
        raise Http404
    if page > reading.page and reading.standing.may_sign:
        reading.note(page=page)
    section = sections[page - 1]
    context = {"section": section, "blocks": blocks(section.text), "page": page, "pages": len(sections)}
    return render_page(request, "participant/read.html", reading.context(**context))


@as_participant
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: Request, person: Person, number: int) -> HttpResponse:
    """A question that teaches: whatever is answered, the explanation follows and the way goes on."""
    reading = Reading(person)
    asked = reading.text.head.teach_back
    if not 1 <= number <= len(asked):
        raise Http404
    question = asked[number - 1]
    answer = request.POST.get("answer", "")
    if request.method == "POST" and answer in question.answers:
        reading.note(answers={**reading.answers, question.id: answer})
        # To the explanation: on a narrow screen, or a much enlarged one, it lies below what is seen.
        return redirect(f"{reverse('participant:check', args=(number,))}#explanation")
    chosen = reading.answers.get(question.id)
    context = {
        "question": question,
        "number": number,
        "count": len(asked),
        "chosen": chosen,
        "right": chosen == question.right,
        "unanswered": request.method == "POST",
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "participant/check.html", reading.context(**context), status=status)


@as_participant
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: Request, person: Person) -> HttpResponse:
    """Ask the staff before signing, and read what they answered."""
    reading = Reading(person)
    # Browsers count a new line as one letter and send two.
    text = request.POST.get("question", "").replace("\r\n", "\n").strip()
    asked = questions_of(person.desk, person.code)
    if request.method == "POST" and asked and asked[-1]["question"] == text and asked[-1]["answer"] is None:
        return redirect("participant:questions")  # the button was pressed twice
    if request.method == "POST" and 0 < len(text) <= LONGEST_QUESTION:
        ConsentQuestion.objects.create(
            study=person.study,
            participant=person.code,
            site=reading.standing.site,
            question=seal_question(person.desk, person.code, text),
            asked_at=person.desk.now,
        )
        messages.success(request, _("Your question was sent. The answer will stand here."))
        return redirect("participant:questions")
    context = {"asked": asked, "empty": request.method == "POST", "given": text}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "participant/questions.html", reading.context(**context), status=status)


@as_participant
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: Request, person: Person) -> HttpResponse:
    """The whole text once more, and the signature over the hash of exactly that."""
    reading = Reading(person)
    if not reading.standing.may_sign:
        return redirect("participant:consent")
    problem: TrialwrightError | None = None
    if request.method == "POST":
        if request.POST.get("agree") != "yes":
            context = _sign_context(reading, unticked=True)
            return render_page(request, "participant/sign.html", context, status=422)
        try:
            return _signed(request, person, reading)
        except TrialwrightError as error:
            problem = error
    context = _sign_context(reading, problem=problem)
    return render_page(request, "participant/sign.html", context, status=status_of(problem) if problem else 200)


@as_participant
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: Request, person: Person) -> HttpResponse:
    """No, thank you: as easy as yes."""
    reading = Reading(person)
    if not reading.standing.may_sign:
        return redirect("participant:consent")
    if request.method == "POST":
        request_id = request.POST.get("request_id", "")
        person.desk.dispatch(RefuseConsent(participant=person.code), request_id=request_id)
        kept.forget(person, reading.place)
        messages.success(request, _("You said no. That is all right, and nobody will ask why."))
        return redirect("participant:home")
    return render_page(request, "participant/decline.html", reading.context(request_id=new_request_id()))


def questions_of(desk: Desk, participant: str) -> list[dict[str, Any]]:
    """Questions and answers, in the order they were asked."""
    about, under = _about_question(desk.study, participant), key_of_texts(desk.trial, participant)
    return [
        {
            "id": row.pk,
            "question": unseal(row.question, about, under),
            "asked_at": row.asked_at,
            "answer": unseal(row.answer, about, under) if row.answer is not None else None,
            "answered_at": row.answered_at,
        }
        for row in ConsentQuestion.objects.filter(study=desk.study, participant=participant).order_by("asked_at")
    ]


def seal_question(desk: Desk, participant: str, text: str) -> bytes:
    """A question, or the answer to one, encrypted."""
    return seal(text, _about_question(desk.study, participant), key_of_texts(desk.trial, participant, make=True))


def _about_question(study: str, participant: str) -> str:
    return f"question\x00{study}\x00{participant}"


def copies_of(standing: Standing) -> list[dict[str, Any]]:
    """Every signature with a copy to fetch, the newest first."""
    signed = [row for row in standing.log if row["what"] == "signed"]
    return [{"number": row["number"], "row": row} for row in reversed(signed)]


def _signed(request: Request, person: Person, reading: Reading) -> HttpResponse:
    shown = request.POST.get("shown", "")
    signature = person.sign(request, "give_consent", shown)
    command = SignConsent(
        participant=person.code,
        version=reading.text.head.version,
        language=reading.language,
        text=text_hash(reading.text),
        teach_back=reading.answers,
    )
    person.desk.dispatch(command, request_id=request.POST.get("request_id", ""), signature=signature)
    kept.forget(person, reading.place)
    messages.success(request, _("You have signed. Your copy is ready. Now the person who informed you signs, too."))
    return redirect("participant:consent")


def _sign_context(reading: Reading, **more: Any) -> dict[str, Any]:
    sections = [
        {"heading": section.heading, "id": section.id, "blocks": blocks(section.text)}
        for section in reading.text.sections
        if section.id != "signature"
    ]
    statement = _section(reading.text, "signature")
    unread = max(0, len(reading.text.sections) - reading.page)
    left = [q for q in reading.text.head.teach_back if q.id not in reading.answers]
    return reading.context(
        sections=sections,
        statement=blocks(statement.text) if statement else (),
        shown=text_hash(reading.text),
        request_id=new_request_id(),
        unread=unread,
        left=len(left),
        **more,
    )


def _section(text: ConsentText, name: str) -> Any:
    return next((section for section in text.sections if section.id == name), None)

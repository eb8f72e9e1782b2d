"""What the site does about a participant outside visits, each a page of its own (see ``shell.acts``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.trial.command import Command
from trialwright.trial.consent.commands import RefuseConsent, WithdrawConsent
from trialwright.trial.consent.gate import consent_gap
from trialwright.trial.consent.state import Consent
from trialwright.trial.dispatch import Receipt
from trialwright.trial.enrolment.commands import (
    ENDINGS,
    EndParticipation,
    FailScreening,
    RescreenParticipant,
    ScreenParticipant,
    SignOffEligibility,
)
from trialwright.trial.enrolment.events import ParticipantScreened
from trialwright_web.capture.eligibility_model import CriterionLine, standing
from trialwright_web.capture.readers import SITE_STAFF
from trialwright_web.capture.words import STATUS, short_name, status_words
from trialwright_web.shell.acts import Act, Answers, Field, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.words import Words

SCOPES: Mapping[str, Words] = {
    "treatment": _("treatment"),
    "visits": _("visits"),
    "data_use": _("use of data"),
    "samples": _("samples"),
}


EVERYTHING = "everything"


@dataclass(frozen=True)
class Person:
    """Whom an act is about."""

    desk: Desk
    row: Row

    @property
    def code(self) -> str:
        return str(self.row["participant"])

    @property
    def status(self) -> str:
        return str(self.row["status"])

    @property
    def build(self) -> Build:
        """In force at the participant's site."""
        return self.desk.build_at(str(self.row["site"]))

    @property
    def back(self) -> str:
        return reverse("capture:participant", args=(self.desk.study, self.code))

    @property
    def facts(self) -> tuple[tuple[Words, Words], ...]:
        """Who it is; the head of every act."""
        return ((_("Participant"), self.code), (_("Status"), status_words(self.status)))


@dataclass(frozen=True)
class Offer:
    """An act that the desk may do now."""

    name: str
    title: Words
    address: str


def sign_off(person: Person) -> Act:
    """The investigator's signature under the assessment on record."""
    stands = standing(person.desk, person.code)
    criteria = reverse("capture:criteria", args=(person.desk.study, person.code))
    head: tuple[tuple[Words, ...], ...] = ((_("Criterion"), _("Verdict"), _("Why")),)
    warning: Words = ""
    first: tuple[Words, str] | None = (_("Eligibility"), criteria)
    if person.status != "screening":
        warning, first = _("Screening has ended."), (person.code, person.back)
    elif stands.assessed is None:
        warning = _("Nothing was assessed yet: assess first.")
    elif not stands.current:
        warning = _("Data or criteria changed since the assessment: assess again, then sign.")
    elif not stands.ready_to_sign:
        warning = _("A criterion is not met or not known.")
    elif consent_gap(person.desk.state, person.code) is not None:
        warning, first = _("Consent is not in force."), (_("Consent"), f"{person.back}#consent")
    else:
        first = None
    return Act(
        title=_("Sign off eligibility"),
        command=SignOffEligibility,
        make=lambda answers: SignOffEligibility(participant=person.code),
        back=criteria,
        first=first,
        facts=(*person.facts, (_("All criteria together"), stands.words)),
        rows=(*head, *((line.text, line.words, _why(line)) for line in stands.lines)),
        warning=warning,
        button=_("Sign"),
        shown=stands.shown,
        done=_("Eligibility is signed off."),
    )


def _why(line: CriterionLine) -> str:
    """Why a criterion stands as it does, in the reader's words."""
    if line.because is None:
        return line.why
    return " ".join([line.because.sentence, *(f"{name}: {value}." for name, value in line.because.facts)])


def fail_screening(person: Person) -> Act:
    """End screening, with the criteria that are not met already ticked."""
    stands = standing(person.desk, person.code)
    criteria = tuple((line.id, line.text) for line in stands.lines)
    unmet = " ".join(line.id for line in stands.lines if line.verdict == "no")
    return Act(
        title=_("End screening"),
        command=FailScreening,
        make=lambda answers: FailScreening(participant=person.code, criteria=answers.several("criteria")),
        back=person.back,
        facts=person.facts,
        intro=_("The person is not included. Name the criteria that are not met, or give another reason."),
        fields=(Field("criteria", _("Criteria not met"), "several", criteria, unmet, required=False),),
        reason=_("Another reason"),
        reason_required=False,
        happened=_("When it was decided"),
        button=_("End screening"),
        danger=True,
        done=_("Screening has ended."),
    )


def rescreen(person: Person) -> Act:
    """Screen a screening failure again."""
    return Act(
        title=_("Screen again"),
        command=RescreenParticipant,
        make=lambda answers: RescreenParticipant(participant=person.code),
        back=person.back,
        facts=person.facts,
        intro=_("The person gets a new code, linked to this one, and begins again."),
        button=_("Screen again"),
    )


def end_participation(person: Person) -> Act:
    """How and when participation ended."""
    choices = tuple((how, STATUS[how][0]) for how in ENDINGS)
    ended = person.row["ended_on"] is not None
    return Act(
        title=_("Correct the end of participation") if ended else _("Record the end of participation"),
        command=EndParticipation,
        make=lambda answers: EndParticipation(
            participant=person.code, date=answers.day("date", person.desk.today), how=answers.text("how")
        ),
        back=person.back,
        facts=person.facts,
        intro=_("Withdrawal of consent is recorded on its own page; this says how and when taking part ended."),
        fields=(
            Field("how", _("How it ended"), "choice", choices, str(person.row["ended_how"] or "")),
            Field("date", _("On"), "date", help=_("dd.mm.yyyy, ddmmyy, or t for today")),
        ),
        reason=_("Reason of the correction") if ended else _("Reason, where one was given"),
        reason_required=ended,
        button=_("Record"),
        done=_("Recorded."),
    )


def refuse_consent(person: Person) -> Act:
    """The person declined."""
    return Act(
        title=_("Record that consent was refused"),
        command=RefuseConsent,
        make=lambda answers: RefuseConsent(participant=person.code),
        back=person.back,
        facts=person.facts,
        reason=_("Reason, where one was given"),
        reason_required=False,
        button=_("Record"),
        done=_("Recorded."),
    )


def withdraw(person: Person) -> Act:
    """The person takes consent back, wholly or in part. Nobody has to say why."""
    texts = person.build.study.consent.values()
    known = dict.fromkeys(scope for text in texts for scope in text.head.withdrawal_scopes)
    scopes = tuple((scope, SCOPES.get(scope, short_name(scope))) for scope in known)

    def make(answers: Answers) -> WithdrawConsent:
        chosen = answers.several("scopes")
        return WithdrawConsent(participant=person.code, scopes=() if EVERYTHING in chosen else chosen)

    return Act(
        title=_("Record a withdrawal of consent"),
        command=WithdrawConsent,
        make=make,
        back=person.back,
        facts=person.facts,
        intro=_("From what does the participant withdraw? No reason has to be given."),
        fields=(Field("scopes", _("Withdraws from"), "several", ((EVERYTHING, _("everything")), *scopes)),),
        reason=_("Reason, only if the participant wants it recorded"),
        reason_required=False,
        happened=_("When the participant said so"),
        button=_("Record the withdrawal"),
        danger=True,
        done=_("The withdrawal is recorded."),
    )


_ACTS: Mapping[str, tuple[type[Command], Words, Callable[[Person], Act]]] = {
    "sign-off": (SignOffEligibility, gettext_lazy("Sign off eligibility"), sign_off),
    "fail-screening": (FailScreening, gettext_lazy("End screening"), fail_screening),
    "rescreen": (RescreenParticipant, gettext_lazy("Screen again"), rescreen),
    "refuse-consent": (RefuseConsent, gettext_lazy("Consent refused"), refuse_consent),
    "withdraw": (WithdrawConsent, gettext_lazy("Withdrawal of consent"), withdraw),
    "end": (EndParticipation, gettext_lazy("End of participation"), end_participation),
}


def offers(desk: Desk, row: Row) -> Iterator[Offer]:
    """Acts that make sense for how the participant stands."""
    person = Person(desk, row)
    sensible = _sensible(person)
    for name, (command, title, _make) in _ACTS.items():
        if name in sensible and may_act(desk, command):
            yield Offer(name, title, reverse("capture:act", args=(desk.study, person.code, name)))


def _sensible(person: Person) -> frozenset[str]:
    consent = person.desk.trial.state().of(Consent, person.code)
    found = set()
    if person.status == "screening":
        found.add("fail-screening")
        if standing(person.desk, person.code).ready_to_sign:
            found.add("sign-off")
        if not consent.version:
            found.add("refuse-consent")
    if person.status == "screen_failure":
        found.add("rescreen")
    if consent.version:
        found.add("withdraw")
    if person.row["randomised_on"] is not None or person.row["ended_how"] is not None:
        found.add("end")
    return frozenset(found)


@at_desk(*SITE_STAFF)
@require_http_methods(["GET", "POST"])
def act(request: Request, desk: Desk, participant: str, act: str) -> HttpResponse:
    """One act; 404 for one that there is not."""
    if act not in _ACTS:
        raise Http404
    person = Person(desk, desk.participant(participant))
    _command, _title, make = _ACTS[act]
    then = _to_the_new_code(request, desk) if act == "rescreen" else None
    return act_page(request, desk, make(person), then=then)


@at_desk(*SITE_STAFF)
@require_http_methods(["GET", "POST"])
def screen(request: Request, desk: Desk) -> HttpResponse:
    """Give out the next code of the site."""
    site = desk.site or ""
    declared = desk.build_at(site).study.sites[site]
    page = Act(
        title=_("Screen a new participant"),
        command=ScreenParticipant,
        make=lambda answers: ScreenParticipant(site=site),
        back=reverse("capture:matrix", args=(desk.study,)),
        facts=((_("Study"), in_language(desk.build.study.identity.title)), (_("Site"), f"{site} {declared.name}")),
        intro=_(
            "The system gives out the next code. Write it beside the name in the site's own list; names do not "
            "belong here."
        ),
        happened=_("When screening began"),
        button=_("Give out a code"),
    )
    return act_page(request, desk, page, then=_to_the_new_code(request, desk))


def _to_the_new_code(request: Request, desk: Desk) -> Callable[[Receipt], HttpResponse]:
    def go(receipt: Receipt) -> HttpResponse:
        code = receipt.event(ParticipantScreened).participant
        messages.success(request, gettext("The new code is %(code)s.") % {"code": code})
        return redirect("capture:participant", desk.study, code)

    return go

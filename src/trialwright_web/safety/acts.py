"""What is done about an adverse event; each a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.trial.command import Command
from trialwright.trial.dispatch import Receipt
from trialwright.trial.safety.commands import (
    ASSESSORS,
    AssessCausality,
    AssessExpectedness,
    AssessSeriousness,
    CloseAdverseEvent,
    FollowUpAdverseEvent,
    RecordSponsorAwareness,
    RecordSubmission,
    ReportAdverseEvent,
)
from trialwright.trial.safety.events import UNSETTLED, AdverseEventReported
from trialwright.trial.safety.state import AdverseEvent, AdverseEvents
from trialwright.trial.safety.views import ADVERSE_EVENT
from trialwright_web.safety.clocks import Clock, clocks_of
from trialwright_web.shell.acts import Act, Answers, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.safety_words import ACTIONS, GRADES, OUTCOMES, RELATIONS, SERIOUSNESS, choices, several
from trialwright_web.shell.templatetags.shell import in_language, local_time
from trialwright_web.shell.words import Words

REPORTERS = (Role.INVESTIGATOR, Role.STUDY_NURSE)


@dataclass(frozen=True)
class Case:
    """One adverse event at a desk."""

    desk: Desk
    participant: str
    event: str
    site: str
    row: Row
    known: AdverseEvent
    build: Build
    clocks: tuple[Clock, ...]

    @property
    def address(self) -> str:
        return reverse("safety:event", args=(self.desk.study, self.participant, self.event))

    @property
    def title(self) -> str:
        return f"{self.participant} · {self.row['term']}"

    @property
    def facts(self) -> tuple[tuple[Words, Words], ...]:
        """What is reported, in words."""
        row, zone = self.row, self.desk.zone(self.site)
        return (
            (_("Participant"), self.participant),
            (_("What happened"), str(row["term"])),
            (_("Coded as"), f"{row['coded_term']} ({row['code']}), {row['body_system']}" if row["code"] else "–"),
            (_("Began"), local_time(row["onset"], zone)),
            (_("Ended"), local_time(row["ended"], zone) or "–"),
            (_("Grade"), f"{GRADES[str(row['grade'])]} ({now('worst')} {row['worst_grade']})"),
            (_("Serious because"), several(str(row["seriousness"] or ""), SERIOUSNESS) or "–"),
            (_("Added by the sponsor"), several(str(row["seriousness_added"] or ""), SERIOUSNESS) or "–"),
            (_("Outcome"), several(str(row["outcome"]), OUTCOMES)),
            (_("What was done"), several(str(row["action"]), ACTIONS)),
            (_("The site became aware"), local_time(row["noticed_on"], zone)),
            (_("The sponsor became aware"), local_time(row["sponsor_aware_on"], zone) or "–"),
            (_("Follow-up finished"), local_time(row["closed_at"], zone) or "–"),
        )

    @property
    def agents(self) -> tuple[tuple[str, Words], ...]:
        """What a relation is judged to."""
        return tuple((agent.id, in_language(agent.label)) for agent in self.build.study.safety.agents)


def case_of(desk: Desk, participant: str, event: str) -> Case:
    """The case.

    Raises:
        Http404: no such participant at the desk, or no such event.
    """
    site = str(desk.participant(participant)["site"])
    row = desk.rows.get(ADVERSE_EVENT, (participant, event))
    known = desk.trial.state().of(AdverseEvents, participant).events.get(event)
    if row is None or known is None:
        raise Http404
    clocks = tuple(clocks_of(desk, participant, event, site))
    return Case(desk, participant, event, site, row, known, desk.build_at(site), clocks)


@at_desk(*REPORTERS)
@require_http_methods(["GET", "POST"])
def report(request: Request, desk: Desk) -> HttpResponse:
    """The first report; afterwards its own page."""
    people: list[tuple[str, Words]] = [(str(r["participant"]), str(r["participant"])) for r in desk.participants()]
    agents = desk.build.study.safety.agents if desk.role is Role.INVESTIGATOR else ()
    act = Act(
        title=_("Report an adverse event"),
        command=ReportAdverseEvent,
        make=lambda answers: ReportAdverseEvent(
            participant=answers.text("participant"),
            term=answers.text("term"),
            onset=answers.day("onset", desk.today),
            grade=answers.whole("grade"),
            seriousness=answers.several("seriousness"),
            outcome=answers.text("outcome"),
            action=answers.text("action"),
            causality={a.id: given for a in agents if (given := answers.text(f"relation.{a.id}"))},
        ),
        back=reverse("safety:board", args=(desk.study,)),
        fields=(
            Field(
                "participant",
                _("Participant"),
                "select",
                (("", _("Choose …")), *people),
                request.GET.get("participant", ""),
            ),
            Field("term", _("What happened, in your words"), help=_("One event; details belong on the form.")),
            Field(
                "onset",
                _("Began"),
                "date",
                help=_("ddmmyy, dd.mm.yyyy, t for today, UN.06.2028 if the day is unknown"),
            ),
            Field("grade", _("Grade"), "choice", choices(GRADES)),
            Field(
                "seriousness",
                _("Serious because (leave empty if it is not)"),
                "several",
                choices(SERIOUSNESS),
                required=False,
            ),
            Field("outcome", _("Outcome"), "choice", choices(OUTCOMES)),
            Field("action", _("What was done"), "choice", choices(ACTIONS)),
            *(
                Field(
                    f"relation.{agent.id}",
                    now("Relation to: %s") % in_language(agent.label),
                    "choice",
                    choices(RELATIONS),
                    required=False,
                )
                for agent in agents
            ),
        ),
        happened=_("The site became aware at (local time)"),
        intro=_("Serious events are reported at once; the clocks run from when the site became aware."),
        button=_("Report it"),
    )

    def then(receipt: Receipt) -> HttpResponse:
        reported = receipt.event(AdverseEventReported)
        return redirect("safety:event", desk.study, reported.participant, reported.adverse_event)

    return act_page(request, desk, act, then=then)


@at_desk(*REPORTERS, *ASSESSORS, Role.SPONSOR)
@require_http_methods(["GET", "POST"])
def act(request: Request, desk: Desk, participant: str, event: str, act: str) -> HttpResponse:
    """One act about an event."""
    if act not in ACTS:
        raise Http404
    return act_page(request, desk, ACTS[act][2](case_of(desk, participant, event)))


# --- the acts ------------------------------------------------------------------------------------------------


def _follow_up(case: Case) -> Act:
    row, today = case.row, case.desk.today

    def make(answers: Answers) -> Command:
        return FollowUpAdverseEvent(
            participant=case.participant,
            adverse_event=case.event,
            term=answers.text("term"),
            onset=answers.day("onset", today),
            ended=answers.day("ended", today) if answers.text("ended") else None,
            grade=answers.whole("grade"),
            seriousness=answers.several("seriousness"),
            outcome=answers.text("outcome"),
            action=answers.text("action"),
        )

    return Act(
        title=_("Follow up or correct"),
        command=FollowUpAdverseEvent,
        make=make,
        back=case.address,
        fields=(
            Field("term", _("What happened"), value=str(row["term"])),
            Field("onset", _("Began"), "date", value=str(row["onset"])),
            Field("ended", _("Ended"), "date", value=str(row["ended"] or ""), required=False),
            Field("grade", _("Grade"), "choice", choices(GRADES), str(row["grade"])),
            Field(
                "seriousness",
                _("Serious because (leave empty if it is not)"),
                "several",
                choices(SERIOUSNESS),
                str(row["seriousness"] or ""),
                required=False,
            ),
            Field("outcome", _("Outcome"), "choice", choices(OUTCOMES), str(row["outcome"])),
            Field("action", _("What was done"), "choice", choices(ACTIONS), str(row["action"])),
        ),
        happened=_("The site became aware at (local time)"),
        reason=_("Why it changes"),
        intro=_("Grade 5, outcome fatal and seriousness death go together."),
        button=_("Record the follow-up"),
        done=_("The follow-up is recorded."),
    )


def _causality(case: Case) -> Act:
    return Act(
        title=_("Judge the relation"),
        command=AssessCausality,
        make=lambda answers: AssessCausality(
            participant=case.participant,
            adverse_event=case.event,
            agent=answers.text("agent"),
            relation=answers.text("relation"),
        ),
        back=case.address,
        facts=case.facts,
        fields=(
            Field("agent", _("Relation to"), "choice", case.agents),
            Field("relation", _("Relation"), "choice", choices(RELATIONS)),
        ),
        button=_("Record the judgement"),
        done=_("The judgement is recorded."),
    )


def _seriousness(case: Case) -> Act:
    both = " ".join(case.known.seriousness)
    return Act(
        title=_("Judge seriousness for the sponsor"),
        command=AssessSeriousness,
        make=lambda answers: AssessSeriousness(
            participant=case.participant, adverse_event=case.event, seriousness=answers.several("seriousness")
        ),
        back=case.address,
        facts=case.facts,
        fields=(Field("seriousness", _("Serious because"), "several", choices(SERIOUSNESS), both, required=False),),
        intro=_("What the investigator reported stays; the sponsor may add to it."),
        happened=_("The sponsor became aware at (local time)"),
        button=_("Record the judgement"),
        done=_("The judgement is recorded."),
    )


def _expectedness(case: Case) -> Act:
    reference = case.build.study.safety.reference
    listed = tuple((f"{entry.term} ({entry.agent})", str(entry.up_to_grade)) for entry in reference.terms)
    return Act(
        title=_("Judge expectedness"),
        command=AssessExpectedness,
        make=lambda answers: AssessExpectedness(
            participant=case.participant,
            adverse_event=case.event,
            agent=answers.text("agent"),
            expected=answers.ticked("expected"),
        ),
        back=case.address,
        facts=(*case.facts, (_("Reference"), f"{reference.document} {reference.version}")),
        rows=((_("Listed reaction"), _("up to grade")), *listed),
        fields=(
            Field("agent", _("As a reaction to"), "choice", case.agents),
            Field("expected", _("Expected"), "choice", (("yes", _("yes")), ("no", _("no")))),
        ),
        button=_("Record the judgement"),
        done=_("The judgement is recorded."),
    )


def _aware(case: Case) -> Act:
    return Act(
        title=_("The sponsor knows"),
        command=RecordSponsorAwareness,
        make=lambda answers: RecordSponsorAwareness(participant=case.participant, adverse_event=case.event),
        back=case.address,
        facts=case.facts,
        happened=_("The sponsor became aware at (local time)"),
        intro=_("This is day 0 of the sponsor's clocks, and meets those whose receiver is the sponsor."),
        button=_("Record the awareness"),
        done=_("The sponsor's awareness is recorded."),
    )


def _submit(case: Case) -> Act:
    waiting = tuple((clock.id, clock.label) for clock in case.clocks if clock.is_running and not clock.is_expedited)
    return Act(
        title=_("Record a submission"),
        command=RecordSubmission,
        make=lambda answers: RecordSubmission(
            participant=case.participant,
            adverse_event=case.event,
            clock=answers.text("clock"),
            reference=answers.text("reference"),
        ),
        back=case.address,
        facts=case.facts,
        fields=(
            Field("clock", _("Clock"), "choice", waiting),
            Field("reference", _("Reference")),
        ),
        happened=_("Submitted at (local time)"),
        button=_("Record the submission"),
        done=_("The submission is recorded."),
    )


def _close(case: Case) -> Act:
    unsettled = bool(case.known.seriousness) and case.known.outcome in UNSETTLED
    return Act(
        title=_("Finish the follow-up"),
        command=CloseAdverseEvent,
        make=lambda answers: CloseAdverseEvent(participant=case.participant, adverse_event=case.event),
        back=case.address,
        facts=case.facts,
        reason=_("Why the follow-up ends although a serious event is not over") if unsettled else "",
        button=_("Finish"),
        done=_("The follow-up is finished."),
    )


def _always(case: Case) -> bool:
    return True


def _is_open(case: Case) -> bool:
    return not case.known.closed


def _has_waiting(case: Case) -> bool:
    return any(clock.is_running and not clock.is_expedited for clock in case.clocks)


def _not_all_aware(case: Case) -> bool:
    return not case.known.aware or not set(case.known.qualities) <= set(case.known.aware)


def _is_suspected(case: Case) -> bool:
    return bool(case.known.suspected())


ACTS: Mapping[str, tuple[Words, type[Command], Callable[[Case], Act], Callable[[Case], bool]]] = {
    "aware": (_("The sponsor knows"), RecordSponsorAwareness, _aware, _not_all_aware),
    "submit": (_("Record a submission"), RecordSubmission, _submit, _has_waiting),
    "follow-up": (_("Follow up or correct"), FollowUpAdverseEvent, _follow_up, _always),
    "causality": (_("Judge the relation"), AssessCausality, _causality, _always),
    "seriousness": (_("Judge seriousness"), AssessSeriousness, _seriousness, _always),
    "expectedness": (_("Judge expectedness"), AssessExpectedness, _expectedness, _is_suspected),
    "close": (_("Finish the follow-up"), CloseAdverseEvent, _close, _is_open),
}
"""Part of the address → words, command, page, and when it is offered."""

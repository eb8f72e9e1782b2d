"""One adverse event: what is reported, who judged what, its clocks, and what the desk may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from trialwright.trial.allocation.commands import UnblindForSusar
from trialwright.trial.safety.commands import RecodeTerm, RecordExpeditedReport
from trialwright.trial.safety.views import ASSESSMENT
from trialwright_web.safety.acts import ACTS, Case, case_of
from trialwright_web.safety.board import READERS
from trialwright_web.safety.clocks import Clock
from trialwright_web.shell.acts import may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.safety_words import RELATIONS
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.words import Words


@dataclass(frozen=True)
class Judgement:
    """What was judged for one agent."""

    agent: str
    investigator: Words
    sponsor: Words
    expected: Words


@at_desk(*READERS)
@require_GET
def event_page(request: Request, desk: Desk, participant: str, event: str) -> HttpResponse:
    """The page."""
    case = case_of(desk, participant, event)
    context = {
        "case": case,
        "judgements": list(_judgements(case)),
        "offers": list(_offers(case)),
        "zone": desk.zone(case.site),
        "holds_closed": desk.holds_closed,
    }
    return render_page(request, "safety/event.html", context)


def _judgements(case: Case) -> Iterator[Judgement]:
    rows = {
        (row["agent"], row["assessor"]): row
        for row in case.desk.rows.where(ASSESSMENT, participant=case.participant, adverse_event=case.event)
    }
    for agent in case.build.study.safety.agents:
        by, sponsor = rows.get((agent.id, "investigator")), rows.get((agent.id, "sponsor"))
        expected: Words = "–"
        if sponsor is not None and sponsor["expected"] is not None:
            expected = _("expected") if sponsor["expected"] else _("unexpected")
        yield Judgement(
            agent=in_language(agent.label),
            investigator=RELATIONS.get(str(by["causality"]) if by else "", "–"),
            sponsor=RELATIONS.get(str(sponsor["causality"]) if sponsor else "", "–"),
            expected=expected,
        )


def _offers(case: Case) -> Iterator[tuple[Words, str, bool]]:
    """Words, address, and whether a clock waits for it."""
    desk = case.desk
    where = (desk.study, case.participant, case.event)
    waiting = [clock for clock in case.clocks if clock.is_running]
    for name, (words, command, _page, when) in ACTS.items():
        if may_act(desk, command) and when(case):
            yield words, reverse("safety:act", args=(*where, name)), _is_expected(name, waiting)
    if may_act(desk, RecodeTerm):
        yield _("Code the term"), reverse("safety:code", args=where), case.row["coded_term"] is None
    suspected = [clock for clock in waiting if clock.is_expedited]
    if suspected and may_act(desk, UnblindForSusar) and not desk.trial.one_space:
        yield _("Unblind to report it"), reverse("safety:unblind", args=where), False
    if suspected and may_act(desk, RecordExpeditedReport):
        yield _("Record the expedited report"), reverse("safety:expedited", args=where), True


def _is_expected(name: str, waiting: list[Clock]) -> bool:
    to_sponsor = any(clock.receiver.casefold() == "sponsor" for clock in waiting)
    others = any(clock.receiver.casefold() != "sponsor" and not clock.is_expedited for clock in waiting)
    return (name == "aware" and to_sponsor) or (name == "submit" and others)

"""One participant: status, consent, eligibility, visits, forms, deviations, events, and everything that happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.trial.capture.commands import ASSESSORS
from trialwright.trial.capture.state import LOG
from trialwright.trial.capture.views import CASE_BOOK, FORM, VISIT
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.consent.gate import consent_gap
from trialwright.trial.consent.state import Consent
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.enrolment.state import Enrolment, Numbering
from trialwright.trial.safety.views import ADVERSE_EVENT
from trialwright.trial.tasks import MatrixRow, VisitCell, matrix, tasks
from trialwright_web.capture.addresses import reachable, visit_address
from trialwright_web.capture.eligibility_model import standing
from trialwright_web.capture.home_model import groups, of_desk, roles_at
from trialwright_web.capture.participant_acts import SCOPES, offers
from trialwright_web.capture.readers import READERS
from trialwright_web.capture.timeline import timeline
from trialwright_web.capture.words import SIGNS, Sign, short_name, status_tone, status_words
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.deviations import about_words
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.record_words import visit_words
from trialwright_web.shell.safety_words import OUTCOMES, several


@dataclass(frozen=True)
class VisitLine:
    """One visit with how its forms stand."""

    cell: VisitCell
    words: str
    sign: Sign
    address: str
    is_held: bool
    forms: int
    complete: int


@dataclass(frozen=True)
class ConsentStanding:
    """How consent stands: in force or why not, in one word and in a sentence of the record."""

    state: str
    version: str
    withdrawn: tuple[tuple[str, str], ...]
    pending: bool


@at_desk(*READERS)
@require_GET
def participant(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """The page."""
    person = desk.participant(participant)
    site = str(person["site"])
    build = desk.build_at(site)
    rows, state = desk.rows, desk.trial.state()
    (row,) = matrix(rows, desk.builds, desk.today, participant=participant)
    waiting = tasks(rows, desk.builds, desk.today, participant=participant, role=roles_at(desk))
    enrolment = state.of(Enrolment, participant)
    context: dict[str, Any] = {
        "person": person,
        "site": build.study.sites[site],
        "status": status_words(person["status"]),
        "tone": status_tone(person["status"]),
        "groups": groups(desk, of_desk(desk, waiting)),
        "acts": list(offers(desk, person)),
        "consent": consent_standing(desk, participant),
        "consents": list(rows.where(CONSENT_LOG, participant=participant)),
        "stands": standing(desk, participant),
        "rescreen_of": enrolment.rescreen_of,
        "rescreened_as": state.of(Numbering, site).rescreened_as(participant),
        "visits": list(_visits(desk, build, row)),
        "log": _log(desk, build, participant),
        "case_book": rows.get(CASE_BOOK, (participant,)),
        "deviations": [
            (row, about_words(desk.build_at(site), row)) for row in rows.where(DEVIATION, participant=participant)
        ],
        "events": [
            (row, several(str(row["outcome"] or ""), OUTCOMES))
            for row in rows.where(ADVERSE_EVENT, participant=participant)
        ],
        "history": timeline(desk, participant),
        "links": _links(desk, participant),
        "may_visit": desk.role in ASSESSORS,
        "zone": desk.zone(site),
    }
    return render_page(request, "capture/participant.html", context)


def consent_standing(desk: Desk, participant: str) -> ConsentStanding:
    """``in_force``, ``again``, ``pending``, ``withdrawn``, ``refused`` or ``none``."""
    state = desk.trial.state()
    consent = state.of(Consent, participant)
    if consent_gap(state, participant) is None:
        found = "in_force"
    elif consent.pending is not None:
        found = "pending"
    elif consent.refused:
        found = "refused"
    elif consent.version:
        found = "again" if consent.in_force else "withdrawn"
    else:
        found = "none"
    withdrawn = tuple((str(SCOPES.get(scope, short_name(scope))), day) for scope, day in consent.withdrawn.items())
    version = consent.pending.version if consent.pending is not None else consent.version
    return ConsentStanding(found, version, withdrawn, consent.pending is not None)


def _visits(desk: Desk, build: Build, row: MatrixRow) -> Iterator[VisitLine]:
    held = {str(one["encounter"]): one for one in desk.rows.where(VISIT, participant=row.participant)}
    for cell in row.cells:
        counts = held.get(cell.encounter, {})
        planned = build.study.encounters.get(cell.encounter)
        open_forms = [form for form in planned.forms if _is_open(build, form)] if planned else []
        yield VisitLine(
            cell=cell,
            words=visit_words(build, cell.encounter),
            sign=SIGNS[cell.state],
            address=visit_address(desk, row.participant, cell.encounter),
            is_held=counts.get("status") == "held",
            forms=max(len(open_forms), int(counts.get("forms_saved") or 0)),
            complete=int(counts.get("forms_complete") or 0),
        )


def _is_open(build: Build, form: str) -> bool:
    return form in build.forms and build.forms[form].form.space == "open"


def _log(desk: Desk, build: Build, participant: str) -> dict[str, Any] | None:
    """The running log, where the study has one."""
    if not build.study.schedule.log_forms:
        return None
    rows: list[Row] = list(desk.rows.where(FORM, participant=participant, encounter=LOG))
    return {"number": len(rows), "address": visit_address(desk, participant, LOG)}


def _links(desk: Desk, participant: str) -> dict[str, str]:
    """Screens of others about this participant; empty where this process or role does not have them."""
    study = desk.study
    return {
        "countersign": reachable(desk, "consents:countersign", study, participant),
        "letter": reachable(desk, "consents:letter", study, participant),
        "paper": reachable(desk, "consents:paper", study, participant),
        "contact": reachable(desk, "consents:contact", study, participant),
        "randomise": reachable(desk, "randomise:participant", study, participant),
        "accidental": reachable(desk, "randomise:accidental", study, participant),
        "treatment": reachable(desk, "randomise:treatment", study, participant) if desk.trial.one_space else "",
        "new_visit": reachable(desk, "capture:new_visit", study, participant),
        "safety": reachable(desk, "safety:board", study),
        "report": reachable(desk, "safety:report", study),
        "forget": reachable(desk, "capture:forget", study, participant),
        "case_book": reachable(desk, "capture:case_book", study, participant),
    }

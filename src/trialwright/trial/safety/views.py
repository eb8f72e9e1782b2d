"""The list of adverse events, who judged what, and the clocks with their due dates, whatever day it is."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Rows, Table
from trialwright.trial.event import Fact, Space
from trialwright.trial.safety.events import (
    AdverseEventClosed,
    AdverseEventFollowedUp,
    AdverseEventReported,
    CausalityAssessed,
    ClockStarted,
    ExpectednessAssessed,
    ExpeditedReportRecorded,
    SafetyEvent,
    SeriousnessAssessed,
    SponsorBecameAware,
    SubmissionRecorded,
    TermCoded,
)
from trialwright.trial.view import View

ADVERSE_EVENT = Table(
    "adverse_event",
    key=(Column("participant"), Column("adverse_event")),
    columns=(
        Column("term"),
        Column("coded_term"),
        Column("code"),
        Column("body_system"),
        Column("onset"),
        Column("ended"),
        Column("grade", "integer"),
        Column("worst_grade", "integer"),
        Column("serious", "integer"),
        Column("seriousness"),
        Column("seriousness_added"),
        Column("outcome"),
        Column("action"),
        Column("special_interest"),
        Column("reported_at"),
        Column("noticed_on"),
        Column("sponsor_aware_on"),
        Column("follow_ups", "integer"),
        Column("closed_at"),
    ),
)

ASSESSMENT = Table(
    "adverse_event_assessment",
    key=(Column("participant"), Column("adverse_event"), Column("agent"), Column("assessor")),
    columns=(Column("causality"), Column("expected", "integer"), Column("reference"), Column("assessed_at")),
)
"""``assessor``: investigator or sponsor; expectedness is the sponsor's."""

CLOCK = Table(
    "safety_clock",
    key=(Column("participant"), Column("adverse_event"), Column("clock")),
    columns=(
        Column("receiver"),
        Column("started"),
        Column("due"),
        Column("met_on"),
        Column("reference"),
        Column("late", "integer"),
    ),
)
"""Clocks of suspected reactions are met in the closed space only; see ``expedited_report``."""

EXPEDITED = Table(
    "expedited_report",
    key=(Column("participant"), Column("adverse_event"), Column("clock")),
    columns=(Column("outcome"), Column("date"), Column("reference"), Column("late", "integer")),
)


def _reported(event: AdverseEventReported, fact: Fact, rows: Rows) -> None:
    _change(
        rows,
        event,
        term=event.term,
        onset=event.onset,
        grade=event.grade,
        worst_grade=event.grade,
        serious=int(bool(event.seriousness)),
        seriousness=" ".join(event.seriousness) or None,
        outcome=event.outcome,
        action=event.action,
        special_interest=" ".join(event.special_interest) or None,
        reported_at=fact.at,
        noticed_on=event.noticed_on,
        follow_ups=0,
    )
    for agent, relation in event.causality.items():
        _assess(rows, event, agent, "investigator", causality=relation, assessed_at=fact.at)


def _followed_up(event: AdverseEventFollowedUp, fact: Fact, rows: Rows) -> None:
    row = rows.get(ADVERSE_EVENT, (event.participant, event.adverse_event)) or {}
    plain = ("term", "onset", "ended", "grade", "outcome", "action")
    changes: dict[str, Cell] = {name: value for name in plain if (value := getattr(event, name)) is not None}
    if event.grade is not None:
        changes["worst_grade"] = max(event.grade, int(row.get("worst_grade") or 0))
    if event.seriousness is not None:
        changes["seriousness"] = " ".join(event.seriousness) or None
        changes["serious"] = int(bool(event.seriousness or row.get("seriousness_added")))
    special = dict.fromkeys((*str(row.get("special_interest") or "").split(), *event.special_interest))
    changes["special_interest"] = " ".join(special) or None
    changes["follow_ups"] = int(row.get("follow_ups") or 0) + 1
    _change(rows, event, **changes, closed_at=None)


def _causality(event: CausalityAssessed, fact: Fact, rows: Rows) -> None:
    _assess(rows, event, event.agent, event.by, causality=event.relation, assessed_at=fact.at)


def _seriousness(event: SeriousnessAssessed, fact: Fact, rows: Rows) -> None:
    row = rows.get(ADVERSE_EVENT, (event.participant, event.adverse_event)) or {}
    reported = str(row.get("seriousness") or "").split()
    added = [criterion for criterion in event.seriousness if criterion not in reported]
    _change(rows, event, serious=int(bool(reported or added)), seriousness_added=" ".join(added) or None)


def _expectedness(event: ExpectednessAssessed, fact: Fact, rows: Rows) -> None:
    _assess(
        rows,
        event,
        event.agent,
        "sponsor",
        expected=int(event.expected),
        reference=event.reference,
        assessed_at=fact.at,
    )


def _coded(event: TermCoded, fact: Fact, rows: Rows) -> None:
    row = rows.get(ADVERSE_EVENT, (event.participant, event.adverse_event)) or {}
    special = dict.fromkeys((*str(row.get("special_interest") or "").split(), *event.special_interest))
    _change(
        rows,
        event,
        coded_term=event.term,
        code=event.code,
        body_system=event.body_system,
        special_interest=" ".join(special) or None,
    )


def _aware(event: SponsorBecameAware, fact: Fact, rows: Rows) -> None:
    row = rows.get(ADVERSE_EVENT, (event.participant, event.adverse_event)) or {}
    _change(rows, event, sponsor_aware_on=row.get("sponsor_aware_on") or event.aware_on)


def _closed(event: AdverseEventClosed, fact: Fact, rows: Rows) -> None:
    _change(rows, event, closed_at=fact.at)


def _clock(event: ClockStarted, fact: Fact, rows: Rows) -> None:
    rows.put(
        CLOCK,
        {
            "participant": event.participant,
            "adverse_event": event.adverse_event,
            "clock": event.clock,
            "receiver": event.to,
            "started": event.started,
            "due": event.due,
        },
    )


def _submitted(event: SubmissionRecorded, fact: Fact, rows: Rows) -> None:
    row = rows.get(CLOCK, (event.participant, event.adverse_event, event.clock))
    if row is not None:
        late = int("late" in event.flags)
        rows.put(CLOCK, {**row, "met_on": event.date, "reference": event.reference, "late": late})


def _expedited(event: ExpeditedReportRecorded, fact: Fact, rows: Rows) -> None:
    rows.put(
        EXPEDITED,
        {
            "participant": event.participant,
            "adverse_event": event.adverse_event,
            "clock": event.clock,
            "outcome": event.outcome,
            "date": event.date,
            "reference": event.reference,
            "late": int("late" in event.flags),
        },
    )


def _change(rows: Rows, event: SafetyEvent, **changes: Cell) -> None:
    key = (event.participant, event.adverse_event)
    row = rows.get(ADVERSE_EVENT, key) or {"participant": key[0], "adverse_event": key[1]}
    rows.put(ADVERSE_EVENT, {**row, **changes})


def _assess(rows: Rows, event: SafetyEvent, agent: str, assessor: str, **changes: Cell) -> None:
    key = (event.participant, event.adverse_event, agent, assessor)
    row = rows.get(ASSESSMENT, key) or {
        "participant": event.participant,
        "adverse_event": event.adverse_event,
        "agent": agent,
        "assessor": assessor,
    }
    rows.put(ASSESSMENT, {**row, **changes})


VIEWS = (
    View(
        "safety",
        (ADVERSE_EVENT, ASSESSMENT),
        {
            AdverseEventReported: _reported,
            AdverseEventFollowedUp: _followed_up,
            CausalityAssessed: _causality,
            SeriousnessAssessed: _seriousness,
            ExpectednessAssessed: _expectedness,
            TermCoded: _coded,
            SponsorBecameAware: _aware,
            AdverseEventClosed: _closed,
        },
    ),
    View("safety_clocks", (CLOCK,), {ClockStarted: _clock, SubmissionRecorded: _submitted}),
    View("expedited_reports", (EXPEDITED,), {ExpeditedReportRecorded: _expedited}, Space.CLOSED),
)

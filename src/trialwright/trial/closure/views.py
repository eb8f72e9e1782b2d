"""Deviations, breaches, populations, data cuts, the study's milestones; and, in the closed space, the allocations."""

from __future__ import annotations

from trialwright.foundation.tables import Column, Row, Rows, Table
from trialwright.trial.closure.events import (
    AllocationsDisclosed,
    AnalysisCodeFrozen,
    AnalysisPlanSigned,
    BlindReviewSigned,
    ClosedDeviationClassified,
    ClosedDeviationOpened,
    DataCutMade,
    DeviationClassified,
    DeviationOpened,
    SecondPersonAsked,
    SeriousBreachNotified,
    SeriousBreachRecorded,
    StudyArchived,
    StudyClosed,
    StudyFrozen,
    StudyLocked,
    StudyUnblinded,
    StudyUnlocked,
    UrgentSafetyMeasureTaken,
)
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.setup.events import BuildApproved, StudyCreated, StudyOpened
from trialwright.trial.view import View

_DEVIATION = (
    Column("kind"),
    Column("about"),
    Column("opened_at"),
    Column("opened_by"),
    Column("important", "integer"),
    Column("assessment"),
    Column("action"),
    Column("classified_at"),
    Column("classified_by"),
)
DEVIATION = Table("deviation", key=(Column("participant"), Column("deviation")), columns=_DEVIATION)
CLOSED_DEVIATION = Table("closed_deviation", key=(Column("participant"), Column("deviation")), columns=_DEVIATION)

BREACH = Table(
    "serious_breach",
    key=(Column("breach"),),
    columns=(
        Column("site"),
        Column("what"),
        Column("aware"),
        Column("due"),
        Column("notified_on"),
        Column("reference"),
        Column("late", "integer"),
    ),
)
MEASURE = Table(
    "urgent_safety_measure",
    key=(Column("measure"),),
    columns=(Column("site"), Column("what"), Column("date"), Column("due")),
)
DATA_CUT = Table(
    "data_cut", key=(Column("cut"),), columns=(Column("size", "integer"), Column("root"), Column("made_at"))
)
POPULATION = Table(
    "population",
    key=(Column("participant"), Column("population")),
    columns=(Column("included", "integer"), Column("why")),
)
MILESTONE = Table(
    "study_milestone",
    key=(Column("step", "integer"),),
    columns=(
        Column("what"),
        Column("at"),
        Column("local"),
        Column("actor"),
        Column("role"),
        Column("details"),
        Column("reason"),
    ),
)
"""What happened to the study as a whole, in order."""

ALLOCATION = Table("disclosed_allocation", key=(Column("participant"),), columns=(Column("label"),))


def _opened(event: DeviationOpened, fact: Fact, rows: Rows) -> None:
    rows.put(
        _deviations(event),
        {
            "participant": event.participant,
            "deviation": event.deviation,
            "kind": event.kind,
            "about": event.about,
            "opened_at": fact.at,
            "opened_by": fact.actor,
        },
    )


def _classified(event: DeviationClassified, fact: Fact, rows: Rows) -> None:
    table = _deviations(event)
    row = rows.get(table, (event.participant, event.deviation))
    if row is not None:
        changes: Row = {
            "important": int(event.important),
            "assessment": event.assessment,
            "action": event.action,
            "classified_at": fact.at,
            "classified_by": fact.actor,
        }
        rows.put(table, {**row, **changes})


def _deviations(event: DeviationOpened | DeviationClassified) -> Table:
    return CLOSED_DEVIATION if event.SPACE is Space.CLOSED else DEVIATION


def _breach(event: SeriousBreachRecorded, fact: Fact, rows: Rows) -> None:
    rows.put(
        BREACH,
        {
            "breach": event.breach,
            "site": event.site,
            "what": event.what,
            "aware": event.aware,
            "due": event.due,
        },
    )


def _notified(event: SeriousBreachNotified, fact: Fact, rows: Rows) -> None:
    row = rows.get(BREACH, (event.breach,))
    if row is not None:
        late = int("late" in event.flags)
        rows.put(BREACH, {**row, "notified_on": event.date, "reference": event.reference, "late": late})


def _measure(event: UrgentSafetyMeasureTaken, fact: Fact, rows: Rows) -> None:
    rows.put(
        MEASURE,
        {
            "measure": event.measure,
            "site": event.site,
            "what": event.what,
            "date": event.date,
            "due": event.due,
        },
    )


def _cut(event: DataCutMade, fact: Fact, rows: Rows) -> None:
    rows.put(DATA_CUT, {"cut": event.cut, "size": event.size, "root": event.root, "made_at": fact.at})


def _populations(event: BlindReviewSigned, fact: Fact, rows: Rows) -> None:
    for decision in event.decisions:
        rows.put(
            POPULATION,
            {
                "participant": decision.participant,
                "population": decision.population,
                "included": int(decision.included),
                "why": decision.why,
            },
        )


def _milestone(event: Event, fact: Fact, rows: Rows) -> None:
    rows.put(
        MILESTONE,
        {
            "step": fact.stream_seq,
            "what": event.TYPE.partition(".")[2],
            "at": fact.at,
            "local": fact.local,
            "actor": fact.actor,
            "role": fact.role,
            "details": _details(event),
            "reason": fact.reason,
        },
    )


def _details(event: Event) -> str:
    match event:
        case StudyCreated(mode=mode, blinding=blinding):
            return f"{mode}, {blinding}"
        case BuildApproved(version=version, approved_build=build):
            return f"version {version}, build {build[:12]}"
        case StudyLocked(size=size, root=root) | DataCutMade(size=size, root=root):
            return f"{size} events, root {root[:12]}"
        case StudyUnlocked(second=second):
            return f"with {second}" + (", after unblinding" if event.after_unblinding else "")
        case StudyUnblinded(second=second, participants=participants):
            return f"with {second}, {participants} allocations"
        case SecondPersonAsked(act=act):
            return act
        case AnalysisPlanSigned(version=version, plan=plan):
            return f"version {version}, {plan[:12]}"
        case AnalysisCodeFrozen(code=code):
            return code[:12]
        case StudyClosed(early=early):
            return "early" if early else "as planned"
        case StudyArchived(place=place, keep_until=until):
            return f"{place}, until {until}"
        case _:
            return ""


def _disclosed(event: AllocationsDisclosed, fact: Fact, rows: Rows) -> None:
    for one in event.allocations:
        rows.put(ALLOCATION, {"participant": one.participant, "label": one.label})


MILESTONES: tuple[type[Event], ...] = (
    StudyCreated, BuildApproved, StudyOpened, DataCutMade, StudyFrozen, BlindReviewSigned, StudyLocked,
    SecondPersonAsked, StudyUnlocked, AnalysisPlanSigned, AnalysisCodeFrozen, StudyUnblinded, StudyClosed,
    StudyArchived,
)  # fmt: skip

VIEWS = (
    View("deviations", (DEVIATION,), {DeviationOpened: _opened, DeviationClassified: _classified}),
    View(
        "closed_deviations",
        (CLOSED_DEVIATION,),
        {ClosedDeviationOpened: _opened, ClosedDeviationClassified: _classified},
        Space.CLOSED,
    ),
    View(
        "breaches",
        (BREACH, MEASURE),
        {SeriousBreachRecorded: _breach, SeriousBreachNotified: _notified, UrgentSafetyMeasureTaken: _measure},
    ),
    View("data_cuts", (DATA_CUT,), {DataCutMade: _cut}),
    View("populations", (POPULATION,), {BlindReviewSigned: _populations}),
    View("milestones", (MILESTONE,), dict.fromkeys(MILESTONES, _milestone)),
    View("disclosed_allocations", (ALLOCATION,), {AllocationsDisclosed: _disclosed}, Space.CLOSED),
)

"""The screening log with its reasons, where everybody stands, and the counts of each site."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Rows, Table
from trialwright.trial.allocation.events import ParticipantRandomised
from trialwright.trial.consent.events import ConsentGiven, ConsentRefused
from trialwright.trial.enrolment.events import (
    CriteriaAssessed,
    EligibilitySignedOff,
    ParticipantScreened,
    ParticipationEnded,
    ScreeningFailed,
)
from trialwright.trial.event import Fact
from trialwright.trial.view import View

SCREENING_LOG = Table(
    "screening_log",
    key=(Column("participant"),),
    columns=(
        Column("site"),
        Column("screened_on"),
        Column("rescreen_of"),
        Column("eligible"),
        Column("not_met"),
        Column("unknown"),
        Column("signed_off_on"),
        Column("failed_on"),
        Column("failed_for"),
        Column("reason"),
    ),
    indexes=(("site",),),
)
DISPOSITION = Table(
    "disposition",
    key=(Column("participant"),),
    columns=(
        Column("site"),
        Column("status"),
        Column("screened_on"),
        Column("consented_on"),
        Column("randomised_on"),
        Column("ended_on"),
        Column("ended_how"),
    ),
    indexes=(("site",), ("status",)),
)
SITE_ENROLMENT = Table(
    "site_enrolment",
    key=(Column("site"),),
    columns=(
        Column("screened", "integer"),
        Column("consented", "integer"),
        Column("failed", "integer"),
        Column("randomised", "integer"),
        Column("ended", "integer"),
    ),
)

MILESTONE = Table("milestone", key=(Column("participant"), Column("milestone")), columns=(Column("site"),))


def _log_screened(event: ParticipantScreened, fact: Fact, rows: Rows) -> None:
    rows.put(
        SCREENING_LOG,
        {
            "participant": event.participant,
            "site": event.site,
            "screened_on": event.date,
            "rescreen_of": event.rescreen_of,
        },
    )


def _log_assessed(event: CriteriaAssessed, fact: Fact, rows: Rows) -> None:
    by_verdict = {
        wanted: " ".join(v.criterion for v in event.verdicts if v.verdict == wanted) for wanted in ("no", "unknown")
    }
    _change(
        rows,
        SCREENING_LOG,
        event.participant,
        eligible=event.eligible,
        not_met=by_verdict["no"],
        unknown=by_verdict["unknown"],
        signed_off_on=None,
    )


def _log_signed_off(event: EligibilitySignedOff, fact: Fact, rows: Rows) -> None:
    _change(rows, SCREENING_LOG, event.participant, signed_off_on=event.date)


def _log_failed(event: ScreeningFailed, fact: Fact, rows: Rows) -> None:
    failed_for = " ".join(event.criteria)
    _change(rows, SCREENING_LOG, event.participant, failed_on=event.date, failed_for=failed_for, reason=fact.reason)


def _screened(event: ParticipantScreened, fact: Fact, rows: Rows) -> None:
    rows.put(
        DISPOSITION,
        {
            "participant": event.participant,
            "site": event.site,
            "status": "screening",
            "screened_on": event.date,
        },
    )


def _consented(event: ConsentGiven, fact: Fact, rows: Rows) -> None:
    row = rows.get(DISPOSITION, (event.participant,))
    if row is not None and row["consented_on"] is None:
        _change(rows, DISPOSITION, event.participant, consented_on=fact.local[:10])


def _refused(event: ConsentRefused, fact: Fact, rows: Rows) -> None:
    row = rows.get(DISPOSITION, (event.participant,))
    if row is not None and row["status"] == "screening":
        _change(rows, DISPOSITION, event.participant, status="consent_refused")


def _failed(event: ScreeningFailed, fact: Fact, rows: Rows) -> None:
    _change(rows, DISPOSITION, event.participant, status="screen_failure", ended_on=event.date)


def _randomised(event: ParticipantRandomised, fact: Fact, rows: Rows) -> None:
    _change(rows, DISPOSITION, event.participant, status="randomised", randomised_on=event.date)


def _ended(event: ParticipationEnded, fact: Fact, rows: Rows) -> None:
    _change(rows, DISPOSITION, event.participant, status=event.how, ended_on=event.date, ended_how=event.how)


def _count_screened(event: ParticipantScreened, fact: Fact, rows: Rows) -> None:
    rows.put(MILESTONE, {"participant": event.participant, "milestone": "screened", "site": event.site})
    if rows.get(SITE_ENROLMENT, (event.site,)) is None:
        empty: dict[str, Cell] = dict.fromkeys(("screened", "consented", "failed", "randomised", "ended"), 0)
        rows.put(SITE_ENROLMENT, {"site": event.site, **empty})
    _one_more(rows, event.site, "screened")


def _count_consented(event: ConsentGiven, fact: Fact, rows: Rows) -> None:
    _count(rows, event.participant, "consented")


def _count_failed(event: ScreeningFailed, fact: Fact, rows: Rows) -> None:
    _count(rows, event.participant, "failed")


def _count_randomised(event: ParticipantRandomised, fact: Fact, rows: Rows) -> None:
    _count(rows, event.participant, "randomised")


def _count_ended(event: ParticipationEnded, fact: Fact, rows: Rows) -> None:
    _count(rows, event.participant, "ended")


def _count(rows: Rows, participant: str, milestone: str) -> None:
    """One more at the participant's site; consenting again or correcting an end does not count twice."""
    screened = rows.get(MILESTONE, (participant, "screened"))
    if screened is None or rows.get(MILESTONE, (participant, milestone)) is not None:
        return
    site = str(screened["site"])
    rows.put(MILESTONE, {"participant": participant, "milestone": milestone, "site": site})
    _one_more(rows, site, milestone)


def _one_more(rows: Rows, site: str, column: str) -> None:
    row = rows.get(SITE_ENROLMENT, (site,))
    if row is not None:
        rows.put(SITE_ENROLMENT, {**row, column: int(row[column] or 0) + 1})


def _change(rows: Rows, table: Table, participant: str, **changes: Cell) -> None:
    row = rows.get(table, (participant,))
    if row is not None:
        rows.put(table, {**row, **changes})


VIEWS = (
    View(
        "screening",
        (SCREENING_LOG,),
        {
            ParticipantScreened: _log_screened,
            CriteriaAssessed: _log_assessed,
            EligibilitySignedOff: _log_signed_off,
            ScreeningFailed: _log_failed,
        },
    ),
    View(
        "disposition",
        (DISPOSITION,),
        {
            ParticipantScreened: _screened,
            ConsentGiven: _consented,
            ConsentRefused: _refused,
            ScreeningFailed: _failed,
            ParticipantRandomised: _randomised,
            ParticipationEnded: _ended,
        },
    ),
    View(
        "enrolment",
        (SITE_ENROLMENT, MILESTONE),
        {
            ParticipantScreened: _count_screened,
            ConsentGiven: _count_consented,
            ScreeningFailed: _count_failed,
            ParticipantRandomised: _count_randomised,
            ParticipationEnded: _count_ended,
        },
    ),
)

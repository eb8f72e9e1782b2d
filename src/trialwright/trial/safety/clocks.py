"""Which clocks run for an adverse event, from when, and until when. Pure.

Day 0 is the day of awareness; a clock of *n* days is due on the local date *n* days later (Regulation (EU) 536/2014,
Article 42, counts calendar days from the sponsor's awareness). A clock of 0 days means without undue delay and is
due 24 hours after awareness. A clock whose receiver is the sponsor counts from the site's awareness.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from trialwright.protocol.safety import Reference, ReportingClock, Safety
from trialwright.trial.safety.state import FATAL, SERIOUS, SPECIAL, AdverseEvent, Moment

_QUALITY = {
    "serious": SERIOUS,
    "susar": SERIOUS,
    "susar_fatal_or_life_threatening": FATAL,
    "special_interest": SPECIAL,
}
"""What must be known for a clock to run; a SUSAR needs more, see :func:`running`."""


def running(event: AdverseEvent, safety: Safety) -> Iterator[tuple[ReportingClock, str, str]]:
    """Clocks that run, each with the local date it started on and when it is due."""
    for clock in safety.clocks:
        moment = _start(event, clock)
        if moment is None or (is_expedited(clock) and not unexpected(event, safety.reference)):
            continue
        yield clock, moment.on, _due(moment, clock.days)


def is_expedited(clock: ReportingClock) -> bool:
    """Whether the clock is one for suspected unexpected serious reactions, whose cases are unblinded to report."""
    return clock.applies.startswith("susar")


def to_sponsor(clock: ReportingClock) -> bool:
    """Whether the sponsor is who must know."""
    return clock.to.casefold() == "sponsor"


def unexpected(event: AdverseEvent, reference: Reference) -> tuple[str, ...]:
    """Suspected agents for which the event is unexpected: as assessed, else as the reference says."""
    return tuple(
        agent for agent in event.suspected() if not event.expected.get(agent, listed(event, agent, reference))
    )


def listed(event: AdverseEvent, agent: str, reference: Reference) -> bool:
    """Whether the reference lists the event's term for this agent up to at least its grade."""
    names = {event.term.casefold(), event.coded.casefold()}
    return any(
        entry.agent == agent and entry.term.casefold() in names and event.grade <= entry.up_to_grade
        for entry in reference.terms
    )


def special_interest(term: str, safety: Safety) -> tuple[str, ...]:
    """Events of special interest that the term belongs to."""
    wanted = term.casefold()
    return tuple(kind.id for kind in safety.special_interest if wanted in {t.casefold() for t in kind.terms})


def is_late(due: str, at: datetime, on: str) -> bool:
    """Whether something done at this instant, on this local date, is after the due date or instant."""
    return on > due if len(due) == len("2025-01-01") else at > datetime.fromisoformat(due)


def _start(event: AdverseEvent, clock: ReportingClock) -> Moment | None:
    quality = _QUALITY[clock.applies]
    if quality not in event.qualities:
        return None
    return (event.noticed if to_sponsor(clock) else event.aware).get(quality)


def _due(moment: Moment, days: int) -> str:
    if days == 0:
        due = datetime.fromisoformat(moment.at) + timedelta(hours=24)
        return due.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return (date.fromisoformat(moment.on) + timedelta(days=days)).isoformat()

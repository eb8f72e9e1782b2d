"""Whether people can join, and since when: from the record where the trial is real, else as the study declares it."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.build import Build
from trialwright.foundation.tables import Row, Rows
from trialwright.protocol.study import PublicStatus
from trialwright.trial.closure.views import MILESTONE
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.setup.views import SITE

PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord:
    """What the open record says that the public may know.

    Attributes:
        mode: production, test or rehearsal.
        opened_on: the day the study opened, which in production needs a recorded ethics approval; None before.
        closed_on: the day it was closed; None while it goes on.
        closed_early: closed before its planned end.
        sites: site → whether it takes new participants now; sites that are not active yet are absent.
        activated: site → the day it was activated.
        screened: how many people were screened.
        randomised: how many were randomised.
        first_on: the day the first person was screened.
        changed_on: the latest day that any of this changed, as far as the record says.
    """

    mode: str
    opened_on: str | None = None
    closed_on: str | None = None
    closed_early: bool = False
    sites: dict[str, bool]
    activated: dict[str, str]
    screened: int = 0
    randomised: int = 0
    first_on: str | None = None
    changed_on: str | None = None

    @property
    def is_production(self) -> bool:
        """A real trial."""
        return self.mode == PRODUCTION

    @property
    def may_be_shown(self) -> bool:
        """A demonstration always (it says so); a real trial once it is opened, which needs the ethics approval."""
        return not self.is_production or self.opened_on is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The status line of the page.

    Attributes:
        code: as registers name it.
        on: ISO date of the last change, and where it comes from.
        from_record: the record says so; otherwise the study declares it.
        declared: what the study declares, where the record says otherwise; None where they agree.
    """

    code: PublicStatus
    on: str
    from_record: bool
    declared: PublicStatus | None = None


def on_record(rows: Rows) -> OnRecord | None:
    """Read the views of the open space; None where no study was created yet."""
    milestones = list(rows.where(MILESTONE))
    created = _last(milestones, "study_created")
    if created is None:
        return None
    opened, closed = _last(milestones, "study_opened"), _last(milestones, "study_closed")
    sites = list(rows.where(SITE))
    people = list(rows.where(DISPOSITION))
    screened = sorted(str(row["screened_on"]) for row in people if row["screened_on"])
    return OnRecord(
        mode=str(created["details"]).partition(",")[0],
        opened_on=_day(opened),
        closed_on=_day(closed),
        closed_early=closed is not None and closed["details"] == "early",
        sites={str(row["site"]): bool(row["recruiting"]) for row in sites},
        activated={str(row["site"]): str(row["activated_at"])[:10] for row in sites},
        screened=len(people),
        randomised=sum(row["randomised_on"] is not None for row in people),
        first_on=screened[0] if screened else None,
        changed_on=max(_days(milestones, sites, people), default=None),
    )


def status_of(build: Build, record: OnRecord | None, updated: str) -> Status:
    """The status to show.

    Args:
        build: declares one.
        record: of the running trial, or None.
        updated: the day of the public text, for a declared status.
    """
    declared = build.study.identity.public_status
    if record is None or not record.is_production:
        return Status(code=declared, on=updated, from_record=False)
    code = _from(build, record)
    differs = declared if declared is not code else None
    return Status(code=code, on=record.changed_on or updated, from_record=True, declared=differs)


def _from(build: Build, record: OnRecord) -> PublicStatus:
    if record.closed_on is not None:
        return PublicStatus.TERMINATED if record.closed_early else PublicStatus.COMPLETED
    if record.opened_on is None or not record.sites:
        return PublicStatus.PLANNED
    full = record.randomised >= build.study.identity.planned_participants
    if any(record.sites.values()) and not full:
        return PublicStatus.RECRUITING
    return PublicStatus.ACTIVE_NOT_RECRUITING


def _last(milestones: list[Row], what: str) -> Row | None:
    return next((row for row in reversed(milestones) if row["what"] == what), None)


def _day(row: Row | None) -> str | None:
    return None if row is None else str(row["local"])[:10]


def _days(milestones: list[Row], sites: list[Row], people: list[Row]) -> list[str]:
    told = [str(row["local"])[:10] for row in milestones if row["what"] in ("study_opened", "study_closed")]
    told += [str(row["activated_at"])[:10] for row in sites]
    return told + [str(row["randomised_on"])[:10] for row in people if row["randomised_on"]]

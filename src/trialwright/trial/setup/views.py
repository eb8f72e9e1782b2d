"""Sites with their builds, and who may do what."""

from __future__ import annotations

from trialwright.foundation.tables import Column, Rows, Table
from trialwright.trial.event import Fact
from trialwright.trial.setup.events import (
    AmendmentActivated,
    AppointmentEnded,
    DelegationRevoked,
    PersonAppointed,
    RecruitmentPaused,
    RecruitmentResumed,
    SiteActivated,
    TaskDelegated,
    TrainingRecorded,
)
from trialwright.trial.view import View

SITE = Table(
    "site",
    key=(Column("site"),),
    columns=(
        Column("build"),
        Column("consent_builds"),
        Column("recruiting", "integer"),
        Column("principal_investigator"),
        Column("activated_at"),
    ),
)
PERSON = Table(
    "person",
    key=(Column("person"), Column("role"), Column("site")),
    columns=(Column("organisation"), Column("since"), Column("until")),
)
TRAINING = Table("training", key=(Column("site"), Column("person"), Column("subject")), columns=(Column("date"),))


def _site_activated(event: SiteActivated, fact: Fact, rows: Rows) -> None:
    rows.put(
        SITE,
        {
            "site": event.site,
            "build": event.active_build,
            "consent_builds": event.active_build,
            "recruiting": 1,
            "principal_investigator": event.principal_investigator,
            "activated_at": fact.at,
        },
    )


def _amendment_activated(event: AmendmentActivated, fact: Fact, rows: Rows) -> None:
    row = rows.get(SITE, (event.site,)) or {}
    still = "" if event.reconsent else f"{row.get('consent_builds') or ''} "
    _change_site(rows, event.site, build=event.active_build, consent_builds=still + event.active_build)


def _paused(event: RecruitmentPaused, fact: Fact, rows: Rows) -> None:
    _change_site(rows, event.site, recruiting=0)


def _resumed(event: RecruitmentResumed, fact: Fact, rows: Rows) -> None:
    _change_site(rows, event.site, recruiting=1)


def _appointed(event: PersonAppointed, fact: Fact, rows: Rows) -> None:
    _person(rows, (event.person, event.role, ""), event.organisation, fact.local[:10])


def _principal_investigator(event: SiteActivated, fact: Fact, rows: Rows) -> None:
    key = (event.principal_investigator, "investigator", event.site)
    _person(rows, key, event.organisation, fact.local[:10])


def _appointment_ended(event: AppointmentEnded, fact: Fact, rows: Rows) -> None:
    _end(rows, event.person, event.role, "", fact.local[:10])


def _delegated(event: TaskDelegated, fact: Fact, rows: Rows) -> None:
    _person(rows, (event.person, event.role, event.site), event.organisation, event.since, event.until)


def _revoked(event: DelegationRevoked, fact: Fact, rows: Rows) -> None:
    _end(rows, event.person, event.role, event.site, event.until)


def _trained(event: TrainingRecorded, fact: Fact, rows: Rows) -> None:
    rows.put(TRAINING, {"site": event.site, "person": event.person, "subject": event.subject, "date": event.date})


def _change_site(rows: Rows, site: str, **changes: str | int) -> None:
    row = rows.get(SITE, (site,))
    if row is not None:
        rows.put(SITE, {**row, **changes})


def _person(rows: Rows, key: tuple[str, str, str], organisation: str, since: str, until: str | None = None) -> None:
    person, role, site = key
    rows.put(
        PERSON,
        {
            "person": person,
            "role": role,
            "site": site,
            "organisation": organisation,
            "since": since,
            "until": until,
        },
    )


def _end(rows: Rows, person: str, role: str, site: str, until: str) -> None:
    row = rows.get(PERSON, (person, role, site))
    if row is not None:
        rows.put(PERSON, {**row, "until": until})


VIEWS = (
    View(
        "sites",
        (SITE,),
        {
            SiteActivated: _site_activated,
            AmendmentActivated: _amendment_activated,
            RecruitmentPaused: _paused,
            RecruitmentResumed: _resumed,
        },
    ),
    View(
        "people",
        (PERSON, TRAINING),
        {
            PersonAppointed: _appointed,
            AppointmentEnded: _appointment_ended,
            SiteActivated: _principal_investigator,
            TaskDelegated: _delegated,
            DelegationRevoked: _revoked,
            TrainingRecorded: _trained,
        },
    ),
)

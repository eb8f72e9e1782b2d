"""Figures of a site: how soon data come, how long queries wait, what is signed, who was screened. From open views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from trialwright.foundation.dates import local_date
from trialwright.foundation.tables import Row
from trialwright.trial.capture.views import FORM, VISIT
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.enrolment.views import SITE_ENROLMENT
from trialwright.trial.queries.views import QUERY
from trialwright_web.shell.desk import Desk


@dataclass(frozen=True)
class Metrics:
    """One site. Medians are None where there is nothing to take one of."""

    site: str
    name: str
    planned: int
    screened: int
    randomised: int
    failed: int
    ended: int
    visits: int
    out_of_window: int
    entry_days: float | None
    """Median days from a visit to the first save of its forms."""
    open_queries: int
    query_days: float | None
    """Median age of the open queries."""
    to_sign: int
    signed: int
    deviations: int

    @property
    def signed_percent(self) -> int | None:
        """Of the forms that are complete and need a signature."""
        return round(100 * self.signed / self.to_sign) if self.to_sign else None

    @property
    def failed_percent(self) -> int | None:
        """Screening failures of those screened."""
        return round(100 * self.failed / self.screened) if self.screened else None

    @property
    def per_participant(self) -> float | None:
        """Deviations for each participant randomised."""
        return round(self.deviations / self.randomised, 1) if self.randomised else None


def metrics(desk: Desk) -> Iterator[Metrics]:
    """Every site of the study, or the desk's own."""
    for name in desk.build.study.sites:
        if desk.site in (None, name):
            yield _of_site(desk, name)


def _of_site(desk: Desk, site: str) -> Metrics:
    people = [str(row["participant"]) for row in desk.participants(site)]
    counts = desk.rows.get(SITE_ENROLMENT, (site,)) or {}
    visits = [row for person in people for row in desk.rows.where(VISIT, participant=person)]
    forms = [row for person in people for row in desk.rows.where(FORM, participant=person)]
    asked = [
        row for person in people for row in desk.rows.where(QUERY, participant=person) if row["status"] == "open"
    ]
    signable = [row for row in forms if _needs_signature(desk, site, row)]
    declared = desk.build.study.sites[site]
    return Metrics(
        site=site,
        name=declared.name,
        planned=declared.planned_participants,
        screened=int(counts.get("screened") or 0),
        randomised=int(counts.get("randomised") or 0),
        failed=int(counts.get("failed") or 0),
        ended=int(counts.get("ended") or 0),
        visits=sum(row["status"] == "held" for row in visits),
        out_of_window=sum(bool(row["days_out"]) for row in visits),
        entry_days=_median(_entry_lags(visits, forms, declared.timezone)),
        open_queries=len(asked),
        query_days=_median((desk.now - datetime.fromisoformat(str(row["opened_at"]))).days for row in asked),
        to_sign=len(signable),
        signed=sum(bool(row["signed"]) for row in signable),
        deviations=sum(1 for person in people for _ in desk.rows.where(DEVIATION, participant=person)),
    )


def _entry_lags(visits: list[Row], forms: list[Row], zone: str) -> Iterator[int]:
    """Days from each visit to the first save of each of its forms."""
    held = {(row["participant"], row["encounter"]): str(row["date"]) for row in visits if row["date"]}
    for form in forms:
        day = held.get((form["participant"], form["encounter"]))
        if day is not None and form["first_saved_at"]:
            saved = local_date(datetime.fromisoformat(str(form["first_saved_at"])), zone)
            yield max(0, (saved - date.fromisoformat(day)).days)


def _needs_signature(desk: Desk, site: str, row: Row) -> bool:
    compiled = desk.build_at(site).forms.get(str(row["form"]))
    signs = compiled is not None and compiled.form.signed_by is not None
    return signs and row["status"] == "saved" and bool(row["complete"])


def _median(values: Iterator[int]) -> float | None:
    found = list(values)
    return float(round(median(found), 1)) if found else None

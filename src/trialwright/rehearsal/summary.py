"""What a rehearsal says to people: who came, what went out of order, what the checks caught, what is left.

Read from the open views, so that it says what staff would have seen. Nothing in it depends on the arm: even how
many events the closed ledger holds would tell how often a product was frozen instead of given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from trialwright.foundation.tables import Row
from trialwright.rehearsal.rehearse import START, Rehearsed
from trialwright.trial.capture.views import ITEM, VISIT
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.enrolment.views import DISPOSITION, SCREENING_LOG
from trialwright.trial.event import Space
from trialwright.trial.queries.views import QUERY
from trialwright.trial.safety.views import ADVERSE_EVENT

_BAR = 40


def summary(rehearsed: Rehearsed) -> str:
    """The summary as Markdown."""
    return "\n".join(_lines(rehearsed)) + "\n"


def _lines(rehearsed: Rehearsed) -> Iterator[str]:
    trial = rehearsed.trial
    rows = trial.stores[Space.OPEN].rows
    build = next(iter(trial.builds.values()))
    study = build.study
    language = study.identity.languages[0]
    dispositions = list(rows.where(DISPOSITION))
    yield f"# {study.identity.acronym}: rehearsal"
    yield ""
    yield (
        f"{rehearsed.screened} virtual people were screened, {rehearsed.participants} randomised. "
        f"The study ran from {START.date()} to {rehearsed.ended.date()} of simulated time, "
        "through the commands that real staff will use, to lock, unblinding and close."
    )
    yield ""
    yield from _enrolment(dispositions, [(site.id, site.name) for site in study.sites.values()])
    yield from _screen_failures(rows.where(SCREENING_LOG))
    yield from _visits(rows.where(VISIT), {e.id: e.label[language] for e in study.schedule.encounters})
    yield from _data(rehearsed, rows.where(ITEM), rows.where(QUERY))
    yield from _safety(rows.where(ADVERSE_EVENT))
    yield from _deviations(rows.where(DEVIATION))
    yield "## Gates that stayed closed"
    yield ""
    yield from _table(
        ("act", "refusal", "times"),
        sorted((t.command, t.refusal, str(n)) for t, n in rehearsed.refused.items() if t.space is Space.OPEN),
    )
    yield "## The record"
    yield ""
    name = "the only one" if trial.one_space else "open"
    yield from _table(("ledger", "events", "root"), [(name, f"{rehearsed.events:,}", rehearsed.root)])


def _enrolment(dispositions: list[Row], sites: list[tuple[str, str]]) -> Iterator[str]:
    yield "## Enrolment"
    yield ""
    screened = Counter(str(row["site"]) for row in dispositions)
    randomised = Counter(str(row["site"]) for row in dispositions if row["randomised_on"])
    ended = Counter(str(row["ended_how"]) for row in dispositions if row["ended_how"])
    body = [(f"{code} {name}", str(screened[code]), str(randomised[code])) for code, name in sites]
    yield from _table(("site", "screened", "randomised"), body)
    yield "Randomised, by month of the study:"
    yield ""
    days = sorted(str(row["randomised_on"]) for row in dispositions if row["randomised_on"])
    months = Counter((date.fromisoformat(day) - START.date()).days // 30 for day in days)
    highest = max(months.values(), default=1)
    yield "```"
    for month in range(max(months, default=0) + 1):
        yield f"{month + 1:>4} {'█' * round(months[month] / highest * _BAR)} {months[month] or ''}".rstrip()
    yield "```"
    yield ""
    yield "How participation ended: " + (", ".join(f"{how} {n}" for how, n in sorted(ended.items())) or "–") + "."
    yield ""


def _screen_failures(log: Iterable[Row]) -> Iterator[str]:
    reasons: Counter[str] = Counter()
    for row in log:
        if row["failed_on"]:
            failed = str(row["failed_for"] or row["reason"] or "other")
            reasons.update(reason.strip() for reason in failed.split(","))
    yield "## Screen failures"
    yield ""
    yield from _table(("for", "people"), [(reason, str(n)) for reason, n in reasons.most_common()])


def _visits(visits: Iterable[Row], labels: dict[str, str]) -> Iterator[str]:
    held: Counter[str] = Counter()
    late: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for row in visits:
        name = str(row["encounter"])
        if row["status"] == "missed":
            missed[name] += 1
        else:
            held[name] += 1
            late[name] += bool(row["days_out"])
    yield "## Visits"
    yield ""
    body = [(label, str(held[name]), str(late[name]), str(missed[name])) for name, label in labels.items()]
    yield from _table(("visit", "held", "out of window", "missed"), body)


def _data(rehearsed: Rehearsed, items: Iterable[Row], queries: Iterable[Row]) -> Iterator[str]:
    values = Counter("missing" if row["missing"] else "value" for row in items)
    asked = list(queries)
    by_check = Counter(str(row["by_check"]) for row in asked if row["by_check"])
    told = rehearsed.told
    yield "## Data"
    yield ""
    yield (
        f"{values['value']:,} values and {values['missing']:,} missing reasons. "
        f"{told.get('typing errors', 0)} slips of the finger were typed, "
        f"{told.get('typing errors corrected', 0)} of them found by a check and corrected; "
        f"{len(asked)} queries in all, none left open."
    )
    yield ""
    yield "Checks that asked most:"
    yield ""
    yield from _table(("check", "queries"), [(check, str(n)) for check, n in by_check.most_common(10)])


def _safety(events: Iterable[Row]) -> Iterator[str]:
    found = list(events)
    terms = Counter(str(row["term"]) for row in found)
    serious = sum(bool(row["seriousness"]) for row in found)
    yield "## Adverse events"
    yield ""
    yield f"{len(found)} events, {serious} serious."
    yield ""
    yield from _table(("term", "events"), [(term, str(n)) for term, n in terms.most_common()])


def _deviations(deviations: Iterable[Row]) -> Iterator[str]:
    kinds = Counter(str(row["kind"]) for row in deviations)
    yield "## Deviations"
    yield ""
    yield from _table(("kind", "deviations"), [(kind, str(n)) for kind, n in kinds.most_common()])


def _table(head: tuple[str, ...], body: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not body:
        yield "None."
        yield ""
        return
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in body:
        yield "| " + " | ".join(row) + " |"
    yield ""

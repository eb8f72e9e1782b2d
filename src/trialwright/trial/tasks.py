"""Task lists and the matrix of participants × visits: worked out from the views when asked, for a date, never stored.

Whatever waits for somebody is a :class:`Task`: it names the command that does it, so that who may do it is what the
command's permission says. Nothing here depends on the arm: only views of the open space are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cached_property

from trialwright.build import Build, to_verify
from trialwright.foundation.tables import Cell, Row, Rows, Table
from trialwright.protocol.roles import Role
from trialwright.schedule import NOT_DONE, Expectation, NotDone, Status, expectations
from trialwright.trial.allocation.commands import RandomiseParticipant
from trialwright.trial.capture.commands import (
    RecordMissedVisit,
    RecordVisit,
    SaveForm,
    SignCaseBook,
    SignForm,
    VerifyItems,
)
from trialwright.trial.capture.views import CASE_BOOK, FORM, ITEM, VISIT
from trialwright.trial.closure.commands import ClassifyDeviation, RecordBreachNotification
from trialwright.trial.closure.views import BREACH, DEVIATION
from trialwright.trial.command import Command
from trialwright.trial.consent.commands import CountersignConsent, SignConsent
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.enrolment.commands import AssessCriteria, FailScreening, SignOffEligibility
from trialwright.trial.enrolment.views import DISPOSITION, SCREENING_LOG
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery
from trialwright.trial.queries.views import QUERY
from trialwright.trial.safety.clocks import is_expedited
from trialwright.trial.safety.commands import RecordSponsorAwareness, RecordSubmission
from trialwright.trial.safety.views import CLOCK
from trialwright.trial.setup.views import SITE

UNDER_WAY = ("screening", "randomised")
"""Dispositions of people who still come to visits."""

FEW = 20
"""Up to so many participants are looked up one by one; for more each table is read once."""


class Kind(Enum):
    """What waits."""

    ASK_CONSENT = "ask_consent"
    COUNTERSIGN_CONSENT = "countersign_consent"
    CONSENT_AGAIN = "consent_again"
    ASSESS_ELIGIBILITY = "assess_eligibility"
    SIGN_OFF_ELIGIBILITY = "sign_off_eligibility"
    RANDOMISE = "randomise"
    END_SCREENING = "end_screening"
    VISIT_DUE = "visit_due"
    VISIT_OVERDUE = "visit_overdue"
    VISIT_MISSED = "visit_missed"
    COMPLETE_FORM = "complete_form"
    SIGN_FORM = "sign_form"
    ANSWER_QUERY = "answer_query"
    SETTLE_QUERY = "settle_query"
    VERIFY_ITEMS = "verify_items"
    CLASSIFY_DEVIATION = "classify_deviation"
    MEET_CLOCK = "meet_clock"
    NOTIFY_BREACH = "notify_breach"
    SIGN_CASE_BOOK = "sign_case_book"


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that waits for somebody.

    Attributes:
        kind: what waits.
        command: the command that does it.
        roles: who may.
        site: where; None for the study as a whole.
        participant: about whom; None where it is not about one.
        about: what it is about: a visit, ``encounter.form.repeat``, a query, deviation, clock or breach.
        due: ISO date until which it should be done, None where nothing says so.
        late: the date asked for is after ``due``.
    """

    kind: Kind
    command: type[Command]
    roles: frozenset[Role]
    site: str | None
    participant: str | None
    about: str
    due: str | None = None
    late: bool = False


def tasks(
    rows: Rows,
    builds: Mapping[str, Build],
    on: date,
    *,
    site: str | None = None,
    role: Role | Collection[Role] | None = None,
    participant: str | None = None,
) -> tuple[Task, ...]:
    """What waits, the most urgent first.

    Args:
        rows: the views of the open space.
        builds: builds by id, every one that a visit was held under.
        on: the local date for which is asked.
        site: of one site only, without the study's own.
        role: what this role, or one of these, may do only.
        participant: about this one only.
    """
    found = list(() if site is not None or participant is not None else _of_study(rows, on))
    roles = _several(role)
    for desk in _desks(rows, builds, on, site, participant):
        found += desk.tasks(roles)
    return _wanted(found, roles)


def tasks_and_matrix(
    rows: Rows,
    builds: Mapping[str, Build],
    on: date,
    *,
    site: str | None = None,
    role: Role | Collection[Role] | None = None,
) -> tuple[tuple[Task, ...], tuple[MatrixRow, ...]]:
    """:func:`tasks` and :func:`matrix` by one reading; arguments as there."""
    found = list(() if site is not None else _of_study(rows, on))
    roles, lines = _several(role), []
    for desk in _desks(rows, builds, on, site):
        found += desk.tasks(roles)
        lines.append(desk.row())
    return _wanted(found, roles), tuple(lines)


def _several(role: Role | Collection[Role] | None) -> frozenset[Role] | None:
    return frozenset((role,) if isinstance(role, Role) else role) if role is not None else None


def _wanted(found: Iterable[Task], roles: frozenset[Role] | None) -> tuple[Task, ...]:
    return tuple(sorted((task for task in found if roles is None or roles & task.roles), key=_urgency))


def ready_to_lock(
    rows: Rows, builds: Mapping[str, Build], on: date, *, site: str | None = None
) -> dict[str, tuple[Task, ...]]:
    """Participant → what still waits; those with nothing are ready. In order of the codes.

    Arguments as for :func:`tasks`. Whoever is still under way is not ready, even with no task today, and is left out.
    """
    return {desk.participant: tuple(desk.tasks()) for desk in _desks(rows, builds, on, site) if desk.is_over}


class CellState(Enum):
    """How one visit of one participant stands, with the sign that stands for it in a matrix."""

    NOT_EXPECTED = " "
    NOT_YET_ANCHORED = "·"
    AHEAD = "○"
    DUE = "◎"
    OVERDUE = "!"
    MISSED = "–"
    STARTED = "◐"
    COMPLETE = "●"
    SIGNED = "✓"


@dataclass(frozen=True, kw_only=True)
class VisitCell:
    """One cell of the matrix.

    Attributes:
        encounter: the visit.
        state: how it stands.
        date: the local date it was held, else its target, else None.
        earliest, latest: local dates between which it is expected, both included; None where nothing says so.
        days_out: by how many days it was held outside its window; 0 inside it.
        open_queries: questions on its forms that wait for the site.
    """

    encounter: str
    state: CellState
    date: str | None
    earliest: str | None
    latest: str | None
    days_out: int
    open_queries: int


@dataclass(frozen=True, kw_only=True)
class MatrixRow:
    """One participant: site, disposition, and a cell for each visit in the order of the schedule; unplanned last."""

    participant: str
    site: str
    status: str
    cells: tuple[VisitCell, ...]


def matrix(
    rows: Rows, builds: Mapping[str, Build], on: date, *, site: str | None = None, participant: str | None = None
) -> tuple[MatrixRow, ...]:
    """Participants × visits on a date; arguments as for :func:`tasks`."""
    return tuple(desk.row() for desk in _desks(rows, builds, on, site, participant))


def _desks(
    rows: Rows, builds: Mapping[str, Build], on: date, site: str | None, participant: str | None = None
) -> Iterator[_Desk]:
    wanted = {"site": site, "participant": participant}
    where = {column: value for column, value in wanted.items() if value is not None}
    sites = {str(row["site"]): row for row in rows.where(SITE)}
    people = list(rows.where(DISPOSITION, **where))
    lookup = _Lookup(rows, at_once=len(people) > FEW)
    for person in people:
        yield _Desk(rows, lookup, builds, on, person, sites[str(person["site"])])


class _Lookup:
    """The rows of one participant after the other; where many are asked for, by one reading of the table.

    Items stay apart: there are too many of them to hold for a whole study.
    """

    def __init__(self, rows: Rows, *, at_once: bool) -> None:
        self._rows = rows
        self._at_once = at_once
        self._read: dict[str, dict[Cell, list[Row]]] = {}

    def of(self, table: Table, participant: str) -> list[Row]:
        """All rows of a participant, in order of their keys."""
        if not self._at_once or table is ITEM:
            return list(self._rows.where(table, participant=participant))
        if table.name not in self._read:
            by_participant = self._read[table.name] = {}
            for row in self._rows.where(table):
                by_participant.setdefault(row["participant"], []).append(row)
        return self._read[table.name].get(participant, [])


def _of_study(rows: Rows, on: date) -> Iterator[Task]:
    for breach in rows.where(BREACH):
        if breach["notified_on"] is None:
            yield _task(
                Kind.NOTIFY_BREACH,
                RecordBreachNotification,
                on,
                site=_text(breach["site"]),
                about=str(breach["breach"]),
                due=_text(breach["due"]),
            )


class _Desk:
    """What lies on the desk about one participant on one date."""

    def __init__(
        self, rows: Rows, lookup: _Lookup, builds: Mapping[str, Build], on: date, person: Row, site: Row
    ) -> None:
        self._rows = rows
        self._lookup = lookup
        self._builds = builds
        self._build = builds[str(site["build"])]
        self._on = on
        self._site_row = site
        self.participant = str(person["participant"])
        self.site = str(person["site"])
        self.status = str(person["status"])
        self._ended = _text(person["ended_on"])
        self._visits = {str(row["encounter"]): row for row in self._of(VISIT)}
        self._forms = {_key(row): row for row in self._of(FORM)}
        self._queries = self._of(QUERY)

    @property
    def is_over(self) -> bool:
        """Nothing more is expected of this person."""
        return self.status not in UNDER_WAY

    def tasks(self, roles: frozenset[Role] | None = None) -> list[Task]:
        """Everything that waits; for roles that verify nothing, without what waits to be verified."""
        found = [*self._clocks(), *self._visit_tasks(), *self._form_tasks(), *self._query_tasks()]
        verifies = roles is None or self.is_over or bool(roles & VerifyItems.PERMISSION.roles)
        found += [*(self._verifications() if verifies else ()), *self._deviations()]
        if not self.is_over:
            found += [*self._consent(), *self._eligibility()]
        if self.is_over and not found and self._forms and not self._of(CASE_BOOK):
            found.append(self._task(Kind.SIGN_CASE_BOOK, SignCaseBook, ""))
        return found

    def row(self) -> MatrixRow:
        """The participant's row of the matrix."""
        cells = tuple(self._cell(expected) for expected in self._expectations)
        return MatrixRow(participant=self.participant, site=self.site, status=self.status, cells=cells)

    # --- consent and eligibility ----------------------------------------------------------------------------

    def _consent(self) -> Iterator[Task]:
        log = self._of(CONSENT_LOG)
        if not log and self.status == "screening":
            yield self._task(Kind.ASK_CONSENT, SignConsent, "")
        if log and log[-1]["what"] == "signed":
            yield self._task(Kind.COUNTERSIGN_CONSENT, CountersignConsent, str(log[-1]["version"]))
        given = self._consent_in_force
        if given is not None and given["build"] not in str(self._site_row["consent_builds"]).split():
            yield self._task(Kind.CONSENT_AGAIN, SignConsent, str(given["version"]))

    @cached_property
    def _consent_in_force(self) -> Row | None:
        """The second signature on a consent that was not withdrawn since."""
        given: Row | None = None
        for row in self._of(CONSENT_LOG):
            if row["what"] == "countersigned":
                given = row
            elif row["what"] == "withdrawn" and "visits" in str(row["scopes"]).split():
                given = None
        return given

    def _eligibility(self) -> Iterator[Task]:
        if self.status != "screening":
            return
        log = self._rows.get(SCREENING_LOG, (self.participant,)) or {}
        if log.get("signed_off_on"):
            yield self._task(Kind.RANDOMISE, RandomiseParticipant, "")
        elif log.get("eligible") == "yes":
            yield self._task(Kind.SIGN_OFF_ELIGIBILITY, SignOffEligibility, "")
        elif log.get("eligible") == "no":
            yield self._task(Kind.END_SCREENING, FailScreening, str(log.get("not_met") or ""))
        elif self._visits:
            yield self._task(Kind.ASSESS_ELIGIBILITY, AssessCriteria, "")

    # --- visits ---------------------------------------------------------------------------------------------

    @cached_property
    def _expectations(self) -> tuple[Expectation, ...]:
        happened: dict[str, date | NotDone] = {
            name: date.fromisoformat(str(row["date"])) if row["status"] == "held" else NOT_DONE
            for name, row in self._visits.items()
        }
        ended = date.fromisoformat(self._ended) if self._ended else None
        return expectations(self._build.plan(), {}, happened, ended=ended, on=self._on)

    def _visit_tasks(self) -> Iterator[Task]:
        for expected in self._expectations:
            due = expected.latest.isoformat() if expected.latest else None
            if expected.status is Status.DUE:
                yield self._task(Kind.VISIT_DUE, RecordVisit, expected.encounter, due)
            elif expected.status is Status.OVERDUE:
                yield self._task(Kind.VISIT_OVERDUE, RecordVisit, expected.encounter, due)
            elif expected.encounter in self._first and self.status == "screening" and self._consent_in_force:
                # Nothing says when the first visit is due: it is from the consent on.
                yield self._task(Kind.VISIT_DUE, RecordVisit, expected.encounter)
            elif expected.status is Status.MISSED and expected.encounter not in self._visits:
                yield self._task(Kind.VISIT_MISSED, RecordMissedVisit, expected.encounter, due)

    @cached_property
    def _first(self) -> frozenset[str]:
        """Visits that are counted from no other and were not yet: with them a part of the plan begins."""
        planned = self._build.plan()
        return frozenset(one.id for one in planned if one.anchor == one.id and one.id not in self._visits)

    def _cell(self, expected: Expectation) -> VisitCell:
        day = expected.happened_on or expected.target
        return VisitCell(
            encounter=expected.encounter,
            state=self._state(expected),
            date=day.isoformat() if day else None,
            earliest=expected.earliest.isoformat() if expected.earliest else None,
            latest=expected.latest.isoformat() if expected.latest else None,
            days_out=expected.days_out,
            open_queries=self._asked.get(expected.encounter, 0),
        )

    def _state(self, expected: Expectation) -> CellState:
        if expected.happened_on is None:
            return _AHEAD[expected.status]
        forms = [*self._forms_of(expected.encounter)]
        if any(row is None or row["status"] == "voided" or not row["complete"] for _, row in forms):
            return CellState.STARTED
        if any(self._needs_signature(key, row) for key, row in forms):
            return CellState.COMPLETE
        return CellState.SIGNED

    # --- forms ----------------------------------------------------------------------------------------------

    def _forms_of(self, encounter: str) -> Iterator[tuple[_FormKey, Row | None]]:
        """Forms that belong to a visit held, planned or filled, with how they stand."""
        planned = self._planned(encounter)
        for key in dict.fromkeys((*planned, *self._filled.get(encounter, ()))):
            row = self._forms.get(key)
            if row is None or row["status"] != "voided" or key in planned:
                yield key, row

    @cached_property
    def _filled(self) -> dict[str, list[_FormKey]]:
        """Forms on record by visit."""
        found: dict[str, list[_FormKey]] = {}
        for key in self._forms:
            found.setdefault(key[0], []).append(key)
        return found

    @cached_property
    def _asked(self) -> dict[str, int]:
        """Open questions by visit."""
        return Counter(str(query["encounter"]) for query in self._queries if query["status"] == "open")

    def _planned(self, encounter: str) -> tuple[_FormKey, ...]:
        visit = self._visits.get(encounter)
        build = self._builds.get(str(visit["build"])) if visit is not None and visit["status"] == "held" else None
        planned = build.study.encounters.get(encounter) if build is not None else None
        still = self._build.study.encounters.get(encounter)
        if build is None or planned is None or still is None:
            return ()
        forms = (form for form in planned.forms if form in still.forms)
        return tuple((encounter, form, 1) for form in forms if build.forms[form].form.space == "open")

    def _form_tasks(self) -> Iterator[Task]:
        for encounter in dict.fromkeys((*self._visits, *(key[0] for key in self._forms))):
            for key, row in self._forms_of(encounter):
                yield from self._form(key, row)

    def _form(self, key: _FormKey, row: Row | None) -> Iterator[Task]:
        compiled = self._build.forms.get(key[1])
        if compiled is None:
            return  # an amendment took the form away
        if row is None or row["status"] == "voided" or not row["complete"]:
            yield self._task(Kind.COMPLETE_FORM, SaveForm, _name(key), only=compiled.form.filled_by)
        elif self._needs_signature(key, row) and not self._is_asked(key):
            signer = compiled.form.signed_by
            yield self._task(Kind.SIGN_FORM, SignForm, _name(key), only=(signer,) if signer else ())

    def _needs_signature(self, key: _FormKey, row: Row | None) -> bool:
        compiled = self._build.forms.get(key[1])
        saved = row is not None and row["status"] == "saved" and not row["signed"]
        return saved and compiled is not None and compiled.form.signed_by is not None

    def _is_asked(self, key: _FormKey) -> bool:
        return any(q["status"] == "open" and _key(q) == key for q in self._queries)

    def _verifications(self) -> Iterator[Task]:
        waiting: dict[_FormKey, list[str]] = {}
        for row in self._of(ITEM):
            if row["value"] is None or row["verified"]:
                continue
            if to_verify(self._build, self.participant, _key(row), str(row["item"])):
                waiting.setdefault(_key(row), []).append(str(row["item"]))
        for key in waiting:
            yield self._task(Kind.VERIFY_ITEMS, VerifyItems, _name(key))

    # --- questions, deviations, clocks ----------------------------------------------------------------------

    def _query_tasks(self) -> Iterator[Task]:
        for row in self._queries:
            if row["status"] == "open":
                yield self._task(Kind.ANSWER_QUERY, AnswerQuery, str(row["query"]))
            elif row["status"] == "answered":
                yield self._task(Kind.SETTLE_QUERY, CloseQuery, str(row["query"]))

    def _deviations(self) -> Iterator[Task]:
        for row in self._of(DEVIATION):
            if row["classified_at"] is None:
                yield self._task(Kind.CLASSIFY_DEVIATION, ClassifyDeviation, str(row["deviation"]))

    def _clocks(self) -> Iterator[Task]:
        # Clocks of suspected reactions are met by those who hold the closed space; here nobody can see whether.
        expedited = {
            clock.id for build in self._builds.values() for clock in build.study.safety.clocks if is_expedited(clock)
        }
        for row in self._of(CLOCK):
            if row["met_on"] is None and row["clock"] not in expedited:
                command = RecordSponsorAwareness if str(row["receiver"]).casefold() == "sponsor" else RecordSubmission
                about = f"{row['adverse_event']}.{row['clock']}"
                yield self._task(Kind.MEET_CLOCK, command, about, _text(row["due"]))

    def _of(self, table: Table) -> list[Row]:
        return self._lookup.of(table, self.participant)

    def _task(
        self,
        kind: Kind,
        command: type[Command],
        about: str,
        due: str | None = None,
        only: Iterable[Role] | None = None,
    ) -> Task:
        return _task(
            kind, command, self._on, site=self.site, participant=self.participant, about=about, due=due, only=only
        )


_FormKey = tuple[str, str, int]

_AHEAD = {
    Status.NOT_YET_ANCHORED: CellState.NOT_YET_ANCHORED,
    Status.EXPECTED: CellState.AHEAD,
    Status.DUE: CellState.DUE,
    Status.OVERDUE: CellState.OVERDUE,
    Status.MISSED: CellState.MISSED,
    Status.NOT_EXPECTED: CellState.NOT_EXPECTED,
}
"""States of visits that did not take place."""


def _task(
    kind: Kind,
    command: type[Command],
    on: date,
    *,
    site: str | None,
    about: str,
    participant: str | None = None,
    due: str | None = None,
    only: Iterable[Role] | None = None,
) -> Task:
    roles = command.PERMISSION.roles
    return Task(
        kind=kind,
        command=command,
        roles=roles if only is None else roles & frozenset(only),
        site=site,
        participant=participant,
        about=about,
        due=due,
        late=due is not None and on.isoformat() > due[:10],
    )


def _urgency(task: Task) -> tuple[str, str, str, str]:
    return (task.due or "9999-12-31", task.participant or "", task.kind.value, task.about)


def _key(row: Row) -> _FormKey:
    return str(row["encounter"]), str(row["form"]), int(row["repeat"] or 1)


def _name(key: _FormKey) -> str:
    encounter, form, repeat = key
    return f"{encounter}.{form}.{repeat}"


def _text(cell: Cell) -> str | None:
    return None if cell is None else str(cell)

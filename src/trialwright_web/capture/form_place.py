"""The form somebody has before them: of which participant, at which visit, under which build, and who may do what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar, cast
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext

from trialwright.build import Build, CompiledForm
from trialwright.foundation.tables import Row
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.capture import commands as capture_commands
from trialwright.trial.capture.commands import ImportItems, has_place
from trialwright.trial.capture.state import LOG, CaseBook, ClosedCaseBook, FormKey, FormRecord
from trialwright.trial.capture.views import CLOSED_FORM, FORM, VISIT
from trialwright.trial.command import Command
from trialwright.trial.event import Space
from trialwright.trial.queries import commands as queries_commands
from trialwright.trial.queries.state import ClosedQueries, Queries, Query
from trialwright.trial.setup.state import StudySetup
from trialwright_web.capture.form_entry import shown_text
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.record_words import STATUS
from trialwright_web.shell.templatetags.shell import in_language

FILLS_ONLY = frozenset({Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.PHARMACIST})
"""Roles that read the forms they fill and no others: their work is the product, not the case book."""

C = TypeVar("C", bound=Command)

IN_THE_CLOSED = {**capture_commands.IN_THE_CLOSED, **queries_commands.IN_THE_CLOSED}


@dataclass(frozen=True)
class Mark:
    """A symbol (of ``shell.icons``) and what it says."""

    symbol: str
    text: str


@dataclass(frozen=True)
class VisitPlace:
    """One visit of one participant, or the running log.

    Args:
        desk: who looks.
        participant: code.
        site: the participant's.
        encounter: of the schedule, ``unscheduled_<n>``, or ``log``.
        build: in force at the participant's site.
        book: the case book, with the closed forms where the desk holds them.
    """

    desk: Desk
    participant: str
    site: str
    encounter: str
    build: Build
    book: CaseBook

    @property
    def is_log(self) -> bool:
        return self.encounter == LOG

    @property
    def date(self) -> str | None:
        """The visit's local date, ISO; None where it has none (yet)."""
        return self.book.held.get(self.encounter)

    @property
    def date_text(self) -> str:
        """The visit's date as people read it."""
        return shown_text("date", self.date or "")

    @property
    def takes_entries(self) -> bool:
        """Whether something can be saved here: the visit took place, or it is the log."""
        return self.is_log or self.date is not None

    @property
    def label(self) -> str:
        """The visit's name in the reader's language."""
        planned = self.build.study.encounters.get(self.encounter)
        if planned is not None:
            return in_language(planned.label)
        if self.is_log:
            return gettext("Log")
        return gettext("Unscheduled visit %(number)s") % {"number": self.encounter.rpartition("_")[2]}

    @cached_property
    def row(self) -> Row | None:
        """The visit as the view has it."""
        return self.desk.rows.get(VISIT, (self.participant, self.encounter))

    @property
    def is_frozen(self) -> bool:
        """Data entry has ended."""
        return self.desk.state.of(StudySetup).frozen

    def local(self, at: str) -> str:
        """An instant of the record in the site's time, to the minute."""
        zone = self.desk.zone(self.site)
        return datetime.fromisoformat(at).astimezone(zone).strftime("%d.%m.%Y %H:%M")

    def address(self, name: str = "capture:visit") -> str:
        """Where a page of the visit is."""
        return reverse(name, args=(self.desk.study, self.participant, self.encounter))

    def forms(self) -> Iterator[FormPlace]:
        """The forms of the visit that the desk may read, in their order, each repeat; the next one of a log last."""
        planned = self.planned
        keys: dict[tuple[str, int], None] = {}
        for form in planned:
            repeats = sorted(r for e, f, r in self.book.forms if (e, f) == (self.encounter, form))
            keys |= dict.fromkeys((form, r) for r in repeats or (1,))
        keys |= dict.fromkeys((f, r) for e, f, r in sorted(self.book.forms) if e == self.encounter)
        for form, repeat in keys:
            found = self.form(form, repeat)
            if found is not None:
                yield found

    @property
    def planned(self) -> tuple[str, ...]:
        """Forms that the schedule has here."""
        schedule = self.build.study.schedule
        if self.is_log:
            return schedule.log_forms
        planned = self.build.study.encounters.get(self.encounter)
        # At an unscheduled visit forms are chosen from those that may be filled there.
        return planned.forms if planned is not None else ()

    def form(self, form: str, repeat: int = 1) -> FormPlace | None:
        """One form here, or None where there is none or the desk may not read it."""
        compiled = self.build.forms.get(form)
        if compiled is None or not 1 <= repeat <= 999:
            return None
        stands = (self.encounter, form, repeat) in self.book.forms
        if not stands and not (has_place(self.encounter, form, self.build) and _may_follow(self, compiled, repeat)):
            return None
        place = FormPlace(visit=self, compiled=compiled, repeat=repeat)
        return place if place.may_read else None


def _may_follow(visit: VisitPlace, compiled: CompiledForm, repeat: int) -> bool:
    """Repeats are numbered without gaps."""
    return repeat == 1 or (
        compiled.form.repeats and (visit.encounter, compiled.form.id, repeat - 1) in visit.book.forms
    )


@dataclass(frozen=True)
class FormPlace:
    """One form at a visit; see the module."""

    visit: VisitPlace
    compiled: CompiledForm
    repeat: int

    @property
    def desk(self) -> Desk:
        return self.visit.desk

    @property
    def build(self) -> Build:
        return self.visit.build

    @property
    def participant(self) -> str:
        return self.visit.participant

    @property
    def id(self) -> str:
        """The form's id."""
        return self.compiled.form.id

    @property
    def key(self) -> FormKey:
        return (self.visit.encounter, self.id, self.repeat)

    @property
    def title(self) -> str:
        """In the reader's language, numbered from the second on."""
        title = in_language(self.compiled.form.title)
        return title if self.repeat == 1 and not self.compiled.form.repeats else f"{title} {self.repeat}"

    @property
    def draft(self) -> str:
        """Under which name drafts of this form are kept."""
        return "/".join((self.desk.study, self.participant, *map(str, self.key)))

    @cached_property
    def record(self) -> FormRecord:
        """As it stands."""
        return self.visit.book.peek(self.key)

    @cached_property
    def row(self) -> Row | None:
        """As the view has it: who saved and signed."""
        if self.is_closed:
            return self.desk.closed_rows.get(CLOSED_FORM, (self.participant, *self.key))
        return self.desk.rows.get(FORM, (self.participant, *self.key))

    @property
    def is_closed(self) -> bool:
        """Only the closed space holds it."""
        return self.compiled.form.space == "closed"

    def act(self, kind: type[C]) -> type[C]:
        """The command for this form: of the closed space, where the form is one."""
        return cast("type[C]", IN_THE_CLOSED[kind]) if self.is_closed else kind

    @property
    def space(self) -> Space:
        return Space.CLOSED if self.is_closed and not self.desk.trial.one_space else Space.OPEN

    @property
    def may_read(self) -> bool:
        """Whether the desk sees the form at all."""
        if self.is_closed and not (self.desk.is_unblinded and Space.CLOSED in self.desk.trial.stores):
            return False
        return self.desk.role not in FILLS_ONLY or self.desk.role in self.compiled.form.filled_by

    @property
    def may_fill(self) -> bool:
        """Whether the desk's role fills it; the door decides."""
        return self.desk.role in self.compiled.form.filled_by and not self.visit.is_frozen

    @property
    def may_import(self) -> bool:
        """Whether the desk's role adds what a central reader measured, from a file."""
        read_centrally = Role.CENTRAL_READER in self.compiled.form.filled_by and not self.is_closed
        return read_centrally and self.desk.may(ImportItems) and not self.visit.is_frozen

    @property
    def knows_identity(self) -> bool:
        """Whether the desk's role may read what identifies the participant; as in the audit trail."""
        return self.desk.role in SITE_ROLES

    @property
    def may_sign(self) -> bool:
        """Whether it waits for a signature of the desk's role."""
        return self.compiled.form.signed_by is self.desk.role and self.record.status == "saved"

    @property
    def is_asked_about(self) -> bool:
        """Whether a query on it is open."""
        return any(query.status == "open" for query in self._queries.values())

    @property
    def waits_for_signature(self) -> bool:
        """Complete, unsigned, and the desk's to sign; an open query still stands in the way."""
        return self.may_sign and self.record.complete and not self.record.signed

    @property
    def is_ready_to_sign(self) -> bool:
        """Whether signing would be taken now; what the door asks for."""
        return self.waits_for_signature and not self.is_asked_about

    def following(self) -> FormPlace | None:
        """The next form of the visit, in their order, that waits for the desk; None after the last."""
        later = itertools.dropwhile(lambda place: place.key != self.key, self.visit.forms())
        return next((place for place in itertools.islice(later, 1, None) if place.waits), None)

    @property
    def mark(self) -> Mark:
        """How the form stands, as symbol and words."""
        record = self.record
        if record.status in ("not_done", "intentionally_blank"):
            return Mark("leave", str(STATUS[record.status]))
        if record.status in ("empty", "voided"):
            return Mark("ring", str(STATUS[record.status]))
        if self.is_asked_about:
            return Mark("query", gettext("open query"))
        if not record.complete:
            return Mark("half", gettext("not complete"))
        return Mark("check", gettext("signed")) if record.signed else Mark("dot", gettext("complete"))

    @property
    def _queries(self) -> dict[str, Query]:
        kind = ClosedQueries if self.is_closed else Queries
        return self.desk.state.of(kind, self.participant).of_form(*self.key)

    @property
    def waits(self) -> bool:
        """Whether the desk has something to fill here."""
        return self.may_fill and not (self.record.complete and self.record.status != "voided")

    def address(self, name: str = "capture:form", **query: str) -> str:
        """Where a page of the form is."""
        path = reverse(name, args=(self.desk.study, self.participant, *self.key))
        given = {key: value for key, value in query.items() if value}
        return f"{path}?{urlencode(given)}" if given else path


def find_visit(desk: Desk, participant: str, encounter: str) -> VisitPlace:
    """The visit that an address names.

    Raises:
        Http404: no such participant or visit, or one that the desk may not see; they look alike.
    """
    site = desk.site_of(participant)
    build = desk.build_at(site)
    state = desk.state
    book = state.of(CaseBook, participant)
    if desk.is_unblinded and Space.CLOSED in desk.trial.stores:
        book = state.of(ClosedCaseBook, participant).beside(book)
    known = encounter == LOG or encounter in build.study.encounters or encounter in book.held
    if not known:
        raise Http404
    return VisitPlace(desk, participant, site, encounter, build, book)


def find_form(desk: Desk, participant: str, encounter: str, form: str, repeat: int) -> FormPlace:
    """The form that an address names.

    Raises:
        Http404: as :func:`find_visit`, or no such form there.
    """
    place = find_visit(desk, participant, encounter).form(form, repeat)
    if place is None:
        raise Http404
    return place

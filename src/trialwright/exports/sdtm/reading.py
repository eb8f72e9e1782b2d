"""What the record holds, read once: participants, visits, item values, allocation and what was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from trialwright.build import Build, CompiledItem
from trialwright.exports.identifying import identifies
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.tables import Row, Rows, Table
from trialwright.protocol import Study
from trialwright.protocol.forms import Form, Item
from trialwright.protocol.mapping import Target, target_of
from trialwright.protocol.schedule import Encounter
from trialwright.trial.capture.views import CLOSED_ITEM, ITEM, VISIT
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.setup.views import SITE

LOG = "log"
"""The encounter of forms that belong to none."""


@dataclass(frozen=True)
class Collected:
    """One item value as it stands.

    Attributes:
        row: number of the row in a repeating group, as text; empty elsewhere.
        target: where the study sends it; None for nowhere.
        value, unit, outcome, missing: as recorded; at most one of value, outcome and missing.
        derived: computed by the build, not entered.
    """

    participant: str
    encounter: str
    form: Form
    repeat: int
    item: Item
    row: str
    compiled: CompiledItem
    target: Target | None
    value: str | None
    unit: str | None
    outcome: str | None
    missing: str | None
    derived: bool

    @property
    def instance(self) -> tuple[str, str, str, int]:
        """The filled form that it stands on."""
        return self.participant, self.encounter, self.form.id, self.repeat

    @property
    def is_empty(self) -> bool:
        """Nothing was entered, not even why."""
        return self.value is None and self.outcome is None and self.missing is None


@dataclass(frozen=True)
class Visit:
    """One encounter of a participant.

    Attributes:
        date: ISO 8601 date; None for a missed one.
        planned: as declared; None for an unscheduled one.
    """

    participant: str
    encounter: str
    date: str | None
    held: bool
    planned: Encounter | None


class Reading:
    """A study's record, as SDTM needs it.

    Args:
        open_rows: rows of the open space.
        builds: builds by id, in the order of their approval.
        closed_rows: rows of the closed space, only when its contents may be shown.
        language: of labels and texts.

    Attributes:
        build: the last approved.
        undeclared: form and item of values that no build declares; complete once ``collected`` was read.
    """

    def __init__(
        self, open_rows: Rows, builds: Mapping[str, Build], closed_rows: Rows | None, language: str = "en"
    ) -> None:
        if not builds:
            raise InvalidValue(
                "the record holds no approved build", remedy="give the store of a study that was opened"
            )
        self.open = open_rows
        self.closed = closed_rows
        self.builds = builds
        self.language = language
        self.build = list(builds.values())[-1]
        self.undeclared: list[str] = []

    @property
    def study(self) -> Study:
        """The study as last approved."""
        return self.build.study

    @cached_property
    def study_id(self) -> str:
        """STUDYID."""
        return self.study.identity.id.upper()

    def usubjid(self, participant: str) -> str:
        """USUBJID of a participant."""
        return f"{self.study_id}-{participant}"

    def text(self, words: Mapping[str, str]) -> str:
        """A text in the language, or in the study's first."""
        return words.get(self.language) or next(iter(words.values()))

    @cached_property
    def participants(self) -> Mapping[str, Row]:
        """Participant → where they stand (the disposition view), in order."""
        return {str(row["participant"]): row for row in self.open.where(DISPOSITION)}

    @cached_property
    def visits(self) -> Mapping[tuple[str, str], Visit]:
        """(participant, encounter) → visit."""
        found: dict[tuple[str, str], Visit] = {}
        for row in self.open.where(VISIT):
            participant, encounter = str(row["participant"]), str(row["encounter"])
            found[participant, encounter] = Visit(
                participant,
                encounter,
                str(row["date"]) if row["date"] else None,
                row["status"] == "held",
                None if row["unscheduled"] else self.encounters.get(encounter),
            )
        return found

    def visits_of(self, participant: str) -> tuple[Visit, ...]:
        """All visits of a participant."""
        return self._visits_by_participant.get(participant, ())

    @cached_property
    def _visits_by_participant(self) -> Mapping[str, tuple[Visit, ...]]:
        found: dict[str, list[Visit]] = {}
        for visit in self.visits.values():
            found.setdefault(visit.participant, []).append(visit)
        return {participant: tuple(visits) for participant, visits in found.items()}

    def collected_at(self, participant: str, encounter: str) -> tuple[Collected, ...]:
        """All values of a participant at an encounter."""
        return self._collected_by_visit.get((participant, encounter), ())

    @cached_property
    def _collected_by_visit(self) -> Mapping[tuple[str, str], tuple[Collected, ...]]:
        found: dict[tuple[str, str], list[Collected]] = {}
        for value in self.collected:
            found.setdefault((value.participant, value.encounter), []).append(value)
        return {visit: tuple(values) for visit, values in found.items()}

    @cached_property
    def encounters(self) -> Mapping[str, Encounter]:
        """Encounter by id: of the last build, and what only earlier ones had."""
        found = {encounter.id: encounter for encounter in self.study.schedule.encounters}
        for build in self.builds.values():
            for encounter in build.study.schedule.encounters:
                found.setdefault(encounter.id, encounter)
        return found

    def date_of(self, value: Collected) -> str | None:
        """Date of the visit at which a value was collected; None in the log."""
        visit = self.visits.get((value.participant, value.encounter))
        return visit.date if visit else None

    def rows(self, table: Table) -> Iterator[Row]:
        """Rows of a table of the open space."""
        return self.open.where(table)

    def closed_of(self, table: Table) -> Iterator[Row]:
        """Rows of a table of the closed space; none where it is not shown."""
        return self.closed.where(table) if self.closed is not None else iter(())

    @cached_property
    def collected(self) -> tuple[Collected, ...]:
        """Every item value but what identifies, by participant, and within a form in the order of its items."""
        builds = {str(site["site"]): self.builds.get(str(site["build"]), self.build) for site in self.rows(SITE)}
        places: dict[str, dict[tuple[str, str], int]] = {}
        found: list[Collected] = []
        for row in (*self.rows(ITEM), *self.closed_of(CLOSED_ITEM)):
            if identifies(self.builds, str(row["form"]), str(row["item"])):
                continue
            site = str(self.participants[str(row["participant"])]["site"])
            value = _collected(row, builds.get(site, self.build), self.build)
            if value is None:
                self.undeclared.append(f"{row['form']}.{row['item']}")
            else:
                found.append(value)
        for build in self.builds.values():
            for form in build.study.forms.values():
                places.setdefault(form.id, {(form.id, item.id): n for n, item in enumerate(form.items())})
        order = {encounter: place for place, encounter in enumerate(self.encounters)}
        return tuple(
            sorted(
                found,
                key=lambda value: (
                    value.participant,
                    order.get(value.encounter, len(order)),
                    value.encounter,
                    value.form.id,
                    value.repeat,
                    value.row,
                    places[value.form.id].get((value.form.id, value.item.id), 0),
                ),
            )
        )


def _collected(row: Row, *builds: Build) -> Collected | None:
    """The value with its declaration; from the last build where the site's build no longer has the item."""
    item_id, _, number = str(row["item"]).partition(".")
    for build in builds:
        compiled_form = build.forms.get(str(row["form"]))
        compiled = compiled_form.items.get(item_id) if compiled_form else None
        if compiled_form is None or compiled is None:
            continue
        return Collected(
            participant=str(row["participant"]),
            encounter=str(row["encounter"]),
            form=compiled_form.form,
            repeat=int(row["repeat"] or 1),
            item=compiled.item,
            row=number,
            compiled=compiled,
            target=target_of(compiled_form.form, compiled.item),
            value=_text(row, "value"),
            unit=_text(row, "unit"),
            outcome=_text(row, "outcome"),
            missing=_text(row, "missing"),
            derived=bool(row["derived"]),
        )
    return None


def _text(row: Row, column: str) -> str | None:
    cell = row[column]
    return None if cell is None else str(cell)

"""A study with more forms: one item of every type, a table, a closed form, a diary; and hands to fill them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright.trial.capture.commands import (
    MarkFormNotDone,
    RecordVisit,
    SaveForm,
    SignCaseBook,
    SignForm,
    VerifyItems,
    VoidForm,
)
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.shown import shown_case_book, shown_form
from trialwright.trial.capture.state import CaseBook, FormRecord
from trialwright.trial.command import Actor
from trialwright.trial.dispatch import Receipt
from trialwright.trial.event import Space
from trialwright.trial.queries.state import Queries

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def capture_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The small study with the forms of the folder ``forms``."""
    folder = tmp_path_factory.mktemp("capture") / "study"
    shutil.copytree(HERE.parent / "study", folder)
    for form in (HERE / "forms").glob("*.yaml"):
        shutil.copy(form, folder / "forms")
    schedule = folder / "schedule.yaml"
    text = schedule.read_text()
    text = text.replace("forms: [screening]", "forms: [screening, sheet]")
    text = text.replace("forms: [walk]", "forms: [walk, sheet, doses, preparation, diary]")
    text = text.replace("log_forms: [medication]", "log_forms: [medication]\nunscheduled_forms: [sheet, doses]")
    schedule.write_text(text)
    return compiled(load_study(folder).study)


Given = Mapping[str, str | Entered]
"""Item → what is typed; :class:`Entered` for everything but plain text."""


def typed(items: Given) -> dict[str, Entered]:
    """As commands take it."""
    return {name: value if isinstance(value, Entered) else Entered(text=value) for name, value in items.items()}


class Book:
    """One participant's case book at the screening visit, in the hands of the site."""

    def __init__(self, world: Any, participant: str, encounter: str = "screening") -> None:
        self.world = world
        self.participant = participant
        self.encounter = encounter

    def fill(self, form: str, items: Given, by: str | Actor = "nurse", *, repeat: int = 1, **how: Any) -> Receipt:
        """Save over what was read just now."""
        receipt: Receipt = self.world.give(self.save(form, items, repeat=repeat), by, **how)
        return receipt

    def save(
        self, form: str, items: Given, *, repeat: int = 1, kind: type[SaveForm] = SaveForm, **changes: Any
    ) -> SaveForm:
        """The command of :meth:`fill`, for refusals."""
        given = {
            "participant": self.participant,
            "encounter": self.encounter,
            "form": form,
            "repeat": repeat,
            "items": typed(items),
            "read_version": self.record(form, repeat).saves,
        }
        return kind(**{**given, **changes})

    def mark(self, form: str, how: str = "not_done") -> MarkFormNotDone:
        return MarkFormNotDone(participant=self.participant, encounter=self.encounter, form=form, how=how)

    def void(self, form: str, repeat: int = 1) -> VoidForm:
        return VoidForm(participant=self.participant, encounter=self.encounter, form=form, repeat=repeat)

    def verify(self, form: str, *items: str) -> VerifyItems:
        return VerifyItems(participant=self.participant, encounter=self.encounter, form=form, items=items)

    def sign(self, form: str, by: str = "investigator", shown: str | None = None) -> Receipt:
        command = SignForm(participant=self.participant, encounter=self.encounter, form=form)
        receipt: Receipt = self.world.give(command, by, shown=shown or self.shown(form))
        return receipt

    def shown(self, form: str) -> str:
        """The hash of the form as it stands."""
        return shown_form(self.participant, (self.encounter, form, 1), self.record(form))

    def sign_all(self) -> Receipt:
        command = SignCaseBook(participant=self.participant)
        receipt: Receipt = self.world.give(command, "investigator", shown=self.shown_all())
        return receipt

    def shown_all(self) -> str:
        return shown_case_book(self.participant, self.state)

    @property
    def state(self) -> CaseBook:
        found: CaseBook = self.world.trial.state().of(CaseBook, self.participant)
        return found

    @property
    def queries(self) -> Queries:
        found: Queries = self.world.trial.state().of(Queries, self.participant)
        return found

    def asked(self, *statuses: str) -> list[str]:
        """Names of queries in these states (open by default), without encounter and form."""
        wanted = statuses or ("open",)
        return sorted(n.split(".", 3)[3] for n, q in self.queries.queries.items() if q.status in wanted)

    def name(self, form: str, check: str) -> str:
        return f"{self.encounter}.{form}.1.{check}"

    def record(self, form: str, repeat: int = 1) -> FormRecord:
        return self.state.peek((self.encounter, form, repeat))

    def values(self, form: str) -> dict[str, str]:
        """What stands in the form, missing reasons and outcomes with a sign before them."""
        return {
            name: value.text or (f"?{value.missing.value}" if value.missing else f"!{value.outcome}")
            for name, value in self.record(form).values.items()
        }

    def rows(self, table: Any, **equals: Any) -> list[Any]:
        rows = self.world.trial.stores[Space.OPEN].rows
        return list(rows.where(table, participant=self.participant, **equals))


@pytest.fixture
def books(trial_worlds: Callable[..., Any], capture_build: Build) -> Callable[..., Book]:
    """``books(examined=False)``: another world with one participant, consented, at the screening visit."""

    def make(*, consented: bool = True, at: str = "screening", **how: Any) -> Book:
        world = trial_worlds(capture_build, listed=False, **how)
        participant = world.consented() if consented else world.screened()
        world.give(RecordVisit(participant=participant, encounter=at, date=world.today), "nurse")
        return Book(world, participant, at)

    return make


@pytest.fixture
def book(books: Callable[..., Book]) -> Book:
    """A consented participant at the screening visit."""
    return books()

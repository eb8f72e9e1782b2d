"""Where a value was seen first: said with it, corrected like it, kept apart from what the item declares."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.protocol.roles import Role
from trialwright.trial.audit import audit_trail
from trialwright.trial.capture.commands import EntryNotReadable, NothingEntered, ReasonMissing, VoidForm
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.shown import shown_form
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.capture.views import ITEM
from trialwright.trial.event import Space

KEY = ("screening", "sheet", 1)


def record(book: Any) -> Any:
    return book.world.trial.state().of(CaseBook, book.participant).peek(KEY)


def source_in_view(book: Any, item: str) -> str | None:
    row = book.world.trial.stores[Space.OPEN].rows.get(ITEM, (book.participant, *KEY, item))
    return None if row is None else row["source"]


def test_a_source_is_kept_beside_its_value_until_the_value_is_entered_anew(book: Any) -> None:
    book.fill("sheet", {"note": Entered(text="from the chart", source="ehr")})
    assert record(book).sources == {"note": "ehr"}
    assert source_in_view(book, "note") == "ehr"
    book.fill("sheet", {"note": Entered(text="seen myself")}, reason="was seen at the visit")
    assert record(book).sources == {}
    assert source_in_view(book, "note") is None


def test_saying_that_a_value_came_from_elsewhere_is_a_correction(book: Any) -> None:
    book.fill("sheet", {"note": "the same words"})
    save = {"note": Entered(text="the same words", source="paper")}
    with pytest.raises(ReasonMissing):
        book.fill("sheet", save)
    book.fill("sheet", save, reason="it was on paper")
    assert record(book).sources == {"note": "paper"}
    with pytest.raises(NothingEntered):
        book.fill("sheet", save, reason="again")


def test_the_trail_shows_old_and_new_source(book: Any) -> None:
    book.fill("sheet", {"note": Entered(text="words", source="paper")})
    book.fill("sheet", {"note": Entered(text="words", source="device")}, reason="read from the device")
    rows = audit_trail(book.world.trial, role=Role.MONITOR, participant=book.participant)
    assert [(row.old, row.new) for row in rows if row.field == "note source"] == [
        (None, "paper"),
        ("paper", "device"),
    ]


def test_a_signature_covers_the_source(book: Any) -> None:
    book.fill("sheet", {"note": "words"})
    before = shown_form(book.participant, KEY, record(book))
    book.fill("sheet", {"note": Entered(text="words", source="paper")}, reason="it was on paper")
    assert shown_form(book.participant, KEY, record(book)) != before


def test_a_voided_form_has_no_sources(book: Any) -> None:
    book.fill("sheet", {"note": Entered(text="words", source="paper")})
    void = VoidForm(participant=book.participant, encounter="screening", form="sheet")
    book.world.give(void, "nurse", reason="wrong participant")
    assert record(book).sources == {}


@pytest.mark.parametrize("source", ["direct", "heaven", "derived", ""])
def test_a_source_that_is_none_or_the_declared_one_is_refused(book: Any, source: str) -> None:
    with pytest.raises(EntryNotReadable):
        book.fill("sheet", {"note": Entered(text="words", source=source)})

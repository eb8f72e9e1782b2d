"""Participants × visits, forms, and items as they stand."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Row, Rows, Table
from trialwright.trial.capture.events import (
    CaseBookSigned,
    ClosedFormMarkedNotDone,
    ClosedFormSaved,
    ClosedFormSigned,
    ClosedFormVoided,
    ClosedItemsVerified,
    EncounterHeld,
    EncounterMissed,
    Entered,
    FormMarkedNotDone,
    FormSaved,
    FormSigned,
    FormVoided,
    ItemsVerified,
)
from trialwright.trial.event import Fact, Space
from trialwright.trial.view import View

_PARTICIPANT, _ENCOUNTER = Column("participant"), Column("encounter")
_FORM_KEY = (_PARTICIPANT, _ENCOUNTER, Column("form"), Column("repeat", "integer"))
_FORM_COLUMNS = (
    Column("status"),
    Column("saves", "integer"),
    Column("complete", "integer"),
    Column("signed", "integer"),
    Column("signed_by"),
    Column("signed_at"),
    Column("first_saved_at"),
    Column("last_saved_at"),
    Column("last_saved_by"),
)
_ITEM_COLUMNS = (
    Column("value"),
    Column("unit"),
    Column("outcome"),
    Column("missing"),
    Column("derived", "integer"),
    Column("verified", "integer"),
    Column("changes", "integer"),
    Column("source"),
)

VISIT = Table(
    "visit",
    key=(_PARTICIPANT, _ENCOUNTER),
    columns=(
        Column("date"),
        Column("status"),
        Column("build"),
        Column("unscheduled", "integer"),
        Column("days_out", "integer"),
        Column("forms_saved", "integer"),
        Column("forms_complete", "integer"),
        Column("forms_signed", "integer"),
    ),
)
FORM = Table("form", key=_FORM_KEY, columns=_FORM_COLUMNS, indexes=(("participant",),))
ITEM = Table("item", key=(*_FORM_KEY, Column("item")), columns=_ITEM_COLUMNS, indexes=(("participant",),))
CASE_BOOK = Table("case_book", key=(_PARTICIPANT,), columns=(Column("signed_by"), Column("signed_at")))
CLOSED_FORM = Table("closed_form", key=_FORM_KEY, columns=_FORM_COLUMNS)
CLOSED_ITEM = Table("closed_item", key=(*_FORM_KEY, Column("item")), columns=_ITEM_COLUMNS)


def _held(event: EncounterHeld, fact: Fact, rows: Rows) -> None:
    row = rows.get(VISIT, (event.participant, event.encounter)) or _empty_visit(event.participant, event.encounter)
    rows.put(
        VISIT,
        {
            **row,
            "date": event.date,
            "status": "held",
            "build": row["build"] or fact.build,
            "unscheduled": int(event.unscheduled),
            "days_out": event.days_out,
        },
    )
    rows.delete(CASE_BOOK, (event.participant,))


def _missed(event: EncounterMissed, fact: Fact, rows: Rows) -> None:
    row = rows.get(VISIT, (event.participant, event.encounter)) or _empty_visit(event.participant, event.encounter)
    rows.put(VISIT, {**row, "status": "missed"})
    rows.delete(CASE_BOOK, (event.participant,))


def _saved(event: FormSaved, fact: Fact, rows: Rows) -> None:
    before, after = _save(event, fact, rows, FORM, ITEM)
    rows.delete(CASE_BOOK, (event.participant,))
    _count(rows, before, after)


def _closed_saved(event: ClosedFormSaved, fact: Fact, rows: Rows) -> None:
    _save(event, fact, rows, CLOSED_FORM, CLOSED_ITEM)


def _save(event: FormSaved, fact: Fact, rows: Rows, forms: Table, items: Table) -> tuple[Row | None, Row]:
    """Write form and items; answers the form's row before and after."""
    key = (event.participant, event.encounter, event.form, event.repeat)
    before = rows.get(forms, key)
    after = _form_row(key, before, fact, "saved", complete=event.complete)
    rows.put(forms, after)
    for values, derived in ((event.items, 0), (event.derived, 1)):
        for name, entered in values.items():
            # A form saved for the first time has no items that would have to be looked up.
            known = None if before is None else rows.get(items, (*key, name))
            _put_item(rows, items, (*key, name), known, entered, derived)
    return before, after


def _put_item(
    rows: Rows, table: Table, key: tuple[Cell, ...], before: Row | None, entered: Entered, derived: int
) -> None:
    participant, encounter, form, repeat, item = key
    rows.put(
        table,
        {
            "participant": participant,
            "encounter": encounter,
            "form": form,
            "repeat": repeat,
            "item": item,
            "value": entered.text,
            "unit": entered.unit,
            "outcome": entered.outcome,
            "missing": entered.missing,
            "derived": derived,
            "verified": 0,
            "changes": 0 if before is None else int(before["changes"] or 0) + 1,
            "source": entered.source,
        },
    )


def _form_row(key: tuple[str, str, str, int], before: Row | None, fact: Fact, status: str, *, complete: bool) -> Row:
    participant, encounter, form, repeat = key
    return {
        "participant": participant,
        "encounter": encounter,
        "form": form,
        "repeat": repeat,
        "status": status,
        "saves": int((before or {}).get("saves") or 0) + 1,
        "complete": int(complete),
        "signed": 0,
        # Who signed before stays to be seen: a signature breaks visibly when data change.
        "signed_by": (before or {}).get("signed_by"),
        "signed_at": (before or {}).get("signed_at"),
        "first_saved_at": (before or {}).get("first_saved_at") or fact.at,
        "last_saved_at": fact.at,
        "last_saved_by": fact.actor,
    }


def _not_done(event: FormMarkedNotDone, fact: Fact, rows: Rows) -> None:
    _emptied(event, fact, rows, event.how)


def _closed_not_done(event: ClosedFormMarkedNotDone, fact: Fact, rows: Rows) -> None:
    _clear(event, fact, rows, event.how, CLOSED_FORM, CLOSED_ITEM)


def _voided(event: FormVoided, fact: Fact, rows: Rows) -> None:
    _emptied(event, fact, rows, "voided")


def _closed_voided(event: ClosedFormVoided, fact: Fact, rows: Rows) -> None:
    _clear(event, fact, rows, "voided", CLOSED_FORM, CLOSED_ITEM)


def _emptied(event: FormMarkedNotDone | FormVoided, fact: Fact, rows: Rows, status: str) -> None:
    before, after = _clear(event, fact, rows, status, FORM, ITEM)
    rows.delete(CASE_BOOK, (event.participant,))
    _count(rows, before, after)


def _clear(
    event: FormMarkedNotDone | FormVoided, fact: Fact, rows: Rows, status: str, forms: Table, items: Table
) -> tuple[Row | None, Row]:
    """Empty the form; answers its row before and after."""
    participant, encounter, form, repeat = key = _key_of(event)
    before = rows.get(forms, key)
    after = _form_row(key, before, fact, status, complete=status != "voided")
    rows.put(forms, after)
    for row in list(rows.where(items, participant=participant, encounter=encounter, form=form, repeat=repeat)):
        rows.delete(items, (*key, row["item"]))
    return before, after


def _verified(event: ItemsVerified, fact: Fact, rows: Rows) -> None:
    _verify(event, rows, ITEM)


def _closed_verified(event: ClosedItemsVerified, fact: Fact, rows: Rows) -> None:
    _verify(event, rows, CLOSED_ITEM)


def _verify(event: ItemsVerified, rows: Rows, items: Table) -> None:
    for item in event.items:
        row = rows.get(items, (*_key_of(event), item))
        if row is not None:
            rows.put(items, {**row, "verified": 1})


def _signed(event: FormSigned, fact: Fact, rows: Rows) -> None:
    row = rows.get(FORM, _key_of(event))
    if row is not None:
        _count(rows, row, _sign(row, fact, rows, FORM))


def _closed_signed(event: ClosedFormSigned, fact: Fact, rows: Rows) -> None:
    row = rows.get(CLOSED_FORM, _key_of(event))
    if row is not None:
        _sign(row, fact, rows, CLOSED_FORM)


def _sign(row: Row, fact: Fact, rows: Rows, forms: Table) -> Row:
    signed: Row = {**row, "signed": 1, "signed_by": fact.actor, "signed_at": fact.at}
    rows.put(forms, signed)
    return signed


def _key_of(event: FormMarkedNotDone | FormVoided | ItemsVerified | FormSigned) -> tuple[str, str, str, int]:
    return event.participant, event.encounter, event.form, event.repeat


def _case_book_signed(event: CaseBookSigned, fact: Fact, rows: Rows) -> None:
    rows.put(CASE_BOOK, {"participant": event.participant, "signed_by": fact.actor, "signed_at": fact.at})


def _count(rows: Rows, before: Row | None, after: Row) -> None:
    """Bring the visit's counts of forms up to date after one of its forms changed."""
    visit = rows.get(VISIT, (after["participant"], after["encounter"]))
    if visit is None:
        return  # a running log has no visit
    for name, then, now in zip(_COUNTS, _counted(before), _counted(after), strict=True):
        visit[name] = int(visit[name] or 0) + now - then
    rows.put(VISIT, visit)


_COUNTS = ("forms_saved", "forms_complete", "forms_signed")


def _counted(form: Row | None) -> tuple[int, int, int]:
    """What one form adds to each of the counts; a voided one nothing."""
    if form is None or form["status"] == "voided":
        return 0, 0, 0
    return 1, int(form["complete"] or 0), int(form["signed"] or 0)


def _empty_visit(participant: str, encounter: str) -> Row:
    return {
        "participant": participant,
        "encounter": encounter,
        "date": None,
        "status": "held",
        "build": None,
        "unscheduled": 0,
        "days_out": 0,
        "forms_saved": 0,
        "forms_complete": 0,
        "forms_signed": 0,
    }


VIEWS = (
    View(
        "case_books",
        (VISIT, FORM, ITEM, CASE_BOOK),
        {
            EncounterHeld: _held,
            EncounterMissed: _missed,
            FormSaved: _saved,
            FormMarkedNotDone: _not_done,
            FormVoided: _voided,
            ItemsVerified: _verified,
            FormSigned: _signed,
            CaseBookSigned: _case_book_signed,
        },
    ),
    View(
        "closed_forms",
        (CLOSED_FORM, CLOSED_ITEM),
        {
            ClosedFormSaved: _closed_saved,
            ClosedFormMarkedNotDone: _closed_not_done,
            ClosedFormVoided: _closed_voided,
            ClosedItemsVerified: _closed_verified,
            ClosedFormSigned: _closed_signed,
        },
        space=Space.CLOSED,
    ),
)

"""Open, answer, close and reopen queries; comment on fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.protocol.roles import Role
from trialwright.trial.capture.state import LOG, CaseBook
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Event
from trialwright.trial.queries.events import (
    ItemCommented,
    QueryAnswered,
    QueryClosed,
    QueryOpened,
    QueryReopened,
)
from trialwright.trial.queries.state import Queries, Query
from trialwright.trial.state import State

ASKERS = (Role.MONITOR, Role.UNBLINDED_MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.SAFETY_OFFICER)
ANSWERERS = (
    Role.INVESTIGATOR,
    Role.STUDY_NURSE,
    Role.BLINDED_RATER,
    Role.INJECTING_PHYSICIAN,
    Role.PHARMACIST,
    Role.CENTRAL_READER,
)
LONGEST = 2000


class QueryNotInThatState(Refusal):
    """The query is already settled, or was never answered."""

    code = "queries.not_in_that_state"


class TextMissing(Refusal):
    """A question, answer or comment without words, or with far too many."""

    code = "queries.text_missing"


@dataclass(frozen=True, kw_only=True)
class OpenQuery(Command):
    """Ask about an item. By monitors, data management and safety.

    Refused: no such item on a form that counts, no text.
    """

    PERMISSION: ClassVar[Permission] = may(*ASKERS)
    participant: str
    encounter: str
    form: str
    item: str
    text: str
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class AnswerQuery(Command):
    """Answer; with ``confirms`` the value stands and the text says why. By site staff and central readers.

    Refused: not open, no text.
    """

    PERMISSION: ClassVar[Permission] = may(*ANSWERERS)
    participant: str
    query: str
    text: str
    confirms: bool = False


@dataclass(frozen=True, kw_only=True)
class CloseQuery(Command):
    """Settle a query. By those who may ask. Refused: already settled."""

    PERMISSION: ClassVar[Permission] = may(*ASKERS)
    participant: str
    query: str


@dataclass(frozen=True, kw_only=True)
class ReopenQuery(Command):
    """Ask again. By those who may ask. Refused: still open, no text."""

    PERMISSION: ClassVar[Permission] = may(*ASKERS)
    participant: str
    query: str
    text: str


@dataclass(frozen=True, kw_only=True)
class CommentItem(Command):
    """Leave a remark on a field, filled or not. By those who answer and those who ask.

    Refused: no such participant or item, no text.
    """

    PERMISSION: ClassVar[Permission] = may(*ANSWERERS, *ASKERS)
    participant: str
    encounter: str
    form: str
    item: str
    text: str
    repeat: int = 1


def open_query(command: OpenQuery, state: State, context: Context) -> Iterable[Event]:
    _words(command.text)
    record = state.of(CaseBook, command.participant).peek((command.encounter, command.form, command.repeat))
    if record.status in ("empty", "voided") or not _has_item(command, context):
        raise NotFound(
            f"{command.form} at {command.encounter} has no saved item {command.item}",
            remedy="ask about an item of a form that was saved or left out",
            item=command.item,
        )
    number = state.of(Queries, command.participant).opened_by_people + 1
    yield QueryOpened(
        participant=command.participant,
        query=f"{command.encounter}.{command.form}.{command.repeat}.asked-{number}",
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        item=command.item,
        text=command.text,
    )


def answer_query(command: AnswerQuery, state: State, context: Context) -> Iterable[Event]:
    _words(command.text)
    _expect(state, command.participant, command.query, "open")
    yield QueryAnswered(
        participant=command.participant, query=command.query, text=command.text, confirms=command.confirms
    )


def close_query(command: CloseQuery, state: State, context: Context) -> Iterable[Event]:
    _expect(state, command.participant, command.query, "open", "answered", "confirmed")
    yield QueryClosed(participant=command.participant, query=command.query)


def reopen_query(command: ReopenQuery, state: State, context: Context) -> Iterable[Event]:
    _words(command.text)
    _expect(state, command.participant, command.query, "answered", "confirmed", "closed")
    yield QueryReopened(participant=command.participant, query=command.query, text=command.text)


def comment_item(command: CommentItem, state: State, context: Context) -> Iterable[Event]:
    _words(command.text)
    known = state.of(Enrolment, command.participant).exists
    place = command.encounter == LOG or command.encounter in state.of(CaseBook, command.participant).held
    if not known or not place or not _has_item(command, context):
        raise NotFound(
            f"{command.participant} has no item {command.form}.{command.item} at {command.encounter}",
            remedy="comment on an item of a form, at a visit that has a date or in the log",
            item=command.item,
        )
    yield ItemCommented(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        item=command.item,
        text=command.text,
    )


def _expect(state: State, participant: str, query: str, *statuses: str) -> Query:
    found = state.of(Queries, participant).queries.get(query)
    if found is None:
        raise NotFound(f"there is no query {query}", remedy="look at the participant's queries", query=query)
    if found.status not in statuses:
        raise QueryNotInThatState(
            f"the query is {found.status}", remedy=f"this needs one that is {' or '.join(statuses)}", query=query
        )
    return found


def _has_item(command: OpenQuery | CommentItem, context: Context) -> bool:
    """Whether the form, one of the open space, has the item; a row of a repeating group is ``item.2``."""
    compiled = context.build.forms.get(command.form)
    item, _, row = command.item.partition(".")
    return (
        compiled is not None
        and compiled.form.space == "open"
        and item in compiled.items
        and (not row or (compiled.items[item].repeats and row.isdecimal()))
    )


def _words(text: str) -> None:
    if not text.strip() or len(text) > LONGEST:
        raise TextMissing(
            "the text is empty" if not text.strip() else f"the text has {len(text):,} characters",
            remedy=f"write between 1 and {LONGEST:,} characters",
        )


DECISIONS: Mapping[type[Command], Decide] = {
    OpenQuery: open_query,
    AnswerQuery: answer_query,
    CloseQuery: close_query,
    ReopenQuery: reopen_query,
    CommentItem: comment_item,
}

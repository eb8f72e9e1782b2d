"""Open, answer, close and reopen queries; comment on fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.protocol.roles import Role
from trialwright.trial.capture.state import LOG, CaseBook, ClosedCaseBook
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Event, Space
from trialwright.trial.queries.events import (
    ClosedItemCommented,
    ClosedQueryAnswered,
    ClosedQueryClosed,
    ClosedQueryOpened,
    ClosedQueryReopened,
    ItemCommented,
    QueryAnswered,
    QueryClosed,
    QueryOpened,
    QueryReopened,
)
from trialwright.trial.queries.state import ClosedQueries, Queries, Query
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
CLOSED_ASKERS = (Role.UNBLINDED_MONITOR,)
CLOSED_ANSWERERS = (Role.INJECTING_PHYSICIAN, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.PHARMACIST)
"""Who answers for forms of the closed space: those who may fill them."""
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


@dataclass(frozen=True, kw_only=True)
class OpenClosedQuery(OpenQuery):
    """Ask about an item of a form of the closed space. By the unblinded monitor; nothing of it is open.

    Refused: as :class:`OpenQuery`, an item of an open form; and in a process without the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(*CLOSED_ASKERS, space=Space.CLOSED)


@dataclass(frozen=True, kw_only=True)
class AnswerClosedQuery(AnswerQuery):
    """Answer a query on a form of the closed space, also one that a check asks. By those who may fill such forms.

    Refused: not open, no text.
    """

    PERMISSION: ClassVar[Permission] = may(*CLOSED_ANSWERERS, space=Space.CLOSED)


@dataclass(frozen=True, kw_only=True)
class CloseClosedQuery(CloseQuery):
    """Settle a query on a form of the closed space. By the unblinded monitor. Refused: already settled."""

    PERMISSION: ClassVar[Permission] = may(*CLOSED_ASKERS, space=Space.CLOSED)


@dataclass(frozen=True, kw_only=True)
class ReopenClosedQuery(ReopenQuery):
    """Ask again about a form of the closed space. By the unblinded monitor. Refused: still open, no text."""

    PERMISSION: ClassVar[Permission] = may(*CLOSED_ASKERS, space=Space.CLOSED)


@dataclass(frozen=True, kw_only=True)
class CommentClosedItem(CommentItem):
    """Leave a remark on a field of a form of the closed space. By those who may fill it and the unblinded monitor.

    Refused: as :class:`CommentItem`, an item of an open form; and in a process without the closed space.
    """

    PERMISSION: ClassVar[Permission] = may(*CLOSED_ANSWERERS, *CLOSED_ASKERS, space=Space.CLOSED)


def open_query(command: OpenQuery, state: State, context: Context) -> Iterable[Event]:
    _words(command.text)
    closed = _is_closed(command)
    casebook = state.of(ClosedCaseBook if closed else CaseBook, command.participant)
    record = casebook.peek((command.encounter, command.form, command.repeat))
    if record.status in ("empty", "voided") or not _has_item(command, context):
        raise NotFound(
            f"{command.form} at {command.encounter} has no saved item {command.item}",
            remedy="ask about an item of a form that was saved or left out",
            item=command.item,
        )
    number = _queries(command, state).opened_by_people + 1
    yield (ClosedQueryOpened if closed else QueryOpened)(
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
    _expect(command, state, "open")
    yield (ClosedQueryAnswered if _is_closed(command) else QueryAnswered)(
        participant=command.participant, query=command.query, text=command.text, confirms=command.confirms
    )


def close_query(command: CloseQuery, state: State, context: Context) -> Iterable[Event]:
    _expect(command, state, "open", "answered", "confirmed")
    kind = ClosedQueryClosed if _is_closed(command) else QueryClosed
    yield kind(participant=command.participant, query=command.query)


def reopen_query(command: ReopenQuery, state: State, context: Context) -> Iterable[Event]:
    _words(command.text)
    _expect(command, state, "answered", "confirmed", "closed")
    kind = ClosedQueryReopened if _is_closed(command) else QueryReopened
    yield kind(participant=command.participant, query=command.query, text=command.text)


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
    yield (ClosedItemCommented if _is_closed(command) else ItemCommented)(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        item=command.item,
        text=command.text,
    )


def _is_closed(command: Command) -> bool:
    """Whether the act is one of the closed space, about a form of the closed space."""
    return command.PERMISSION.space is Space.CLOSED


def _queries(command: OpenQuery | AnswerQuery | CloseQuery | ReopenQuery, state: State) -> Queries:
    return state.of(ClosedQueries if _is_closed(command) else Queries, command.participant)


def _expect(command: AnswerQuery | CloseQuery | ReopenQuery, state: State, *statuses: str) -> Query:
    query = command.query
    found = _queries(command, state).queries.get(query)
    if found is None:
        raise NotFound(f"there is no query {query}", remedy="look at the participant's queries", query=query)
    if found.status not in statuses:
        raise QueryNotInThatState(
            f"the query is {found.status}", remedy=f"this needs one that is {' or '.join(statuses)}", query=query
        )
    return found


def _has_item(command: OpenQuery | CommentItem, context: Context) -> bool:
    """Whether the form, one of the act's space, has the item; a row of a repeating group is ``item.2``."""
    compiled = context.build.forms.get(command.form)
    item, _, row = command.item.partition(".")
    return (
        compiled is not None
        and compiled.form.space == command.PERMISSION.space.value
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
    OpenClosedQuery: open_query,
    AnswerQuery: answer_query,
    AnswerClosedQuery: answer_query,
    CloseQuery: close_query,
    CloseClosedQuery: close_query,
    ReopenQuery: reopen_query,
    ReopenClosedQuery: reopen_query,
    CommentItem: comment_item,
    CommentClosedItem: comment_item,
}

IN_THE_CLOSED: Mapping[type[Command], type[Command]] = {
    OpenQuery: OpenClosedQuery,
    AnswerQuery: AnswerClosedQuery,
    CloseQuery: CloseClosedQuery,
    ReopenQuery: ReopenClosedQuery,
    CommentItem: CommentClosedItem,
}
"""What is done about an item of a form, and the same where the form is one of the closed space."""

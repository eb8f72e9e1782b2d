"""The consent log: every signature, refusal and withdrawal in its order."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Rows, Table
from trialwright.trial.consent.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentSignedByParticipant,
    ConsentWithdrawn,
)
from trialwright.trial.event import Fact
from trialwright.trial.view import View

CONSENT_LOG = Table(
    "consent_log",
    key=(Column("participant"), Column("number", "integer")),
    columns=(
        Column("what"),
        Column("happened"),
        Column("recorded_at"),
        Column("version"),
        Column("language"),
        Column("build"),
        Column("method"),
        Column("actor"),
        Column("identity_check"),
        Column("scopes"),
        Column("flags"),
    ),
)


def _signed(event: ConsentSignedByParticipant, fact: Fact, rows: Rows) -> None:
    _line(
        rows,
        fact,
        event.participant,
        "signed",
        version=event.version,
        language=event.language,
        method=event.method,
        flags=" ".join(event.flags),
    )


def _given(event: ConsentGiven, fact: Fact, rows: Rows) -> None:
    _line(
        rows,
        fact,
        event.participant,
        "countersigned",
        version=event.version,
        language=event.language,
        identity_check=event.identity_check,
    )


def _refused(event: ConsentRefused, fact: Fact, rows: Rows) -> None:
    _line(rows, fact, event.participant, "refused")


def _withdrawn(event: ConsentWithdrawn, fact: Fact, rows: Rows) -> None:
    _line(rows, fact, event.participant, "withdrawn", scopes=" ".join(event.scopes))


def _line(rows: Rows, fact: Fact, participant: str, what: str, **more: Cell) -> None:
    rows.put(
        CONSENT_LOG,
        {
            "participant": participant,
            "number": fact.stream_seq,
            "what": what,
            "happened": fact.happened,
            "recorded_at": fact.at,
            "build": fact.build,
            "actor": fact.actor,
            **more,
        },
    )


VIEWS = (
    View(
        "consent",
        (CONSENT_LOG,),
        {
            ConsentSignedByParticipant: _signed,
            ConsentGiven: _given,
            ConsentRefused: _refused,
            ConsentWithdrawn: _withdrawn,
        },
    ),
)

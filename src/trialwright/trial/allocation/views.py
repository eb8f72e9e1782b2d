"""Commitments and randomisations as the open space knows them; looks at allocations in the closed one."""

from __future__ import annotations

from trialwright.foundation.tables import Cell, Column, Rows, Table
from trialwright.trial.allocation.events import (
    AccidentalUnblindingRecorded,
    AllocationDisclosed,
    AllocationListCommitted,
    AllocationPositionTaken,
    AllocationsJoined,
    EmergencyUnblinded,
    MistakenRandomisationRecorded,
    ParticipantRandomised,
)
from trialwright.trial.event import Fact, Space
from trialwright.trial.view import View

COMMITMENT = Table(
    "allocation_commitment",
    key=(Column("list", "integer"), Column("stratum")),
    columns=(Column("method"), Column("rows", "integer"), Column("root"), Column("committed_at")),
)
RANDOMISATION = Table(
    "randomisation",
    key=(Column("participant"),),
    columns=(
        Column("stratum"),
        Column("position", "integer"),
        Column("date"),
        Column("token"),
        Column("by_mistake", "integer"),
        Column("unblinded"),
    ),
)
FACTOR = Table(
    "randomisation_factor",
    key=(Column("participant"), Column("factor")),
    columns=(Column("level"),),
)
LOOK = Table(
    "allocation_look",
    key=(Column("participant"), Column("recorded_at"), Column("request")),
    columns=(Column("purpose"), Column("about"), Column("actor"), Column("role"), Column("reason")),
)


def _committed(event: AllocationListCommitted, fact: Fact, rows: Rows) -> None:
    for part in event.strata:
        rows.put(
            COMMITMENT,
            {
                "list": event.list,
                "stratum": part.stratum,
                "method": event.method,
                "rows": part.rows,
                "root": event.root,
                "committed_at": fact.at,
            },
        )


def _position_taken(event: AllocationPositionTaken, fact: Fact, rows: Rows) -> None:
    for factor, level in event.factors.items():
        rows.put(FACTOR, {"participant": event.participant, "factor": factor, "level": level})


def _randomised(event: ParticipantRandomised, fact: Fact, rows: Rows) -> None:
    rows.put(
        RANDOMISATION,
        {
            "participant": event.participant,
            "stratum": event.stratum,
            "position": event.position,
            "date": event.date,
            "token": event.token,
            "by_mistake": 0,
        },
    )


def _mistaken(event: MistakenRandomisationRecorded, fact: Fact, rows: Rows) -> None:
    _change(rows, event.participant, by_mistake=1)


def _emergency(event: EmergencyUnblinded, fact: Fact, rows: Rows) -> None:
    _change(rows, event.participant, unblinded="emergency")


def _accident(event: AccidentalUnblindingRecorded, fact: Fact, rows: Rows) -> None:
    _change(rows, event.participant, unblinded="accident")


def _change(rows: Rows, participant: str, **changes: Cell) -> None:
    row = rows.get(RANDOMISATION, (participant,))
    if row is not None:
        rows.put(RANDOMISATION, {**row, **changes})


def _disclosed(event: AllocationDisclosed, fact: Fact, rows: Rows) -> None:
    _look(rows, fact, event.participant, event.purpose, event.about)


def _joined(event: AllocationsJoined, fact: Fact, rows: Rows) -> None:
    for participant in event.participants:
        _look(rows, fact, participant, "data_cut", event.cut)


def _look(rows: Rows, fact: Fact, participant: str, purpose: str, about: str | None) -> None:
    rows.put(
        LOOK,
        {
            "participant": participant,
            "recorded_at": fact.at,
            "request": fact.request_id,
            "purpose": purpose,
            "about": about,
            "actor": fact.actor,
            "role": fact.role,
            "reason": fact.reason,
        },
    )


VIEWS = (
    View("allocation_commitments", (COMMITMENT,), {AllocationListCommitted: _committed}),
    View(
        "randomisations",
        (RANDOMISATION, FACTOR),
        {
            AllocationPositionTaken: _position_taken,
            ParticipantRandomised: _randomised,
            MistakenRandomisationRecorded: _mistaken,
            EmergencyUnblinded: _emergency,
            AccidentalUnblindingRecorded: _accident,
        },
    ),
    View(
        "allocation_looks",
        (LOOK,),
        {AllocationDisclosed: _disclosed, AllocationsJoined: _joined},
        space=Space.CLOSED,
    ),
)

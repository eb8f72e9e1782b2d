"""What happened to one participant, in words, newest first: from the audit trail the desk may read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from trialwright.build import Build
from trialwright.trial.audit import AuditRow, audit_trail
from trialwright_web.capture.words import form_words, visit_words
from trialwright_web.shell.desk import Desk

SHOWN = 60
"""Values of one fact that are shown."""


@dataclass(frozen=True)
class Happening:
    """One fact.

    Args:
        at: UTC instant at which it was recorded.
        happened: when it is said to have happened, where that was reported.
        what: the kind of fact.
        about: what it is about, without the participant.
        values: name, before and after.
    """

    at: str
    happened: str | None
    what: str
    about: str
    actor: str
    role: str
    reason: str | None
    values: tuple[tuple[str, str | None, str | None], ...]


def timeline(desk: Desk, participant: str) -> list[Happening]:
    """Every fact about the participant."""
    trail = audit_trail(desk.trial, role=desk.role, site=desk.site, participant=participant)
    facts = groupby(trail, key=lambda row: (row.at, row.request_id, row.what, row.about))
    build = desk.build_at(str(desk.participant(participant)["site"]))
    found = [_happening(build, participant, list(rows)) for _key, rows in facts]
    return found[::-1]


def _happening(build: Build, participant: str, rows: list[AuditRow]) -> Happening:
    first = rows[0]
    return Happening(
        at=first.at,
        happened=first.happened,
        what=first.what,
        about=", ".join(_about(build, participant, first.about)),
        actor=first.actor,
        role=first.role,
        reason=first.reason,
        values=tuple((row.field, row.old, row.new) for row in rows[:SHOWN] if row.field),
    )


def _about(build: Build, participant: str, about: str) -> Iterator[str]:
    """What a fact is about, with the study's names for visits and forms."""
    for part in about.split(", "):
        kind, _sep, name = part.partition(" ")
        if kind == "encounter":
            yield visit_words(build, name)
        elif kind == "form":
            yield form_words(build, name)
        elif part not in (f"participant {participant}", "repeat 1"):
            yield part

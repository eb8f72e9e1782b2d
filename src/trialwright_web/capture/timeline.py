"""What happened to one participant, in words, newest first: from the audit trail the desk may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from trialwright.build import Build
from trialwright.trial.audit import audit_trail
from trialwright.trial.trail import AuditRow
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.record_words import Change, about_parts, change, happening_words, terms_of

SHOWN = 60
"""Values of one fact that are shown."""


@dataclass(frozen=True)
class Happening:
    """One fact.

    Args:
        at: UTC instant at which it was recorded.
        happened: when it is said to have happened, where that was reported.
        what: what happened, in words.
        about: what it is about in words, without the participant.
        values: what it says, in words, with the record's own names.
    """

    at: str
    happened: str | None
    what: str
    about: str
    actor: str
    role: str
    reason: str | None
    values: tuple[Change, ...]


def timeline(desk: Desk, participant: str) -> list[Happening]:
    """Every fact about the participant."""
    trail = audit_trail(desk.trial, role=desk.role, site=desk.site, participant=participant)
    facts = groupby(trail, key=lambda row: (row.at, row.request_id, row.what, row.about))
    build = desk.build_at(str(desk.participant(participant)["site"]))
    terms = terms_of(desk, participant)
    found = (list(rows) for _key, rows in facts)
    return [_happening(desk.builds.get(rows[0].build, build), terms, rows) for rows in found][::-1]


def _happening(build: Build, terms: Mapping[str, str], rows: list[AuditRow]) -> Happening:
    first = rows[0]
    about = about_parts(build, first.about, terms)
    return Happening(
        at=first.at,
        happened=first.happened,
        what=happening_words(first.what),
        about=", ".join(words for kind, words in about if kind != "participant"),
        actor=first.actor,
        role=first.role,
        reason=first.reason,
        values=tuple(change(build, row) for row in rows[:SHOWN] if row.field),
    )

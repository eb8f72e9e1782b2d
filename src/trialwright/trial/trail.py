"""One row of the audit trail; apart from what reads it, so that exports can show rows without reaching a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One value that came into being or changed; or one fact that has no values of its own."""

    at: str
    """UTC."""
    local: str
    """Local time with offset."""
    zone: str
    happened: str | None
    """When it is said to have happened, if that was reported."""
    actor: str
    role: str
    organisation: str
    space: str
    what: str
    """The kind of fact, in words."""
    about: str
    """What it is about: participant, visit, form, adverse event …"""
    field: str
    """Empty where the fact has no values."""
    old: str | None
    new: str | None
    reason: str | None
    build: str
    request_id: str

"""How far something was read, kept under a name."""

from __future__ import annotations

from trialwright_web.store.models import Followed


def position(name: str) -> int:
    """The number kept under the name; 0 where none is."""
    row = Followed.objects.filter(pk=name).first()
    return 0 if row is None else row.seq


def note_position(name: str, seq: int) -> None:
    """Keep a number."""
    Followed.objects.update_or_create(pk=name, defaults={"seq": seq})

"""Stop and resume: what a participant typed is kept, encrypted, until it is sent."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from trialwright_web.participant.access import Person
from trialwright_web.participant.models import Kept
from trialwright_web.participant.secrets_kept import seal, unseal
from trialwright_web.shell.forgettable import key_of_texts


def keep(person: Person, place: str, data: dict[str, Any]) -> None:
    """Replace what is kept of a place."""
    Kept.objects.update_or_create(
        study=person.study,
        participant=person.code,
        place=place,
        defaults={
            "sealed": seal(json.dumps(data), _about(person, place), _key(person, make=True)),
            "saved_at": timezone.now(),
        },
    )


def find(person: Person, place: str) -> dict[str, Any]:
    """What is kept of a place; empty where nothing is."""
    row = Kept.objects.filter(study=person.study, participant=person.code, place=place).first()
    text = unseal(row.sealed, _about(person, place), _key(person)) if row is not None else None
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def forget(person: Person, place: str) -> None:
    """After it was sent."""
    Kept.objects.filter(study=person.study, participant=person.code, place=place).delete()


def _key(person: Person, *, make: bool = False) -> bytes:
    return key_of_texts(person.desk.trial, person.code, make=make)


def _about(person: Person, place: str) -> str:
    return f"kept\x00{person.study}\x00{person.code}\x00{place}"

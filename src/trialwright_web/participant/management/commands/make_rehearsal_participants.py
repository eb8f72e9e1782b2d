"""``make_rehearsal_participants PASSWORD STUDY``: own pages for the virtual people of a rehearsed trial."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.event import Space
from trialwright_web.participant.models import Invitation
from trialwright_web.shell.studies import installation


class Command(BaseCommand):
    help = "Let every virtual participant of a rehearsed study sign in with one password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("password")
        parser.add_argument("study")

    def handle(self, *args: Any, password: str, study: str, **options: Any) -> None:
        installed = installation().studies.get(study)
        if installed is None or installed.mode != "rehearsal":
            raise CommandError(f"{study} is no rehearsal: real people get a letter from their site")
        hashed, now = make_password(password), timezone.now()
        rows = installation().trial(study).stores[Space.OPEN].rows
        for row in rows.where(DISPOSITION):
            Invitation.objects.update_or_create(
                study=study,
                participant=str(row["participant"]),
                defaults={
                    "site": str(row["site"]),
                    "password": hashed,
                    "letter": "",
                    "invited_at": now,
                    "invited_by": "rehearsal",
                    "expires_at": now,
                },
            )

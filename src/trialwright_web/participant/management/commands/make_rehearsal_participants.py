"""``make_rehearsal_participants PASSWORD STUDY…``: own pages for the virtual people of a rehearsed trial."""

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
    help = "Let every virtual participant of rehearsed studies sign in with one password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("password")
        parser.add_argument("studies", nargs="+")

    def handle(self, *args: Any, password: str, studies: list[str], **options: Any) -> None:
        for study in studies:
            installed = installation().studies.get(study)
            if installed is None or installed.mode != "rehearsal":
                raise CommandError(f"{study} is no rehearsal: real people get a letter from their site")
        hashed = make_password(password)
        for study in studies:
            self._invite(study, hashed)

    @staticmethod
    def _invite(study: str, hashed: str) -> None:
        now = timezone.now()
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

"""``make_rehearsal_accounts PASSWORD PERSON…``: accounts of virtual people; refused where any study is real."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError, CommandParser

from trialwright_web.accounts.models import Account


class Command(BaseCommand):
    help = "Make accounts with one password for virtual people. Only where no study is in production."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("password")
        parser.add_argument("people", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT.second_factor_required:
            raise CommandError(
                "these accounts have no second factor → only where TRIALWRIGHT_SECOND_FACTOR is optional"
            )
        password = make_password(options["password"])
        known = set(Account.objects.values_list("username", flat=True))
        Account.objects.bulk_create(
            Account(username=person, password=password) for person in options["people"] if person not in known
        )

"""``prepare_databases``: migrate both databases of the process and open every study's stores once."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from trialwright_web.shell.studies import installation


class Command(BaseCommand):
    help = "Migrate the databases of this process and open (or make) the stores of every study."

    def handle(self, *args: Any, **options: Any) -> None:
        for alias in ("default", "identity"):
            call_command("migrate", database=alias, interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        for study in installation().studies:
            installation().trial(study)

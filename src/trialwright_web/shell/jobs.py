"""The worker's queue, as screens use it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from trialwright.foundation.operating_system import SystemClock
from trialwright_web.shell.desk import Desk
from trialwright_web.store import jobs
from trialwright_web.store.models import Job

__all__ = ["Job", "ask", "mine", "result_of"]


def ask(desk: Desk, kind: str, arguments: Mapping[str, Any], request_id: str) -> Job:
    """Ask this process's worker for something; what it makes is for this person at this desk only."""
    return jobs.ask(
        process=settings.ENVIRONMENT.process,
        account=desk.account,
        study=desk.study,
        place=desk.place.key,
        kind=kind,
        arguments=arguments,
        request_id=request_id,
        now=SystemClock().now(),
    )


def mine(desk: Desk) -> list[Job]:
    """What the person asked for at this desk, the newest first."""
    return jobs.mine(settings.ENVIRONMENT.process, desk.account, desk.study, desk.place.key)


def result_of(job: Job) -> Path:
    """Where the result of a job lies; its name says nothing about what is in it."""
    folder: Path = settings.ENVIRONMENT.files
    process: str = settings.ENVIRONMENT.process
    return folder / process / f"{job.pk}.zip"

"""The queue of the worker: a table, so that nothing else has to run and nothing asked for is lost.

A job is asked for once for each request id, taken by one worker (a conditional update decides), and taken again when
its worker died. Whoever does it makes the same result however often it is begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from trialwright_web.store.models import Job

LEASE = timedelta(minutes=30)
"""A job that runs longer has lost its worker."""
ATTEMPTS = 3
KEPT = timedelta(days=7)
"""How long a result can be fetched."""


def ask(
    *, process: str, account: int, study: str, place: str, kind: str, arguments: Mapping[str, Any], request_id: str,
    now: datetime,
) -> Job:  # fmt: skip
    """Put work into the queue; the same request id again answers with the job it made first."""
    job, _ = Job.objects.get_or_create(
        request_id=request_id,
        defaults={
            "process": process, "account_id": account, "study": study, "place": place, "kind": kind,
            "arguments": dict(arguments), "asked_at": now,
        },
    )  # fmt: skip
    return job


def take(process: str, now: datetime) -> Job | None:
    """The oldest job that waits for this process's worker, now running; None where nothing waits."""
    waits = Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, began_at__lt=now - LEASE)
    ready = Job.objects.filter(waits, process=process)
    ready.filter(attempts__gte=ATTEMPTS).update(state=Job.State.FAILED, error="worker.lost", ended_at=now)
    for job in ready.order_by("id")[:10]:
        # Two workers may have read the same line; the one whose update finds it unchanged has it.
        taken = ready.filter(pk=job.pk, attempts=job.attempts).update(
            state=Job.State.RUNNING, attempts=F("attempts") + 1, began_at=now
        )
        if taken:
            job.refresh_from_db()
            return job
    return None


def finish(job: Job, now: datetime, error: str = "") -> None:
    """Say how it ended: with the code of a named error, or well."""
    job.state = Job.State.FAILED if error else Job.State.DONE
    job.error, job.ended_at = error[:80], now
    job.save(update_fields=["state", "error", "ended_at"])


def put_back(job: Job) -> None:
    """Let it be taken again: the machine, not the question, was at fault."""
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING, began_at=None)


def mine(process: str, account: int, study: str, place: str) -> list[Job]:
    """What a person asked for at a desk, the newest first."""
    wanted = Job.objects.filter(process=process, account_id=account, study=study, place=place)
    return list(wanted.order_by("-id")[:50])


def outdated(process: str, now: datetime) -> list[Job]:
    """Jobs whose results are no longer kept."""
    return list(Job.objects.filter(process=process, asked_at__lt=now - KEPT))


def ended(process: str, study: str) -> list[Job]:
    """Jobs about a study that have, or may have, a result."""
    return list(Job.objects.filter(process=process, study=study).exclude(state=Job.State.WAITING))


def waiting(process: str) -> Mapping[str, int]:
    """State → number of jobs, for the metrics."""
    return {state: Job.objects.filter(process=process, state=state).count() for state in Job.State.values}

"""The worker: one process beside each server, over tables. Whatever it does can be done twice without harm.

Each round: checkpoints that are due, facts that somebody must be told of, mails, people who are to be forgotten,
exports that were asked for; once an hour what is too old is forgotten. Time comes from the clock it is given.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import close_old_connections

from trialwright.foundation.errors import RecordError, TrialwrightError
from trialwright.foundation.ports import Clock
from trialwright.trial.checkpointing import Checkpointer
from trialwright.trial.event import Space
from trialwright_web.capture.form_strays import StrayFiles
from trialwright_web.config.forgetting import Forgetting
from trialwright_web.downloads.making import make
from trialwright_web.participant.contacts import sweep_orphans
from trialwright_web.shell.checkpoints import checkpointer
from trialwright_web.shell.jobs import result_of
from trialwright_web.shell.mails import send, told_of
from trialwright_web.shell.studies import installation
from trialwright_web.store import jobs, outbox
from trialwright_web.store.connections import drop_ended
from trialwright_web.store.drafts import purge_drafts

LOG = logging.getLogger("trialwright_web.worker")
DRAFTS_KEPT = timedelta(days=30)
BATCH = 500


class Worker:
    """Does what waits, a round at a time.

    Args:
        clock: says what is due.
    """

    def __init__(self, clock: Clock) -> None:
        installation()  # one that contradicts itself is said at once, not at every round
        self._clock = clock
        self._process = settings.ENVIRONMENT.process
        self._checkpointers: dict[str, Checkpointer] = {}
        self._forgot_at = clock.now() - timedelta(days=1)
        self._forgetting = Forgetting(self._process, clock)
        folder = settings.ENVIRONMENT.attachments
        self._strays = StrayFiles(folder) if folder is not None and self._process == "staff" else None

    def run(self, stopped: threading.Event, pause: float = 2.0) -> None:
        """Round after round until told to stop; a fault of one task is logged by its code and tried again."""
        while not stopped.is_set():
            busy = self.round()
            close_old_connections()
            drop_ended()
            if not busy:
                stopped.wait(pause)

    def round(self) -> int:
        """One round. Returns how much was done."""
        tasks: tuple[Callable[[], int], ...] = (
            self._complete_crossings, self._sign_heads, self._tell, self._mail, self._forget_people,
            self._export, self._forget,
        )  # fmt: skip
        done = 0
        for task in tasks:
            with self._logged(task.__name__.strip("_")):
                done += task()
        return done

    @contextmanager
    def _logged(self, task: str) -> Iterator[None]:
        """A task that fails does not stop the others; the log has a code and a type, never what it was about."""
        try:
            yield
        except RecordError as error:
            # A broken connection must not stay.
            installation().release()
            self._checkpointers.clear()
            LOG.error("%s %s", task, error.code)  # noqa: TRY400 - a traceback would show data
        except TrialwrightError as error:
            LOG.error("%s %s", task, error.code)  # noqa: TRY400
        except Exception as error:
            LOG.error("%s failed: %s", task, type(error).__name__)  # noqa: TRY400

    def _complete_crossings(self) -> int:
        return sum(installation().trial(study).recover() for study in installation().studies)

    def _sign_heads(self) -> int:
        folder = settings.ENVIRONMENT.checkpoints
        if folder is None or self._process == "public":
            return 0
        made = 0
        for study in installation().studies:
            if study not in self._checkpointers:
                self._checkpointers[study] = checkpointer(installation().trial(study), folder)
            made += self._checkpointers[study].periodic()
        return made

    def _tell(self) -> int:
        """Queue mails for facts of the open space; the staff's worker alone does, so that nobody is told twice."""
        if self._process != "staff":
            return 0
        return sum(self._tell_of(study) for study in installation().studies)

    def _tell_of(self, study: str) -> int:
        trial = installation().trial(study)
        ledger = trial.ledgers[Space.OPEN]
        read, size = outbox.followed(ledger.ledger_id), ledger.size()
        if read is None:
            # An installation that begins to send mail does not send what happened before.
            return outbox.queue(ledger.ledger_id, size, (), self._clock.now())
        queued = 0
        while read < size:
            upto = min(read + BATCH, size)
            facts = zip(range(read + 1, upto + 1), trial.facts(after=read), strict=False)
            wanted = [one for seq, fact in facts for one in told_of(trial, fact, seq)]
            queued += outbox.queue(ledger.ledger_id, upto, wanted, self._clock.now())
            read = upto
        return queued

    def _mail(self) -> int:
        if self._process != "staff" or not settings.ENVIRONMENT.mail:
            return 0
        return outbox.send_waiting(send, self._clock.now())

    def _forget_people(self) -> int:
        return self._forgetting.carry_on()

    def _export(self) -> int:
        job = jobs.take(self._process, self._clock.now())
        if job is None:
            return 0
        try:
            make(job, result_of(job))
        except RecordError:
            jobs.put_back(job)
            raise
        except TrialwrightError as error:
            jobs.finish(job, self._clock.now(), error.code)
        else:
            jobs.finish(job, self._clock.now())
        return 1

    def _forget(self) -> int:
        now = self._clock.now()
        if timedelta(0) <= now - self._forgot_at < timedelta(hours=1):
            return 0
        self._forgot_at = now
        for job in jobs.outdated(self._process, now):
            result_of(job).unlink(missing_ok=True)
            job.delete()
        outbox.forget_sent(now)
        if self._process == "staff":
            sweep_orphans(now)
        if self._strays is not None:
            for study in installation().studies:
                self._strays.sweep(installation().trial(study), now)
        return purge_drafts(now - DRAFTS_KEPT)

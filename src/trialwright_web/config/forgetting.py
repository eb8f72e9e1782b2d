"""Forgetting people beside the record: what two people decided there is carried out in each process's own databases.

The worker of every process reads the open ledgers for destroyed keys and clears what is its own:

- drafts of the participant's forms, files brought for import and not saved yet, unfinished pages, questions;
- results of exports that may hold them, whoever asked for them;
- where everything is forgotten (never enrolled, retention expired) access, contact, and attached files that nobody
  else's forms name; where texts are (typed by mistake) attached files that were withdrawn;
- and keys, views and database files of the record itself.

The public process has unfinished pages alone; the others do the rest.

Where a study seals texts the keys of all that are destroyed as well, so that copies in backups open no more. Done
twice it does no harm; how far a ledger was read is noted when all of it was done.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from trialwright.foundation.ports import Clock
from trialwright.trial.dispatch import Trial
from trialwright.trial.erasure.carrying_out import carry_out_erasures
from trialwright.trial.erasure.commands import TYPED_BY_MISTAKE
from trialwright.trial.erasure.escrow import copies
from trialwright.trial.erasure.events import ParticipantKeysDestroyed
from trialwright.trial.erasure.on_record import ForgottenOnRecord
from trialwright.trial.event import Space
from trialwright_web.capture.form_blobs import Blobs
from trialwright_web.participant.forgetting import TABLES, forget_pages, forget_person, forget_texts
from trialwright_web.participant.models import Kept
from trialwright_web.shell.forgettable import destroy_contact, destroy_imports
from trialwright_web.shell.jobs import result_of
from trialwright_web.shell.studies import installation
from trialwright_web.store import jobs
from trialwright_web.store.drafts import forget_drafts
from trialwright_web.store.models import Draft, Job
from trialwright_web.store.positions import note_position, position
from trialwright_web.store.scrubbing import scrub

LOG = logging.getLogger("trialwright_web.forgetting")
PAUSE = timedelta(minutes=1)
"""Before what failed is tried again: folding views anew keeps others waiting."""
NOTED_EVERY = 10_000
"""Entries without anything to do, before it is noted how far a ledger was read."""


@dataclass
class Forgetting:
    """Reads on where it stopped.

    Args:
        process: whose worker it is.
        clock: says when to try again.
    """

    process: str
    clock: Clock
    _read: dict[str, int] = field(default_factory=dict)
    _failed_at: datetime | None = None

    def carry_on(self) -> int:
        """Forget whoever is to be forgotten since the last time. Returns how many.

        Raises:
            TrialwrightError: something was locked, or broken; it is tried again, a minute later at the earliest.
        """
        now = self.clock.now()
        # A clock that was put back tells nothing about how long ago it failed.
        if self._failed_at is not None and timedelta(0) <= now - self._failed_at < PAUSE:
            return 0
        self._failed_at = now
        done = sum(self._in_study(study) for study in installation().studies)
        self._failed_at = None
        return done

    def _in_study(self, study: str) -> int:
        trial = installation().trial(study)
        ledger = trial.ledgers[Space.OPEN]
        size, name = ledger.size(), f"forget {self.process} {ledger.ledger_id}"
        if study not in self._read:
            self._read[study] = position(name)
        after = self._read[study]
        if after > size:  # the record came back from an older backup
            after = 0
        if after == size:
            return 0
        people = _decided(trial, after, size)
        if people:
            forget(trial, people, self.process)
            LOG.info("%s: %d forgotten", study, len(people))
            for copy in _copies_to_destroy(trial):
                LOG.warning("%s: copy %s of the keyring, in escrow, still holds destroyed keys", study, copy)
        if people or size - position(name) >= NOTED_EVERY or after == 0:
            note_position(name, size)
        self._read[study] = size
        return len(people)


def forget(trial: Trial, people: dict[str, bool], process: str) -> None:
    """Clear what this process keeps about people of a study.

    Args:
        people: participant → whether everything about them goes, or texts only.

    Raises:
        StoreLocked: somebody uses a database; ask again.
    """
    for participant in people:
        forget_pages(trial.study, participant)
    if process == "public":
        scrub((Kept,))
        return
    for participant, whole in people.items():
        _forget_one(trial, participant, whole=whole)
    _forget_files(trial)
    _forget_imports(trial)
    carry_out_erasures(trial)
    _forget_results(trial.study, process)  # after the views hold nothing that a new result could show
    scrub((Draft, *TABLES))


def _decided(trial: Trial, after: int, size: int) -> dict[str, bool]:
    """Who is to be forgotten, and whether wholly."""
    found: dict[str, bool] = {}
    for entry in trial.ledgers[Space.OPEN].read(after=after, limit=size - after):
        if entry.type == ParticipantKeysDestroyed.TYPE:
            said = json.loads(entry.body)["data"]
            found[said["participant"]] = said["ground"] != TYPED_BY_MISTAKE or found.get(said["participant"], False)
    return found


def _copies_to_destroy(trial: Trial) -> Iterator[str]:
    for ledger, store in ((trial.ledgers[space], trial.stores[space]) for space in trial.ledgers):
        for one in copies(store.keyring):
            if one.destroyed_since and one.about.ledger == ledger.ledger_id:
                yield one.about.copy


def _forget_one(trial: Trial, participant: str, *, whole: bool) -> None:
    study = trial.study
    forget_drafts(f"{study}/{participant}/")
    forget_texts(study, participant)
    if whole:
        destroy_contact(trial, participant)
        forget_person(study, participant)


def _forget_files(trial: Trial) -> None:
    folder: Path | None = settings.ENVIRONMENT.attachments
    if folder is not None:
        blobs = Blobs(folder, trial)
        for digest in ForgottenOnRecord.of(trial.ledgers[Space.OPEN]).files():
            blobs.forget(digest)


def _forget_imports(trial: Trial) -> None:
    destroy_imports(trial)
    forget_drafts(f"{trial.study}/import/")


def _forget_results(study: str, process: str) -> None:
    """Exports that were made, and what a worker that died left half made."""
    if settings.ENVIRONMENT.files is None:
        return
    for job in jobs.ended(process, study):
        result_of(job).unlink(missing_ok=True)
        if job.state != Job.State.RUNNING:
            job.delete()
    for left in (settings.ENVIRONMENT.files / process).glob("*/"):
        shutil.rmtree(left)

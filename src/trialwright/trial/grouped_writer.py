"""One writer for many clients: it decides, appends and projects their commands, and commits them in groups.

A disk syncs some hundred times a second, whatever is synced. While one group is being carried out the next one
gathers, so under load one sync answers many clients, and without load a command waits for nobody. Each command still
stands or falls alone; nobody is answered before the commit that holds the command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from trialwright.foundation.errors import InvalidValue, RecordError, Refusal
from trialwright.ledger import VersionConflict
from trialwright.stores import GroupStore
from trialwright.trial.command import Actor, Command, Signature
from trialwright.trial.dispatch import Receipt, Trial
from trialwright.trial.event import Space

MOST = 64
"""Commands to one commit: the ledger's lock is held as long as it takes to carry them out."""

_OWN = (Refusal, InvalidValue, VersionConflict)
"""What concerns one command alone, which has left nothing behind."""


class GroupAbandoned(RecordError):
    """The commit that was to hold the command failed; nothing of it may be counted on."""

    code = "trial.group_abandoned"


class WriterClosed(RecordError):
    """The writer takes no more commands."""

    code = "trial.writer_closed"


@dataclass(frozen=True)
class _Job:
    command: Command
    by: Actor
    request_id: str
    observed_at: str | None
    reason: str | None
    signature: Signature | None
    answer: Future[Receipt] = field(default_factory=Future)


@dataclass
class _Running:
    trial: Trial
    store: GroupStore
    checkpoint: Callable[[Space], None] | None


class GroupedWriter:
    """Carries out commands of any thread, in the order in which they come, on one connection of its own.

    Args:
        start: opens the trial and its open store; called in the writer's thread, and again after a failure. The
            trial's closed space must be absent or the open one: crossings are never grouped.
        most: commands to one commit, 1 or more.

    Attributes:
        commits, acts: how many there were, for the mean size of a group.
    """

    def __init__(self, start: Callable[[], tuple[Trial, GroupStore]], most: int = MOST) -> None:
        if most < 1:
            raise InvalidValue(f"groups of {most} commands were asked for", remedy="ask for 1 or more", given=most)
        self._start = start
        self._most = most
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._running: _Running | None = None
        self._closed = False
        self._door = threading.Lock()
        self.commits = 0
        self.acts = 0
        self._thread = threading.Thread(target=self._work, name="grouped writer", daemon=True)
        self._thread.start()

    def dispatch(
        self,
        command: Command,
        *,
        by: Actor,
        request_id: str,
        observed_at: str | None = None,
        reason: str | None = None,
        signature: Signature | None = None,
    ) -> Receipt:
        """Carry out a command; as :meth:`Trial.dispatch`, and returns when its commit is durable.

        Raises:
            GroupAbandoned: the commit failed; a retry with the same request id is safe.
            WriterClosed: the writer was closed.
            Otherwise as :meth:`Trial.dispatch`.
        """
        job = _Job(command, by, request_id, observed_at, reason, signature)
        with self._door:
            if self._closed:
                raise WriterClosed("the writer was closed", remedy="start another one")
            self._jobs.put(job)
        return job.answer.result()

    def close(self) -> None:
        """Carry out what waits, then let go of the databases."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    # --- in the writer's thread -----------------------------------------------------------------------------

    def _work(self) -> None:
        going_on = True
        while going_on:
            job = self._jobs.get()
            if job is None:
                break
            group = [job]
            while len(group) < self._most:
                try:
                    more = self._jobs.get_nowait()
                except Empty:
                    break
                if more is None:
                    going_on = False
                    break
                group.append(more)
            self._carry_out(group)
        self._stop()

    def _carry_out(self, group: Sequence[_Job]) -> None:
        due: dict[int, list[Space]] = {}
        try:
            running = self._ready()
            answers = [self._one(running, job, due.setdefault(number, [])) for number, job in enumerate(group)]
            running.store.commit_group()
        except BaseException as error:
            # What the trial has learned from this group never was.
            self._give_up()
            for job in group:
                job.answer.set_exception(_abandoned(error))
            return
        self.commits += 1
        self.acts += len(group)
        failed = self._hand_out(running, {space for spaces in due.values() for space in spaces})
        for number, (job, answer) in enumerate(zip(group, answers, strict=True)):
            problem = next((failed[space] for space in due[number] if space in failed), None)
            if isinstance(answer, Receipt) and problem is None:
                job.answer.set_result(answer)
            else:
                job.answer.set_exception(problem if isinstance(answer, Receipt) and problem else answer)  # type: ignore[arg-type]

    def _one(self, running: _Running, job: _Job, due: list[Space]) -> Receipt | Exception:
        # A head that is not yet durable must not be signed: the note would speak of entries that may never be.
        running.trial.checkpoint = due.append
        try:
            return running.trial.dispatch(
                job.command,
                by=job.by,
                request_id=job.request_id,
                observed_at=job.observed_at,
                reason=job.reason,
                signature=job.signature,
            )
        except _OWN as error:
            return error

    def _hand_out(self, running: _Running, due: set[Space]) -> dict[Space, Exception]:
        failed: dict[Space, Exception] = {}
        for space in sorted(due, key=lambda space: space.value):
            try:
                if running.checkpoint is not None:
                    running.checkpoint(space)
            except Exception as error:  # reaches everybody whose act asked for it, as without groups
                failed[space] = error
        return failed

    def _ready(self) -> _Running:
        if self._running is None:
            trial, store = self._start()
            if Space.CLOSED in trial.stores and not trial.one_space:
                store.close()
                raise InvalidValue(
                    "a grouped writer was given both spaces", remedy="write to the closed space without groups"
                )
            self._running = _Running(trial, store, trial.checkpoint)
        return self._running

    def _give_up(self) -> None:
        if self._running is not None:
            with suppress(RecordError):  # the database has undone it by itself, or will when the connection is gone
                self._running.store.abandon_group()
            self._stop()

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            with suppress(RecordError):  # a connection that is broken is closed
                running.store.close()


def _abandoned(error: BaseException) -> GroupAbandoned:
    abandoned = GroupAbandoned(
        f"the commit failed: {error}", remedy="carry out the act again, with the same request id"
    )
    abandoned.__cause__ = error
    return abandoned

"""The one door for writes.

``dispatch(command)`` → permission → decide → lock → check → append → project → commit. Whatever a screen, a
rehearsal or an import wants to change goes through here and nowhere else.

Two spaces: a command of the closed space may also have arm-neutral facts for the open one ("product ready").
The closed ledger commits first and carries what is to cross; if the process dies between the two commits,
:meth:`Trial.recover` completes the crossing. A fact can be late in the open space, never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from trialwright.build import Build
from trialwright.foundation.errors import Refusal, TrialwrightError
from trialwright.foundation.ports import Clock, Entropy
from trialwright.ledger import Foreseen, NewEntry, RequestAlreadyRecorded, VersionConflict
from trialwright.ledger.port import Ledger, Store, Transaction
from trialwright.protocol.roles import Role
from trialwright.stores.record_only import views_are_folded
from trialwright.trial import requests
from trialwright.trial.command import Actor, Allocations, Command, Context, Decide, Permission, Signature
from trialwright.trial.crossing.events import FactsCrossed, contents
from trialwright.trial.crossing.state import Crossings
from trialwright.trial.erasure.state import Forgetting
from trialwright.trial.event import Event, Fact, Space, encode
from trialwright.trial.permission import permit, site_of
from trialwright.trial.record import Circumstances, Recorder
from trialwright.trial.rooms import DECISIONS, EVENTS, SLICES
from trialwright.trial.sealed_text import SealedTexts
from trialwright.trial.security import log_refusal
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.setup.state import SiteSetup, StudySetup
from trialwright.trial.state import State, StreamCache
from trialwright.trial.view import Projector
from trialwright.trial.views import VIEWS

RETRIES = 8
"""How often a decision is taken again because a stream it read has moved."""

E = TypeVar("E", bound=Event)


class SpacesNotApart(Refusal):
    """What depends on the arm would stand in the database that blinded people read."""

    code = "trial.spaces_not_apart"


@dataclass(frozen=True)
class Receipt:
    """What a command amounted to; the same for every retry of one request."""

    request_id: str
    facts: tuple[Fact, ...]
    repeated: bool = False

    def event(self, kind: type[E]) -> E:
        """The one event of a type among the facts."""
        (event,) = (fact.event for fact in self.facts if isinstance(fact.event, kind))
        return event


@dataclass(frozen=True)
class _Request:
    """A command with everything the caller says about it."""

    command: Command
    by: Actor
    request_id: str
    observed_at: str | None
    reason: str | None
    signature: Signature | None
    state: State | None

    @cached_property
    def digest(self) -> str:
        return requests.digest_of(self.command, self.by, self.observed_at, self.reason)


@dataclass(frozen=True)
class _Written:
    """What a transaction wrote into one ledger, and how many entries the ledger has then."""

    facts: tuple[Fact, ...] = ()
    size: int = 0


class Trial:
    """One study, running. Keeps no truth of its own: everything is in the ledgers.

    Args:
        study: the study's id; the ledgers are ``<study>/open`` and ``<study>/closed``.
        open_store: database of the open space.
        closed_store: database of the closed space; None in a process that must not know; the open store again
            for an open study, which has one space.
        builds: builds by id; those that another process approved are read from the record.
        clock, entropy: the ports.
        mode: production, test or rehearsal; the first event fixes it.
        allocations: opens allocations, where the closed space is held.
        checkpoint: called with a space after a signature or randomisation was written there, to sign the ledger's
            head and hand it out; what it raises reaches the caller, whose retry gets the first result.
        seal_texts: whether texts about participants are sealed when they are written; sealed ones are always read.
    """

    def __init__(
        self,
        study: str,
        *,
        open_store: Store,
        closed_store: Store | None,
        builds: Mapping[str, Build],
        clock: Clock,
        entropy: Entropy,
        mode: str,
        allocations: Allocations | None = None,
        checkpoint: Callable[[Space], None] | None = None,
        seal_texts: bool = False,
    ) -> None:
        self.study = study
        self.builds = dict(builds)
        self.clock = clock
        self.entropy = entropy
        self.mode = mode
        self.allocations = allocations
        self.checkpoint = checkpoint
        self.one_space = closed_store is open_store
        self.stores: dict[Space, Store] = {Space.OPEN: open_store}
        self.ledgers: dict[Space, Ledger] = {Space.OPEN: open_store.ledger(f"{study}/open")}
        if self.one_space:
            self.stores[Space.CLOSED] = open_store
            self.ledgers[Space.CLOSED] = self.ledgers[Space.OPEN]
        elif closed_store is not None:
            self.stores[Space.CLOSED] = closed_store
            self.ledgers[Space.CLOSED] = closed_store.ledger(f"{study}/closed")
        keyrings = {ledger.ledger_id: self.stores[space].keyring for space, ledger in self.ledgers.items()}
        self._recorder = Recorder(EVENTS, entropy, SealedTexts(keyrings, self.builds, entropy, seals=seal_texts))
        self._cache = StreamCache(self.ledgers, SLICES, self._recorder)
        self.projectors = self._make_projectors()
        self._ensured: set[Space] = set()
        self._crossed = ""
        """The newest crossing that was seen to be complete."""

    def state(self) -> State:
        """A fresh reader of the current state."""
        return State(self._cache)

    def facts(self, space: Space = Space.OPEN, after: int = 0) -> Iterator[Fact]:
        """All facts of a space in order; for audit trails, exports and replay."""
        self._recorder.refresh()
        return (self._recorder.read(entry) for entry in self.ledgers[space].read(after=after))

    def facts_of(self, participant: str, space: Space = Space.OPEN) -> Iterator[Fact]:
        """The facts of one participant's stream in a space, in order."""
        self._recorder.refresh()
        entries = self.ledgers[space].read_stream(f"participant/{participant}")
        return (self._recorder.read(entry) for entry in entries)

    def dispatch(
        self,
        command: Command,
        *,
        by: Actor,
        request_id: str,
        observed_at: str | None = None,
        reason: str | None = None,
        signature: Signature | None = None,
        state: State | None = None,
    ) -> Receipt:
        """Carry out a command.

        Args:
            command: the intent.
            by: who acts.
            request_id: chosen by the caller; a retry with the same id returns the first result.
            observed_at: when the thing happened, ISO with offset, if it is a report of fact.
            reason: why, where the act asks for one.
            signature: given with re-authentication, where the act needs one.
            state: what the caller has read of this trial for the same act, so that it need not be read again. Like
                all that is decided on, it must still stand when the act is written; else everything is read anew.

        Raises:
            Refusal: by name; nothing was written, and the attempt stands in the security log.
            InvalidValue: a time that cannot be one.
            RequestReused: the request id stands for something else.
            VersionConflict: other writers kept moving what the decision read.
        """
        self.recover()
        request = _Request(command, by, request_id, observed_at, reason, signature, state)
        try:
            requests.check_readable(command, by, request_id, reason)
            receipt = self._receipt(request)
        except Refusal as refusal:
            self._log(request, refusal)
            raise
        if not receipt.repeated:
            self._checkpoint(receipt, command.PERMISSION)
        return receipt

    def recover(self) -> int:
        """Complete a crossing that a crash interrupted. Returns how many were completed (0 or 1)."""
        if not self._two_ledgers:
            return 0
        for attempt in range(1, RETRIES + 1):
            newest = self.state().of(Crossings).newest
            if newest is None or self._is_complete(newest):
                return 0
            try:
                self._cross_again(newest)
            except RequestAlreadyRecorded:
                return 0  # another process completed it
            except VersionConflict:
                if attempt == RETRIES:
                    raise
            else:
                return 1
        raise AssertionError("the loop returns or raises")  # pragma: no cover

    def _is_complete(self, crossing: Fact) -> bool:
        if crossing.request_id != self._crossed:
            if not self.ledgers[Space.OPEN].find_request(crossing.request_id):
                return False
            self._crossed = crossing.request_id
        return True

    def rebuild_views(self, space: Space = Space.OPEN) -> int:
        """Empty every table of the space's views and fold the ledger again. Returns the number of facts."""
        count = 0
        projector = self.projectors[space]
        with self.ledgers[space].transaction() as transaction:
            transaction.rows.clear(projector.tables)
            for fact in self.facts(space):
                projector.project((fact,), transaction.rows)
                count += 1
            views_are_folded(transaction.rows)
        return count

    # --- deciding -------------------------------------------------------------------------------------------

    def _receipt(self, request: _Request) -> Receipt:
        """What the request amounts to: now, or when it was made before.

        Nearly every request is a first one, so it is carried out without asking. A repeated one cannot be recorded
        twice: the ledger says so, or what it did before is why it cannot be done again, or it changes nothing now.
        Of two ledgers each knows its own requests only; whoever holds both asks both first.
        """
        earlier = self._earlier(request) if self._two_ledgers else None
        if earlier is not None:
            return earlier
        try:
            receipt = self._carry_out(request)
        except TrialwrightError:
            earlier = self._earlier(request)
            if earlier is None:
                raise
            return earlier
        return receipt if receipt.facts else self._earlier(request) or receipt

    def _carry_out(self, request: _Request) -> Receipt:
        for attempt in range(1, RETRIES + 1):
            known = request.state if attempt == 1 else None
            try:
                return self._carry_out_once(request, self._state_for(request.command, known))
            except VersionConflict:
                if attempt == RETRIES:
                    raise
            except TrialwrightError:
                if known is None:
                    raise  # nobody is refused for what may be true no more
        raise AssertionError("the loop returns or raises")  # pragma: no cover

    def _carry_out_once(self, request: _Request, state: State) -> Receipt:
        site = site_of(request.command, request.by, state)
        build = self._build(request, site, state)
        zone = _zone(build, site)
        context = self._context(request, build, zone)
        _ = context.happened  # a claimed time is checked even where no decision asks for it
        self._check_spaces(build)
        permit(request.command, context, state, self.ledgers)
        decide: Decide = DECISIONS[type(request.command)]
        events = tuple(decide(request.command, state, context))
        about = Circumstances(
            now=context.now,
            observed_at=request.observed_at,
            actor=request.by,
            zone=zone,
            reason=request.reason,
            build=context.build.id,
            request_id=request.request_id,
            asked=request.digest,
        )
        beyond = about if _reason_crosses(request.command) else replace(about, reason=None)
        return Receipt(request.request_id, self._commit(events, state, about, beyond))

    def _state_for(self, command: Command, known: State | None) -> State:
        """The state that is known, else a fresh one; for a closed command one in which every crossing is complete.

        Only the newest crossing can be completed later. So a closed command reads which one it is, and may add the
        next only if that is still the newest when the locks are held: one that another process left incomplete
        after we looked is never buried.
        """
        while True:
            state, known = known or self.state(), None
            if not self._two_ledgers or command.PERMISSION.space is Space.OPEN:
                return state
            newest = state.of(Crossings).newest
            if newest is None or self._is_complete(newest):
                return state
            self.recover()

    def _check_spaces(self, build: Build) -> None:
        if self.one_space and build.study.identity.blinding.kind == "blinded":
            raise SpacesNotApart(
                "a blinded study was opened with one store for both spaces",
                remedy="give the closed space a store of its own, or none in a blinded process",
            )

    def _context(self, request: _Request, build: Build, zone: str) -> Context:
        now = self.clock.now()
        return Context(
            now=now,
            zone=zone,
            today=now.astimezone(ZoneInfo(zone)).date().isoformat(),
            observed_at=request.observed_at,
            actor=request.by,
            reason=request.reason,
            signature=request.signature,
            build=build,
            builds=self.builds,
            mode=self.mode,
            request_id=request.request_id,
            entropy=self.entropy,
            allocations=self.allocations,
            open_head=self.open_head,
        )

    def open_head(self) -> tuple[int, str]:
        """Size and Merkle root (hex) of the open ledger, as signatures and data cuts cite it."""
        head = self.ledgers[Space.OPEN].head()
        return head.size, head.root.hex()

    def _build(self, request: _Request, site: str | None, state: State) -> Build:
        named: str = getattr(request.command, "build", "")
        in_force = (state.of(SiteSetup, site).build if site else "") or state.of(StudySetup).build or named
        if not state.of(StudySetup).approved.keys() <= self.builds.keys():
            # Approved by another process. Under any other build an act would be judged and recorded wrongly.
            self.builds.update(builds_on_record(self.ledgers[Space.OPEN]))
        # Before anything is approved there is only the build that the first command names.
        return self.builds[in_force] if in_force in self.builds else next(iter(self.builds.values()))

    # --- writing --------------------------------------------------------------------------------------------

    def _commit(
        self, events: Sequence[Event], state: State, about: Circumstances, beyond: Circumstances
    ) -> tuple[Fact, ...]:
        """Write the events; ``beyond`` is what the open space learns about a closed act."""
        if self.one_space:
            return self._append_one(events, state, about)
        closed = [event for event in events if event.SPACE is Space.CLOSED]
        crossing = [event for event in events if event.SPACE is Space.OPEN]
        if not closed and not state.read[Space.CLOSED]:
            return self._append_one(crossing, state, about)
        if crossing:
            parts = [(event.TYPE, encode(event)) for event in crossing]
            closed.append(FactsCrossed.of(parts, about.request_id, beyond.reason))
        return self._append_both(
            self._entries(Space.CLOSED, closed, state, about),
            self._entries(Space.OPEN, crossing, state, beyond),
            state,
            about,
        )

    def _append_one(self, events: Sequence[Event], state: State, about: Circumstances) -> tuple[Fact, ...]:
        entries = self._entries(Space.OPEN, events, state, about)
        expected = _older(*state.read.values()) if self.one_space else state.read[Space.OPEN]
        as_of = state.as_of(*Space) if self.one_space else state.as_of(Space.OPEN)
        with self.ledgers[Space.OPEN].transaction(Foreseen(about.request_id, as_of)) as transaction:
            transaction.check(expected, as_of)
            written = self._write(Space.OPEN, transaction, entries, about.asked)
        self._committed(Space.OPEN, written)
        return written.facts

    def _append_both(
        self,
        closed_entries: Sequence[NewEntry],
        open_entries: Sequence[NewEntry],
        state: State,
        about: Circumstances,
    ) -> tuple[Fact, ...]:
        foreseen = {space: Foreseen(about.request_id, state.as_of(space)) for space in Space}
        with ExitStack() as stack:
            # The open lock is taken first and let go last, so the closed ledger commits before the open one.
            open_transaction = stack.enter_context(self.ledgers[Space.OPEN].transaction(foreseen[Space.OPEN]))
            closed_transaction = stack.enter_context(self.ledgers[Space.CLOSED].transaction(foreseen[Space.CLOSED]))
            open_transaction.check(state.read[Space.OPEN], state.as_of(Space.OPEN))
            in_open = self._write(Space.OPEN, open_transaction, open_entries)
            closed_transaction.check(state.read[Space.CLOSED], state.as_of(Space.CLOSED))
            in_closed = self._write(Space.CLOSED, closed_transaction, closed_entries, about.asked)
            open_transaction.settle()  # what the open database refuses must be known before the closed one commits
        self._committed(Space.CLOSED, in_closed)
        self._committed(Space.OPEN, in_open)
        return in_closed.facts + in_open.facts

    def _entries(
        self, space: Space, events: Sequence[Event], state: State, about: Circumstances
    ) -> tuple[NewEntry, ...]:
        def number(participant: str) -> int:
            # Read like anything that is decided on: destroyed meanwhile, the act is decided again.
            return state.of(Forgetting, participant).number

        last: dict[str, int] = {}
        entries = []
        for event in events:
            stream = event.stream
            last[stream] = last.get(stream, state.version(self._where(space), stream)) + 1
            entries.append(self._recorder.write(self.ledgers[space].ledger_id, event, last[stream], about, number))
        return tuple(entries)

    def _write(
        self,
        space: Space,
        transaction: Transaction,
        entries: Sequence[NewEntry],
        asked: str = "",
    ) -> _Written:
        if not entries:
            return _Written()
        projector = self.projectors[space]
        if space not in self._ensured:
            transaction.rows.ensure((*projector.tables, requests.ASKED))
        placed = transaction.append(entries)
        facts = tuple(self._recorder.read(entry) for entry in placed)
        projector.project(facts, transaction.rows)
        if asked:
            requests.note(transaction.rows, entries[0].request_id, asked)
        return _Written(facts, placed[-1].seq)

    def _committed(self, space: Space, written: _Written) -> None:
        if written.facts:
            self._ensured.add(space)
            for known in self.ledgers if self.one_space else (space,):
                self._cache.learn(known, written.facts, written.size)

    # --- around ---------------------------------------------------------------------------------------------

    def _make_projectors(self) -> dict[Space, Projector]:
        if self.one_space:
            everything = Projector(VIEWS, frozenset(Space))
            return {Space.OPEN: everything, Space.CLOSED: everything}
        return {space: Projector(VIEWS, frozenset({space})) for space in self.ledgers}

    def _where(self, space: Space) -> Space:
        return Space.OPEN if self.one_space else space

    def _earlier(self, request: _Request) -> Receipt | None:
        """What the request amounted to when it was made before.

        Raises:
            RequestReused: under its id somebody asked for something else.
        """
        ledgers = {
            id(ledger): ledger for ledger in (self.ledgers.get(s) for s in (Space.CLOSED, Space.OPEN)) if ledger
        }
        entries = [entry for ledger in ledgers.values() for entry in ledger.find_request(request.request_id)]
        if not entries:
            return None
        space = self._noted_in(request.command)
        requests.check(self.stores[space].rows, request.request_id, request.digest)
        return Receipt(request.request_id, tuple(self._recorder.read(entry) for entry in entries), repeated=True)

    @property
    def _two_ledgers(self) -> bool:
        return not self.one_space and Space.CLOSED in self.ledgers

    def _noted_in(self, command: Command) -> Space:
        wanted = command.PERMISSION.space
        return wanted if wanted in self.stores else Space.OPEN

    def _cross_again(self, fact: Fact) -> None:
        crossed = cast(FactsCrossed, fact.event)
        about = Circumstances(
            now=datetime.fromisoformat(fact.at).astimezone(UTC),
            observed_at=fact.observed_at,
            actor=Actor(fact.actor, Role(fact.role), fact.organisation, fact.site),
            zone=fact.zone,
            reason=crossed.reason,
            build=fact.build,
            request_id=fact.request_id,
        )
        events = [self._recorder.event(part.type, contents(part)) for part in crossed.parts]
        self._append_one(events, self.state(), about)

    def _checkpoint(self, receipt: Receipt, permission: Permission) -> None:
        if self.checkpoint is None or not (permission.checkpoint or permission.signs):
            return
        for space in sorted({self._where(fact.event.SPACE) for fact in receipt.facts}, key=lambda space: space.value):
            self.checkpoint(space)

    def _log(self, request: _Request, refusal: Refusal) -> None:
        space = self._noted_in(request.command)
        ledger = self.stores[space].ledger(f"{self.study}/security-{space.value}")
        log_refusal(
            ledger, self.clock.now(), request.command, by=request.by, request_id=request.request_id, refusal=refusal
        )


def _reason_crosses(command: Command) -> bool:
    return command.PERMISSION.space is Space.OPEN or command.PERMISSION.reason_crosses


def _older(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Versions of streams read twice, as two slices of one ledger: the one that was read first must still stand."""
    return {**one, **{stream: min(version, one.get(stream, version)) for stream, version in other.items()}}


def _zone(build: Build, site: str | None) -> str:
    sites = build.study.sites
    if site in sites:
        return sites[site].timezone
    return next((s for s in sites.values() if s.coordinating), next(iter(sites.values()))).timezone

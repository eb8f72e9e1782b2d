"""The simulated world: its clock, its people, its chance, and the one way in which anybody acts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trialwright.build import Build
from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import Entropy, SettableClock
from trialwright.rehearsal.agenda import Agenda
from trialwright.rehearsal.cast import Cast
from trialwright.rehearsal.draws import Draws
from trialwright.rehearsal.known import Known
from trialwright.rehearsal.values import Population, VirtualPerson
from trialwright.trial.command import Actor, Command, Signature
from trialwright.trial.dispatch import Receipt, Trial
from trialwright.trial.event import Space
from trialwright.trial.setup.state import SiteSetup
from trialwright.trial.state import State


@dataclass(frozen=True)
class Tried:
    """An act that was refused, as the rehearsal met it."""

    command: str
    refusal: str
    space: Space
    """Where the command belongs: a refusal of the closed space may depend on the arm."""


@dataclass
class World:
    """Everything a process of the rehearsal needs.

    Args:
        trial: the real commands act on it.
        clock: moved by the agenda.
        entropy: of the rehearsal; makes request ids.
        draws: chance of the virtual world.
        population: what virtual people are like.
        responses: whether what was given changes anybody's values; off where two worlds are compared.
    """

    trial: Trial
    clock: SettableClock
    entropy: Entropy
    draws: Draws
    population: Population
    cast: Cast
    agenda: Agenda
    target: int
    """Participants to randomise."""
    responses: bool = True
    known: Known | None = None
    """What is known beforehand; then nothing goes wrong of itself."""
    stays_away_from: date | None = None
    """Whoever's window ends in the two weeks before this day comes only then, so that visits are overdue before."""
    on_randomised: Callable[[int], None] = lambda done: None
    persons: dict[str, VirtualPerson] = field(default_factory=dict)
    randomised: list[str] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    running: int = 0
    """Journeys that have not ended."""
    recruiting: bool = True
    refused: Counter[Tried] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    """What the summary tells, counted as it happens."""
    _requests: Counter[int] = field(default_factory=Counter)
    """Acts so far, by a digest of what they are about."""
    _state: State | None = None

    def act(
        self,
        command: Command,
        by: Actor,
        *,
        reason: str | None = None,
        shown: str | None = None,
        observed_at: str | None = None,
        topic: str = "",
    ) -> Receipt:
        """Give a command through the one door.

        Args:
            command: the intent.
            by: who.
            reason: why.
            shown: hash of what is signed, where the act needs a signature.
            observed_at: claimed time, ISO with offset.
            topic: makes the request id independent of acts about other topics.
        """
        meaning = command.PERMISSION.signs
        signature = Signature(by.person, meaning, shown) if meaning is not None and shown is not None else None
        self._state = None
        receipt = self.trial.dispatch(
            command,
            by=by,
            request_id=self._request_id(command, topic),
            observed_at=observed_at,
            reason=reason,
            signature=signature,
        )
        self.told[type(command).__name__] += 1
        return receipt

    def attempt(self, command: Command, by: Actor, **how: str | None) -> Receipt | None:
        """Like :meth:`act` where a refusal is part of the story; it is counted."""
        try:
            return self.act(command, by, **how)  # type: ignore[arg-type]
        except Refusal as refusal:
            self.refused[Tried(type(command).__name__, refusal.code, command.PERMISSION.space)] += 1
            return None

    def state(self) -> State:
        """What is on record; one reader until the next act, because nobody else writes in a rehearsal."""
        if self._state is None:
            self._state = self.trial.state()
        return self._state

    def build_at(self, site: str) -> Build:
        """The build in force at a site."""
        builds = self.trial.builds
        active = self.state().of(SiteSetup, site).build
        return builds[active] if active else self.population.build

    def today(self, site: str) -> date:
        """Local date at a site."""
        return self.clock.now().astimezone(self.zone(site)).date()

    def zone(self, site: str) -> ZoneInfo:
        """A site's zone."""
        return ZoneInfo(self.population.build.study.sites[site].timezone)

    def at(self, site: str, day: date, hour: int, minute: int = 0) -> datetime:
        """An instant by a site's wall clock."""
        return datetime.combine(day, time(hour, minute), self.zone(site))

    def after(self, **duration: float) -> datetime:
        """An instant so much later."""
        return self.clock.now() + timedelta(**duration)

    def _request_id(self, command: Command, topic: str) -> str:
        # Addressed by what the act is about, so that acts which exist in one arm only shift nobody else's ids.
        about = getattr(command, "participant", None) or getattr(command, "site", None) or "study"
        address = f"{command.PERMISSION.space.value} {type(command).__name__} {about} {topic}"
        # Thousands of people act hundreds of times: what is kept of an address must be small, and the same anywhere.
        short = int.from_bytes(hashlib.blake2b(address.encode(), digest_size=7).digest(), "big")
        self._requests[short] += 1
        raw = self.entropy.bytes(12, purpose="request", stream=address, position=self._requests[short])
        return raw.hex()

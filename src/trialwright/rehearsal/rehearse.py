"""The rehearsal itself: set the stage, let time run, say what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from trialwright.build import Build
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.ports import DerivedEntropy, SettableClock
from trialwright.ledger import SigningKey
from trialwright.ledger.port import Store
from trialwright.protocol.simulation import Scenario
from trialwright.rehearsal import amendment, closing, loose_ends, opening, oversight
from trialwright.rehearsal.agenda import Agenda, Process
from trialwright.rehearsal.cast import Cast
from trialwright.rehearsal.draws import Draws
from trialwright.rehearsal.journey import Journey
from trialwright.rehearsal.known import Known, KnownAllocations
from trialwright.rehearsal.values import Population
from trialwright.rehearsal.world import Tried, World
from trialwright.sealing import (
    Dispensing,
    IdealSealer,
    InProcessDispensing,
    KeyOpener,
    KeyPurpose,
    PrivateKey,
    RealSealer,
    Sealed,
    Sealer,
    generate_key,
)
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.allocation.preparation import MINIMISATION
from trialwright.trial.checkpointing import Checkpointer
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""A Monday. Rehearsed time begins here, whatever the machine's clock says."""


@dataclass(frozen=True)
class Wishes:
    """What kind of rehearsal.

    Args:
        participants: how many are randomised.
        seed: everything follows from it.
        scenario: id of a scenario of ``simulation.yaml``; the first expected one by default.
        amendment: whether a later build comes in the middle.
        ideal_seals: seals whose bytes do not depend on what they hold; for the proof of the blind only.
        mirrored: every allocation exchanged for the other; for the same proof.
        responses: whether what is given changes values.
        until: where to stop, an instant; None for the whole study. The record then stands in the middle of a trial,
            for a demonstration or a training.
        loose_ends: whether people are in the middle of something where it stops (forms half filled, open questions,
            an overdue visit, a running clock), as real ones are; needs ``until``.
        keep_keys: gets the keys that open allocations (the dispensing and the unblinding key), for an application
            that goes on from where the rehearsal stopped; never called with ideal seals.
        known: participants whose allocations and values are known. They are as many as are known; nobody of them
            leaves, misses a visit or is mistyped, and no manufacture fails.
    """

    participants: int = 18
    seed: int = 1
    scenario: str | None = None
    amendment: bool = True
    ideal_seals: bool = False
    mirrored: bool = False
    responses: bool = True
    until: datetime | None = None
    loose_ends: bool = False
    keep_keys: Callable[[PrivateKey], None] | None = None
    known: Known | None = None


@dataclass(frozen=True)
class Rehearsed:
    """What came out.

    Attributes:
        trial: as it stands at the end.
        root, closed_root: Merkle roots (hex) of the two ledgers; equal where a study has one space.
        told: what happened how often.
        refused: acts that the gates refused on the way, as they should.
    """

    trial: Trial
    root: str
    closed_root: str
    events: int
    closed_events: int
    participants: int
    screened: int
    told: Mapping[str, int]
    refused: Mapping[Tried, int]
    ended: datetime
    checkpoint_key: str
    """The public key that verifies the checkpoints."""
    order: tuple[str, ...] = ()
    """Participants in the order of randomisation."""
    mode: str = "rehearsal"


def rehearse(
    build: Build,
    open_store: Store,
    closed_store: Store,
    wishes: Wishes | None = None,
    progress: Callable[[int], None] = lambda done: None,
    hand_out: Callable[[Space, str], None] = lambda space, note: None,
) -> Rehearsed:
    """Take virtual participants through the whole of a study.

    Args:
        build: the study.
        open_store: where the open ledger goes; must not hold this study yet.
        closed_store: the closed space; not used by a study with one space.
        wishes: how many, from which seed, in which world.
        progress: called with the number of participants randomised and finished so far.
        hand_out: gets each checkpoint, as sites and sponsor would.

    Raises:
        InvalidValue: no participants, or an unknown scenario.
        Refusal: a gate refused what a correct trial does; that is a fault of study or system, and worth finding.
    """
    wishes = wishes or Wishes()
    if wishes.known is not None:
        wishes = replace(wishes, participants=len(wishes.known.labels))
    world, later, sealer = _stage(build, open_store, closed_store, wishes)
    key = SigningKey("rehearsal", world.entropy.bytes(32, purpose="checkpoint key", stream="study", position=0))
    checkpointer = Checkpointer(
        world.trial.stores, world.trial.ledgers, key, world.clock, hand_out, at_most_every=timedelta(days=7)
    )
    world.trial.checkpoint = checkpointer
    world.agenda.start(_whole(world, later, sealer, wishes, progress), START)
    if wishes.loose_ends and wishes.until is not None:
        world.agenda.start(loose_ends.leave(world), loose_ends.begin(wishes.until))
    world.agenda.run(wishes.until)
    for space in (Space.OPEN,) if world.trial.one_space else tuple(world.trial.ledgers):
        checkpointer.sign(space)
    return _outcome(world, str(key.verifier))


def _stage(build: Build, open_store: Store, closed_store: Store, wishes: Wishes) -> tuple[World, Build, Sealer]:
    if wishes.participants < 1:
        raise InvalidValue(
            f"{wishes.participants} participants cannot be rehearsed",
            remedy="ask for 1 or more",
            given=wishes.participants,
        )
    entropy, clock = DerivedEntropy(wishes.seed), SettableClock(START)
    one_space = build.study.identity.blinding.kind == "open"
    later = amendment.amended(build)
    trial = Trial(
        build.study.identity.id,
        open_store=open_store,
        closed_store=open_store if one_space else closed_store,
        builds={build.id: build, later.id: later},
        clock=clock,
        entropy=entropy,
        mode="rehearsal",
    )
    sealer, dispensing = _seals(build, entropy, wishes)
    gateway = _MirroredMinimisation if wishes.mirrored and _is_minimised(build) else SealedAllocations
    trial.allocations = gateway(trial.state, trial.builds, dispensing)
    randomised: list[str] = []
    if wishes.known is not None:
        trial.allocations = KnownAllocations(trial, dispensing, wishes.known.labels, randomised)
    draws = Draws(wishes.seed)
    population = Population(build, _scenario(build, wishes.scenario), draws)
    world = World(
        trial=trial,
        clock=clock,
        entropy=entropy,
        draws=draws,
        population=population,
        cast=Cast(build.study),
        agenda=Agenda(clock),
        target=wishes.participants,
        responses=wishes.responses,
        randomised=randomised,
        known=wishes.known,
        stays_away_from=wishes.until.date() if wishes.loose_ends and wishes.until is not None else None,
    )
    return world, later, sealer


def _seals(build: Build, entropy: DerivedEntropy, wishes: Wishes) -> tuple[Sealer, Dispensing]:
    sealer: Sealer
    if wishes.ideal_seals:
        sealer = ideal = IdealSealer()
        dispensing: Dispensing = InProcessDispensing(ideal.opener(KeyPurpose.DISPENSING))
    else:
        study = build.study.identity.id
        keys = [generate_key(p, entropy, ledger=study) for p in (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)]
        sealer = RealSealer([key.public for key in keys], entropy)
        dispensing = InProcessDispensing(KeyOpener(keys[0]))
        if wishes.keep_keys is not None:
            for key in keys:
                wishes.keep_keys(key)
    return sealer, _MirroredList(dispensing, build) if wishes.mirrored else dispensing


class _MirroredList:
    """Answers with the other arm: the same trial in the mirrored world. Nothing of a list is read but through it."""

    def __init__(self, inner: Dispensing, build: Build) -> None:
        self._inner = inner
        self._other = _others(build)

    def dispense(self, sealed: Sealed) -> str:
        label = self._inner.dispense(sealed)
        return self._other.get(label, label)

    def close(self) -> None:
        self._inner.close()


class _MirroredMinimisation(SealedAllocations):
    """The same where no list holds labels: the sealed numbers stay, what they amount to is exchanged."""

    def label(self, participant: str) -> str:
        return _others(next(iter(self._builds.values())))[super().label(participant)]


def _others(build: Build) -> dict[str, str]:
    labels = sorted(build.study.randomisation.ratio)
    return dict(zip(labels, labels[1:] + labels[:1], strict=True))


def _is_minimised(build: Build) -> bool:
    return build.study.randomisation.method == MINIMISATION


def _scenario(build: Build, wanted: str | None) -> Scenario:
    scenarios = {scenario.id: scenario for scenario in build.study.simulation.scenarios}
    if wanted is None:
        return next((s for s in scenarios.values() if s.kind == "expected"), next(iter(scenarios.values())))
    if wanted not in scenarios:
        raise InvalidValue(
            f"the study has no scenario {wanted!r}", remedy=f"use one of {', '.join(scenarios)}", given=wanted
        )
    return scenarios[wanted]


def _whole(world: World, later: Build, sealer: Sealer, wishes: Wishes, progress: Callable[[int], None]) -> Process:
    halfway = max(1, wishes.participants // 2)

    def randomised(done: int) -> None:
        progress(done + len(world.finished & set(world.randomised)))
        if wishes.amendment and done == halfway:
            world.agenda.start(amendment.amend(world, later), world.after(days=3))

    world.on_randomised = randomised
    yield from opening.open_study(world, sealer, world.entropy, START)
    for site in world.population.build.study.sites:
        world.agenda.start(_arrivals(world, site), world.clock.now())
    world.agenda.start(oversight.watch(world), world.after(days=oversight.ROUND_DAYS))
    yield world.after(days=1)
    while world.recruiting or world.running:
        yield world.after(days=30)
        progress(len(world.randomised) + len(world.finished & set(world.randomised)))
    yield from closing.close_study(world)
    progress(2 * wishes.participants)


def _arrivals(world: World, site: str) -> Process:
    """People come to a site at its rate until the study is full."""
    simulation = world.population.build.study.simulation
    rates = {accrual.site: float(accrual.per_month) for accrual in simulation.accrual}
    # A bigger rehearsal is a bigger study at the same hospitals: more people come, it does not last longer.
    planned = max(world.population.build.study.identity.planned_participants, 1)
    per_day = rates.get(site, 0.5) / 30.4375 * max(1.0, world.target / planned)
    number = 0
    while world.recruiting:
        number += 1
        yield world.clock.now() + world.draws.waiting(per_day, site, number, "arrival")
        if world.recruiting:
            world.agenda.start(Journey(world, site, number).live(), world.clock.now())


def _outcome(world: World, checkpoint_key: str) -> Rehearsed:
    trial = world.trial
    heads = {space: ledger.head() for space, ledger in trial.ledgers.items()}
    return Rehearsed(
        trial=trial,
        root=heads[Space.OPEN].root.hex(),
        closed_root=heads[Space.CLOSED].root.hex(),
        events=heads[Space.OPEN].size,
        closed_events=0 if trial.one_space else heads[Space.CLOSED].size,
        participants=len(world.randomised),
        screened=len(world.persons),
        told=dict(world.told),
        refused=dict(world.refused),
        ended=world.clock.now(),
        checkpoint_key=checkpoint_key,
        order=tuple(world.randomised),
    )

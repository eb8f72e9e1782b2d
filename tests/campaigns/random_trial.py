"""One random trial: people act in a random order, with faults, through the real door.

Most acts are the next step of somebody's journey; the others are any command, about anybody, by anybody. Commands are
refused, repeated, based on what is no longer so; processes die between the two commits, before them and after them;
the clock jumps. What must hold afterwards is read by ``trial_readings.py``; what must hold at once (a refusal changes
nothing, a repeated request gives the first result) is noted here in ``problems``.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from trialwright.build import Build, to_verify
from trialwright.foundation.errors import Refusal, TrialwrightError
from trialwright.foundation.ports import DerivedEntropy, SettableClock
from trialwright.foundation.truth import Truth
from trialwright.ledger import Foreseen, SigningKey, sign_checkpoint
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.randomisation import generate_stratified
from trialwright.rehearsal.amendment import amended
from trialwright.rehearsal.cast import Cast
from trialwright.rehearsal.opening import parameters
from trialwright.sealing import (
    ExpandedDraws,
    IdealSealer,
    InProcessDispensing,
    KeyOpener,
    KeyPurpose,
    RealSealer,
    generate_key,
)
from trialwright.stores import MemoryStore
from trialwright.trial.allocation import commands as allocation
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.allocation.preparation import MINIMISATION, Secret, list_design, prepare_list, strata_of
from trialwright.trial.allocation.state import Randomised
from trialwright.trial.capture import commands as capture
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.shown import shown_case_book, shown_form
from trialwright.trial.capture.state import LOG, CaseBook
from trialwright.trial.closure import commands as closure
from trialwright.trial.closure.events import PopulationDecision
from trialwright.trial.closure.state import ClosedDeviations, Deviations, Ending
from trialwright.trial.command import Actor, Command, Signature
from trialwright.trial.consent import commands as consent
from trialwright.trial.consent.state import Consent
from trialwright.trial.consent.text import text_hash
from trialwright.trial.custody import commands as custody
from trialwright.trial.custody.events import MeasuredValue
from trialwright.trial.custody.state import Slots
from trialwright.trial.dispatch import Receipt, Trial
from trialwright.trial.enrolment import commands as enrolment
from trialwright.trial.enrolment.assessment import Judgement, shown_assessment
from trialwright.trial.enrolment.events import ParticipantScreened
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Space
from trialwright.trial.queries import commands as queries
from trialwright.trial.queries.state import Queries
from trialwright.trial.safety import commands as safety
from trialwright.trial.setup import commands as setup
from trialwright.trial.setup.events import Approval
from trialwright.trial.setup.state import REQUIRED_TRAINING, SiteSetup, StudySetup

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SITE_KEY = SigningKey("sponsor.example/random", b"c" * 32)
ROWS = 8
NOBODY = "NO-01-099"
RECIPIENTS = (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)
HASH = hashlib.sha256(b"anything").hexdigest()

Step = Iterator[None]


class Died(Exception):
    """The process died here."""


@dataclass(frozen=True)
class Given:
    """A command with everything that is said about it."""

    command: Command
    by: Actor
    shown: str | None = None
    reason: str | None = None
    observed_at: str | None = None


@dataclass
class Moment:
    """How long the ledgers were when the study was locked or opened again."""

    what: str
    sizes: dict[Space, int]


@dataclass
class RandomTrial:
    """A trial in play.

    Args:
        build: the study.
        seed: everything follows from it.
        acts: how many steps are tried before the end.
    """

    build: Build
    seed: int
    acts: int = 110
    problems: list[str] = field(default_factory=list)
    """What was wrong at once."""
    told: Counter[str] = field(default_factory=Counter)
    moments: list[Moment] = field(default_factory=list)
    receipts: dict[str, tuple[Given, tuple[Any, ...]]] = field(default_factory=dict)
    """Request id → what was asked, and the facts it amounted to."""
    checkpoints: dict[Space, dict[str, str]] = field(default_factory=dict)
    """Space → what a site holds of its ledger."""
    people: list[str] = field(default_factory=list)
    prepared: list[Secret] = field(default_factory=list)
    """What the statistician knows of each list."""
    deadliness: float = 0.0
    """How often a process dies over a command."""

    def __post_init__(self) -> None:
        self.chance = random.Random(f"trial {self.seed}")
        self.study = self.build.study
        self.blinded = self.study.identity.blinding.kind == "blinded"
        self.cast = Cast(self.study)
        self.clock = SettableClock(START)
        self.entropy = DerivedEntropy(self.seed)
        self.stores = {Space.OPEN: MemoryStore(), Space.CLOSED: MemoryStore()}
        if not self.blinded:
            self.stores[Space.CLOSED] = self.stores[Space.OPEN]
        self.later_build = _amended(self.build)
        self._seal()
        self.trial = self.process()
        self._requests = 0
        self._labels = 0

    def _seal(self) -> None:
        """Keys for this trial: real ones now and then, for they cost more than all the rest."""
        study = self.study.identity.id
        if self.chance.random() < 0.05:
            keys = [
                generate_key(p, self.entropy, ledger=study) for p in (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)
            ]
            self.sealer: Any = RealSealer([key.public for key in keys], self.entropy)
            openers: list[Any] = [KeyOpener(key) for key in keys]
        else:
            self.sealer = IdealSealer()
            openers = [self.sealer.opener(purpose) for purpose in RECIPIENTS]
        self.dispensing, self.unblinding = InProcessDispensing(openers[0]), openers[1]

    def process(self) -> Trial:
        """A process on the stores as they are."""
        trial = Trial(
            self.study.identity.id,
            open_store=self.stores[Space.OPEN],
            closed_store=self.stores[Space.CLOSED],
            builds={self.build.id: self.build, self.later_build.id: self.later_build},
            clock=self.clock,
            entropy=self.entropy,
            mode="rehearsal",
        )
        trial.allocations = SealedAllocations(trial.state, trial.builds, self.dispensing)
        return trial

    # --- giving commands ----------------------------------------------------------------------------------------

    def give(self, given: Given, request_id: str | None = None) -> Receipt | None:
        """Through the door; None where it was refused, which must have changed nothing."""
        if request_id is None:
            self._requests += 1
            request_id = f"request-{self._requests}"
            # Acts of the closed space are rarer, and only they can be caught between two commits.
            deadlier = 5 if given.command.PERMISSION.space is Space.CLOSED else 1
            if self.chance.random() < self.deadliness * deadlier:
                self._die_over(given, request_id)
        receipt = self._tried(given, request_id)
        if receipt is not None:
            self._remember(given, receipt)
        return receipt

    def _tried(self, given: Given, request_id: str) -> Receipt | None:
        before, name = self.heads(), type(given.command).__name__
        try:
            receipt = self._dispatch(self.trial, given, request_id)
        except TrialwrightError as refusal:
            self.told["refused"] += 1
            self.told[f"refused {refusal.code}"] += 1
            self.told["logged"] += isinstance(refusal, Refusal)
            if self.heads() != before:
                self.problems.append(f"{name} was refused ({refusal.code}) and the record changed")
            if not refusal.remedy:
                self.problems.append(f"{name} was refused ({refusal.code}) without a remedy")
            return None
        except Exception as error:
            self.problems.append(f"{name} fell over: {error!r}")
            return None
        self.told["done"] += 1
        self.told[name] += 1
        return receipt

    def _dispatch(self, trial: Trial, given: Given, request_id: str) -> Receipt:
        meaning, by = given.command.PERMISSION.signs, given.by
        signature = None if meaning is None or given.shown is None else Signature(by.person, meaning, given.shown)
        return trial.dispatch(
            given.command,
            by=by,
            request_id=request_id,
            observed_at=given.observed_at,
            reason=given.reason,
            signature=signature,
        )

    def _remember(self, given: Given, receipt: Receipt) -> None:
        facts = tuple((fact.stream, fact.stream_seq, fact.event) for fact in receipt.facts)
        if not facts:
            return  # nothing had to be done, so nothing is known of it
        new = receipt.request_id not in self.receipts
        known = self.receipts.setdefault(receipt.request_id, (given, facts))
        if known[1] != facts:
            self.problems.append(f"{receipt.request_id} gave another result when it was repeated")
        what = {closure.LockStudy: "locked", closure.UnlockStudy: "unlocked"}.get(type(given.command))
        if what and new:
            self.moments.append(Moment(what, self.sizes()))

    def _die_over(self, given: Given, request_id: str) -> None:
        """A process dies over the command: before the first commit, between the two, or before its answer."""
        where = self.chance.choice((Space.CLOSED, Space.OPEN, None))
        dying = self.process()
        if where is not None:
            dying.ledgers[where] = _Dying(dying.ledgers[where])  # type: ignore[assignment]  # all that dispatch uses
        sizes = self.sizes()
        try:
            self._dispatch(dying, given, request_id)
        except Died:
            between = self.sizes()[Space.CLOSED] > sizes[Space.CLOSED]
            self.told["died between the commits" if between and self.blinded else "died before a commit"] += 1
        except TrialwrightError as refusal:
            self.told["logged"] += isinstance(refusal, Refusal)
        except Exception as error:
            self.problems.append(f"{type(given.command).__name__} fell over: {error!r}")
        else:
            self.told["died before the answer"] += 1
        self.trial = self.process()

    def heads(self) -> list[object]:
        """Length and chain of each ledger."""
        return [(head.size, head.chain) for head in (ledger.head() for ledger in self.trial.ledgers.values())]

    def sizes(self) -> dict[Space, int]:
        return {space: ledger.size() for space, ledger in self.trial.ledgers.items()}

    # --- who and what -------------------------------------------------------------------------------------------

    def at(self, site: str, role: Role) -> Actor:
        return self.cast.at(site, role)

    def central(self, role: Role, number: int = 1) -> Actor:
        return self.cast.central(role, number)

    @property
    def today(self) -> date:
        return self.clock.now().date()

    def state(self) -> Any:
        return self.trial.state()

    def site_of(self, participant: str) -> str:
        return participant.split("-")[1]

    def later(self, **duration: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**duration))

    # --- the beginning ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Everything before the first participant."""
        sponsor, statistician = self.central(Role.SPONSOR), self.central(Role.INDEPENDENT_STATISTICIAN)
        self.give(Given(setup.CreateStudy(build=self.build.id), sponsor))
        approve = setup.ApproveBuild(build=self.build.id, evidence=HASH, summary="tested")
        self.give(Given(approve, sponsor, shown=self.build.id))
        self.give(Given(setup.OpenStudy(), sponsor))
        for role in self.study.identity.roles:
            if role not in SITE_ROLES and role is not Role.PARTICIPANT:
                for number in (1, 2) if role in (Role.SPONSOR, Role.DATA_MANAGER) else (1,):
                    person = self.central(role, number)
                    self.give(
                        Given(
                            setup.AppointPerson(person=person.person, role=role, organisation=person.organisation),
                            sponsor,
                        )
                    )
        for site in self.study.sites:
            self._open_site(site, sponsor)
        if self.chance.random() < 0.95:
            prepared = self.prepare()
            seal = allocation.SealAllocationList(prepared=prepared)
            self.give(Given(seal, statistician, shown=prepared.sealed.root.hex()))
        self.deadliness = 0.03

    def _open_site(self, site: str, sponsor: Actor) -> None:
        day, investigator = self.today.isoformat(), self.at(site, Role.INVESTIGATOR)
        approvals = (Approval(kind="ethics", reference="1", date=day),)
        activate = setup.ActivateSite(
            site=site,
            build=self.build.id,
            approvals=approvals,
            principal_investigator=investigator.person,
            organisation=investigator.organisation,
        )
        self.give(Given(activate, sponsor))
        for role in self.study.identity.roles:
            if role in SITE_ROLES and role is not Role.INVESTIGATOR:
                who = self.at(site, role)
                delegate = setup.DelegateTask(
                    site=site, person=who.person, role=role, organisation=who.organisation, since=day
                )
                self.give(Given(delegate, investigator, shown=HASH))
                for subject in sorted(REQUIRED_TRAINING):
                    training = setup.RecordTraining(site=site, person=who.person, subject=subject, date=day)
                    self.give(Given(training, investigator))

    def prepare(self) -> Any:
        """The next list, short enough to run out now and then."""
        number = len(self.prepared) + 1
        randomisation = self.study.randomisation
        multiple = 2 * sum(randomisation.ratio.values())
        rows = -(-ROWS // multiple) * multiple
        secret = Secret(
            seed=hashlib.sha256(f"list {self.seed} {number}".encode()).digest(),
            parameters=parameters(randomisation, self.study.simulation.block_size_candidates),
            rows=dict.fromkeys(strata_of(self.build), rows),
        )
        self.prepared.append(secret)
        return prepare_list(self.build, secret, number=number, sealer=self.sealer, entropy=self.entropy)

    def statisticians_list(self) -> dict[str, list[str]] | None:
        """Stratum → labels in the order in which the statistician made them; None where chance minimises."""
        if self.study.randomisation.method == MINIMISATION:
            return None
        found: dict[str, list[str]] = {}
        for number, secret in enumerate(self.prepared, 1):
            made = generate_stratified(
                list_design(self.build, secret.parameters),
                secret.rows,
                lambda stratum, n=number, s=secret: ExpandedDraws(s.seed, f"list/{n}/{stratum}"),  # type: ignore[misc]
            )
            for stratum, labels in made.items():
                found.setdefault(stratum, []).extend(labels)
        return found

    # --- the middle ---------------------------------------------------------------------------------------------

    def play(self) -> None:
        """From the first command to the last."""
        self.open()
        journeys: list[Step] = []
        for step in range(self.acts):
            self.later(minutes=self.chance.randint(1, 90))
            if self.chance.random() < 0.02:
                self.later(days=self.chance.choice((1, 3, 20, -1)), minutes=self.chance.choice((-59, 0, 61)))
                self.told["clock jumps"] += 1
            if (len(journeys) < 5 and self.chance.random() < 0.15) or not journeys:
                journeys.append(self.journey(self.chance.choice(list(self.study.sites))))
            if self.chance.random() < 0.2:
                self.anything()
            else:
                journey = self.chance.choice(journeys)
                if next(journey, self) is self:
                    journeys.remove(journey)
            if step == self.acts // 2:
                self.checkpoint("half way")
        if self.chance.random() < 0.5:
            self.end()
        self.checkpoint("the end")

    def checkpoint(self, label: str) -> None:
        """A site gets a checkpoint of each ledger."""
        for space, ledger in self.trial.ledgers.items():
            head = ledger.head()
            note = sign_checkpoint(ledger.ledger_id, head.size, head.root, SITE_KEY)
            self.checkpoints.setdefault(space, {})[label] = note

    def journey(self, site: str) -> Step:
        """What should be done with one person, in order; somebody else may do something in between."""
        found = self.give(self.screen(site))
        if found is None:
            return
        code = found.event(ParticipantScreened).participant
        self.people.append(code)
        yield
        for act in (self.sign, self.countersign):
            if self.chance.random() < 0.95:
                self.give(act(code))
                yield
        yield from self._visit(code, "screening", self.today)
        if self.chance.random() < 0.2:
            self.give(self.save(code, LOG, "medication"))
        self.give(self.assess(code))
        yield
        self.give(self.sign_off(code))
        yield
        for name, encounter in self.study.encounters.items():
            if name == "screening":
                continue
            due = self._due(code, name)
            if due is not None and self.chance.random() < 0.9:
                jitter = self.chance.choice((0, 0, 0, 1, -2, 12))
                wanted = datetime.combine(due + timedelta(days=jitter), START.time(), UTC)
                self.clock.set(max(self.clock.now(), wanted))
            if self.chance.random() < 0.05:
                self.give(self._withdraw(code))
            if self.state().of(Consent, code).build != self.state().of(SiteSetup, site).build:
                for act in (self.sign, self.countersign):
                    self.give(act(code))
                yield
            if any(act.act == "randomise" for act in encounter.acts):
                self.give(self.randomise(code))
                yield
            if self.chance.random() < 0.08:
                self.give(self.missed(code, name))
                yield
                continue
            yield from self._visit(code, name, self.today)
            for act in encounter.acts:
                if act.act == "collection":
                    yield from self._collect(code, act.slot)
                elif act.act == "administration":
                    yield from self._inject(code, act.slot)
        self.give(self.finish(code))

    def _due(self, code: str, name: str) -> date | None:
        encounter = self.study.encounters[name]
        anchor = self.state().of(CaseBook, code).held.get(encounter.anchor)
        if anchor is None or encounter.offset is None:
            return None
        offset = encounter.offset
        days = (offset.days or 0) + 7 * (offset.weeks or 0) + 30 * (offset.months or 0)
        return date.fromisoformat(anchor) + timedelta(days=days)

    def _visit(self, code: str, encounter: str, day: date) -> Step:
        self.give(self.visit(code, encounter, day))
        yield
        for form in self.study.encounters[encounter].forms:
            self.give(self.save(code, encounter, form))
            yield
            if self.chance.random() < 0.4:
                self.give(self.sign_form(code, encounter, form))

    def _collect(self, code: str, slot: str) -> Step:
        self.give(self.gate(code, slot, "collection"))
        if self.give(self.collect(code, slot)) is None:
            return
        yield
        for act in (self.receive, self.step_of_manufacture, self.measure):
            self.give(act(code, slot))
            yield
        if self.chance.random() < 0.15:
            self.give(self.fail_manufacture(code, slot))
            yield

    def _inject(self, code: str, slot: str) -> Step:
        self.give(self.gate(code, slot, "administration"))
        yield
        acts = [self.release, self.certify, self.hand_over, self.authorise]
        for act in acts:
            if self.chance.random() < 0.93:
                self.give(act(code, slot))
        yield
        self.give(self.administer(code, slot))

    # --- commands as they should be given -----------------------------------------------------------------------

    def screen(self, site: str) -> Given:
        return Given(enrolment.ScreenParticipant(site=site), self.at(site, Role.STUDY_NURSE))

    def text_for(self, code: str) -> Any:
        """The consent text of the build in force at the participant's site."""
        in_force = self.state().of(SiteSetup, self.site_of(code)).build
        return self.trial.builds.get(in_force, self.build).study.consent["en"]

    def sign(self, code: str) -> Given:
        text = self.text_for(code)
        digest = text_hash(text)
        command = consent.SignConsent(
            participant=code, version=text.head.version, language="en", text=digest, teach_back={}
        )
        return Given(command, self.cast.participant(code, self.site_of(code)), shown=digest)

    def countersign(self, code: str) -> Given:
        command = consent.CountersignConsent(participant=code, identity_check="photo_document")
        return Given(command, self.nurse(code), shown=text_hash(self.text_for(code)))

    def nurse(self, code: str) -> Actor:
        return self.at(self.site_of(code), Role.STUDY_NURSE)

    def investigator(self, code: str) -> Actor:
        return self.at(self.site_of(code), Role.INVESTIGATOR)

    def visit(self, code: str, encounter: str, day: date) -> Given:
        command = capture.RecordVisit(participant=code, encounter=encounter, date=day.isoformat())
        return Given(command, self.nurse(code), reason=self.perhaps("the date was wrong"))

    def missed(self, code: str, encounter: str) -> Given:
        return Given(capture.RecordMissedVisit(participant=code, encounter=encounter), self.nurse(code))

    def save(self, code: str, encounter: str, form: str) -> Given:
        values = {
            item.id: entered
            for item in self.study.forms[form].items()
            if (entered := self.value(item.id)) is not None
        }
        version = self.state().of(CaseBook, code).peek((encounter, form, 1)).saves
        command = capture.SaveForm(
            participant=code, encounter=encounter, form=form, items=values, read_version=version
        )
        return Given(command, self.nurse(code), reason=self.perhaps("it was wrong"))

    def value(self, item: str) -> Entered | None:
        """What somebody enters, mostly what fits."""
        c = self.chance
        match item:
            case "age":
                return Entered(text=str(c.choice((19, 25, 33, 45, 54, 54, 90))), unit="a")
            case "sex":
                return Entered(text=c.choice("FM"))
            case "score":
                return Entered(text=str(c.choice((3, 4, 7, 8, 9, 1))))
            case "pregnant" | "infection":
                return Entered(text="false" if c.random() < 0.93 else "true")
            case "outcome":
                return Entered(text=f"{c.uniform(5, 70):.1f}", unit="s")
            case "left" | "right" | "grade":
                return Entered(text=str(c.randint(0, 4)))
            case "pain":
                return Entered(text=c.choice(("true", "false")))
            case "platelets":
                return Entered(text=str(c.choice((120, 180, 200, 60))), unit="10*9/L")
            case "weight":
                return Entered(text=str(c.randint(45, 110)), unit="kg")
            case "started":
                return Entered(text="2020-05-01")
            case "both":
                return None
            case _:
                return Entered(text="some words")

    def perhaps(self, words: str) -> str | None:
        return words if self.chance.random() < 0.6 else None

    def sign_form(self, code: str, encounter: str, form: str) -> Given:
        key = (encounter, form, 1)
        record = self.state().of(CaseBook, code).peek(key)
        command = capture.SignForm(participant=code, encounter=encounter, form=form)
        return Given(command, self.investigator(code), shown=shown_form(code, key, record))

    def assess(self, code: str) -> Given:
        criteria, facts = self.build.criteria, self.build.facts
        truth = Truth.YES if self.chance.random() < 0.93 else Truth.NO
        judgements = {n: Judgement(truth, "seen") for n, c in criteria.items() if c.criterion.decides == "doctor"}
        stated = {"willing": "true"} if "willing" in facts else {}
        command = enrolment.AssessCriteria(participant=code, stated=stated, judgements=judgements)
        return Given(command, self.investigator(code))

    def sign_off(self, code: str) -> Given:
        assessed = self.state().of(Enrolment, code).assessed
        shown = shown_assessment(assessed) if assessed is not None else HASH
        return Given(enrolment.SignOffEligibility(participant=code), self.investigator(code), shown=shown)

    def randomise(self, code: str) -> Given:
        return Given(allocation.RandomiseParticipant(participant=code), self.investigator(code))

    def finish(self, code: str) -> Given:
        command = enrolment.EndParticipation(participant=code, date=self.today.isoformat(), how="completed")
        return Given(command, self.nurse(code))

    def gate(self, code: str, slot: str, before: str) -> Given:
        command = custody.PassSafetyGate(participant=code, slot=slot, before=before)
        return Given(command, self.nurse(code))

    def collect(self, code: str, slot: str) -> Given:
        self._labels += 1
        label = f"S-{self._labels:04}"
        command = custody.CollectProduct(participant=code, slot=slot, label=label, volume_ml="40")
        return Given(command, self.nurse(code))

    def label(self, code: str, slot: str) -> str:
        return self.state().of(Slots, code).peek(slot).label or "S-9999"

    @property
    def laboratory(self) -> Actor:
        return self.central(Role.CELL_LABORATORY)

    @property
    def qualified(self) -> Actor:
        return self.central(Role.QUALIFIED_PERSON)

    def receive(self, code: str, slot: str) -> Given:
        wristband = code if self.chance.random() < 0.95 else NOBODY
        command = custody.ReceiveProduct(
            participant=code, label=self.label(code, slot), wristband=wristband, condition="cold"
        )
        return Given(command, self.laboratory)

    def step_of_manufacture(self, code: str, slot: str) -> Given:
        command = custody.RecordManufactureStep(participant=code, label=self.label(code, slot), step="passage 1")
        return Given(command, self.laboratory)

    def measure(self, code: str, slot: str) -> Given:
        good = self.chance.random() < 0.9
        values = {
            "viability": MeasuredValue(text="95" if good else "40", unit="%"),
            "sterility": MeasuredValue(text="NEGATIVE"),
        }
        command = custody.RecordMeasurements(participant=code, label=self.label(code, slot), values=values)
        return Given(command, self.laboratory)

    def fail_manufacture(self, code: str, slot: str) -> Given:
        command = custody.FailManufacture(participant=code, label=self.label(code, slot))
        return Given(command, self.laboratory, reason="they did not grow")

    def release(self, code: str, slot: str) -> Given:
        command = custody.ReleaseProduct(participant=code, label=self.label(code, slot))
        return Given(command, self.qualified, shown=HASH)

    def certify(self, code: str, slot: str) -> Given:
        command = custody.CertifyBatch(participant=code, label=self.label(code, slot), batch_record=HASH)
        return Given(command, self.qualified, shown=HASH)

    def content(self, code: str, slot: str) -> str:
        """What the slot's syringe should hold, as its handlers know."""
        rules, allocations = self.study.custody, self.trial.allocations
        assert rules is not None
        period = next(s.period for s in rules.slots if s.id == slot)
        try:
            return rules.given_in[allocations.arm(code, period)] if allocations else "product"
        except TrialwrightError:
            return "product"

    def hand_over(self, code: str, slot: str) -> Given:
        lot = "LOT-1" if self.content(code, slot) == "comparator" else None
        command = custody.HandOver(
            participant=code,
            slot=slot,
            label=self.label(code, slot),
            wristband=code,
            to=self.injector(code).person,
            comparator_lot=lot,
        )
        return Given(command, self.laboratory)

    def injector(self, code: str) -> Actor:
        return self.at(self.site_of(code), Role.INJECTING_PHYSICIAN)

    def authorise(self, code: str, slot: str) -> Given:
        return Given(custody.AuthoriseAdministration(participant=code, slot=slot), self.injector(code))

    def administer(self, code: str, slot: str) -> Given:
        content = self.content(code, slot)
        if self.chance.random() < 0.1:
            content = "product" if content == "comparator" else "comparator"
        hours = self.chance.choice((0, 0, 0, 2, 30, 24 * 40))
        wristband = code if self.chance.random() < 0.95 else NOBODY
        command = custody.AdministerProduct(
            participant=code,
            slot=slot,
            label=self.label(code, slot),
            wristband=wristband,
            content=content,
            volume_ml="5",
            dose=self.chance.choice(("40", "200", None)) if content == "product" else None,
        )
        observed = (self.clock.now() - timedelta(hours=hours)).isoformat() if hours else None
        return Given(command, self.injector(code), observed_at=observed)

    # --- anything, by anybody -----------------------------------------------------------------------------------

    def anything(self) -> None:
        """A fault: a repeated request, something out of order, somebody who may not."""
        if self.receipts and self.chance.random() < 0.2:
            self._again()
            return
        code = self.chance.choice([*self.people, *self.people, NOBODY])
        given = self.chance.choice(self._acts(code))()
        if self.chance.random() < 0.25:
            given = Given(given.command, self._anybody(), given.shown, given.reason, given.observed_at)
        if self.chance.random() < 0.05:
            given = Given(given.command, given.by, HASH, given.reason, "2026-03-01T10:00:00+01:00")
        self.give(given)

    def _again(self) -> None:
        """The same request twice: the first result; another request under its id: a refusal."""
        request_id, (given, _) = self.chance.choice(list(self.receipts.items()))
        before = self.sizes()
        if self.chance.random() < 0.7:
            if self.chance.random() < 0.3:
                self.trial = self.process()
            receipt = self.give(given, request_id)
            self.told["repeated"] += 1
            if receipt is None or not receipt.repeated:
                self.problems.append(f"{request_id} was not known when it was repeated")
        elif given.command != self.screen("01").command and self.give(self.screen("01"), request_id) is not None:
            self.problems.append(f"another request was taken for {request_id}")
        if self.sizes() != before:
            self.problems.append(f"{request_id} wrote something when it was repeated")

    def _anybody(self) -> Actor:
        role = self.chance.choice(list(Role))
        site = self.chance.choice(list(self.study.sites))
        if role is Role.PARTICIPANT:
            return self.cast.participant(self.chance.choice([*self.people, NOBODY]), site)
        return self.at(site, role) if role in SITE_ROLES else self.central(role)

    def _acts(self, code: str) -> list[Callable[[], Given]]:
        slots = [slot.id for slot in self.study.custody.slots] if self.study.custody else []
        return [
            *(lambda act=act: act(code) for act in self._of_a_person()),
            *(lambda act=act: act(code, slots[-1]) for act in (self._of_a_slot() if slots else ())),
            *(lambda act=act: act() for act in self._of_the_study()),
        ]

    def _of_a_person(self) -> tuple[Callable[[str], Given], ...]:
        return (
            self.sign, self.countersign, self.assess, self.sign_off, self.randomise, self.randomise, self.finish,
            self._withdraw, self._decline, self._fail, self._rescreen, self._mistaken, self._accident,
            self._late_visit, self._stale_save, self._odd_save, self._void, self._not_done, self._sign_book,
            self._verify, self._ask, self._answer, self._close_query, self._dispense, self._emergency,
            self._deviation, self._classify, self._missed_any, self._die, self._paper, self._adverse_event,
            self._aware, self._submit, self._sign_again,
        )  # fmt: skip

    def _of_a_slot(self) -> tuple[Callable[[str, str], Given], ...]:
        return (
            self.collect, self.receive, self.measure, self.fail_manufacture, self.release, self.certify,
            self.hand_over, self.authorise, self.administer, self.administer, self._excursion, self._late_result,
            self._destroy, self._mix_up, self._out_of_specification, self._ask_for_it, self._release_nevertheless,
        )  # fmt: skip

    def _of_the_study(self) -> tuple[Callable[[], Given], ...]:
        return (
            self._pause, self._resume, self._another_list, self._freeze, self._lock, self._cut, self._breach,
            self._notify, self._amend, self._amend, self._amend, self._amend,
        )  # fmt: skip

    def encounter(self) -> str:
        return self.chance.choice(list(self.study.encounters))

    def form_at(self, encounter: str) -> str:
        return self.chance.choice([*self.study.encounters[encounter].forms, "visit"])

    def _withdraw(self, code: str) -> Given:
        scopes = self.chance.choice(((), ("treatment",), ("visits",), ("data_use",), ("nothing",)))
        by = self.chance.choice((self.nurse(code), self.cast.participant(code, self.site_of(code))))
        return Given(consent.WithdrawConsent(participant=code, scopes=scopes), by)

    def _decline(self, code: str) -> Given:
        return Given(consent.RefuseConsent(participant=code), self.nurse(code))

    def _fail(self, code: str) -> Given:
        command = enrolment.FailScreening(participant=code, criteria=("adult",))
        return Given(command, self.investigator(code))

    def _rescreen(self, code: str) -> Given:
        return Given(enrolment.RescreenParticipant(participant=code), self.nurse(code))

    def _die(self, code: str) -> Given:
        command = enrolment.EndParticipation(participant=code, date=self.today.isoformat(), how="died")
        return Given(command, self.nurse(code), reason=self.perhaps("told by the family"))

    def _mistaken(self, code: str) -> Given:
        command = allocation.RecordMistakenRandomisation(participant=code, what="too old")
        return Given(command, self.investigator(code))

    def _accident(self, code: str) -> Given:
        command = allocation.RecordAccidentalUnblinding(participant=code, learned_by="nurse", how="saw a paper")
        return Given(command, self.nurse(code))

    def _late_visit(self, code: str) -> Given:
        day = self.today - timedelta(days=self.chance.choice((0, 0, 3, 40, -2)))
        return self.visit(code, self.chance.choice((self.encounter(), "unscheduled_1")), day)

    def _stale_save(self, code: str) -> Given:
        encounter = self.encounter()
        given = self.save(code, encounter, self.form_at(encounter))
        assert isinstance(given.command, capture.SaveForm)
        version = given.command.read_version + self.chance.choice((-1, 0, 0, 1))
        command = capture.SaveForm(
            participant=code,
            encounter=encounter,
            form=given.command.form,
            items=given.command.items,
            read_version=version,
        )
        return Given(command, given.by, reason=given.reason)

    def _odd_save(self, code: str) -> Given:
        items: Mapping[str, Entered] = self.chance.choice(
            (
                {"age": Entered(text="abc", unit="a")},
                {"nothing": Entered(text="1")},
                {},
                {"sex": Entered(missing="?")},
            )
        )
        command = capture.SaveForm(
            participant=code, encounter="screening", form="screening", items=items, read_version=1
        )
        return Given(command, self.nurse(code), reason="again")

    def _void(self, code: str) -> Given:
        encounter = self.encounter()
        command = capture.VoidForm(participant=code, encounter=encounter, form=self.form_at(encounter))
        return Given(command, self.nurse(code), reason=self.perhaps("another person's"))

    def _not_done(self, code: str) -> Given:
        encounter = self.encounter()
        command = capture.MarkFormNotDone(participant=code, encounter=encounter, form=self.form_at(encounter))
        return Given(command, self.nurse(code), reason=self.perhaps("no time"))

    def _missed_any(self, code: str) -> Given:
        return self.missed(code, self.encounter())

    def _sign_book(self, code: str) -> Given:
        shown = shown_case_book(code, self.state().of(CaseBook, code))
        return Given(capture.SignCaseBook(participant=code), self.investigator(code), shown=shown)

    def _verify(self, code: str) -> Given:
        command = capture.VerifyItems(participant=code, encounter="screening", form="screening", items=("age", "sex"))
        return Given(command, self.central(Role.MONITOR))

    def _ask(self, code: str) -> Given:
        command = queries.OpenQuery(
            participant=code, encounter="screening", form="screening", item="age", text="Sure?"
        )
        return Given(command, self.central(Role.MONITOR))

    def _query(self, code: str) -> str:
        return self.chance.choice([*self.state().of(Queries, code).queries, "none"])

    def _answer(self, code: str) -> Given:
        command = queries.AnswerQuery(participant=code, query=self._query(code), text="Yes.")
        return Given(command, self.nurse(code))

    def _close_query(self, code: str) -> Given:
        command = queries.CloseQuery(participant=code, query=self._query(code))
        return Given(command, self.central(Role.DATA_MANAGER))

    def _dispense(self, code: str) -> Given:
        command = allocation.DispenseAllocation(participant=code)
        role = Role.CELL_LABORATORY if self.study.custody else Role.INVESTIGATOR
        return Given(command, self.investigator(code) if role is Role.INVESTIGATOR else self.laboratory)

    def _emergency(self, code: str) -> Given:
        command = allocation.UnblindInEmergency(participant=code)
        return Given(command, self.investigator(code), shown=HASH, reason=self.perhaps("unconscious"))

    def _deviation(self, code: str) -> Given:
        command = closure.OpenDeviation(participant=code, kind="dose", about="half of it")
        return Given(command, self.nurse(code))

    def _classify(self, code: str) -> Given:
        waiting = [*self.state().of(Deviations, code).waiting(), "none.such"]
        command = closure.ClassifyDeviation(
            participant=code, deviation=waiting[0], important=False, assessment="none", action="none"
        )
        return Given(command, self.central(Role.MONITOR))

    def _excursion(self, code: str, slot: str) -> Given:
        highest, usable = self.chance.choice((("7", True), ("20", True), ("30", False)))
        command = custody.RecordExcursion(
            participant=code, label=self.label(code, slot), lowest="4", highest=highest, minutes=9, usable=usable
        )
        return Given(command, self.laboratory)

    def _late_result(self, code: str, slot: str) -> Given:
        value = MeasuredValue(text=self.chance.choice(("NEGATIVE", "POSITIVE")))
        command = custody.RecordLateResult(
            participant=code, label=self.label(code, slot), measurement="sterility", value=value
        )
        return Given(command, self.laboratory)

    def _destroy(self, code: str, slot: str) -> Given:
        command = custody.DestroyProduct(participant=code, label=self.label(code, slot), how="heat")
        return Given(command, self.laboratory, reason=self.perhaps("too old"))

    def _mix_up(self, code: str, slot: str) -> Given:
        label = self.label(code, slot)
        command = custody.RecordMixUp(
            participant=code, slot=slot, label=label, found_label="S-1", found_wristband="?", what="exchanged"
        )
        return Given(command, self.laboratory)

    def _out_of_specification(self, code: str, slot: str) -> Given:
        command = custody.ReportOutOfSpecification(participant=code, label=self.label(code, slot))
        return Given(command, self.laboratory)

    def _ask_for_it(self, code: str, slot: str) -> Given:
        command = custody.RequestExceptionalRelease(participant=code, slot=slot)
        return Given(command, self.investigator(code), shown=HASH)

    def _release_nevertheless(self, code: str, slot: str) -> Given:
        command = custody.ReleaseOutOfSpecification(participant=code, label=self.label(code, slot))
        return Given(command, self.qualified, shown=HASH)

    def _paper(self, code: str) -> Given:
        version = self.chance.choice((self.build, self.later_build)).study.consent["en"].head.version
        command = consent.RecordPaperConsent(participant=code, version=version, language="en", teach_back={})
        return Given(command, self.nurse(code))

    def _sign_again(self, code: str) -> Given:
        given = self.sign(code)
        return given if self.give(given) is None else self.countersign(code)

    def _adverse_event(self, code: str) -> Given:
        day = (self.today - timedelta(days=self.chance.choice((0, 3, 20)))).isoformat()
        seriousness = self.chance.choice(((), ("hospitalisation",), ("life_threatening",), ("death",)))
        command = safety.ReportAdverseEvent(
            participant=code,
            term="fall",
            onset=day,
            grade=3,
            seriousness=seriousness,
            causality={"treatment": self.chance.choice(("possible", "unrelated"))},
        )
        return Given(command, self.investigator(code))

    def _aware(self, code: str) -> Given:
        command = safety.RecordSponsorAwareness(participant=code, adverse_event="ae_1")
        return Given(command, self.central(Role.SPONSOR))

    def _submit(self, code: str) -> Given:
        command = safety.RecordSubmission(
            participant=code, adverse_event="ae_1", clock="serious_to_sponsor", reference="letter"
        )
        return Given(command, self.central(Role.SPONSOR))

    def _notify(self) -> Given:
        command = closure.RecordBreachNotification(breach="breach_1", reference="letter")
        return Given(command, self.central(Role.SPONSOR))

    def _amend(self) -> Given:
        """The amendment approved; once it is, moved to by a site."""
        sponsor, build = self.central(Role.SPONSOR), self.later_build.id
        if build not in self.state().of(StudySetup).approved:
            approve = setup.ApproveBuild(build=build, evidence=HASH, summary="tested")
            return Given(approve, sponsor, shown=build)
        approvals = (Approval(kind="ethics", reference="2", date=self.today.isoformat()),)
        command = setup.ActivateAmendment(
            site=self.chance.choice(list(self.study.sites)),
            build=build,
            approvals=approvals,
            reconsent=self.chance.random() < 0.9,
        )
        return Given(command, sponsor)

    def _pause(self) -> Given:
        return Given(setup.PauseRecruitment(site="01"), self.central(Role.SPONSOR))

    def _resume(self) -> Given:
        return Given(setup.ResumeRecruitment(site="01"), self.central(Role.SPONSOR))

    def _another_list(self) -> Given:
        kept = list(self.prepared)
        prepared = self.prepare()
        self.prepared = kept if self.chance.random() < 0.5 else self.prepared
        if self.prepared is kept:  # a list that nobody seals, signed for another one
            return Given(allocation.SealAllocationList(prepared=prepared), self.central(Role.SPONSOR), shown=HASH)
        sealed = Given(
            allocation.SealAllocationList(prepared=prepared),
            self.central(Role.INDEPENDENT_STATISTICIAN),
            shown=prepared.sealed.root.hex(),
        )
        if self.give(sealed) is None:
            self.prepared.pop()
        return sealed

    def _freeze(self) -> Given:
        return Given(closure.FreezeStudy(), self.central(Role.DATA_MANAGER))

    def _lock(self) -> Given:
        return Given(closure.LockStudy(), self.central(Role.SPONSOR), shown=self.trial.open_head()[1])

    def _cut(self) -> Given:
        return Given(closure.MakeDataCut(cut="interim"), self.central(Role.DATA_MANAGER))

    def _breach(self) -> Given:
        return Given(closure.RecordSeriousBreach(what="consent forms were lost"), self.central(Role.SPONSOR))

    # --- the end ------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Settle everything, freeze, review, lock; go on trying; perhaps unlock, unblind and close."""
        deadliness, self.deadliness = self.deadliness, 0.0
        for code in sorted(set(self.people)):
            self._settle(code)
        sponsor, manager = self.central(Role.SPONSOR), self.central(Role.DATA_MANAGER)
        for breach in list(self.state().of(Ending).breaches):
            self.give(Given(closure.RecordBreachNotification(breach=breach, reference="told"), sponsor))
        self.give(self._freeze())
        decisions = tuple(
            PopulationDecision(participant=code, population="all", included=True, why="")
            for code in sorted(set(self.people))
            if self.is_randomised(code)
        )
        shown = closure.shown_review(decisions)
        self.give(Given(closure.SignBlindReview(decisions=decisions), manager, shown=shown))
        if self.give(self._lock()) is not None:
            self.told["trials locked"] += 1
        self.deadliness = deadliness
        for number in range(12):
            self.later(minutes=self.chance.randint(1, 600))
            if number % 3 or not self.people:
                self.anything()
            else:  # what a lock is there to stop
                tried = self.chance.choice((self._stale_save, self._late_visit, self.randomise, self._void))
                self.give(tried(self.chance.choice(self.people)))
        for given in self._after_the_lock(sponsor, manager):
            if self.chance.random() < 0.7:
                self.give(given())
        for _ in range(4):
            self.anything()

    def is_randomised(self, code: str) -> bool:
        return bool(self.state().of(Randomised, code).done)

    def _settle(self, code: str) -> None:
        """What data management, monitors and site do before a freeze."""
        for encounter, form, _ in list(self.state().of(CaseBook, code).unfilled(self.trial.builds, self.build)):
            left_out = capture.MarkFormNotDone(participant=code, encounter=encounter, form=form)
            self.give(Given(left_out, self.nurse(code), reason="no time"))
        for key, record in list(self.state().of(CaseBook, code).live()):
            if record.status == "saved":
                self._complete(code, key)
        for query in self.state().of(Queries, code).unsettled():
            self.give(Given(queries.CloseQuery(participant=code, query=query), self.central(Role.DATA_MANAGER)))
        for key, record in list(self.state().of(CaseBook, code).live()):
            encounter, form, repeat = key
            signer = self.study.forms[form].signed_by
            if record.status == "saved" and signer is not None and not record.signed:
                self.give(self.sign_form(code, encounter, form))
            wanted = tuple(
                name
                for name, value in record.values.items()
                if value.text is not None and name not in record.verified and to_verify(self.build, code, key, name)
            )
            if record.status == "saved" and wanted:
                verify = capture.VerifyItems(
                    participant=code, encounter=encounter, form=form, items=wanted, repeat=repeat
                )
                self.give(Given(verify, self.central(Role.MONITOR)))
        for deviation in self.state().of(Deviations, code).waiting():
            classify = closure.ClassifyDeviation(
                participant=code, deviation=deviation, important=False, assessment="none", action="none"
            )
            self.give(Given(classify, self.central(Role.MONITOR)))
        for deviation in self.state().of(ClosedDeviations, code).waiting():
            judged = closure.ClassifyClosedDeviation(
                participant=code, deviation=deviation, important=False, assessment="none", action="none"
            )
            if self.study.custody:
                self.give(Given(judged, self.qualified))

    def _complete(self, code: str, key: tuple[str, str, int]) -> None:
        """Fill what is left of a form; twice, because an answer may ask for another one."""
        encounter, form, repeat = key
        for _ in range(2):
            record = self.state().of(CaseBook, code).peek(key)
            if record.complete:
                return
            left = {
                item.id: Entered(missing="not_done")
                for item in self.study.forms[form].items()
                if item.derive is None
                and (item.id not in record.values or record.values[item.id].missing is not None)
            }
            command = capture.SaveForm(
                participant=code, encounter=encounter, form=form, items=left, read_version=record.saves, repeat=repeat
            )
            self.give(Given(command, self.nurse(code), reason="settled"))

    def _after_the_lock(self, sponsor: Actor, manager: Actor) -> list[Callable[[], Given]]:
        statistician = self.central(Role.INDEPENDENT_STATISTICIAN)
        return [
            lambda: Given(closure.ProposeUnlock(), sponsor, shown=HASH, reason="a mistake"),
            lambda: Given(
                closure.UnlockStudy(),
                self.chance.choice((sponsor, manager)),
                shown=HASH,
                reason="a mistake",
            ),
            lambda: Given(closure.SignAnalysisPlan(version="1", plan=HASH), statistician, shown=HASH),
            lambda: Given(closure.FreezeAnalysisCode(code=HASH), statistician),
            lambda: Given(closure.ProposeUnblinding(), sponsor, shown=HASH),
            lambda: Given(closure.UnblindStudy(), statistician, shown=HASH),
            lambda: Given(closure.CloseStudy(), sponsor, shown=HASH),
            lambda: Given(closure.ArchiveStudy(place="vault"), sponsor, shown=HASH),
        ]


_AMENDED: dict[str, Build] = {}


def _amended(build: Build) -> Build:
    """A later build of the study: a wider window, a new consent text; made once for all its trials."""
    if build.id not in _AMENDED:
        _AMENDED.clear()
        _AMENDED[build.id] = amended(build)
    return _AMENDED[build.id]


class _Dying:
    """A ledger whose process dies at its next commit."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    @contextmanager
    def transaction(self, foreseen: Foreseen | None = None) -> Iterator[Any]:
        with self._ledger.transaction(foreseen) as transaction:
            yield transaction
            raise Died

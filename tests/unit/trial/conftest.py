"""A small trial to play with: ``trial_world`` is open at two sites, with everybody appointed and a list sealed.

The study is the folder ``study`` beside this file. A test takes participants as far as it needs::

    def test_something(trial_world):
        participant = trial_world.signed_off()
        receipt = trial_world.give(RandomiseParticipant(participant=participant), "investigator")
        trial_world.refuses(AlreadyRandomised, RandomiseParticipant(participant=participant), "investigator")

``trial_worlds(...)`` makes others: one space, SQLite files, another study, another mode.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import DerivedEntropy, SettableClock
from trialwright.foundation.truth import Truth
from trialwright.protocol import Study, load_study
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.sealing import InProcessDispensing, KeyOpener, KeyPurpose, RealSealer, generate_key
from trialwright.stores import MemoryStore
from trialwright.trial.allocation.commands import RandomiseParticipant, SealAllocationList
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.allocation.preparation import PreparedList, Secret, prepare_list, strata_of
from trialwright.trial.capture.commands import RecordVisit, SaveForm
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.command import Actor, Command, Signature
from trialwright.trial.consent.commands import CountersignConsent, SignConsent
from trialwright.trial.consent.text import text_hash
from trialwright.trial.dispatch import Receipt, Trial
from trialwright.trial.enrolment.assessment import Judgement, shown_assessment
from trialwright.trial.enrolment.commands import AssessCriteria, ScreenParticipant, SignOffEligibility
from trialwright.trial.enrolment.events import ParticipantScreened
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Space
from trialwright.trial.setup.commands import (
    ActivateSite,
    AppointPerson,
    ApproveBuild,
    CreateStudy,
    DelegateTask,
    OpenStudy,
    RecordTraining,
)
from trialwright.trial.setup.events import Approval

FOLDER = Path(__file__).parent / "study"
START = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)

SHORT_NAMES = {
    "nurse": Role.STUDY_NURSE,
    "rater": Role.BLINDED_RATER,
    "injector": Role.INJECTING_PHYSICIAN,
    "laboratory": Role.CELL_LABORATORY,
    "qp": Role.QUALIFIED_PERSON,
    "statistician": Role.INDEPENDENT_STATISTICIAN,
    "medic": Role.MEDICAL_MONITOR,
    "safety": Role.SAFETY_OFFICER,
}

WORDS = {role: word for word, role in SHORT_NAMES.items()}


def actor(name: str) -> Actor:
    """``investigator`` (of site 01), ``nurse@02``, ``sponsor`` …: one person for each role and site."""
    word, _, site = name.partition("@")
    role = SHORT_NAMES.get(word) or Role(word)
    if role in SITE_ROLES:
        site = site or "01"
        return Actor(f"{word}-{site}", role, f"hospital-{site}", site)
    return Actor(word, role, "centre")


class World:
    """A trial with hands to drive it."""

    def __init__(self, trial: Trial, clock: SettableClock, dispensing_key: Any, unblinding_key: Any) -> None:
        self.trial = trial
        self.clock = clock
        self.dispensing_key = dispensing_key
        self.unblinding_key = unblinding_key
        self.build: Build = next(iter(trial.builds.values()))
        self._requests = 0

    # --- giving commands ------------------------------------------------------------------------------------

    def give(
        self,
        command: Command,
        by: str | Actor,
        *,
        shown: str = "0" * 64,
        signature: Signature | None = None,
        request_id: str | None = None,
        reason: str | None = None,
        observed_at: str | None = None,
    ) -> Receipt:
        """Dispatch; signs where the command needs a signature, over ``shown``."""
        who = actor(by) if isinstance(by, str) else by
        meaning = command.PERMISSION.signs
        if isinstance(command, ApproveBuild) and shown == "0" * 64:
            shown = command.build
        if signature is None and meaning is not None:
            signature = Signature(who.person, meaning, shown)
        if request_id is None:
            self._requests += 1
            request_id = f"request-{self._requests}"
        return self.trial.dispatch(
            command, by=who, request_id=request_id, observed_at=observed_at, reason=reason, signature=signature
        )

    def refuses(self, refusal: type[Refusal], command: Command, by: str | Actor, **how: Any) -> Refusal:
        """The command is refused by this name, nothing is written, and the attempt stands in the security log."""
        heads, before = self.heads(), self.attempts()
        with pytest.raises(refusal) as caught:
            self.give(command, by, **how)
        assert type(caught.value) is refusal
        assert caught.value.remedy
        assert self.heads() == heads
        who = actor(by) if isinstance(by, str) else by
        (attempt,) = (attempt for attempt in self.attempts() if attempt not in before)
        tried = (attempt["actor"], attempt["command"], attempt["refusal"])
        assert tried == (who.person, type(command).__name__, refusal.code)
        return caught.value

    def heads(self) -> dict[Space, Any]:
        """The head of each space's ledger."""
        return {space: ledger.head() for space, ledger in self.trial.ledgers.items()}

    def attempts(self) -> list[dict[str, Any]]:
        """The security logs of all spaces."""
        return [
            {**json.loads(entry.body), "space": space.value}
            for space, store in self.trial.stores.items()
            for entry in store.ledger(f"{self.trial.study}/security-{space.value}").read()
        ]

    def later(self, **delta: int) -> None:
        """Let time pass."""
        self.clock.set(self.clock.now() + timedelta(**delta))

    @property
    def today(self) -> str:
        return self.clock.now().date().isoformat()

    def types(self, stream: str, space: Space = Space.OPEN) -> list[str]:
        """Event types of a stream, in order."""
        return [entry.type for entry in self.trial.ledgers[space].read_stream(stream)]

    def twin(self, **changes: Any) -> Trial:
        """Another process on the same stores; ``changes`` are arguments of :class:`Trial`."""
        given: dict[str, Any] = {
            "open_store": self.trial.stores[Space.OPEN],
            "closed_store": self.trial.stores.get(Space.CLOSED),
            "builds": self.trial.builds,
            "clock": self.clock,
            "entropy": self.trial.entropy,
            "mode": self.trial.mode,
        }
        return Trial(self.trial.study, **{**given, **changes})

    # --- opening the trial ----------------------------------------------------------------------------------

    def create(self) -> None:
        """The first events: study created, build approved, study opened."""
        self.give(CreateStudy(build=self.build.id), "sponsor")
        self.give(ApproveBuild(build=self.build.id, evidence="e" * 64, summary="tested"), "sponsor")
        self.give(OpenStudy(), "sponsor")

    def open(self, sites: tuple[str, ...] = ("01", "02")) -> None:
        """Everybody appointed, trained and delegated; the sites active."""
        self.create()
        roles = [role for role in self.build.study.identity.roles if role is not Role.PARTICIPANT]
        for role in roles:
            if role not in SITE_ROLES and role is not Role.SPONSOR:
                person = WORDS.get(role, role.value)
                self.give(AppointPerson(person=person, role=role, organisation="centre"), "sponsor")
        for site in sites:
            self.open_site(site)

    def open_site(self, site: str) -> None:
        """A site active, everybody there trained and delegated."""
        self.activate(site)
        for role in self.build.study.identity.roles:
            if role in SITE_ROLES and role is not Role.INVESTIGATOR:
                self.delegate(f"{WORDS.get(role, role.value)}@{site}")

    def activate(self, site: str) -> None:
        """Activate a site under the study's build."""
        approval = Approval(kind="ethics", reference="1/2025", date="2025-01-15")
        self.give(
            ActivateSite(
                site=site,
                build=self.build.id,
                approvals=(approval,),
                principal_investigator=f"investigator-{site}",
                organisation=f"hospital-{site}",
            ),
            "sponsor",
        )

    def delegate(self, name: str, *, since: str = "2025-01-01", until: str | None = None) -> None:
        """Train somebody and delegate the role to them."""
        who = actor(name)
        assert who.site is not None
        investigator = f"investigator@{who.site}"
        for subject in ("protocol", "gcp"):
            self.give(
                RecordTraining(site=who.site, person=who.person, subject=subject, date="2025-01-10"), investigator
            )
        self.give(
            DelegateTask(
                site=who.site,
                person=who.person,
                role=who.role,
                organisation=who.organisation,
                since=since,
                until=until,
            ),
            investigator,
        )

    def seal_list(self, prepared: PreparedList | None = None) -> Receipt:
        """The independent statistician commits to a list."""
        prepared = prepared or self.prepared_list()
        return self.give(SealAllocationList(prepared=prepared), "statistician", shown=prepared.sealed.root.hex())

    def prepared_list(
        self, number: int = 1, rows: int = 8, parameters: Mapping[str, Any] | None = None
    ) -> PreparedList:
        """A list of blocks of 2 and 4, or the parameters given, with so many rows in every stratum."""
        keys = (self.dispensing_key.public, self.unblinding_key.public)
        secret = Secret(
            seed=bytes(range(32)),
            parameters={"sizes": [2, 4]} if parameters is None else parameters,
            rows=dict.fromkeys(strata_of(self.build), rows),
        )
        entropy = self.trial.entropy
        return prepare_list(self.build, secret, number=number, sealer=RealSealer(keys, entropy), entropy=entropy)

    # --- taking a participant along -------------------------------------------------------------------------

    def screened(self, site: str = "01") -> str:
        """A new participant code."""
        receipt = self.give(ScreenParticipant(site=site), f"nurse@{site}")
        return receipt.event(ParticipantScreened).participant

    def consented(self, participant: str | None = None, *, site: str = "01", language: str = "en") -> str:
        """Signed on screen and countersigned."""
        participant = participant or self.screened(site)
        self.sign_consent(participant, language=language)
        self.countersign(participant, language=language)
        return participant

    def sign_consent(self, participant: str, *, language: str = "en", **changes: Any) -> Receipt:
        """The participant signs the text of the build in force at the site."""
        text = self.build_of(participant).study.consent[language]
        shown = text_hash(text)
        given: dict[str, Any] = {"version": text.head.version, "language": language, "text": shown, "teach_back": {}}
        command = SignConsent(participant=participant, **{**given, **changes})
        return self.give(command, Actor(participant, Role.PARTICIPANT, "public"), shown=shown)

    def countersign(self, participant: str, *, language: str = "en") -> Receipt:
        """A nurse of the site countersigns."""
        shown = text_hash(self.build_of(participant).study.consent[language])
        command = CountersignConsent(participant=participant, identity_check="photo_document")
        return self.give(command, f"nurse@{self.site_of(participant)}", shown=shown)

    def examined(
        self,
        participant: str | None = None,
        *,
        site: str = "01",
        age: str = "34",
        sex: str = "F",
        pregnant: str | None = "false",
    ) -> str:
        """Consented, with the screening form filled."""
        participant = participant or self.consented(site=site)
        nurse = f"nurse@{self.site_of(participant)}"
        self.give(RecordVisit(participant=participant, encounter="screening", date=self.today), nurse)
        items = {"age": Entered(text=age, unit="a"), "sex": Entered(text=sex)}
        if sex == "F" and pregnant is not None:
            items["pregnant"] = Entered(text=pregnant)
        self.save(participant, "screening", "screening", items, nurse)
        return participant

    def save(
        self,
        participant: str,
        encounter: str,
        form: str,
        items: Mapping[str, Entered],
        by: str,
        *,
        reason: str | None = None,
    ) -> Receipt:
        """Save a form over what was read just now."""
        version = self.trial.state().of(CaseBook, participant).peek((encounter, form, 1)).saves
        command = SaveForm(participant=participant, encounter=encounter, form=form, items=items, read_version=version)
        return self.give(command, by, reason=reason)

    def assessed(
        self, participant: str | None = None, *, willing: str = "true", fit: Truth = Truth.YES, **data: Any
    ) -> str:
        """Examined and assessed by the investigator."""
        participant = participant or self.examined(**data)
        self.give(
            AssessCriteria(
                participant=participant,
                stated={"willing": willing},
                judgements={"fit": Judgement(fit, "seen in clinic")},
            ),
            f"investigator@{self.site_of(participant)}",
        )
        return participant

    def signed_off(self, participant: str | None = None, **data: Any) -> str:
        """Assessed as eligible and signed off."""
        participant = participant or self.assessed(**data)
        shown = self.shown_assessment(participant)
        investigator = f"investigator@{self.site_of(participant)}"
        self.give(SignOffEligibility(participant=participant), investigator, shown=shown)
        return participant

    def randomised(self, participant: str | None = None, **data: Any) -> str:
        """Signed off and randomised."""
        participant = participant or self.signed_off(**data)
        self.give(RandomiseParticipant(participant=participant), f"investigator@{self.site_of(participant)}")
        return participant

    def shown_assessment(self, participant: str) -> str:
        """The hash of the assessment on record."""
        assessed = self.trial.state().of(Enrolment, participant).assessed
        assert assessed is not None
        return shown_assessment(assessed)

    def site_of(self, participant: str) -> str:
        return self.trial.state().of(Enrolment, participant).site

    def build_of(self, participant: str) -> Build:
        """The build in force at the participant's site."""
        from trialwright.trial.setup.state import SiteSetup

        return self.trial.builds[self.trial.state().of(SiteSetup, self.site_of(participant)).build]


@pytest.fixture(scope="session")
def small_study() -> Study:
    """The study of the folder beside this file."""
    return load_study(FOLDER).study


@pytest.fixture(scope="session")
def small_build(small_study: Study) -> Build:
    """Its build."""
    return compiled(small_study)


@pytest.fixture(scope="session")
def open_build(small_study: Study) -> Build:
    """The same study without a blind, so with one space."""
    blinding = small_study.identity.blinding.model_copy(update={"kind": "open", "unblinded_roles": ()})
    identity = small_study.identity.model_copy(update={"blinding": blinding})
    return compiled(small_study.model_copy(update={"identity": identity}))


@pytest.fixture(scope="session")
def amended_build(small_study: Study) -> Build:
    """Version 2.0, with a consent text of its own."""
    consent = {
        language: text.model_copy(update={"head": text.head.model_copy(update={"version": "2.0"})})
        for language, text in small_study.consent.items()
    }
    identity = small_study.identity.model_copy(update={"version": "2.0"})
    return compiled(small_study.model_copy(update={"consent": consent, "identity": identity}))


@pytest.fixture
def trial_worlds(small_build: Build, open_build: Build) -> Callable[..., World]:
    """Makes worlds; see ``make``."""

    def make(
        *builds: Build,
        one_space: bool = False,
        opened: bool = True,
        listed: bool = True,
        mode: str = "rehearsal",
        stores: tuple[Any, Any] | None = None,
        seed: int = 1,
        seal_texts: bool = False,
    ) -> World:
        """A world with these builds (the small study's when none is given), the first of which is in force."""
        known = {build.id: build for build in builds or (open_build if one_space else small_build,)}
        open_store, closed_store = stores or (MemoryStore(), MemoryStore())
        clock, entropy = SettableClock(START), DerivedEntropy(seed)
        trial = Trial(
            next(iter(known.values())).study.identity.id,
            open_store=open_store,
            closed_store=open_store if one_space else closed_store,
            builds=known,
            clock=clock,
            entropy=entropy,
            mode=mode,
            seal_texts=seal_texts,
        )
        dispensing, unblinding = (
            generate_key(purpose, entropy, ledger="small")
            for purpose in (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)
        )
        service = InProcessDispensing(KeyOpener(dispensing))
        trial.allocations = SealedAllocations(trial.state, trial.builds, service)
        world = World(trial, clock, dispensing, unblinding)
        if opened:
            world.open()
            if listed:
                world.seal_list()
        return world

    return make


@pytest.fixture
def trial_world(trial_worlds: Callable[..., World]) -> World:
    """The small study, open at two sites, blinded, with its list sealed."""
    return trial_worlds()

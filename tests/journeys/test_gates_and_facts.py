"""SMART-MS by its real commands: what is out of order is refused by name, what happened is recorded and flagged."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta

import pytest

from trialwright.protocol.roles import Role
from trialwright.rehearsal import Wishes, opening, product, rehearse
from trialwright.rehearsal.journey import Journey
from trialwright.rehearsal.rehearse import START, _stage
from trialwright.stores import MemoryStore
from trialwright.trial.allocation.commands import (
    DispenseAllocation,
    NotSignedOff,
    RandomiseParticipant,
    StaysBlinded,
    UnblindInEmergency,
)
from trialwright.trial.capture.commands import (
    NotComplete,
    RecordMissedVisit,
    RecordVisit,
    SaveForm,
    SignCaseBook,
    SignForm,
    VisitNotRecorded,
)
from trialwright.trial.capture.events import EncounterHeld, Entered
from trialwright.trial.capture.shown import shown_form
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.closure.commands import UnblindStudy
from trialwright.trial.closure.events import ClosedDeviationOpened, DeviationOpened
from trialwright.trial.closure.refusals import NotLocked
from trialwright.trial.closure.state import Deviations
from trialwright.trial.command import Actor, Signature
from trialwright.trial.consent.commands import WithdrawConsent
from trialwright.trial.consent.gate import ConsentNotInForce
from trialwright.trial.custody.commands import (
    AdministerProduct,
    AuthoriseAdministration,
    HandOver,
    RecordMeasurements,
    ReleaseProduct,
)
from trialwright.trial.custody.events import InjectionGiven, MeasuredValue, ProductAdministered, ProductDecided
from trialwright.trial.custody.refusals import NotReleased, ReleaseCriteriaNotMet
from trialwright.trial.custody.state import Laboratory, Slots
from trialwright.trial.enrolment.commands import ScreenParticipant
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Space
from trialwright.trial.permission import (
    ConflictingRole,
    LockedStudy,
    NotAppointed,
    NotPermitted,
    OtherSite,
    SignatureMissing,
)
from trialwright.trial.setup.commands import DelegateTask, RecordTraining, RevokeDelegation

SITE = "01"


class Paused(Exception):
    """The moment that a test waited for has come."""


class Stage:
    """SMART-MS, open at all sites, at whatever moment a test wants."""

    def __init__(self, build):
        self.world, _, sealer = _stage(build, MemoryStore(), MemoryStore(), Wishes(participants=9))
        self.world.agenda.start(opening.open_study(self.world, sealer, self.world.entropy, START), START)
        self.world.agenda.run()
        self.trial = self.world.trial
        self._number = 0

    def person(self, role, site=SITE):
        return self.world.cast.at(site, role)

    def central(self, role):
        return self.world.cast.central(role)

    def arrives(self, site=SITE):
        """Somebody comes; time goes on until they are screened. Returns the code."""
        known = set(self.world.persons)
        self._number += 1
        self.world.agenda.start(Journey(self.world, site, self._number).live(), self.world.clock.now())
        self.until(lambda: set(self.world.persons) - known)
        (code,) = set(self.world.persons) - known
        return code

    def until(self, condition):
        """Let time go on until the condition holds."""

        def watch():
            for _ in range(200_000):
                if condition():
                    raise Paused
                yield self.world.after(minutes=3)
            raise AssertionError("the moment never came")

        self.world.agenda.start(watch(), self.world.clock.now())
        with suppress(Paused):
            self.world.agenda.run()

    def of(self, kind, participant):
        return self.trial.state().of(kind, participant)

    def randomised(self):
        """Somebody who has just been randomised; those who fail screening are left behind."""
        for _ in range(20):
            code = self.arrives()
            self.until(lambda code=code: code in self.world.randomised or self.of(Enrolment, code).failed)
            if code in self.world.randomised:
                return code
        raise AssertionError("nobody fits")

    def slot(self, participant):
        return self.of(Slots, participant).peek("slot_1")

    def measured(self, participant):
        """The product of the first slot lies measured in the laboratory, not yet released."""
        self.until(lambda: product.manufactured(self.world, participant, self.slot(participant).label))
        return self.slot(participant).label

    def ready(self, participant):
        """The product of the first slot is released, not yet handed over."""
        self.until(lambda: self.slot(participant).ready)
        return self.slot(participant).label

    def heads(self):
        return {space: ledger.head() for space, ledger in self.trial.ledgers.items()}

    def attempts(self):
        return [
            json.loads(entry.body)
            for space, store in self.trial.stores.items()
            for entry in store.ledger(f"{self.trial.study}/security-{space.value}").read()
        ]

    def refuses(self, refusal, command, by, **how):
        """Refused by this name: both ledgers stand where they stood, the security log says who tried what."""
        heads, before = self.heads(), len(self.attempts())
        with pytest.raises(refusal) as caught:
            self.act(command, by, **how)
        assert type(caught.value) is refusal
        assert caught.value.remedy
        assert self.heads() == heads
        after = self.attempts()
        assert len(after) == before + 1
        tried = {(a["actor"], a["command"], a["refusal"]) for a in after}
        assert (by.person, type(command).__name__, refusal.code) in tried

    def act(self, command, by, *, shown="0" * 64, topic="test", **how):
        return self.world.act(command, by, shown=shown, topic=topic, **how)

    def dose(self, participant, content, **changes):
        """The report of an injection of the first slot."""
        slot = self.slot(participant)
        given = {
            "participant": participant,
            "slot": "slot_1",
            "label": slot.label,
            "wristband": participant,
            "content": content,
            "volume_ml": "5",
            "dose": "60" if content == "product" else None,
        }
        injector = self.person(Role.INJECTING_PHYSICIAN, participant.split("-")[1])
        return self.act(AdministerProduct(**{**given, **changes}), injector, topic="dose")

    def allocated(self, participant):
        arm = self.trial.allocations.arm(participant, "period_1")
        return self.trial.builds[next(iter(self.trial.builds))].study.custody.given_in[arm]


@pytest.fixture
def stage(build_of):
    return Stage(build_of("smart-ms"))


def kinds(receipt, event=DeviationOpened):
    return [fact.event.kind for fact in receipt.facts if type(fact.event) is event]


# --- gates ---------------------------------------------------------------------------------------------------------


def test_nobody_is_randomised_before_consent_nor_before_sign_off(stage):
    participant = stage.arrives()
    randomise, investigator = RandomiseParticipant(participant=participant), stage.person(Role.INVESTIGATOR)
    stage.refuses(ConsentNotInForce, randomise, investigator)
    stage.until(lambda: stage.of(CaseBook, participant).held)
    stage.refuses(NotSignedOff, randomise, investigator)
    stage.until(lambda: stage.of(Enrolment, participant).assessed is not None)
    stage.refuses(NotSignedOff, randomise, investigator)


def test_a_form_is_not_filled_before_its_visit_nor_signed_before_it_is_complete(stage):
    participant = stage.arrives()
    nurse, investigator = stage.person(Role.STUDY_NURSE), stage.person(Role.INVESTIGATOR)
    stage.until(lambda: stage.of(CaseBook, participant).held)
    about = {"participant": participant, "encounter": "unscheduled_1", "form": "vital_signs"}
    half = SaveForm(**about, items={"pulse": Entered(text="70", unit="{beats}/min")}, read_version=0)
    stage.refuses(VisitNotRecorded, half, nurse)
    visit = RecordVisit(participant=participant, encounter="unscheduled_1", date=stage.world.today(SITE).isoformat())
    stage.act(visit, nurse, topic="visit")
    stage.act(half, nurse, topic="half")
    record = stage.of(CaseBook, participant).peek(("unscheduled_1", "vital_signs", 1))
    shown = shown_form(participant, ("unscheduled_1", "vital_signs", 1), record)
    stage.refuses(NotComplete, SignForm(**about), investigator, shown=shown)
    stage.refuses(NotComplete, SignCaseBook(participant=participant), investigator)


def test_a_product_is_not_released_before_its_criteria_hold(stage):
    participant = stage.randomised()
    stage.until(lambda: stage.of(Laboratory, participant).products)
    release = ReleaseProduct(participant=participant, label=stage.slot(participant).label)
    qualified, laboratory = stage.central(Role.QUALIFIED_PERSON), stage.central(Role.CELL_LABORATORY)
    stage.refuses(ReleaseCriteriaNotMet, release, qualified)
    label = stage.measured(participant)
    stage.refuses(NotPermitted, release, laboratory)
    bad = RecordMeasurements(
        participant=participant, label=label, values={"viability": MeasuredValue(text="79", unit="%")}
    )
    stage.act(bad, laboratory, topic="bad")
    stage.refuses(ReleaseCriteriaNotMet, release, qualified)


def test_nothing_is_handed_over_or_authorised_before_release(stage):
    participant = stage.randomised()
    label = stage.measured(participant)
    injector = stage.person(Role.INJECTING_PHYSICIAN)
    hand_over = HandOver(
        participant=participant, slot="slot_1", label=label, wristband=participant, to=injector.person
    )
    stage.refuses(NotReleased, hand_over, stage.central(Role.CELL_LABORATORY))
    stage.refuses(NotReleased, AuthoriseAdministration(participant=participant, slot="slot_1"), injector)


def test_nobody_is_unblinded_without_right(stage):
    participant = stage.randomised()
    emergency, why = UnblindInEmergency(participant=participant), {"reason": "seizure", "shown": participant}
    for role in (Role.SPONSOR, Role.MONITOR, Role.MEDICAL_MONITOR, Role.DATA_MANAGER):
        stage.refuses(NotPermitted, emergency, stage.central(role), **why)
    stage.refuses(NotPermitted, emergency, stage.person(Role.STUDY_NURSE), **why)
    stage.refuses(OtherSite, emergency, stage.person(Role.INVESTIGATOR, "02"), **why)
    unsigned = {"reason": "seizure", "shown": None}
    stage.refuses(SignatureMissing, emergency, stage.person(Role.INVESTIGATOR), **unsigned)
    stage.refuses(StaysBlinded, DispenseAllocation(participant=participant), stage.person(Role.STUDY_NURSE))
    stage.refuses(NotLocked, UnblindStudy(), stage.central(Role.INDEPENDENT_STATISTICIAN))


def test_nobody_acts_without_delegation_or_after_it_ended(stage):
    participant = stage.arrives()
    today = stage.world.today(SITE).isoformat()
    visit = RecordVisit(participant=participant, encounter="unscheduled_1", date=today)
    stranger = Actor("stranger", Role.STUDY_NURSE, "somewhere", SITE)
    stage.refuses(NotAppointed, visit, stranger)
    stage.refuses(OtherSite, visit, stage.person(Role.STUDY_NURSE, "02"))
    nurse, investigator = stage.person(Role.STUDY_NURSE), stage.person(Role.INVESTIGATOR)
    stage.act(RevokeDelegation(site=SITE, person=nurse.person, role=nurse.role, until=today), investigator)
    stage.world.clock.set(stage.world.clock.now() + timedelta(days=1))
    stage.refuses(NotAppointed, visit, nurse)


def test_who_injected_does_not_rate(stage):
    """Delegated to both, and trained: the roles exclude each other for the same participant only."""
    participant = stage.randomised()
    stage.ready(participant)
    stage.until(lambda: stage.slot(participant).injected_on)
    injector, investigator = stage.person(Role.INJECTING_PHYSICIAN), stage.person(Role.INVESTIGATOR)
    today = stage.world.today(SITE).isoformat()
    rater = Actor(injector.person, Role.BLINDED_RATER, injector.organisation, SITE)
    delegate = DelegateTask(
        site=SITE, person=rater.person, role=rater.role, organisation=rater.organisation, since=today
    )
    stage.act(delegate, investigator, topic="rater too")
    for subject in ("protocol", "gcp"):
        training = RecordTraining(site=SITE, person=rater.person, subject=subject, date=today)
        stage.act(training, investigator, topic=f"rater too {subject}")
    stage.act(
        RecordVisit(participant=participant, encounter="unscheduled_1", date=today), stage.person(Role.STUDY_NURSE)
    )
    score = {"visual": Entered(text="1")}
    about = {"encounter": "unscheduled_1", "form": "edss", "items": score, "read_version": 0}
    stage.refuses(ConflictingRole, SaveForm(participant=participant, **about), rater)
    other = stage.arrives()
    stage.until(lambda: stage.of(CaseBook, other).held)
    now = stage.world.today(SITE).isoformat()
    stage.act(RecordVisit(participant=other, encounter="unscheduled_1", date=now), stage.person(Role.STUDY_NURSE))
    assert stage.act(SaveForm(participant=other, **about), rater, topic="other").facts


def test_nothing_is_written_after_the_lock(build_of):
    trial = rehearse(build_of("smart-ms"), MemoryStore(), MemoryStore(), Wishes(participants=1, seed=1)).trial
    (participant,) = [
        fact.event.participant for fact in trial.facts() if fact.event.TYPE == "allocation.participant_randomised"
    ]
    site = participant.split("-")[1]
    build = trial.builds[next(iter(trial.builds))]
    investigator = Actor(f"investigator.{site}", Role.INVESTIGATOR, build.study.sites[site].name, site)
    about = {"participant": participant, "encounter": "screening", "form": "vital_signs"}
    heads = {space: ledger.head() for space, ledger in trial.ledgers.items()}
    log = trial.stores[Space.OPEN].ledger("smart-ms/security-open")
    for number, command in enumerate(
        (
            SaveForm(**about, items={"pulse": Entered(text="71", unit="{beats}/min")}, read_version=1),
            SignForm(**about),
            RecordVisit(participant=participant, encounter="unscheduled_9", date="2026-06-01"),
            RecordMissedVisit(participant=participant, encounter="month_18"),
            RandomiseParticipant(participant=participant),
            ScreenParticipant(site=site),
        )
    ):
        before = log.head().size
        meaning = command.PERMISSION.signs
        signature = Signature(investigator.person, meaning, "0" * 64) if meaning else None
        with pytest.raises(LockedStudy):
            trial.dispatch(
                command, by=investigator, request_id=f"late-{number}", reason="forgotten", signature=signature
            )
        assert log.head().size == before + 1
    assert {space: ledger.head() for space, ledger in trial.ledgers.items()} == heads


# --- facts ---------------------------------------------------------------------------------------------------------


def test_a_dose_without_release_is_recorded_flagged_and_opens_deviations(stage):
    participant = stage.randomised()
    stage.measured(participant)
    receipt = stage.dose(participant, stage.allocated(participant))
    given = receipt.event(InjectionGiven)
    assert {"not_ready", "not_authorised"} <= set(given.flags)
    assert "not_released" not in given.flags
    assert kinds(receipt).count("release") == 1
    assert len(kinds(receipt)) == len(given.flags)
    closed = receipt.event(ProductAdministered)
    assert len(kinds(receipt) + kinds(receipt, ClosedDeviationOpened)) == len(closed.flags)
    assert stage.slot(participant).injected_on
    assert set(stage.of(Deviations, participant).waiting()) >= {
        fact.event.deviation for fact in receipt.facts if type(fact.event) is DeviationOpened
    }


def test_a_wrong_product_is_recorded_and_the_open_space_learns_only_that_something_was_wrong(stage):
    receipts = {}
    for _ in range(12):
        participant = stage.randomised()
        allocated = stage.allocated(participant)
        if allocated in receipts:
            continue
        stage.until(lambda p=participant: stage.slot(p).authorised or stage.slot(p).cancelled)
        if stage.slot(participant).cancelled:
            continue
        wrong = {"product": "comparator", "comparator": "product"}[allocated]
        receipts[allocated] = stage.dose(participant, wrong)
        if len(receipts) == 2:
            break
    for receipt in receipts.values():
        assert "wrong_product" in receipt.event(ProductAdministered).flags
        assert receipt.event(InjectionGiven).flags == ("product",)
        assert kinds(receipt) == ["product"]
        assert any(
            "allocation says" in f.event.about for f in receipt.facts if type(f.event) is ClosedDeviationOpened
        )
    opened = [
        json.dumps(
            [fact.event.__dict__ | {"participant": "", "date": ""} for fact in receipt.facts if is_open(fact)],
            sort_keys=True,
        )
        for receipt in receipts.values()
    ]
    assert len(opened) == 2
    assert opened[0] == opened[1]


def is_open(fact):
    return fact.event.SPACE is Space.OPEN


def test_a_visit_after_withdrawal_is_recorded_flagged_and_opens_a_deviation(stage):
    participant = stage.randomised()
    nurse = stage.person(Role.STUDY_NURSE)
    person = stage.world.cast.participant(participant, SITE)
    stage.act(WithdrawConsent(participant=participant, scopes=("treatment", "visits")), person)
    stage.world.clock.set(stage.world.clock.now() + timedelta(days=20))
    visit = RecordVisit(participant=participant, encounter="unscheduled_1", date=stage.world.today(SITE).isoformat())
    receipt = stage.act(visit, nurse)
    assert receipt.event(EncounterHeld).flags == ("after_withdrawal",)
    assert kinds(receipt) == ["after_withdrawal"]


# --- what crosses --------------------------------------------------------------------------------------------------


def test_the_words_of_somebody_who_knows_the_arm_stay_in_the_closed_space(stage):
    """The reason of a closed act, and whether there was one, are not in the open envelope."""
    participant = stage.randomised()
    label = stage.measured(participant)
    why = "thawed in a hurry, saline would have been easier"
    receipt = stage.act(
        ReleaseProduct(participant=participant, label=label), stage.central(Role.QUALIFIED_PERSON), reason=why
    )
    decided = next(fact for fact in receipt.facts if isinstance(fact.event, ProductDecided))
    assert decided.reason is None
    assert {fact.reason for fact in receipt.facts if not is_open(fact)} == {why}
    emergency = stage.act(
        UnblindInEmergency(participant=participant), stage.person(Role.INVESTIGATOR), reason="seizure"
    )
    assert {fact.reason for fact in emergency.facts} == {"seizure"}

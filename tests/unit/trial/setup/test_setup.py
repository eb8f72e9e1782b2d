"""Opening the study and its sites; appointments, delegation, training; amendments site by site."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trialwright.build.compile import compiled
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.ports import OPERATING_SYSTEM, DerivedEntropy
from trialwright.protocol.roles import Role
from trialwright.protocol.study import Amendment
from trialwright.trial.command import Actor, NotYet
from trialwright.trial.enrolment.commands import ScreenParticipant
from trialwright.trial.event import Space
from trialwright.trial.setup import views
from trialwright.trial.setup.commands import (
    ActivateAmendment,
    ActivateSite,
    AppointPerson,
    ApprovalMissing,
    ApproveBuild,
    BuildNotApproved,
    BuildNotFitting,
    CreateStudy,
    DelegateTask,
    EndAppointment,
    KeptApart,
    LastSponsor,
    ModeRefused,
    NotHeld,
    NotWhatWasShown,
    OpenStudy,
    PauseRecruitment,
    ReconsentNeeded,
    RecordStudyApproval,
    RecordTraining,
    ResumeRecruitment,
    RevokeDelegation,
    RoleUnknown,
    SiteNotActive,
    StudyExists,
    StudyNotOpen,
)
from trialwright.trial.setup.events import Approval, StudyCreated
from trialwright.trial.setup.state import People, StudySetup

ETHICS = Approval(kind="ethics", reference="12/2025", date="2025-01-15")


class OperatingSystemLike(DerivedEntropy):
    """Entropy that claims to come from the operating system, so that a test of production mode is repeatable."""

    def __init__(self, seed):
        super().__init__(seed)
        self.origin = OPERATING_SYSTEM


@pytest.fixture
def blank(trial_worlds):
    """A world without a first event."""
    return trial_worlds(opened=False)


def site_01(world, **changes):
    given = {
        "site": "01",
        "build": world.build.id,
        "approvals": (ETHICS,),
        "principal_investigator": "investigator-01",
        "organisation": "hospital-01",
    }
    return ActivateSite(**{**given, **changes})


def test_the_first_event_fixes_mode_entropy_and_blinding(blank):
    receipt = blank.give(CreateStudy(build=blank.build.id), "sponsor")
    first = next(iter(blank.trial.facts())).event
    assert first == receipt.event(StudyCreated)
    assert (first.mode, first.entropy, first.blinding) == ("rehearsal", "derived:1", "blinded")
    assert blank.trial.state().of(People).holds("sponsor", "sponsor")


def test_a_study_is_created_once(blank):
    blank.give(CreateStudy(build=blank.build.id), "sponsor")
    blank.refuses(StudyExists, CreateStudy(build=blank.build.id), "sponsor")


def test_an_unknown_build_cannot_begin_a_study_nor_be_approved(blank):
    blank.refuses(BuildNotApproved, CreateStudy(build="f" * 64), "sponsor")
    blank.give(CreateStudy(build=blank.build.id), "sponsor")
    blank.refuses(BuildNotApproved, ApproveBuild(build="f" * 64, evidence="e", summary="s"), "sponsor")


def test_modes_are_three_and_production_takes_no_derived_entropy(trial_worlds):
    world = trial_worlds(opened=False, mode="demo")
    world.refuses(ModeRefused, CreateStudy(build=world.build.id), "sponsor")
    world = trial_worlds(opened=False, mode="production")
    world.refuses(ModeRefused, CreateStudy(build=world.build.id), "sponsor")
    production = world.twin(entropy=OperatingSystemLike(1))
    production.dispatch(
        CreateStudy(build=world.build.id), by=Actor("sponsor", Role.SPONSOR, "centre"), request_id="c"
    )
    assert world.trial.state().of(StudySetup).mode == "production"


def test_a_study_opens_with_an_approved_build_and_in_production_with_ethics(trial_worlds, blank):
    blank.give(CreateStudy(build=blank.build.id), "sponsor")
    blank.refuses(BuildNotApproved, OpenStudy(), "sponsor")
    blank.give(ApproveBuild(build=blank.build.id, evidence="e", summary="s"), "sponsor")
    blank.give(OpenStudy(), "sponsor")
    blank.refuses(StudyExists, OpenStudy(), "sponsor")

    world = trial_worlds(opened=False, mode="production")
    world.trial = world.twin(entropy=OperatingSystemLike(1))
    world.give(CreateStudy(build=world.build.id), "sponsor")
    world.give(ApproveBuild(build=world.build.id, evidence="e", summary="s"), "sponsor")
    world.refuses(ApprovalMissing, OpenStudy(), "sponsor")
    world.give(RecordStudyApproval(approval=ETHICS), "sponsor")
    world.give(OpenStudy(), "sponsor")
    assert world.trial.state().of(StudySetup).opened


def test_central_roles_are_appointed_and_ended_by_the_sponsor(blank):
    blank.create()
    monitor = {"person": "someone", "role": Role.MONITOR}
    blank.give(AppointPerson(**monitor, organisation="centre"), "sponsor")
    heads = blank.heads()
    blank.give(AppointPerson(**monitor, organisation="centre"), "sponsor")
    assert blank.heads() == heads  # held already: nothing happens
    blank.give(EndAppointment(**monitor), "sponsor")
    blank.refuses(NotHeld, EndAppointment(**monitor), "sponsor")
    assert not blank.trial.state().of(People).holds("someone", "monitor")


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.PHARMACIST, Role.CENTRAL_READER])
def test_site_roles_and_roles_the_study_does_not_use_are_not_appointed(blank, role):
    blank.create()
    blank.refuses(RoleUnknown, AppointPerson(person="someone", role=role, organisation="x"), "sponsor")


def test_a_site_is_activated_once_in_an_open_study_with_its_approvals(blank):
    blank.give(CreateStudy(build=blank.build.id), "sponsor")
    blank.refuses(StudyNotOpen, site_01(blank), "sponsor")
    blank.give(ApproveBuild(build=blank.build.id, evidence="e", summary="s"), "sponsor")
    blank.give(OpenStudy(), "sponsor")
    blank.refuses(SiteNotActive, site_01(blank, site="77"), "sponsor")
    blank.refuses(BuildNotApproved, site_01(blank, build="f" * 64), "sponsor")
    blank.refuses(ApprovalMissing, site_01(blank, approvals=()), "sponsor")
    blank.give(site_01(blank), "sponsor")
    blank.refuses(SiteNotActive, site_01(blank), "sponsor")


def test_recruitment_pauses_and_resumes(trial_world):
    trial_world.refuses(SiteNotActive, ResumeRecruitment(site="01"), "sponsor")
    trial_world.give(PauseRecruitment(site="01"), "medic")
    trial_world.refuses(SiteNotActive, PauseRecruitment(site="01"), "sponsor")
    trial_world.give(ResumeRecruitment(site="01"), "sponsor")
    trial_world.give(ScreenParticipant(site="01"), "nurse")
    for command in (PauseRecruitment(site="77"), ResumeRecruitment(site="77")):
        trial_world.refuses(SiteNotActive, command, "sponsor")


def test_only_the_principal_investigator_delegates_and_only_site_roles(trial_world):
    task = {"site": "01", "organisation": "hospital-01", "since": "2025-01-01"}
    sub = DelegateTask(**task, person="second", role=Role.INVESTIGATOR)
    trial_world.give(sub, "investigator")
    for subject in ("protocol", "gcp"):
        trial_world.give(RecordTraining(site="01", person="second", subject=subject, date="2025-01-10"), "monitor")
    second = Actor("second", Role.INVESTIGATOR, "hospital-01", "01")
    trial_world.refuses(RoleUnknown, replace(sub, person="third"), second)
    for role in (Role.MONITOR, Role.PHARMACIST):
        trial_world.refuses(RoleUnknown, DelegateTask(**task, person="third", role=role), "investigator")


def test_a_delegation_that_does_not_exist_cannot_be_revoked(trial_world):
    revoke = RevokeDelegation(site="01", person="nobody", role=Role.STUDY_NURSE, until="2025-03-03")
    trial_world.refuses(NotHeld, revoke, "investigator")


def test_an_amendment_is_activated_site_by_site_and_later_events_cite_it(trial_worlds, small_build, amended_build):
    world = trial_worlds(small_build, amended_build)
    move = ActivateAmendment(site="01", build=amended_build.id, approvals=(ETHICS,), reconsent=False)
    world.refuses(BuildNotApproved, move, "sponsor")
    world.give(ApproveBuild(build=amended_build.id, evidence="e", summary="s"), "sponsor")
    world.refuses(ApprovalMissing, replace(move, approvals=()), "sponsor")
    world.refuses(SiteNotActive, replace(move, site="77"), "sponsor")
    world.give(move, "sponsor")
    world.refuses(BuildNotApproved, move, "sponsor")
    cited = {site: world.give(ScreenParticipant(site=site), f"nurse@{site}").facts[0].build for site in ("01", "02")}
    assert cited == {"01": amended_build.id, "02": small_build.id}


def test_a_build_that_another_process_approved_is_read_from_the_record(trial_worlds, small_build, amended_build):
    world = trial_worlds(small_build, amended_build)
    elsewhere = world.twin(builds={small_build.id: small_build}, closed_store=None)
    world.give(ApproveBuild(build=amended_build.id, evidence="e", summary="s"), "sponsor")
    world.give(ActivateAmendment(site="01", build=amended_build.id, approvals=(ETHICS,), reconsent=False), "sponsor")
    nurse = Actor("nurse-01", Role.STUDY_NURSE, "hospital-01", "01")
    receipt = elsewhere.dispatch(ScreenParticipant(site="01"), by=nurse, request_id="s")
    assert {fact.build for fact in receipt.facts} == {amended_build.id}


def changed(study, **identity):
    return compiled(study.model_copy(update={"identity": study.identity.model_copy(update=identity)}))


def test_no_amendment_makes_another_study_or_opens_the_blind(trial_worlds, small_study, small_build):
    opened = small_study.identity.blinding.model_copy(update={"kind": "open", "unblinded_roles": ()})
    for build in (changed(small_study, id="another"), changed(small_study, blinding=opened)):
        world = trial_worlds(small_build, build, opened=False)
        world.create()
        world.refuses(BuildNotFitting, ApproveBuild(build=build.id, evidence="e", summary="s"), "sponsor")


def test_a_build_is_approved_over_its_own_id(blank):
    blank.give(CreateStudy(build=blank.build.id), "sponsor")
    approve = ApproveBuild(build=blank.build.id, evidence="e", summary="s")
    blank.refuses(NotWhatWasShown, approve, "sponsor", shown="a" * 64)


def test_a_site_works_under_a_build_that_has_the_site(trial_worlds, small_study, small_build):
    site = small_study.identity.sites[0]
    fewer = changed(small_study, sites=(site,), version="2.0")
    world = trial_worlds(small_build, fewer)
    world.give(ApproveBuild(build=fewer.id, evidence="e", summary="s"), "sponsor")
    move = ActivateAmendment(site="02", build=fewer.id, approvals=(ETHICS,), reconsent=False)
    world.refuses(BuildNotFitting, move, "sponsor")


def test_an_amendment_that_asks_for_new_consent_is_not_activated_without(trial_worlds, small_study, small_build):
    amendment = Amendment(number=1, summary={"en": "x"}, reconsent=True)
    later = changed(small_study, amendment=amendment, version="2.0")
    world = trial_worlds(small_build, later)
    world.give(ApproveBuild(build=later.id, evidence="e", summary="s"), "sponsor")
    move = ActivateAmendment(site="01", build=later.id, approvals=(ETHICS,), reconsent=False)
    world.refuses(ReconsentNeeded, move, "sponsor")
    world.give(replace(move, reconsent=True), "sponsor")


@pytest.mark.parametrize("role", [Role.INDEPENDENT_STATISTICIAN, Role.CELL_LABORATORY, Role.SAFETY_OFFICER])
def test_nobody_in_a_blinded_central_role_gets_an_unblinded_one(trial_world, role):
    for person in ("sponsor", "monitor", "data_manager", "investigator-01", "rater-02"):
        command = AppointPerson(person=person, role=role, organisation="centre")
        trial_world.refuses(KeptApart, command, "sponsor")


def test_who_may_have_seen_allocations_gets_no_blinded_role_afterwards(trial_world):
    trial_world.give(EndAppointment(person="laboratory", role=Role.CELL_LABORATORY), "sponsor")
    monitor = AppointPerson(person="laboratory", role=Role.MONITOR, organisation="centre")
    trial_world.refuses(KeptApart, monitor, "sponsor")
    injector = replace(monitor, person="injector-01")
    trial_world.refuses(KeptApart, injector, "sponsor")
    rater = DelegateTask(
        site="01", person="laboratory", role=Role.BLINDED_RATER, organisation="hospital-01", since="2025-03-03"
    )
    trial_world.refuses(KeptApart, rater, "investigator")
    trial_world.refuses(KeptApart, replace(rater, person="sponsor", role=Role.INJECTING_PHYSICIAN), "investigator")
    trial_world.give(replace(rater, person="sponsor", role=Role.STUDY_NURSE), "investigator")


def test_a_study_keeps_a_sponsor(trial_world):
    end = EndAppointment(person="sponsor", role=Role.SPONSOR)
    trial_world.refuses(LastSponsor, end, "sponsor")
    trial_world.give(AppointPerson(person="second", role=Role.SPONSOR, organisation="centre"), "sponsor")
    trial_world.give(end, "sponsor")


def test_days_of_people_are_days(trial_world):
    delegate = DelegateTask(
        site="01", person="new", role=Role.STUDY_NURSE, organisation="hospital-01", since="2025-03-03"
    )
    train = RecordTraining(site="01", person="new", subject="gcp", date="2025-03-03")
    revoke = RevokeDelegation(site="01", person="nurse-01", role=Role.STUDY_NURSE, until="soon")
    for command in (
        replace(delegate, since="1 March"),
        replace(delegate, until="never"),
        replace(train, date="lately"),
        revoke,
    ):
        with pytest.raises(InvalidValue):
            trial_world.give(command, "investigator")
    trial_world.refuses(NotYet, replace(train, date="2025-03-05"), "investigator")
    future = replace(ETHICS, date="2025-12-01")
    trial_world.refuses(NotYet, RecordStudyApproval(approval=future), "sponsor")


def test_the_views_show_sites_people_and_training_as_they_stand(trial_world):
    trial_world.give(PauseRecruitment(site="02"), "sponsor")
    trial_world.give(EndAppointment(person="medic", role=Role.MEDICAL_MONITOR), "sponsor")
    rows = trial_world.trial.stores[Space.OPEN].rows
    sites = {row["site"]: row for row in rows.where(views.SITE)}
    assert (sites["01"]["recruiting"], sites["02"]["recruiting"]) == (1, 0)
    assert sites["01"]["principal_investigator"] == "investigator-01"
    assert rows.get(views.PERSON, ("medic", "medical_monitor", ""))["until"] == "2025-03-03"
    assert rows.get(views.PERSON, ("nurse-01", "study_nurse", "01"))["since"] == "2025-01-01"
    assert rows.get(views.TRAINING, ("01", "nurse-01", "gcp"))["date"] == "2025-01-10"

"""Who may act: role, appointment, delegation and training in force, site, role conflicts, signature, lock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trialwright.foundation.ports import OPERATING_SYSTEM, DerivedEntropy
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.allocation.commands import RandomiseParticipant, UnblindInEmergency
from trialwright.trial.capture.commands import RecordVisit, SaveForm
from trialwright.trial.capture.events import Entered
from trialwright.trial.command import Actor, Signature
from trialwright.trial.consent.commands import CountersignConsent, RefuseConsent, WithdrawConsent
from trialwright.trial.enrolment.commands import AssessCriteria, ScreenParticipant, SignOffEligibility
from trialwright.trial.permission import (
    ConflictingRole,
    LockedStudy,
    NotAppointed,
    NotPermitted,
    OtherMode,
    OtherSite,
    RevealingWords,
    SignatureMissing,
    StudyNotCreated,
    _free_texts,
)
from trialwright.trial.queries.commands import OpenQuery
from trialwright.trial.rooms import DECISIONS
from trialwright.trial.setup.commands import (
    AppointPerson,
    CreateStudy,
    DelegateTask,
    EndAppointment,
    PauseRecruitment,
    RecordTraining,
    RevokeDelegation,
)

ROOMS = ("setup", "consent", "enrolment", "allocation", "custody", "safety", "closure")

TABLE = {
    # setup
    "CreateStudy": "sponsor, begins",
    "ApproveBuild": "sponsor, signs approve_build",
    "RecordStudyApproval": "sponsor",
    "OpenStudy": "sponsor",
    "AppointPerson": "sponsor, after lock",
    "EndAppointment": "sponsor, after lock",
    "ActivateSite": "sponsor",
    "ActivateAmendment": "sponsor",
    "PauseRecruitment": "medical_monitor sponsor",
    "ResumeRecruitment": "sponsor",
    "DelegateTask": "investigator, signs delegate",
    "RevokeDelegation": "investigator, after lock",
    "RecordTraining": "investigator monitor",
    # consent
    "SignConsent": "participant, signs give_consent",
    "RecordPaperConsent": "investigator study_nurse",
    "CountersignConsent": "investigator study_nurse, signs countersign_consent",
    "RefuseConsent": "investigator participant study_nurse",
    "WithdrawConsent": "investigator participant study_nurse, after lock",
    # enrolment
    "ScreenParticipant": "investigator study_nurse",
    "RescreenParticipant": "investigator study_nurse",
    "AssessCriteria": "investigator, treats",
    "SignOffEligibility": "investigator, treats, signs sign_off_eligibility",
    "FailScreening": "investigator study_nurse",
    "EndParticipation": "investigator study_nurse",
    # allocation
    "SealAllocationList": "independent_statistician, closed, signs seal_allocation_list",
    "RandomiseParticipant": "investigator study_nurse, treats, checkpoint",
    "RecordMistakenRandomisation": "investigator medical_monitor monitor, after lock",
    "DispenseAllocation": (
        "cell_laboratory injecting_physician investigator pharmacist qualified_person study_nurse unblinded_monitor, "
        "closed"
    ),
    "PrepareEnvelope": "independent_statistician pharmacist, closed",
    "UnblindInEmergency": "investigator, closed, after lock, reason crosses, signs unblind_in_emergency",
    "UnblindForSusar": "safety_officer, closed, after lock",
    "RecordAccidentalUnblinding": (
        "blinded_rater data_manager investigator medical_monitor monitor sponsor study_nurse, after lock"
    ),
    "DiscloseForDataCut": "independent_statistician, closed, after lock",
    # custody
    "PassSafetyGate": "investigator study_nurse, treats",
    "CollectProduct": "injecting_physician investigator study_nurse",
    "RequestExceptionalRelease": "investigator, treats, signs request_exceptional_release",
    "AuthoriseAdministration": "injecting_physician investigator, treats",
    "ReceiveProduct": "cell_laboratory qualified_person, closed",
    "RecordManufactureStep": "cell_laboratory qualified_person, closed",
    "RecordMeasurements": "cell_laboratory qualified_person, closed",
    "ReleaseProduct": "qualified_person, closed, signs release_product",
    "ReportOutOfSpecification": "cell_laboratory qualified_person, closed",
    "ReleaseOutOfSpecification": "qualified_person, closed, signs release_out_of_specification",
    "FailManufacture": "cell_laboratory qualified_person, closed",
    "CertifyBatch": "qualified_person, closed, signs certify_batch",
    "RecordExcursion": "cell_laboratory injecting_physician pharmacist qualified_person, closed, after lock",
    "RecordLateResult": "cell_laboratory qualified_person, closed, after lock",
    "StoreProduct": "cell_laboratory qualified_person, closed, after lock",
    "DestroyProduct": "cell_laboratory qualified_person, closed, after lock",
    "HandOver": "cell_laboratory pharmacist qualified_person, closed",
    "RecordMixUp": (
        "cell_laboratory injecting_physician pharmacist qualified_person unblinded_monitor, closed, after lock"
    ),
    "AdministerProduct": "injecting_physician, closed",
    # safety
    "ReportAdverseEvent": "investigator study_nurse, after lock",
    "FollowUpAdverseEvent": "investigator study_nurse, after lock",
    "AssessCausality": "investigator medical_monitor safety_officer, after lock",
    "AssessSeriousness": "medical_monitor safety_officer, after lock",
    "AssessExpectedness": "medical_monitor safety_officer, after lock",
    "RecordSponsorAwareness": "medical_monitor safety_officer sponsor, after lock",
    "RecordSubmission": "medical_monitor safety_officer sponsor, after lock",
    "RecordExpeditedReport": "safety_officer, closed, after lock",
    "RecodeTerm": "data_manager medical_monitor safety_officer",
    "CloseAdverseEvent": "investigator, after lock",
    # closure
    "OpenDeviation": "data_manager investigator medical_monitor monitor study_nurse",
    "ClassifyDeviation": "data_manager medical_monitor monitor sponsor",
    "ClassifyClosedDeviation": "qualified_person unblinded_monitor, closed, after lock",
    "RecordSeriousBreach": "medical_monitor sponsor, after lock",
    "RecordBreachNotification": "medical_monitor sponsor, after lock",
    "RecordUrgentSafetyMeasure": "investigator medical_monitor sponsor, after lock",
    "MakeDataCut": "data_manager independent_statistician, after lock, checkpoint",
    "FreezeStudy": "data_manager",
    "SignBlindReview": "data_manager medical_monitor sponsor, signs blind_review",
    "LockStudy": "data_manager sponsor, signs lock_study",
    "ProposeUnlock": "data_manager sponsor, after lock, signs propose_unlock",
    "UnlockStudy": "data_manager sponsor, after lock, signs unlock_study",
    "SignAnalysisPlan": "independent_statistician sponsor, after lock, signs analysis_plan",
    "FreezeAnalysisCode": "independent_statistician sponsor, after lock",
    "ProposeUnblinding": "data_manager sponsor, after lock, signs propose_unblinding",
    "UnblindStudy": "independent_statistician, closed, after lock, signs unblind_study",
    "CloseStudy": "sponsor, after lock, signs close_study",
    "ArchiveStudy": "sponsor, after lock",
}
"""The reviewed table: a command that is not in it, or may do more than it says, fails the test below."""


def described(permission):
    words = [" ".join(sorted(role.value for role in permission.roles))]
    words += ["closed"] if permission.space.value == "closed" else []
    words += ["treats"] if permission.treats else []
    words += ["after lock"] if permission.after_lock else []
    words += ["begins"] if permission.begins else []
    words += ["checkpoint"] if permission.checkpoint else []
    words += ["reason crosses"] if permission.reason_crosses else []
    words += [f"signs {permission.signs}"] if permission.signs else []
    return ", ".join(words)


def test_every_command_of_these_rooms_has_the_permission_that_was_reviewed():
    commands = {c.__name__: c for c in DECISIONS if c.__module__.split(".")[2] in ROOMS}
    assert {name: described(command.PERMISSION) for name, command in commands.items()} == TABLE


def test_nothing_but_create_study_comes_before_the_study(trial_worlds):
    world = trial_worlds(opened=False)
    stranger = Actor("somebody", Role.SPONSOR, "nowhere")
    command = AppointPerson(person="somebody", role=Role.MONITOR, organisation="nowhere")
    world.refuses(StudyNotCreated, command, stranger)
    world.give(CreateStudy(build=world.build.id), "sponsor")
    world.refuses(NotAppointed, command, stranger)
    world.give(command, "sponsor")


def test_a_role_that_is_not_named_may_not(trial_world):
    participant = trial_world.signed_off()
    for role in set(Role) - RandomiseParticipant.PERMISSION.roles:
        who = Actor("somebody", role, "centre", "01" if role in SITE_ROLES else None)
        trial_world.refuses(NotPermitted, RandomiseParticipant(participant=participant), who)


@pytest.mark.parametrize("by", ["unblinded_monitor", "safety"])
def test_who_may_know_the_arm_does_not_name_it_where_blinded_people_read(trial_world, by):
    participant = trial_world.examined()
    asked = OpenQuery(
        participant=participant, encounter="screening", form="screening", item="age", text="Given the saline, is it?"
    )
    assert "saline" in str(trial_world.refuses(RevealingWords, asked, by))
    asked = replace(asked, text="Is this the age at consent?")
    trial_world.refuses(RevealingWords, asked, by, reason="everybody with Cells is checked")
    trial_world.give(asked, by)


def test_what_is_entered_on_an_open_form_by_somebody_unblinded_does_not_name_the_arm():
    entries = {"note": Entered(text="no cells left"), "amount": Entered(text="5", unit="10*6{cells}")}
    save = SaveForm(participant="p", encounter="e", form="cells", items=entries, read_version=0)
    assert list(_free_texts(save)) == ["no cells left", "5"]


def test_who_is_blinded_only_guesses_and_writes_freely(trial_world):
    participant = trial_world.examined()
    asked = OpenQuery(
        participant=participant, encounter="screening", form="screening", item="age", text="Red blood cells?"
    )
    trial_world.give(asked, "monitor")


def test_a_process_in_another_mode_than_the_record_writes_nothing(trial_worlds):
    world = trial_worlds(opened=False)
    world.create()
    for mode in ("production", "test", ""):
        world.trial = world.twin(mode=mode)
        world.refuses(OtherMode, PauseRecruitment(site="01"), "sponsor")


def test_a_production_record_takes_no_derived_entropy_from_a_later_process(trial_worlds):
    world = trial_worlds(opened=False, mode="production")
    likely = DerivedEntropy(1)
    likely.origin = OPERATING_SYSTEM
    world.trial = world.twin(entropy=likely)
    world.give(CreateStudy(build=world.build.id), "sponsor")
    monitor = AppointPerson(person="someone", role=Role.MONITOR, organisation="centre")
    world.trial = world.twin(entropy=DerivedEntropy(1))
    world.refuses(OtherMode, monitor, "sponsor")
    world.trial = world.twin(entropy=likely)
    world.give(monitor, "sponsor")


def test_claiming_a_role_is_not_holding_it(trial_world):
    participant = trial_world.signed_off()
    command = RandomiseParticipant(participant=participant)
    for person, site in (("stranger", "01"), ("monitor", "01"), ("rater-01", "01"), ("investigator-01", None)):
        trial_world.refuses(NotAppointed, command, Actor(person, Role.INVESTIGATOR, "hospital-01", site))
    trial_world.refuses(NotAppointed, PauseRecruitment(site="01"), Actor("stranger", Role.MEDICAL_MONITOR, "centre"))


def test_an_appointment_that_ended_no_longer_counts(trial_world):
    trial_world.give(PauseRecruitment(site="01"), "medic")
    trial_world.give(EndAppointment(person="medic", role=Role.MEDICAL_MONITOR), "sponsor")
    trial_world.refuses(NotAppointed, PauseRecruitment(site="02"), "medic")


def test_a_delegation_counts_from_its_first_day_to_its_last(trial_world):
    helper = Actor("helper", Role.STUDY_NURSE, "hospital-01", "01")
    for subject in ("protocol", "gcp"):
        trial_world.give(
            RecordTraining(site="01", person="helper", subject=subject, date="2025-01-10"), "investigator"
        )
    trial_world.give(
        DelegateTask(
            site="01",
            person="helper",
            role=Role.STUDY_NURSE,
            organisation="hospital-01",
            since="2025-03-04",
            until="2025-03-05",
        ),
        "investigator",
    )
    screen = ScreenParticipant(site="01")
    trial_world.refuses(NotAppointed, screen, helper)  # 3 March
    trial_world.later(hours=16)  # 4 March at the site, 00:00 UTC
    trial_world.give(screen, helper)
    trial_world.later(hours=22)  # 22:00 UTC on the 4th is 23:00 at the site
    trial_world.give(screen, helper)
    trial_world.later(days=1)
    trial_world.give(screen, helper)  # 23:00 on the 5th
    trial_world.later(hours=1)
    trial_world.refuses(NotAppointed, screen, helper)  # 00:00 on the 6th at the site


def test_a_revoked_delegation_ends(trial_world):
    revoke = RevokeDelegation(site="01", person="nurse-01", role=Role.STUDY_NURSE, until=trial_world.today)
    trial_world.give(revoke, "investigator")
    trial_world.give(ScreenParticipant(site="01"), "nurse")  # still today
    trial_world.later(days=1)
    trial_world.refuses(NotAppointed, ScreenParticipant(site="01"), "nurse")


@pytest.mark.parametrize(("until", "revoked", "last"), [(20, 5, 5), (5, 20, 5)])
def test_of_the_end_of_a_delegation_and_its_revocation_the_earlier_counts(trial_world, until, revoked, last):
    helper = Actor("helper", Role.STUDY_NURSE, "hospital-01", "01")
    for subject in ("protocol", "gcp"):
        trial_world.give(
            RecordTraining(site="01", person="helper", subject=subject, date="2025-01-10"), "investigator"
        )
    task = {"site": "01", "person": "helper", "role": Role.STUDY_NURSE}
    trial_world.give(
        DelegateTask(**task, organisation="hospital-01", since="2025-01-01", until=f"2025-03-{until:02d}"),
        "investigator",
    )
    trial_world.give(RevokeDelegation(**task, until=f"2025-03-{revoked:02d}"), "investigator")
    trial_world.later(days=last - 3)
    trial_world.give(ScreenParticipant(site="01"), helper)
    trial_world.later(days=1)
    trial_world.refuses(NotAppointed, ScreenParticipant(site="01"), helper)


def test_without_both_trainings_a_delegation_does_not_count(trial_world):
    helper = Actor("helper", Role.STUDY_NURSE, "hospital-01", "01")
    trial_world.give(
        DelegateTask(
            site="01", person="helper", role=Role.STUDY_NURSE, organisation="hospital-01", since="2025-01-01"
        ),
        "investigator",
    )
    for subject in ("protocol", "gcp"):
        trial_world.refuses(NotAppointed, ScreenParticipant(site="01"), helper)
        trial_world.give(
            RecordTraining(site="01", person="helper", subject=subject, date="2025-01-10"), "investigator"
        )
    trial_world.give(ScreenParticipant(site="01"), helper)


def test_people_act_at_their_own_site_only(trial_world):
    participant = trial_world.consented(site="01")
    trial_world.refuses(OtherSite, ScreenParticipant(site="01"), "nurse@02")
    trial_world.refuses(OtherSite, WithdrawConsent(participant=participant), "nurse@02")
    assigned = Actor("nurse-02", Role.STUDY_NURSE, "hospital-01", "01")
    trial_world.refuses(NotAppointed, WithdrawConsent(participant=participant), assigned)


def test_a_participant_acts_for_nobody_else(trial_world):
    mine, other = trial_world.screened(), trial_world.screened()
    me = Actor(mine, Role.PARTICIPANT, "public")
    trial_world.refuses(NotAppointed, RefuseConsent(participant=other), me)
    nobody = Actor("NO-01-099", Role.PARTICIPANT, "public")
    trial_world.refuses(NotAppointed, RefuseConsent(participant="NO-01-099"), nobody)
    trial_world.give(RefuseConsent(participant=mine), me)


def test_who_rated_a_participant_does_not_treat_them(trial_world):
    participant = trial_world.randomised()
    other = trial_world.examined()
    both = Actor("rater-01", Role.INVESTIGATOR, "hospital-01", "01")
    trial_world.give(
        DelegateTask(
            site="01",
            person="rater-01",
            role=Role.INVESTIGATOR,
            organisation="hospital-01",
            since="2025-01-01",
        ),
        "investigator",
    )
    trial_world.give(
        RecordVisit(participant=participant, encounter="follow_up", date=trial_world.today), "investigator"
    )
    walk = {"seconds": Entered(text="7.1", unit="s")}
    trial_world.save(participant, "follow_up", "walk", walk, "rater")
    refused = trial_world.refuses(ConflictingRole, RandomiseParticipant(participant=participant), both)
    assert "blinded_rater" in refused.message
    # The conflict is about one participant: the same person may treat another.
    trial_world.give(AssessCriteria(participant=other, stated={"willing": "true"}), both)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        Signature("nurse-01", "sign_off_eligibility", ""),
        Signature("investigator-01", "countersign_consent", ""),
    ],
)
def test_an_act_that_needs_a_signature_needs_the_actors_own_for_this_act(trial_world, wrong):
    participant = trial_world.assessed()
    shown = trial_world.shown_assessment(participant)
    signature = replace(wrong, shown=shown) if wrong else None
    who = Actor("investigator-01", Role.INVESTIGATOR, "hospital-01", "01")
    heads = trial_world.heads()
    with pytest.raises(SignatureMissing):
        trial_world.trial.dispatch(
            SignOffEligibility(participant=participant), by=who, request_id="s", signature=signature
        )
    assert trial_world.heads() == heads


def test_a_locked_study_takes_facts_of_safety_and_rights_only(trial_world, monkeypatch):
    from trialwright.trial.setup.state import StudySetup

    participant = trial_world.randomised()
    # The way to a lock is the closure room's; here only its consequence matters.
    monkeypatch.setattr(StudySetup, "locked", property(lambda self: True, lambda self, value: None))
    for command, by in (
        (ScreenParticipant(site="01"), "nurse"),
        (AssessCriteria(participant=participant), "investigator"),
        (RandomiseParticipant(participant=participant), "investigator"),
        (CountersignConsent(participant=participant, identity_check="photo_document"), "nurse"),
        (PauseRecruitment(site="01"), "sponsor"),
    ):
        trial_world.refuses(LockedStudy, command, by)
    trial_world.give(WithdrawConsent(participant=participant), "nurse")
    trial_world.give(UnblindInEmergency(participant=participant), "investigator", reason="seizure")


def test_refusals_have_codes_of_their_own_and_say_what_to_do():
    from trialwright.foundation.errors import Refusal

    found = {}
    for kind in _all(Refusal):
        if kind.__module__.startswith("trialwright.trial"):
            assert kind.code not in found, f"{kind} and {found.get(kind.code)} share {kind.code}"
            assert kind.__doc__
            found[kind.code] = kind


def _all(kind):
    for child in kind.__subclasses__():
        yield child
        yield from _all(child)

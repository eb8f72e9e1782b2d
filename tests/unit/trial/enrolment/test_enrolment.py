"""Codes without gaps, verdicts that stay unknown, sign-off over what was shown, failures and ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.build.compile import compiled
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.truth import Truth
from trialwright.protocol.eligibility import Fact
from trialwright.protocol.roles import Role
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.command import Actor, NotFound, NotYet
from trialwright.trial.consent.commands import RefuseConsent, WithdrawConsent
from trialwright.trial.consent.gate import ConsentNotInForce
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.assessment import (
    Judgement,
    eligibility_facts,
    eligible,
    is_current,
    shown_assessment,
)
from trialwright.trial.enrolment.commands import (
    AlreadyRandomised,
    AssessCriteria,
    AssessmentOutdated,
    CriterionUnknown,
    EndingUnknown,
    EndParticipation,
    FactUnknown,
    FailScreening,
    MachineDecides,
    NotAssessed,
    NotEligible,
    NotFailed,
    NotWhatWasShown,
    ReasonMissing,
    RescreeningLimit,
    RescreenParticipant,
    ScreenParticipant,
    SignOffEligibility,
)
from trialwright.trial.enrolment.events import CriteriaAssessed, CriterionVerdict, ParticipantScreened
from trialwright.trial.enrolment.gate import ParticipationOver, SiteNotRecruiting
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.enrolment.views import DISPOSITION, SCREENING_LOG, SITE_ENROLMENT
from trialwright.trial.event import Space
from trialwright.trial.setup.commands import ActivateAmendment, ApproveBuild, PauseRecruitment
from trialwright.trial.setup.events import Approval

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN


def rows(world, table, **equals):
    return list(world.trial.stores[Space.OPEN].rows.where(table, **equals))


def assess(participant, **changes):
    given = {"stated": {"willing": "true"}, "judgements": {"fit": Judgement(YES, "seen")}}
    return AssessCriteria(participant=participant, **{**given, **changes})


def verdicts(world, participant):
    assessed = world.trial.state().of(Enrolment, participant).assessed
    return {v.criterion: v.verdict for v in assessed.verdicts}


def correct_age(world, participant, age):
    items = {"age": Entered(text=age, unit="a")}
    world.save(participant, "screening", "screening", items, "nurse", reason="typing error")


# --- codes --------------------------------------------------------------------------------------------------


def test_codes_name_country_site_and_a_number_without_gaps(trial_world):
    codes = [trial_world.screened(site) for site in ("01", "02", "01", "01", "02")]
    assert codes == ["NO-01-001", "FI-02-001", "NO-01-002", "NO-01-003", "FI-02-002"]


def test_a_refused_screening_leaves_no_gap(trial_world):
    trial_world.screened()
    trial_world.give(PauseRecruitment(site="01"), "sponsor")
    trial_world.refuses(SiteNotRecruiting, ScreenParticipant(site="01"), "nurse")
    from trialwright.trial.setup.commands import ResumeRecruitment

    trial_world.give(ResumeRecruitment(site="01"), "sponsor")
    assert trial_world.screened() == "NO-01-002"


def test_the_screening_date_is_the_day_at_the_site(trial_world):
    trial_world.later(hours=15, minutes=30)  # 23:30 UTC is half past midnight in Oslo
    receipt = trial_world.give(ScreenParticipant(site="01"), "nurse")
    assert receipt.event(ParticipantScreened).date == "2025-03-04"


def test_a_screen_failure_is_screened_again_as_often_as_the_study_allows(trial_world):
    first = trial_world.screened()
    trial_world.refuses(NotFailed, RescreenParticipant(participant=first), "nurse")
    trial_world.give(FailScreening(participant=first), "nurse", reason="fever")
    receipt = trial_world.give(RescreenParticipant(participant=first), "nurse")
    second = receipt.event(ParticipantScreened)
    assert (second.participant, second.rescreen_of) == ("NO-01-002", first)
    trial_world.refuses(RescreeningLimit, RescreenParticipant(participant=first), "nurse")
    trial_world.give(FailScreening(participant=second.participant), "nurse", reason="fever")
    trial_world.refuses(RescreeningLimit, RescreenParticipant(participant=second.participant), "nurse")
    trial_world.refuses(NotFound, RescreenParticipant(participant="NO-01-099"), "nurse")
    assert trial_world.screened() == "NO-01-003"


def test_a_paused_site_does_not_screen_again(trial_world):
    participant = trial_world.screened()
    trial_world.give(FailScreening(participant=participant), "nurse", reason="fever")
    trial_world.give(PauseRecruitment(site="01"), "sponsor")
    trial_world.refuses(SiteNotRecruiting, RescreenParticipant(participant=participant), "nurse")


# --- assessing ----------------------------------------------------------------------------------------------


def test_the_machine_decides_over_the_forms_and_the_doctor_over_the_rest(trial_world):
    participant = trial_world.assessed(age="34", sex="F", pregnant="false")
    assert verdicts(trial_world, participant) == {"adult": "yes", "willing": "yes", "pregnancy": "yes", "fit": "yes"}
    assessed = trial_world.trial.state().of(Enrolment, participant).assessed
    assert assessed.eligible == "yes"
    assert assessed.facts == {"age": "34 a", "sex": "F", "pregnant": "false", "willing": "true"}
    by = {v.criterion: (v.by, v.why) for v in assessed.verdicts}
    assert by["adult"] == ("machine", "age >= 18 'a' and age <= 55 'a'; age: 34 a")
    assert by["fit"] == ("doctor", "seen in clinic")


@pytest.mark.parametrize(
    ("data", "criterion", "verdict"),
    [
        ({"age": "17"}, "adult", "no"),
        ({"age": "18"}, "adult", "yes"),
        ({"age": "55"}, "adult", "yes"),
        ({"age": "56"}, "adult", "no"),
        ({"pregnant": "true"}, "pregnancy", "no"),
        ({"pregnant": None}, "pregnancy", "unknown"),
        ({"sex": "M"}, "pregnancy", "yes"),  # no, whatever the other half is
        ({"willing": "false"}, "willing", "no"),
        ({"fit": NO}, "fit", "no"),
        ({"fit": UNKNOWN}, "fit", "unknown"),
    ],
)
def test_each_criterion_answers_yes_no_or_unknown(trial_world, data, criterion, verdict):
    participant = trial_world.assessed(**data) if not {"willing", "fit"} & set(data) else None
    if participant is None:
        participant = trial_world.examined()
        trial_world.assessed(participant, **data)
    assert verdicts(trial_world, participant)[criterion] == verdict
    assert trial_world.trial.state().of(Enrolment, participant).assessed.eligible == verdict


def test_with_nothing_on_record_everything_is_unknown_and_nothing_refused(trial_world):
    participant = trial_world.consented()
    trial_world.give(AssessCriteria(participant=participant), "investigator")
    assert set(verdicts(trial_world, participant).values()) == {"unknown"}
    why = trial_world.trial.state().of(Enrolment, participant).assessed.verdicts[0].why
    assert why.endswith("age: missing")


@given(st.lists(st.sampled_from(Truth), max_size=8))
@settings(max_examples=200, deadline=None)
def test_one_no_is_no_and_without_one_an_unknown_is_unknown(truths):
    found = tuple(
        CriterionVerdict(criterion=f"c{n}", verdict=truth.value, by="doctor", why="")
        for n, truth in enumerate(truths)
    )
    expected = NO if NO in truths else UNKNOWN if UNKNOWN in truths else YES
    assert eligible(found) is expected


def test_assessing_needs_consent_and_somebody_who_takes_part(trial_world):
    screened = trial_world.screened()
    trial_world.refuses(ConsentNotInForce, assess(screened), "investigator")
    withdrawn = trial_world.examined()
    trial_world.give(WithdrawConsent(participant=withdrawn), "nurse")
    trial_world.refuses(ConsentNotInForce, assess(withdrawn), "investigator")
    trial_world.give(FailScreening(participant=screened), "nurse", reason="declined")
    trial_world.refuses(ParticipationOver, assess(screened), "investigator")
    trial_world.refuses(NotFound, assess("NO-01-099"), "investigator")


def test_a_verdict_that_follows_from_data_is_not_overruled(trial_world):
    participant = trial_world.examined(age="61")
    judged = {"adult": Judgement(YES, "looks younger"), "fit": Judgement(YES)}
    refused = trial_world.refuses(MachineDecides, assess(participant, judgements=judged), "investigator")
    assert "correct them on their form" in refused.remedy
    unknown = {"charming": Judgement(YES)}
    trial_world.refuses(CriterionUnknown, assess(participant, judgements=unknown), "investigator")


def test_only_facts_that_no_form_holds_are_stated(trial_world):
    participant = trial_world.examined()
    for name in ("age", "shoe_size"):
        trial_world.refuses(FactUnknown, assess(participant, stated={name: "30"}), "investigator")
    with pytest.raises(InvalidValue):
        trial_world.give(assess(participant, stated={"willing": "perhaps"}), "investigator")


def test_data_that_change_change_the_next_assessment(trial_world):
    participant = trial_world.assessed(age="61")
    assert verdicts(trial_world, participant)["adult"] == "no"
    correct_age(trial_world, participant, "51")
    trial_world.assessed(participant)
    assert verdicts(trial_world, participant)["adult"] == "yes"


# --- signing off --------------------------------------------------------------------------------------------


def test_the_investigator_signs_what_was_shown(trial_world):
    participant = trial_world.assessed()
    command = SignOffEligibility(participant=participant)
    trial_world.refuses(NotWhatWasShown, command, "investigator", shown="0" * 64)
    trial_world.signed_off(participant)
    assert trial_world.trial.state().of(Enrolment, participant).signed_off_on == trial_world.today


def test_any_difference_in_an_assessment_changes_what_is_signed(trial_world):
    participant = trial_world.assessed()
    assessed = trial_world.trial.state().of(Enrolment, participant).assessed
    other = replace(assessed, facts={**assessed.facts, "age": "35 a"})
    verdict = replace(assessed.verdicts[0], why="otherwise")
    reworded = replace(assessed, verdicts=(verdict, *assessed.verdicts[1:]))
    assert len({shown_assessment(a) for a in (assessed, other, reworded)}) == 3


def test_nobody_is_signed_off_without_an_assessment_in_which_everything_fits(trial_world):
    participant = trial_world.examined()
    command = SignOffEligibility(participant=participant)
    trial_world.refuses(NotAssessed, command, "investigator")
    trial_world.assessed(participant, fit=UNKNOWN, willing="false")
    refused = trial_world.refuses(NotEligible, command, "investigator")
    assert (refused.given["unmet"], refused.given["unknown"]) == ("willing", "fit")


def test_a_change_of_data_after_the_assessment_asks_for_another(trial_world):
    participant = trial_world.assessed(age="34")
    shown = trial_world.shown_assessment(participant)
    command = SignOffEligibility(participant=participant)
    correct_age(trial_world, participant, "35")
    trial_world.refuses(AssessmentOutdated, command, "investigator", shown=shown)
    correct_age(trial_world, participant, "34")
    trial_world.give(command, "investigator", shown=shown)  # what was shown is true again


def test_a_new_assessment_undoes_the_sign_off(trial_world):
    participant = trial_world.signed_off()
    trial_world.assessed(participant, fit=NO)
    assert trial_world.trial.state().of(Enrolment, participant).signed_off_on == ""


def test_an_amendment_asks_for_another_assessment(trial_worlds, small_build, amended_build):
    world = trial_worlds(small_build, amended_build)
    participant = world.assessed()
    shown = world.shown_assessment(participant)
    world.give(ApproveBuild(build=amended_build.id, evidence="e", summary="s"), "sponsor")
    approvals = (Approval(kind="ethics", reference="2", date="2025-02-01"),)
    world.give(ActivateAmendment(site="01", build=amended_build.id, approvals=approvals, reconsent=False), "sponsor")
    world.refuses(AssessmentOutdated, SignOffEligibility(participant=participant), "investigator", shown=shown)


def test_signing_off_needs_consent_a_recruiting_site_and_somebody_who_takes_part(trial_world):
    participant = trial_world.assessed()
    command, shown = SignOffEligibility(participant=participant), trial_world.shown_assessment(participant)
    trial_world.give(PauseRecruitment(site="01"), "sponsor")
    trial_world.refuses(SiteNotRecruiting, command, "investigator", shown=shown)
    trial_world.give(WithdrawConsent(participant=participant), "nurse")
    trial_world.refuses(ConsentNotInForce, command, "investigator", shown=shown)
    trial_world.give(FailScreening(participant=participant), "nurse", reason="withdrew")
    trial_world.refuses(ParticipationOver, command, "investigator", shown=shown)


def test_after_randomisation_eligibility_is_history(trial_world):
    participant = trial_world.randomised()
    trial_world.refuses(AlreadyRandomised, assess(participant), "investigator")
    trial_world.refuses(AlreadyRandomised, SignOffEligibility(participant=participant), "investigator")
    trial_world.refuses(AlreadyRandomised, FailScreening(participant=participant), "nurse", reason="too late")


# --- failing and ending -------------------------------------------------------------------------------------


def test_screening_fails_for_criteria_or_for_another_reason(trial_world):
    participant = trial_world.assessed(age="61")
    trial_world.refuses(ReasonMissing, FailScreening(participant=participant), "nurse")
    trial_world.refuses(CriterionUnknown, FailScreening(participant=participant, criteria=("luck",)), "nurse")
    trial_world.give(FailScreening(participant=participant, criteria=("adult",)), "nurse")
    trial_world.refuses(ParticipationOver, FailScreening(participant=participant, criteria=("adult",)), "nurse")
    trial_world.refuses(NotFound, FailScreening(participant="NO-01-099", criteria=("adult",)), "nurse")
    (row,) = rows(trial_world, SCREENING_LOG, participant=participant)
    assert (row["eligible"], row["not_met"], row["failed_for"]) == ("no", "adult", "adult")


def test_the_end_of_participation_is_recorded_and_corrected_with_a_reason(trial_world):
    participant = trial_world.randomised()
    trial_world.later(days=3)
    end = EndParticipation(participant=participant, date="2025-03-05", how="discontinued")
    trial_world.refuses(EndingUnknown, replace(end, how="vanished"), "nurse")
    trial_world.refuses(NotYet, replace(end, date="2025-03-07"), "nurse")
    with pytest.raises(InvalidValue):
        trial_world.give(replace(end, date="in March"), "nurse")
    trial_world.give(end, "nurse")
    corrected = replace(end, how="lost_to_follow_up")
    trial_world.refuses(ReasonMissing, corrected, "nurse")
    trial_world.give(corrected, "nurse", reason="never reached")
    trial_world.refuses(NotFound, replace(end, participant="NO-01-099"), "nurse")
    (row,) = rows(trial_world, DISPOSITION, participant=participant)
    assert (row["status"], row["ended_on"]) == ("lost_to_follow_up", "2025-03-05")


def test_the_views_count_everybody_once_at_their_site(trial_world):
    trial_world.screened()
    ended = trial_world.randomised()
    for reason in (None, "typing error"):
        trial_world.give(
            EndParticipation(participant=ended, date=trial_world.today, how="completed"), "nurse", reason=reason
        )
    failed = trial_world.consented(site="02")
    trial_world.give(FailScreening(participant=failed), "nurse@02", reason="fever")
    trial_world.give(WithdrawConsent(participant=ended), "nurse")
    counts = {row["site"]: row for row in rows(trial_world, SITE_ENROLMENT)}
    names = ("screened", "consented", "failed", "randomised", "ended")
    assert [counts["01"][name] for name in names] == [2, 1, 0, 1, 1]
    assert [counts["02"][name] for name in names] == [1, 1, 1, 0, 0]
    statuses = [row["status"] for row in rows(trial_world, DISPOSITION)]
    assert statuses == ["screen_failure", "screening", "completed"]


def test_a_sub_investigator_of_another_site_does_not_assess(trial_world):
    participant = trial_world.examined()
    other = Actor("investigator-02", Role.INVESTIGATOR, "hospital-02", "02")
    with pytest.raises(Exception, match="works at site 02"):
        trial_world.give(assess(participant), other)


def test_an_assessment_is_one_event(trial_world):
    receipt = trial_world.give(assess(trial_world.examined()), "investigator")
    assert [type(fact.event) for fact in receipt.facts] == [CriteriaAssessed]


# --- facts from forms ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def build_with_computed_facts(small_study):
    """The small study with facts that are computed, and with a fact of a closed world."""
    more = (
        Fact(id="half", type="quantity", unit="a", **{"from": "screening.age / 2"}),
        Fact(id="older", type="boolean", **{"from": "screening.age >= 40 'a'"}),
        Fact(id="expecting", type="boolean", **{"from": "screening.pregnant"}, world="closed"),
        Fact(id="expecting_maybe", type="boolean", **{"from": "screening.pregnant"}),
        Fact(id="diagnosed", type="date"),
        Fact(id="weight", type="quantity", unit="kg"),
    )
    eligibility = small_study.eligibility.model_copy(update={"facts": (*small_study.eligibility.facts, *more)})
    return compiled(small_study.model_copy(update={"eligibility": eligibility}))


def test_facts_are_taken_from_forms_computed_or_stated(trial_worlds, build_with_computed_facts):
    world = trial_worlds(build_with_computed_facts)
    participant = world.examined(age="41", sex="M")
    stated = {"willing": "true", "diagnosed": "2019-05", "weight": "71.50"}
    world.give(assess(participant, stated=stated), "investigator")
    assert world.trial.state().of(Enrolment, participant).assessed.facts == {
        "age": "41 a",
        "sex": "M",
        "willing": "true",
        "half": "20.5 a",
        "older": "true",
        "expecting": "false",  # a complete form that does not mention it; open facts stay unknown
        "diagnosed": "2019-05",
        "weight": "71.50 kg",
    }


@pytest.fixture(scope="session")
def build_that_knows_consent(small_study):
    """The small study with a fact that the record knows."""
    more = Fact(id="consented", type="boolean", record="consent")
    eligibility = small_study.eligibility.model_copy(update={"facts": (*small_study.eligibility.facts, more)})
    return compiled(small_study.model_copy(update={"eligibility": eligibility}))


def test_consent_is_known_to_the_record_and_stated_by_nobody(trial_worlds, build_that_knows_consent):
    world = trial_worlds(build_that_knows_consent)
    participant = world.examined()
    for said in ("true", "false"):
        refused = world.refuses(FactUnknown, assess(participant, stated={"consented": said}), "investigator")
        assert "the record" in refused.message and "consented" not in str(refused.remedy)
    world.give(assess(participant, stated={"willing": "true"}), "investigator")
    state = world.trial.state()
    assert state.of(Enrolment, participant).assessed.facts["consented"] == "true"
    assert "consented" not in state.of(Enrolment, participant).assessed.stated
    assert is_current(state, participant, build_that_knows_consent)
    withdraw = WithdrawConsent(participant=participant, scopes=("visits",))
    world.give(withdraw, "investigator", reason="moved away")
    assert not is_current(world.trial.state(), participant, build_that_knows_consent)


def test_consent_is_unknown_until_somebody_answers_and_no_once_refused(trial_worlds, build_that_knows_consent):
    world = trial_worlds(build_that_knows_consent)
    participant = world.screened()

    def known():
        state = world.trial.state()
        book, consent = state.of(CaseBook, participant), state.of(Consent, participant)
        return eligibility_facts(build_that_knows_consent, book, consent, {})["consented"]

    assert known() is None
    world.sign_consent(participant)
    assert known() is None  # not in force before the interviewer's signature
    world.give(RefuseConsent(participant=participant), Actor(participant, Role.PARTICIPANT, "public"))
    assert known() is False
    world.consented(participant)
    assert known() is True


def test_in_a_closed_world_nothing_follows_from_a_form_that_is_not_there(trial_worlds, build_with_computed_facts):
    world = trial_worlds(build_with_computed_facts)
    participant = world.consented()
    world.give(assess(participant), "investigator")
    assert world.trial.state().of(Enrolment, participant).assessed.facts == {"willing": "true"}

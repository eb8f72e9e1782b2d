"""Report, follow up, judge and code adverse events."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.protocol.roles import Role
from trialwright.trial.command import Actor, NotFound, NotYet
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted, OtherSite
from trialwright.trial.safety.commands import (
    AgentUnknown,
    AssessCausality,
    AssessExpectedness,
    AssessorUnblinded,
    AssessSeriousness,
    CausalityNotYours,
    CloseAdverseEvent,
    Contradiction,
    DowngradeRefused,
    FollowUpAdverseEvent,
    NothingNew,
    NotInReference,
    NotSuspected,
    ReasonMissing,
    RecodeTerm,
    ReportAdverseEvent,
    ReportNotReadable,
    StillOpen,
    TermNotInDictionary,
)
from trialwright.trial.safety.events import (
    AdverseEventClosed,
    AdverseEventFollowedUp,
    AdverseEventReported,
    CausalityAssessed,
    ExpectednessAssessed,
    SeriousnessAssessed,
    TermCoded,
)
from trialwright.trial.safety.state import AdverseEvents
from trialwright.trial.safety.views import ADVERSE_EVENT, ASSESSMENT


@pytest.fixture
def participant(trial_world: Any) -> str:
    code: str = trial_world.consented()
    return code


def headache(participant: str, **changes: Any) -> ReportAdverseEvent:
    given: dict[str, Any] = {"participant": participant, "term": "Headache", "onset": "2025-03-02", "grade": 2}
    return ReportAdverseEvent(**{**given, **changes})


def serious(participant: str, **changes: Any) -> ReportAdverseEvent:
    given = {"grade": 3, "seriousness": ("hospitalisation",), "causality": {"product": "possible"}}
    return headache(participant, **{**given, **changes})


def test_an_adverse_event_is_reported_with_its_parts(trial_world: Any, participant: str) -> None:
    command = headache(participant, term="  bad   headache ", causality={"injection": "probable"}, onset="2025-03")
    event = trial_world.give(command, "investigator").event(AdverseEventReported)
    assert (event.adverse_event, event.term, event.onset) == ("ae_1", "bad headache", "2025-03")
    assert event.causality == {"injection": "probable"}
    assert event.noticed_on == "2025-03-03"


def test_events_are_numbered_within_the_participant(trial_world: Any, participant: str) -> None:
    other = trial_world.consented()
    names = [
        trial_world.give(headache(who), "nurse").event(AdverseEventReported).adverse_event
        for who in (participant, participant, other)
    ]
    assert names == ["ae_1", "ae_2", "ae_1"]


def test_a_nurse_reports_without_judging_causality(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant), "nurse")
    trial_world.refuses(CausalityNotYours, headache(participant, causality={"product": "possible"}), "nurse")


@pytest.mark.parametrize(
    "wrong",
    [
        {"onset": "yesterday"},
        {"onset": "2025-02-30"},
        {"onset": "2025-03-04"},
        {"grade": 0},
        {"grade": 6},
        {"seriousness": ("annoying",)},
        {"outcome": "fine"},
        {"action": "prayer"},
        {"term": "   "},
        {"term": "x" * 201},
        {"causality": {"product": "maybe"}},
    ],
)
def test_a_report_that_cannot_be_read_is_refused(trial_world: Any, participant: str, wrong: dict[str, Any]) -> None:
    trial_world.refuses(ReportNotReadable, headache(participant, **wrong), "investigator")


def test_an_agent_that_the_study_does_not_judge_is_refused(trial_world: Any, participant: str) -> None:
    trial_world.refuses(AgentUnknown, headache(participant, causality={"weather": "definite"}), "investigator")


@pytest.mark.parametrize(
    "parts",
    [
        {"grade": 5},
        {"outcome": "fatal"},
        {"seriousness": ("death",)},
        {"grade": 5, "outcome": "fatal"},
        {"grade": 5, "seriousness": ("death",)},
    ],
)
def test_death_is_said_in_all_three_places_or_in_none(
    trial_world: Any, participant: str, parts: dict[str, Any]
) -> None:
    trial_world.refuses(Contradiction, headache(participant, **parts), "investigator")


def test_a_fatal_event_is_reported_when_all_three_agree(trial_world: Any, participant: str) -> None:
    command = headache(participant, grade=5, outcome="fatal", seriousness=("hospitalisation", "death"))
    event = trial_world.give(command, "investigator").event(AdverseEventReported)
    assert event.seriousness == ("death", "hospitalisation")


def test_events_of_nobody_of_another_site_or_of_tomorrow_are_refused(trial_world: Any, participant: str) -> None:
    trial_world.refuses(NotFound, headache("NO-01-999"), "investigator")
    trial_world.refuses(OtherSite, headache(participant), "investigator@02")
    trial_world.refuses(NotYet, headache(participant), "investigator", observed_at="2025-03-05T08:00:00+01:00")
    trial_world.refuses(NotPermitted, headache(participant), "laboratory")


def test_an_event_after_the_end_of_participation_is_still_reported(trial_world: Any, participant: str) -> None:
    from trialwright.trial.consent.commands import WithdrawConsent

    trial_world.give(WithdrawConsent(participant=participant), "investigator")
    assert trial_world.give(headache(participant), "investigator").event(AdverseEventReported)


def test_a_follow_up_says_what_changed_and_why(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant), "investigator")
    command = FollowUpAdverseEvent(
        participant=participant, adverse_event="ae_1", outcome="recovered", ended="2025-03-03", grade=2
    )
    trial_world.refuses(ReasonMissing, command, "investigator")
    receipt = trial_world.give(command, "investigator", reason="seen in clinic")
    event = receipt.event(AdverseEventFollowedUp)
    assert (event.outcome, event.ended, event.grade, event.term) == ("recovered", "2025-03-03", None, None)
    assert receipt.facts[0].reason == "seen in clinic"


def test_a_follow_up_without_news_or_of_nothing_is_refused(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant), "investigator")
    same = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", term="Headache", grade=2)
    trial_world.refuses(NothingNew, same, "investigator", reason="checked")
    absent = FollowUpAdverseEvent(participant=participant, adverse_event="ae_7", grade=3)
    trial_world.refuses(NotFound, absent, "investigator", reason="checked")


def test_an_event_does_not_end_before_it_began(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant), "investigator")
    command = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", ended="2025-02-27")
    trial_world.refuses(Contradiction, command, "investigator", reason="patient's diary")
    month = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", ended="2025-03")
    assert (
        trial_world.give(month, "investigator", reason="day unknown").event(AdverseEventFollowedUp).ended == "2025-03"
    )


def test_causality_is_judged_apart_for_each_agent_and_by_each_side(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant), "nurse")
    for agent, relation, by in (
        ("product", "unlikely", "investigator"),
        ("injection", "probable", "investigator"),
        ("product", "possible", "medic"),
    ):
        command = AssessCausality(participant=participant, adverse_event="ae_1", agent=agent, relation=relation)
        event = trial_world.give(command, by).event(CausalityAssessed)
        assert event.by == ("investigator" if by == "investigator" else "sponsor")
    found = trial_world.trial.state().of(AdverseEvents, participant).events["ae_1"]
    assert found.causality == {
        ("product", "investigator"): "unlikely",
        ("injection", "investigator"): "probable",
        ("product", "sponsor"): "possible",
    }
    assert found.suspected() == ("injection", "product")


def test_causality_of_an_unknown_agent_or_relation_is_refused(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant), "nurse")
    strange = AssessCausality(participant=participant, adverse_event="ae_1", agent="weather", relation="possible")
    trial_world.refuses(AgentUnknown, strange, "investigator")
    vague = AssessCausality(participant=participant, adverse_event="ae_1", agent="product", relation="maybe")
    trial_world.refuses(ReportNotReadable, vague, "investigator")


def test_whoever_may_know_the_allocation_judges_nothing(trial_world: Any, participant: str) -> None:
    trial_world.give(serious(participant), "investigator")
    about = {"participant": participant, "adverse_event": "ae_1"}
    for command in (
        AssessCausality(**about, agent="product", relation="unrelated"),
        AssessSeriousness(**about, seriousness=("hospitalisation",)),
        AssessExpectedness(**about, agent="product", expected=False),
    ):
        trial_world.refuses(AssessorUnblinded, command, "safety")


def test_in_an_open_study_the_safety_officer_judges(trial_worlds: Any, small_study: Any) -> None:
    from trialwright.build.compile import compiled

    blinding = small_study.identity.blinding.model_copy(update={"kind": "open", "unblinded_roles": ()})
    identity = small_study.identity.model_copy(update={"blinding": blinding})
    world = trial_worlds(compiled(small_study.model_copy(update={"identity": identity})), one_space=True)
    participant = world.consented()
    world.give(headache(participant), "nurse")
    command = AssessCausality(participant=participant, adverse_event="ae_1", agent="product", relation="possible")
    assert world.give(command, "safety").event(CausalityAssessed).by == "sponsor"


def test_the_sponsor_adds_to_seriousness_and_takes_nothing_away(trial_world: Any, participant: str) -> None:
    trial_world.give(serious(participant), "investigator")
    less = AssessSeriousness(participant=participant, adverse_event="ae_1", seriousness=("medically_important",))
    trial_world.refuses(DowngradeRefused, less, "medic")
    more = AssessSeriousness(
        participant=participant, adverse_event="ae_1", seriousness=("life_threatening", "hospitalisation")
    )
    assert trial_world.give(more, "medic").event(SeriousnessAssessed)
    found = trial_world.trial.state().of(AdverseEvents, participant).events["ae_1"]
    assert set(found.seriousness) == {"hospitalisation", "life_threatening"}


def test_expected_is_only_what_the_reference_lists_up_to_its_grade(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant, causality={"injection": "probable"}), "investigator")
    command = AssessExpectedness(participant=participant, adverse_event="ae_1", agent="injection", expected=True)
    event = trial_world.give(command, "medic").event(ExpectednessAssessed)
    assert (event.expected, event.listed, event.reference) == (True, True, "Investigator's Brochure 1.0")
    worse = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", grade=3)
    trial_world.give(worse, "investigator", reason="worse today")
    refusal = trial_world.refuses(NotInReference, command, "medic")
    assert "grade 3" in refusal.message


def test_expectedness_is_asked_only_of_suspected_agents(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant, causality={"product": "unlikely"}), "investigator")
    command = AssessExpectedness(participant=participant, adverse_event="ae_1", agent="product", expected=False)
    trial_world.refuses(NotSuspected, command, "medic")


def test_a_term_is_coded_from_the_dictionary_and_coded_anew(trial_world: Any, participant: str) -> None:
    trial_world.give(headache(participant, term="splitting head"), "investigator")
    about = {"participant": participant, "adverse_event": "ae_1"}
    event = trial_world.give(RecodeTerm(**about, term="Headache"), "data_manager").event(TermCoded)
    assert (event.dictionary, event.term, event.body_system) == ("synthetic", "headache", "nervous system")
    assert event.code.startswith("T")
    trial_world.refuses(NothingNew, RecodeTerm(**about, term="headache"), "data_manager")
    trial_world.refuses(TermNotInDictionary, RecodeTerm(**about, term="splitting head"), "data_manager")
    assert trial_world.give(RecodeTerm(**about, term="post-puncture headache"), "data_manager").event(TermCoded)


def test_a_follow_up_ends_when_the_outcome_is_known_or_a_reason_is_given(trial_world: Any, participant: str) -> None:
    trial_world.give(serious(participant), "investigator")
    command = CloseAdverseEvent(participant=participant, adverse_event="ae_1")
    trial_world.refuses(StillOpen, command, "investigator")
    assert trial_world.give(command, "investigator", reason="stable for a year").event(AdverseEventClosed)
    trial_world.refuses(StillOpen, command, "investigator", reason="again")
    assert trial_world.trial.state().of(AdverseEvents, participant).unfinished() == ()


def test_news_open_the_follow_up_again(trial_world: Any, participant: str) -> None:
    trial_world.give(serious(participant, outcome="recovered"), "investigator")
    trial_world.give(CloseAdverseEvent(participant=participant, adverse_event="ae_1"), "investigator")
    command = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", outcome="not_recovered")
    trial_world.give(command, "investigator", reason="came back")
    assert trial_world.trial.state().of(AdverseEvents, participant).unfinished() == ("ae_1",)


def test_the_list_shows_events_as_they_stand_and_who_judged_what(trial_world: Any, participant: str) -> None:
    trial_world.give(serious(participant), "investigator")
    follow = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", grade=2, outcome="recovering")
    trial_world.give(follow, "investigator", reason="better")
    judged = AssessCausality(participant=participant, adverse_event="ae_1", agent="product", relation="unlikely")
    trial_world.give(judged, "medic")
    rows = trial_world.trial.stores[Space.OPEN].rows
    row = rows.get(ADVERSE_EVENT, (participant, "ae_1"))
    assert row is not None
    assert (row["grade"], row["worst_grade"], row["serious"], row["outcome"]) == (2, 3, 1, "recovering")
    found = {(r["agent"], r["assessor"]): r["causality"] for r in rows.where(ASSESSMENT, participant=participant)}
    assert found == {("product", "investigator"): "possible", ("product", "sponsor"): "unlikely"}


def test_a_participant_or_stranger_cannot_report(trial_world: Any, participant: str) -> None:
    trial_world.refuses(NotPermitted, headache(participant), Actor(participant, Role.PARTICIPANT, "public"))

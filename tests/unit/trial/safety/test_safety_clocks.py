"""Deadlines: which clocks run, from whose awareness, until when, and what late means."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.protocol.safety import Safety
from trialwright.trial.closure.events import ClosedDeviationOpened, DeviationOpened
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted
from trialwright.trial.safety.clocks import is_late, running, unexpected
from trialwright.trial.safety.commands import (
    AlreadySubmitted,
    AssessCausality,
    AssessExpectedness,
    ClockNotRunning,
    FollowUpAdverseEvent,
    NothingNew,
    RecodeTerm,
    RecordExpeditedReport,
    RecordSponsorAwareness,
    RecordSubmission,
    ReportAdverseEvent,
    ReportNotReadable,
)
from trialwright.trial.safety.events import ClockStarted, ExpeditedReportRecorded, SubmissionRecorded
from trialwright.trial.safety.state import AdverseEvent, Moment
from trialwright.trial.safety.views import CLOCK, EXPEDITED


class Case:
    """One participant with one adverse event."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.participant: str = world.consented()

    def about(self, **more: Any) -> dict[str, Any]:
        return {"participant": self.participant, "adverse_event": "ae_1", **more}

    def report(self, by: str = "investigator", observed_at: str | None = None, **changes: Any) -> dict[str, str]:
        given: dict[str, Any] = {"term": "back pain", "onset": "2025-03-01", "grade": 3}
        command = ReportAdverseEvent(participant=self.participant, **{**given, **changes})
        return clocks(self.world.give(command, by, observed_at=observed_at))

    def follow_up(self, **changes: Any) -> dict[str, str]:
        command = FollowUpAdverseEvent(**self.about(**changes))
        return clocks(self.world.give(command, "investigator", reason="news from the ward"))

    def aware(self) -> Any:
        return self.world.give(RecordSponsorAwareness(**self.about()), "medic")

    def cause(self, relation: str, agent: str = "product", by: str = "investigator") -> dict[str, str]:
        return clocks(self.world.give(AssessCausality(**self.about(agent=agent, relation=relation)), by))


def clocks(receipt: Any) -> dict[str, str]:
    """Clock → due, of the clocks that a receipt starts."""
    return {f.event.clock: f.event.due for f in receipt.facts if isinstance(f.event, ClockStarted)}


SERIOUS = {"seriousness": ("hospitalisation",)}
FATAL = {"grade": 5, "outcome": "fatal", "seriousness": ("death",)}


@pytest.fixture
def case(trial_world: Any) -> Case:
    return Case(trial_world)


def test_an_event_that_is_not_serious_starts_no_clock(case: Case) -> None:
    assert case.report() == {}


def test_a_serious_event_starts_the_clock_to_the_sponsor_from_the_sites_awareness(case: Case) -> None:
    due = case.report(observed_at="2025-03-02T20:00:00+01:00", **SERIOUS)
    assert due == {"serious_to_sponsor": "2025-03-03T19:00:00.000000Z"}


def test_the_sponsors_awareness_meets_the_clock_to_the_sponsor(case: Case) -> None:
    case.report(**SERIOUS)
    case.world.later(hours=23)
    submitted = case.aware().event(SubmissionRecorded)
    assert (submitted.clock, submitted.flags) == ("serious_to_sponsor", ())


def test_awareness_a_minute_too_late_is_recorded_flagged_and_opens_a_deviation(case: Case) -> None:
    case.report(**SERIOUS)
    case.world.later(hours=24, minutes=1)
    receipt = case.aware()
    assert receipt.event(SubmissionRecorded).flags == ("late",)
    deviation = receipt.event(DeviationOpened)
    assert (deviation.kind, deviation.deviation) == ("safety", "safety.late.ae_1.serious_to_sponsor")


def test_a_suspected_unlisted_serious_reaction_is_due_fifteen_days_after_the_sponsors_awareness(case: Case) -> None:
    case.report(causality={"product": "possible"}, **SERIOUS)
    case.world.later(hours=2)
    assert clocks(case.aware()) == {"susar": "2025-03-18"}


def test_the_day_of_awareness_counts_even_when_the_judgement_comes_later(case: Case) -> None:
    case.report(**SERIOUS)
    case.aware()
    case.world.later(days=3)
    assert case.cause("probable", by="medic") == {"susar": "2025-03-18"}


def test_either_sides_suspicion_is_enough_and_no_judgement_takes_it_away(case: Case) -> None:
    case.report(causality={"product": "possible"}, **SERIOUS)
    case.aware()
    assert case.cause("unrelated", by="medic") == {}
    row = case.world.trial.stores[Space.OPEN].rows.get(CLOCK, (case.participant, "ae_1", "susar"))
    assert row["due"] == "2025-03-18"


def test_nothing_runs_to_the_authorities_for_an_unsuspected_event(case: Case) -> None:
    case.report(causality={"product": "unlikely", "injection": "unrelated"}, **SERIOUS)
    assert clocks(case.aware()) == {}


def test_nothing_runs_to_the_authorities_for_an_expected_reaction(case: Case) -> None:
    case.report(term="Headache", grade=2, causality={"injection": "definite"}, **SERIOUS)
    assert clocks(case.aware()) == {}


def test_a_listed_reaction_with_a_higher_grade_is_unexpected(case: Case) -> None:
    case.report(term="Headache", grade=2, causality={"injection": "definite"}, **SERIOUS)
    case.aware()
    assert case.follow_up(grade=3) == {"susar": "2025-03-18"}


def test_calling_a_listed_reaction_unexpected_starts_the_clock(case: Case) -> None:
    case.report(term="Headache", grade=2, causality={"injection": "definite"}, **SERIOUS)
    case.aware()
    command = AssessExpectedness(**case.about(agent="injection", expected=False))
    assert clocks(case.world.give(command, "medic")) == {"susar": "2025-03-18"}


def test_a_fatal_reaction_is_due_in_seven_days(case: Case) -> None:
    case.report(causality={"product": "possible"}, **FATAL)
    assert clocks(case.aware()) == {"susar": "2025-03-18", "susar_fatal": "2025-03-10"}


def test_an_upgrade_to_fatal_starts_the_seven_days_at_the_awareness_of_the_upgrade(case: Case) -> None:
    case.report(causality={"product": "possible"}, **SERIOUS)
    case.aware()
    case.world.later(days=10)
    assert case.follow_up(**FATAL) == {}
    case.world.later(days=1)
    receipt = case.aware()
    assert clocks(receipt) == {"susar_fatal": "2025-03-21"}


def test_an_upgrade_to_serious_starts_the_clock_to_the_sponsor_then(case: Case) -> None:
    case.report()
    case.world.later(days=5)
    assert case.follow_up(**SERIOUS) == {"serious_to_sponsor": "2025-03-09T08:00:00.000000Z"}


def test_a_downgrade_leaves_the_clocks_as_they_were_written(case: Case) -> None:
    case.report(**SERIOUS)
    case.follow_up(seriousness=())
    rows = case.world.trial.stores[Space.OPEN].rows
    assert [r["clock"] for r in rows.where(CLOCK, participant=case.participant)] == ["serious_to_sponsor"]


def test_an_event_of_special_interest_is_found_by_its_term_or_by_its_coding(
    trial_worlds: Any, small_study: Any
) -> None:
    from trialwright.build.compile import compiled
    from trialwright.protocol.safety import ReportingClock

    interest = ReportingClock(
        id="interest", label={"en": "x", "nb": "x"}, applies="special_interest", days=2, to="sponsor"
    )
    safety = small_study.safety.model_copy(update={"clocks": (*small_study.safety.clocks, interest)})
    case = Case(trial_worlds(compiled(small_study.model_copy(update={"safety": safety}))))
    assert case.report(term="Meningitis") == {"interest": "2025-03-05"}
    case = Case(case.world)
    assert case.report(term="stiff neck with fever") == {}
    coded = case.world.give(RecodeTerm(**case.about(term="meningitis")), "data_manager")
    assert clocks(coded) == {"interest": "2025-03-05"}


def test_awareness_without_news_is_refused(case: Case) -> None:
    case.report(**SERIOUS)
    case.aware()
    case.world.refuses(NothingNew, RecordSponsorAwareness(**case.about()), "medic")


def test_an_expedited_report_stands_in_the_closed_space_alone(case: Case) -> None:
    case.report(causality={"product": "possible"}, **SERIOUS)
    case.aware()
    before = case.world.heads()[Space.OPEN]
    command = RecordExpeditedReport(**case.about(clock="susar", outcome="submitted", reference="EV-1"))
    assert case.world.give(command, "safety").event(ExpeditedReportRecorded).flags == ()
    assert case.world.heads()[Space.OPEN] == before
    case.world.refuses(AlreadySubmitted, command, "safety")
    row = case.world.trial.stores[Space.CLOSED].rows.get(EXPEDITED, (case.participant, "ae_1", "susar"))
    assert (row["outcome"], row["late"]) == ("submitted", 0)


def test_a_late_expedited_report_opens_a_deviation_in_the_closed_space_alone(case: Case) -> None:
    case.report(causality={"product": "possible"}, **SERIOUS)
    case.aware()
    case.world.later(days=16)
    before = case.world.heads()[Space.OPEN]
    command = RecordExpeditedReport(**case.about(clock="susar", outcome="submitted", reference="EV-1"))
    receipt = case.world.give(command, "safety")
    assert receipt.event(ExpeditedReportRecorded).flags == ("late",)
    assert receipt.event(ClosedDeviationOpened).kind == "safety"
    assert case.world.heads()[Space.OPEN] == before


def test_a_report_that_is_not_required_is_never_late(case: Case) -> None:
    case.report(causality={"product": "possible"}, **SERIOUS)
    case.aware()
    case.world.later(days=16)
    command = RecordExpeditedReport(**case.about(clock="susar", outcome="not_required", reference="comparator"))
    assert case.world.give(command, "safety").event(ExpeditedReportRecorded).flags == ()


def test_expedited_reports_and_submissions_do_not_take_each_others_clocks(case: Case) -> None:
    case.report(causality={"product": "possible"}, **SERIOUS)
    case.aware()
    world = case.world
    world.refuses(ClockNotRunning, RecordSubmission(**case.about(clock="susar", reference="EV-1")), "medic")
    world.refuses(
        AlreadySubmitted, RecordSubmission(**case.about(clock="serious_to_sponsor", reference="x")), "medic"
    )
    wrong = RecordExpeditedReport(**case.about(clock="serious_to_sponsor", outcome="submitted", reference="x"))
    world.refuses(ClockNotRunning, wrong, "safety")
    idle = RecordExpeditedReport(**case.about(clock="susar_fatal", outcome="submitted", reference="x"))
    world.refuses(ClockNotRunning, idle, "safety")
    vague = RecordExpeditedReport(**case.about(clock="susar", outcome="lost", reference="x"))
    world.refuses(ReportNotReadable, vague, "safety")
    world.refuses(NotPermitted, vague, "medic")


def test_a_submission_is_recorded_by_hand_where_awareness_was_told_another_way(case: Case) -> None:
    case.report(**SERIOUS)
    command = RecordSubmission(**case.about(clock="serious_to_sponsor", reference="telephone"))
    assert case.world.give(command, "sponsor").event(SubmissionRecorded).reference == "telephone"
    case.world.refuses(AlreadySubmitted, command, "sponsor")


# --- properties ------------------------------------------------------------------------------------------------


def _event(days: int, seriousness: tuple[str, ...], relations: dict[str, str]) -> AdverseEvent:
    on = date(2025, 1, 1) + timedelta(days=days)
    moment = Moment(f"{on.isoformat()}T12:00:00.000000Z", on.isoformat())
    event = AdverseEvent(term="rare", grade=3, reported=seriousness)
    event.causality = {(agent, "investigator"): relation for agent, relation in relations.items()}
    event.noticed = event.aware = dict.fromkeys(event.qualities, moment)
    return event


SERIOUSNESS_SETS = st.sets(st.sampled_from(("death", "life_threatening", "hospitalisation", "disability")))
RELATIONS = st.dictionaries(
    st.sampled_from(("product", "aspiration", "injection")),
    st.sampled_from(("unrelated", "unlikely", "possible", "probable", "definite")),
)


@given(days=st.integers(0, 3000), seriousness=SERIOUSNESS_SETS, relations=RELATIONS)
def test_clocks_run_exactly_when_the_regulation_says(
    small_safety: Safety, days: int, seriousness: set[str], relations: dict[str, str]
) -> None:
    event = _event(days, tuple(sorted(seriousness)), relations)
    found = {clock.id: due for clock, _, due in running(event, small_safety)}
    start = date(2025, 1, 1) + timedelta(days=days)
    suspected = bool({"possible", "probable", "definite"} & set(relations.values()))
    wanted = {}
    if seriousness:
        wanted["serious_to_sponsor"] = f"{start + timedelta(days=1)}T12:00:00.000000Z"
    if seriousness and suspected:
        wanted["susar"] = str(start + timedelta(days=15))
    if seriousness & {"death", "life_threatening"} and suspected:
        wanted["susar_fatal"] = str(start + timedelta(days=7))
    assert found == wanted


@given(before=RELATIONS, agent=st.sampled_from(("product", "injection")))
def test_a_further_suspicion_never_makes_an_event_less_unexpected(
    small_safety: Safety, before: dict[str, str], agent: str
) -> None:
    event = _event(0, ("hospitalisation",), before)
    earlier = set(unexpected(event, small_safety.reference))
    event.causality[agent, "sponsor"] = "possible"
    assert earlier <= set(unexpected(event, small_safety.reference))


@given(offset=st.integers(-200_000, 200_000))
def test_late_is_after_the_last_day_or_the_last_instant(offset: int) -> None:
    due = datetime.fromisoformat("2025-03-10T12:00:00+00:00")
    at = due + timedelta(seconds=offset)
    assert is_late("2025-03-10T12:00:00.000000Z", at, at.date().isoformat()) == (offset > 0)
    assert is_late("2025-03-10", at, at.date().isoformat()) == (at.date() > date(2025, 3, 10))


@pytest.fixture(scope="module")
def small_safety(small_study: Any) -> Safety:
    found: Safety = small_study.safety
    return found

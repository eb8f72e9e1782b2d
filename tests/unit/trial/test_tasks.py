"""Task lists and the matrix: work appears when it waits, for whom it waits, and goes when it is done."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright.protocol.roles import Role
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.capture.commands import (
    MarkFormNotDone,
    RecordMissedVisit,
    RecordVisit,
    SignCaseBook,
    SignForm,
    VerifyItems,
    VoidForm,
)
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.shown import shown_case_book, shown_form
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.closure.commands import ClassifyDeviation, RecordBreachNotification, RecordSeriousBreach
from trialwright.trial.consent.commands import SignConsent, WithdrawConsent
from trialwright.trial.consent.gate import consent_gap
from trialwright.trial.enrolment.commands import EndParticipation, FailScreening
from trialwright.trial.event import Space
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery
from trialwright.trial.rooms import DECISIONS
from trialwright.trial.safety.commands import RecordSponsorAwareness, RecordSubmission, ReportAdverseEvent
from trialwright.trial.setup.commands import ActivateAmendment, ApproveBuild
from trialwright.trial.setup.events import Approval
from trialwright.trial.tasks import CellState, Kind, matrix, ready_to_lock, tasks, tasks_and_matrix

KEY = ("screening", "screening", 1)


class Desk:
    """What waits in a world, asked on the world's day or another."""

    def __init__(self, world):
        self.world = world
        self.rows = world.trial.stores[Space.OPEN].rows

    def tasks(self, day=None, **only):
        return tasks(self.rows, self.world.trial.builds, date.fromisoformat(day or self.world.today), **only)

    def about(self, kind, day=None, **only):
        return [task.about for task in self.tasks(day, **only) if task.kind is kind]

    def one(self, kind, day=None):
        (task,) = (task for task in self.tasks(day) if task.kind is kind)
        return task

    def ready(self):
        return ready_to_lock(self.rows, self.world.trial.builds, date.fromisoformat(self.world.today))

    def cells(self, participant, day=None):
        on = date.fromisoformat(day or self.world.today)
        (row,) = (r for r in matrix(self.rows, self.world.trial.builds, on) if r.participant == participant)
        return {cell.encounter: cell.state for cell in row.cells}

    def sign(self, participant, key=KEY):
        encounter, form, _ = key
        record = self.world.trial.state().of(CaseBook, participant).peek(key)
        command = SignForm(participant=participant, encounter=encounter, form=form)
        self.world.give(command, "investigator", shown=shown_form(participant, key, record))

    def verify(self, participant):
        command = VerifyItems(participant=participant, encounter="screening", form="screening", items=("age",))
        self.world.give(command, "monitor")

    def leave(self, participant, how="withdrawn"):
        self.world.give(EndParticipation(participant=participant, date=self.world.today, how=how), "nurse")


@pytest.fixture
def desk(trial_world):
    return Desk(trial_world)


def test_an_empty_study_has_nothing_to_do(desk):
    assert desk.tasks() == ()
    assert desk.ready() == {}


def test_consent_waits_for_the_countersignature(desk):
    participant = desk.world.screened()
    assert Kind.COUNTERSIGN_CONSENT not in {task.kind for task in desk.tasks()}
    desk.world.sign_consent(participant)
    task = desk.one(Kind.COUNTERSIGN_CONSENT)
    assert (task.about, task.site, task.roles) == ("1.0", "01", {Role.INVESTIGATOR, Role.STUDY_NURSE})
    desk.world.countersign(participant)
    assert desk.about(Kind.COUNTERSIGN_CONSENT) == []


@pytest.mark.parametrize("reconsent", [True, False])
@pytest.mark.parametrize("withdrawn", [None, "samples", "visits"])
def test_consent_is_to_be_given_again_exactly_where_the_gate_says_so(
    trial_worlds, small_build, amended_build, reconsent, withdrawn
):
    world = trial_worlds(small_build, amended_build)
    participant = world.consented()
    if withdrawn:
        world.give(WithdrawConsent(participant=participant, scopes=(withdrawn,)), "nurse")
    world.give(ApproveBuild(build=amended_build.id, evidence="e", summary="s"), "sponsor")
    approvals = (Approval(kind="ethics", reference="2/2025", date="2025-02-15"),)
    move = ActivateAmendment(site="01", build=amended_build.id, approvals=approvals, reconsent=reconsent)
    world.give(move, "sponsor")
    desk = Desk(world)
    waits = bool(desk.about(Kind.CONSENT_AGAIN))
    assert waits == (reconsent and withdrawn != "visits")
    assert waits == ("amendment" in (consent_gap(world.trial.state(), participant) or ""))
    if waits:
        assert desk.one(Kind.CONSENT_AGAIN).command is SignConsent
        world.consented(participant)
        assert desk.about(Kind.CONSENT_AGAIN) == []


def test_an_eligible_person_waits_for_the_sign_off_and_one_who_is_not_for_the_end(desk):
    participant = desk.world.assessed()
    assert desk.one(Kind.SIGN_OFF_ELIGIBILITY).roles == {Role.INVESTIGATOR}
    desk.world.signed_off(participant)
    assert desk.about(Kind.SIGN_OFF_ELIGIBILITY) == []
    assert desk.one(Kind.RANDOMISE).roles == {Role.INVESTIGATOR, Role.STUDY_NURSE}
    old = desk.world.assessed(age="61")
    assert desk.about(Kind.END_SCREENING) == ["adult"]
    desk.world.give(FailScreening(participant=old, criteria=("adult",)), "nurse")
    assert desk.about(Kind.END_SCREENING) == []


def test_a_visit_is_due_in_its_window_overdue_after_it_and_gone_when_recorded(desk):
    participant = desk.world.randomised()  # screened on 3 March: the aspiration is due from 10 to 24 March
    for day, kind in (
        ("2025-03-09", None),
        ("2025-03-10", Kind.VISIT_DUE),
        ("2025-03-24", Kind.VISIT_DUE),
        ("2025-03-25", Kind.VISIT_OVERDUE),
    ):
        found = [t for t in desk.tasks(day) if t.about == "marrow_1"]
        assert [(t.kind, t.due, t.late) for t in found] == (
            [(kind, "2025-03-24", kind is Kind.VISIT_OVERDUE)] if kind else []
        )
    desk.world.later(days=25)
    miss = RecordMissedVisit(participant=participant, encounter="marrow_1")
    desk.world.give(miss, "nurse", reason="ill")
    assert [t for t in desk.tasks() if t.about == "marrow_1"] == []
    assert desk.cells(participant)["marrow_1"] is CellState.MISSED


def test_a_window_that_closed_before_participation_ended_is_a_miss_to_record(desk):
    participant = desk.world.randomised()
    desk.world.later(days=30)
    desk.leave(participant)
    task = desk.one(Kind.VISIT_MISSED)
    assert (task.about, task.command) == ("marrow_1", RecordMissedVisit)
    assert desk.about(Kind.VISIT_OVERDUE) == []


def test_forms_wait_for_who_fills_them_and_then_for_who_signs(desk):
    world = desk.world
    participant = world.consented()
    world.give(RecordVisit(participant=participant, encounter="screening", date=world.today), "nurse")
    waiting = desk.one(Kind.COMPLETE_FORM)
    assert (waiting.about, waiting.roles) == ("screening.screening.1", {Role.INVESTIGATOR, Role.STUDY_NURSE})
    world.save(participant, "screening", "screening", {"age": Entered(text="34")}, "nurse")
    assert desk.about(Kind.COMPLETE_FORM) == ["screening.screening.1"]
    assert desk.about(Kind.SIGN_FORM) == []
    world.save(participant, "screening", "screening", {"sex": Entered(text="M")}, "nurse")
    assert desk.about(Kind.COMPLETE_FORM) == []
    assert desk.one(Kind.SIGN_FORM).roles == {Role.INVESTIGATOR}
    desk.sign(participant)
    assert desk.about(Kind.SIGN_FORM) == []
    world.give(VoidForm(participant=participant, encounter="screening", form="screening"), "nurse", reason="x")
    assert desk.about(Kind.COMPLETE_FORM) == ["screening.screening.1"]
    left_out = MarkFormNotDone(participant=participant, encounter="screening", form="screening")
    world.give(left_out, "nurse", reason="x")
    assert desk.about(Kind.COMPLETE_FORM) == desk.about(Kind.SIGN_FORM) == []


def test_logs_wait_only_where_something_was_begun(desk):
    participant = desk.world.consented()
    assert desk.about(Kind.COMPLETE_FORM) == []
    desk.world.save(participant, "log", "medication", {"name": Entered(text="aspirin")}, "nurse")
    assert desk.about(Kind.COMPLETE_FORM) == ["log.medication.1"]


def test_questions_wait_for_the_site_then_for_who_asked(desk):
    participant = desk.world.examined(age="81", sex="M")
    query = "screening.screening.1.range_age"
    assert desk.about(Kind.ANSWER_QUERY) == [query]
    assert Role.STUDY_NURSE in desk.one(Kind.ANSWER_QUERY).roles
    assert desk.about(Kind.SIGN_FORM) == []  # not while something is asked
    desk.world.give(AnswerQuery(participant=participant, query=query, text="will check"), "nurse")
    assert desk.about(Kind.ANSWER_QUERY) == []
    assert desk.one(Kind.SETTLE_QUERY).roles >= {Role.MONITOR, Role.DATA_MANAGER}
    desk.world.give(CloseQuery(participant=participant, query=query), "monitor")
    assert desk.about(Kind.SETTLE_QUERY) == []


def test_critical_values_wait_for_a_monitor(desk):
    participant = desk.world.examined()
    task = desk.one(Kind.VERIFY_ITEMS)
    assert (task.about, Role.MONITOR in task.roles) == ("screening.screening.1", True)
    desk.verify(participant)
    assert desk.about(Kind.VERIFY_ITEMS) == []


def test_deviations_breaches_and_clocks_wait_with_their_dates(desk):
    world = desk.world
    participant = world.randomised()
    world.give(RecordMissedVisit(participant=participant, encounter="marrow_1"), "nurse", reason="ill")
    assert desk.about(Kind.CLASSIFY_DEVIATION) == ["missed_visit.marrow_1"]
    judged = ClassifyDeviation(
        participant=participant, deviation="missed_visit.marrow_1", important=False, assessment="none", action="none"
    )
    world.give(judged, "monitor")
    assert desk.about(Kind.CLASSIFY_DEVIATION) == []

    world.give(RecordSeriousBreach(what="data in the wrong hands", site="01"), "sponsor")
    breach = desk.one(Kind.NOTIFY_BREACH)
    assert (breach.participant, breach.due, breach.late) == (None, "2025-03-10", False)
    assert desk.one(Kind.NOTIFY_BREACH, "2025-03-11").late
    assert desk.about(Kind.NOTIFY_BREACH, site="01") == []  # the sponsor's, not the site's
    notified = RecordBreachNotification(breach=breach.about, reference="7")
    world.give(notified, "sponsor")
    assert desk.about(Kind.NOTIFY_BREACH) == []

    report = ReportAdverseEvent(
        participant=participant, term="fall", onset=world.today, grade=3, seriousness=("hospitalisation",)
    )
    world.give(report, "nurse")
    clock = desk.one(Kind.MEET_CLOCK)
    assert (clock.about, clock.command, clock.due[:10]) == (
        "ae_1.serious_to_sponsor",
        RecordSponsorAwareness,
        "2025-03-04",
    )
    assert desk.one(Kind.MEET_CLOCK, "2025-03-05").late
    world.give(RecordSponsorAwareness(participant=participant, adverse_event="ae_1"), "safety")
    assert desk.about(Kind.MEET_CLOCK) == []


def test_clocks_that_only_the_closed_space_can_meet_are_in_no_open_list(desk):
    participant = desk.world.randomised()
    report = ReportAdverseEvent(
        participant=participant,
        term="seizure",
        onset=desk.world.today,
        grade=3,
        seriousness=("hospitalisation",),
        causality={"product": "possible"},
    )
    desk.world.give(report, "investigator")
    desk.world.give(RecordSponsorAwareness(participant=participant, adverse_event="ae_1"), "safety")
    assert desk.about(Kind.MEET_CLOCK) == []


def test_lists_are_for_a_role_and_a_site(desk):
    desk.world.examined()
    desk.world.examined(site="02")
    everything = desk.tasks()
    assert {task.site for task in desk.tasks(site="02")} == {"02"}
    assert set(desk.tasks(site="01")) | set(desk.tasks(site="02")) == set(everything)
    for role in Role:
        assert set(desk.tasks(role=role)) == {task for task in everything if role in task.roles}
    assert {task.kind for task in desk.tasks(role=Role.MONITOR)} == {Kind.VERIFY_ITEMS}


def test_the_most_urgent_comes_first(desk):
    desk.world.examined()
    desk.world.later(days=40)
    due = [task.due or "9" for task in desk.tasks()]
    assert due == sorted(due)
    assert len(set(due)) > 1


def test_every_task_is_done_by_a_command_that_its_roles_may_give(desk):
    desk.world.assessed(age="81")
    desk.world.later(days=40)
    for task in desk.tasks():
        assert task.command in DECISIONS
        assert task.roles
        assert task.roles <= task.command.PERMISSION.roles
    assert RecordSubmission in DECISIONS


def test_who_is_ready_to_lock(desk):
    world = desk.world
    participant = world.randomised()
    assert desk.ready() == {}  # still under way
    desk.leave(participant)
    assert {task.kind for task in desk.ready()[participant]} == {Kind.SIGN_FORM, Kind.VERIFY_ITEMS}
    desk.sign(participant)
    desk.verify(participant)
    (last,) = desk.ready()[participant]
    assert (last.kind, last.roles) == (Kind.SIGN_CASE_BOOK, {Role.INVESTIGATOR})
    shown = shown_case_book(participant, world.trial.state().of(CaseBook, participant))
    world.give(SignCaseBook(participant=participant), "investigator", shown=shown)
    assert desk.ready() == {participant: ()}


def test_the_matrix_says_how_each_visit_stands(desk):
    world = desk.world
    participant = world.consented()
    assert desk.cells(participant) == {
        "screening": CellState.NOT_YET_ANCHORED,
        "marrow_1": CellState.NOT_YET_ANCHORED,
        "injection_1": CellState.NOT_YET_ANCHORED,
        "marrow_2": CellState.NOT_YET_ANCHORED,
        "injection_2": CellState.NOT_YET_ANCHORED,
        "follow_up": CellState.NOT_YET_ANCHORED,
    }
    world.give(RecordVisit(participant=participant, encounter="screening", date=world.today), "nurse")
    assert desk.cells(participant)["screening"] is CellState.STARTED
    items = {"age": Entered(text="34"), "sex": Entered(text="M")}
    world.save(participant, "screening", "screening", items, "nurse")
    assert desk.cells(participant)["screening"] is CellState.COMPLETE
    desk.sign(participant)
    assert desk.cells(participant)["screening"] is CellState.SIGNED
    for days, state in ((1, CellState.AHEAD), (10, CellState.DUE), (25, CellState.OVERDUE)):
        day = (date.fromisoformat(world.today) + timedelta(days=days)).isoformat()
        assert desk.cells(participant, day)["marrow_1"] is state
    assert desk.cells(participant)["injection_1"] is CellState.NOT_YET_ANCHORED
    world.give(RecordVisit(participant=participant, encounter="unscheduled_1", date=world.today), "nurse")
    assert list(desk.cells(participant))[-1] == "unscheduled_1"
    assert desk.cells(participant)["unscheduled_1"] is CellState.SIGNED  # it has no forms that wait


def test_a_cell_counts_the_questions_that_wait_and_shows_its_day(desk):
    participant = desk.world.examined(age="81")
    on = date.fromisoformat(desk.world.today)
    (row,) = matrix(desk.rows, desk.world.trial.builds, on)
    assert (row.participant, row.site, row.status) == (participant, "01", "screening")
    first, second, *_ = row.cells
    assert (first.date, first.open_queries) == ("2025-03-03", 1)
    assert (second.date, second.open_queries) == ("2025-03-17", 0)
    query = AnswerQuery(
        participant=participant, query="screening.screening.1.range_age", text="so it is", confirms=True
    )
    desk.world.give(query, "nurse")
    (row,) = matrix(desk.rows, desk.world.trial.builds, on)
    assert row.cells[0].open_queries == 0


def test_the_matrix_of_a_site_has_its_people_only(desk):
    here, there = desk.world.screened(), desk.world.screened(site="02")
    on = date.fromisoformat(desk.world.today)
    builds = desk.world.trial.builds
    assert [row.participant for row in matrix(desk.rows, builds, on, site="02")] == [there]
    assert [row.participant for row in matrix(desk.rows, builds, on)] == sorted([here, there])


def test_every_state_of_a_cell_has_a_sign_of_its_own():
    assert len({state.value for state in CellState}) == len(CellState)


def test_after_a_whole_trial_nothing_waits_and_everybody_is_ready():
    study = Path(__file__).parents[3] / "studies" / "ocrelizumab-sc"
    store = MemoryStore()
    rehearsed = rehearse(compiled(load_study(study).study), store, MemoryStore(), Wishes(participants=3, seed=5))
    builds, later = rehearsed.trial.builds, date(2040, 1, 1)
    assert tasks(store.rows, builds, later) == ()
    ready = ready_to_lock(store.rows, builds, later)
    assert len(ready) == rehearsed.screened
    assert set(ready.values()) == {()}
    states = {cell.state for row in matrix(store.rows, builds, later) for cell in row.cells}
    assert states <= {CellState.SIGNED, CellState.MISSED, CellState.NOT_EXPECTED}


def test_tables_read_at_once_say_what_participants_looked_up_one_by_one_say(desk, monkeypatch):
    desk.world.examined(age="81")
    desk.world.signed_off(desk.world.assessed())
    desk.world.screened(site="02")
    on = date.fromisoformat(desk.world.today) + timedelta(days=10)
    found = []
    for few in (0, 1000):
        monkeypatch.setattr("trialwright.trial.tasks.FEW", few)
        builds = desk.world.trial.builds
        found.append((matrix(desk.rows, builds, on), tasks(desk.rows, builds, on), desk.ready()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 3
    assert {Kind.ANSWER_QUERY, Kind.VISIT_DUE} <= {task.kind for task in found[0][1]}


def test_lists_about_one_participant_are_the_lines_of_the_lists_about_all(desk):
    asked, other = desk.world.examined(age="81"), desk.world.assessed()
    on = date.fromisoformat(desk.world.today)
    rows, builds = desk.rows, desk.world.trial.builds
    for participant in (asked, other):
        mine = tuple(task for task in tasks(rows, builds, on) if task.participant == participant)
        assert tasks(rows, builds, on, participant=participant) == mine != ()
        (row,) = matrix(rows, builds, on, participant=participant)
        assert row in matrix(rows, builds, on)


def test_a_cell_says_between_which_days_a_visit_is_expected(desk):
    desk.world.examined()
    (row,) = matrix(desk.rows, desk.world.trial.builds, date.fromisoformat(desk.world.today))
    second = row.cells[1]
    assert second.earliest <= second.date <= second.latest
    assert row.cells[2].earliest is row.cells[2].latest is None
    assert row.cells[0].days_out == 0


def test_tasks_and_matrix_by_one_reading_are_the_same_lists(desk):
    desk.world.examined(age="81")
    desk.world.assessed()
    on = date.fromisoformat(desk.world.today)
    rows, builds = desk.rows, desk.world.trial.builds
    for role in (None, Role.STUDY_NURSE, Role.MONITOR):
        expected = tasks(rows, builds, on, role=role), matrix(rows, builds, on)
        assert tasks_and_matrix(rows, builds, on, role=role) == expected
        here = tasks(rows, builds, on, site="01", role=role), matrix(rows, builds, on, site="01")
        assert tasks_and_matrix(rows, builds, on, site="01", role=role) == here


def test_a_list_for_several_roles_holds_what_one_of_them_may_do(desk):
    desk.world.examined(age="81")
    both = (Role.STUDY_NURSE, Role.MONITOR)
    of_each = {task for role in both for task in desk.tasks(role=role)}
    assert set(desk.tasks(role=both)) == of_each
    assert any(task.kind is Kind.VERIFY_ITEMS for task in of_each)

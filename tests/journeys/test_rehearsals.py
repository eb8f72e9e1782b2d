"""Every study goes from its folder to a locked, closed trial, and the record keeps the laws of a correct one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import KeyOpener, KeyPurpose, generate_key
from trialwright.trial.allocation.events import AllocationPositionTaken
from trialwright.trial.allocation.proof import open_lists, verify_allocations
from trialwright.trial.capture.events import FormSaved
from trialwright.trial.capture.views import FORM
from trialwright.trial.closure.events import AllocationsDisclosed, DeviationClassified, DeviationOpened, StudyLocked
from trialwright.trial.consent.events import ConsentGiven
from trialwright.trial.custody.events import AdministrationAuthorised
from trialwright.trial.custody.views import SLOT
from trialwright.trial.enrolment.events import EligibilitySignedOff
from trialwright.trial.event import Space
from trialwright.trial.queries.events import QueryClosed
from trialwright.trial.setup.events import AmendmentActivated, TaskDelegated

STUDIES = ("smart-ms", "frexalimab-sc-iv", "ocrelizumab-sc")
SMALL = 4


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", STUDIES)
def test_a_rehearsal_brings_all_that_can_happen_and_keeps_every_law(rehearsals, in_memory, name, seed):
    done = in_memory(name, seed, SMALL)
    record = rehearsals.Record.of(done)
    assert rehearsals.problems(record) == []
    assert rehearsals.happened(record, SMALL) >= rehearsals.HAPPENINGS[name]
    assert done.mode == "rehearsal"


@pytest.mark.parametrize("name", STUDIES)
def test_the_opened_list_gives_everybody_what_was_disclosed(in_memory, name):
    """With the custodians' key, not with the one that dispensed: list, order of use and disclosure agree."""
    trial = in_memory(name, 1, SMALL).trial
    key = generate_key(KeyPurpose.UNBLINDING, DerivedEntropy(1), ledger=trial.study)
    labels = verify_allocations(trial.facts(), open_lists(trial.state(), KeyOpener(key)), trial.builds)
    assert len(labels) == SMALL
    assert labels == {participant: trial.allocations.label(participant) for participant in labels}
    disclosed = [f.event for f in trial.facts(Space.CLOSED) if isinstance(f.event, AllocationsDisclosed)]
    for event in disclosed:
        assert labels == {one.participant: one.label for one in event.allocations}
    assert len(disclosed) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_injection_is_described_exactly_where_one_was_given(in_memory, build_of, seed):
    done = in_memory("smart-ms", seed, SMALL)
    build = build_of("smart-ms")
    visit = {slot.id: slot.administration for slot in build.study.custody.slots}
    rows = done.trial.stores[Space.OPEN].rows
    given = {(row["participant"], visit[row["slot"]]) for row in rows.where(SLOT) if row["injected_on"]}
    forms = [row for row in rows.where(FORM) if row["form"] == "injection_procedure"]
    assert {(row["participant"], row["encounter"]) for row in forms if row["status"] == "saved"} == given
    assert {row["status"] for row in forms} <= {"saved", "not_done"}


def without(kind):
    """The record lacks every fact of a type."""
    return lambda facts: [fact for fact in facts if not isinstance(fact.event, kind)]


def changed(kind, change):
    """Facts of a type are changed."""
    return lambda facts: [change(fact) if isinstance(fact.event, kind) else fact for fact in facts]


def later(facts):
    """The last act of the data managers came after the lock."""
    place = max(i for i, fact in enumerate(facts) if fact.stream.startswith("participant/"))
    return [*facts[:place], *facts[place + 1 :], facts[place]]


@pytest.mark.parametrize(
    ("law", "spoil"),
    [
        ("nobody_is_randomised_without_consent_and_sign_off", without(ConsentGiven)),
        ("nobody_is_randomised_without_consent_and_sign_off", without(EligibilitySignedOff)),
        (
            "positions_are_used_in_the_order_of_the_list",
            changed(
                AllocationPositionTaken,
                lambda fact: replace(fact, event=replace(fact.event, position=fact.event.position + 1)),
            ),
        ),
        ("every_flag_has_its_deviation", without(DeviationOpened)),
        ("every_deviation_is_judged_before_the_lock", without(DeviationClassified)),
        ("every_query_is_settled_before_the_freeze", without(QueryClosed)),
        ("every_fact_cites_the_build_in_force_at_its_site", without(AmendmentActivated)),
        ("every_fact_cites_the_build_in_force_at_its_site", changed(FormSaved, lambda f: replace(f, build="0" * 64))),
        ("who_acts_at_a_site_was_delegated_before", without(TaskDelegated)),
        (
            "roles_in_conflict_stay_apart",
            lambda facts: [replace(f, actor="one") if f.stream.startswith("participant/") else f for f in facts],
        ),
        ("nothing_is_given_before_release_hand_over_and_authorisation", without(AdministrationAuthorised)),
        ("the_end_comes_in_order", without(StudyLocked)),
        ("nothing_but_the_ending_is_written_after_the_lock", later),
        ("time_never_runs_back", lambda facts: list(reversed(facts))),
    ],
)
def test_a_record_that_breaks_a_law_is_noticed(rehearsals, in_memory, law, spoil):
    record = rehearsals.Record.of(in_memory("smart-ms", 1, SMALL))
    spoiled = replace(record, open=spoil(list(record.open)))
    assert list(getattr(rehearsals, law)(record)) == []
    assert list(getattr(rehearsals, law)(spoiled)) != []


def test_every_law_can_be_broken_by_one_of_these_tests(rehearsals):
    (mark,) = test_a_record_that_breaks_a_law_is_noticed.pytestmark
    assert {law for law, _ in mark.args[1]} == {law.__name__ for law in rehearsals.LAWS}

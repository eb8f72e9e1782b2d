"""After the end anybody can check the list and the order of its use."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from trialwright.build.compile import compiled
from trialwright.randomisation import declare, generate, minimise
from trialwright.sealing import CommitmentMismatch, CommittedNumber, ExpandedDraws, KeyOpener
from trialwright.trial.allocation.events import (
    AllocationListCommitted,
    AllocationPositionTaken,
    ParticipantRandomised,
)
from trialwright.trial.allocation.preparation import Secret, list_design, minimisation_design
from trialwright.trial.allocation.proof import OpenedList, UseDiffers, open_lists, verify_allocations


@pytest.fixture(scope="module", params=["random_permuted_blocks", "minimisation"])
def method(request):
    return request.param


@pytest.fixture
def ended(trial_worlds, small_study, method):
    """Seven participants in two strata, and the lists opened."""
    randomisation = small_study.randomisation.model_copy(update={"method": method})
    world = trial_worlds(compiled(small_study.model_copy(update={"randomisation": randomisation})), listed=False)
    parameters = {"sizes": [2, 4]} if method != "minimisation" else {"probability": "3/4", "measure": "variance"}
    world.seal_list(world.prepared_list(rows=4, parameters=parameters))
    participants = [world.randomised(sex=sex) for sex in "FMFF"]
    world.seal_list(world.prepared_list(number=2, rows=6, parameters=parameters))
    participants += [world.randomised(sex=sex) for sex in "FFM"]
    lists = open_lists(world.trial.state(), KeyOpener(world.unblinding_key))
    return world, participants, lists


def proved(world, lists, facts=None):
    return verify_allocations(world.trial.facts() if facts is None else facts, lists, world.trial.builds)


def test_the_lists_and_the_record_give_what_was_dispensed(ended):
    world, participants, lists = ended
    labels = proved(world, lists)
    assert labels == {p: world.trial.allocations.label(p) for p in participants}
    assert set(labels.values()) <= {"cells_first", "saline_first"}


def test_opened_lists_travel_as_json(ended):
    world, _, lists = ended
    again = [OpenedList.from_json(json.loads(json.dumps(opened.as_json()))) for opened in lists]
    assert tuple(again) == lists
    assert proved(world, again) == proved(world, lists)
    with pytest.raises(UseDiffers):
        OpenedList.from_json({"list": 1})


def test_one_label_one_salt_or_one_row_changed_is_found(ended):
    world, _, (first, second) = ended
    row = first.rows[2]
    for changed in (
        replace(row, value="1" if row.value.isdigit() else "saline_first" if "cells" in row.value else "cells_first"),
        replace(row, salt=bytes(16)),
    ):
        rows = (*first.rows[:2], changed, *first.rows[3:])
        with pytest.raises(CommitmentMismatch):
            proved(world, (replace(first, rows=rows), second))
    swapped = (*first.rows[:1], first.rows[2], first.rows[1], *first.rows[3:])
    for rows in (swapped, first.rows[:-1]):
        with pytest.raises(CommitmentMismatch):
            proved(world, (replace(first, rows=rows), second))


def test_a_list_that_is_kept_back_is_found(ended):
    world, _, (first, _) = ended
    with pytest.raises(UseDiffers, match="list 2"):
        proved(world, (first,))


def test_positions_out_of_order_used_twice_or_left_out_are_found(ended):
    world, _, lists = ended
    facts = list(world.trial.facts())
    at = [n for n, fact in enumerate(facts) if isinstance(fact.event, AllocationPositionTaken)]

    def changed(n, **fields):
        fact = facts[at[n]]
        other = replace(fact, event=replace(fact.event, **fields))
        return [*facts[: at[n]], other, *facts[at[n] + 1 :]]

    position = facts[at[3]].event.position
    first_participant = facts[at[0]].event.participant
    for wrong in (
        changed(3, position=position + 1),
        changed(3, position=position - 1),
        changed(3, participant=first_participant),
        [fact for n, fact in enumerate(facts) if n != at[2]],
        [fact for n, fact in enumerate(facts) if n not in (at[6],)],
        [fact for n, fact in enumerate(facts) if n != at[6] + 1],
    ):
        with pytest.raises(UseDiffers):
            proved(world, lists, wrong)


def test_a_list_committed_to_after_its_use_is_found(ended):
    world, _, lists = ended
    facts = list(world.trial.facts())
    late = [fact for fact in facts if isinstance(fact.event, AllocationListCommitted)]
    others = [fact for fact in facts if not isinstance(fact.event, AllocationListCommitted)]
    with pytest.raises(UseDiffers):
        proved(world, lists, [*others, *late])


def test_a_randomisation_without_a_position_is_found(ended):
    world, _, lists = ended
    facts = list(world.trial.facts())
    last = next(fact for fact in reversed(facts) if isinstance(fact.event, ParticipantRandomised))
    invented = replace(last, event=replace(last.event, participant="NO-01-099", stratum="sex=other"))
    with pytest.raises(UseDiffers):
        proved(world, lists, [*facts, invented])


def test_somebody_who_takes_a_second_position_is_found(ended):
    world, participants, lists = ended
    facts = list(world.trial.facts())
    pair = [fact for fact in facts if getattr(fact.event, "participant", None) == participants[-1]]
    taken = next(fact for fact in pair if isinstance(fact.event, AllocationPositionTaken))
    randomised = next(fact for fact in pair if isinstance(fact.event, ParticipantRandomised))
    again = [
        replace(fact, event=replace(fact.event, position=fact.event.position + 1)) for fact in (taken, randomised)
    ]
    with pytest.raises(UseDiffers):
        proved(world, lists, [*facts, *again])


@pytest.mark.parametrize("method", ["random_permuted_blocks"])
def test_whoever_has_seed_and_parameters_makes_the_list_again_with_the_engines_alone(ended):
    _, _, lists = ended
    parameters = json.loads(lists[0].rows[0].value)
    assert parameters == {"sizes": [2, 4]}
    units = {"cells_first": 1, "saline_first": 1}  # in the order of the alphabet
    design = declare("random_permuted_blocks", units, **parameters)
    for opened, length in zip(lists, (4, 6), strict=True):
        for stratum in ("sex=female", "sex=male"):
            draws = ExpandedDraws(bytes(range(32)), f"list/{opened.number}/{stratum}")
            found = [row.value for row in opened.rows if row.place.stratum == stratum]
            assert found == list(generate(design, length, draws))


@pytest.mark.parametrize("method", ["minimisation"])
def test_a_minimisation_replays_as_if_drawn_from_its_whole_history_each_time(ended):
    world, participants, lists = ended
    design = minimisation_design(world.build, json.loads(lists[0].rows[0].value))
    numbers = [row.value for opened in lists for row in opened.rows if row.place.stratum == ""]
    history = []
    for participant, sex, number in zip(participants, "FMFFFFM", numbers, strict=False):
        factors = {"sex": {"F": "female", "M": "male"}[sex]}
        label = minimise(design, history, factors, CommittedNumber(int(number))).label
        assert proved(world, lists)[participant] == label
        history.append((factors, label))


def test_a_secret_does_not_show_itself(trial_world):
    secret = Secret(seed=b"\x07" * 32, parameters={"sizes": [2, 4]}, rows={"": 4})
    assert "sizes" not in repr(secret)
    assert "\\x07" not in repr(secret)
    assert list_design(trial_world.build, secret.parameters).ratio == (1, 1)

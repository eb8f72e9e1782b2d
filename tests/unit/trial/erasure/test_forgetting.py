"""Two people destroy a participant's keys; what they sealed is missing from then on, and the record stays whole."""

from __future__ import annotations

import pytest

from trialwright.ledger import verify_ledger
from trialwright.stores import open_store
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.capture.views import ITEM
from trialwright.trial.command import NotFound
from trialwright.trial.enrolment.commands import FailScreening
from trialwright.trial.erasure.carrying_out import carry_out_erasures, forgotten, shredded
from trialwright.trial.erasure.commands import (
    DestroyParticipantKeys,
    ErasureWithoutReason,
    GroundDoesNotHold,
    GroundNotAccepted,
    ProposeErasure,
    SecondPersonNeeded,
    WithdrawalErasesNothing,
)
from trialwright.trial.erasure.events import ParticipantKeysDestroyed
from trialwright.trial.event import Space
from trialwright.trial.queries.commands import CommentItem
from trialwright.trial.queries.views import COMMENT
from trialwright.trial.requests import ASKED

WORD = "hemmelig ord æøå"
MISTAKE = "typed_by_mistake"


def remark(participant, text=WORD):
    return CommentItem(participant=participant, encounter="screening", form="screening", item="sex", text=text)


def with_texts(world):
    participant = world.examined()
    world.save(
        participant, "log", "medication", {"name": Entered(text=WORD), "started": Entered(text="2024")}, "nurse"
    )
    world.give(remark(participant), "nurse", request_id=f"remark-{participant}")
    return participant


def forget(world, participant, ground=MISTAKE):
    world.give(ProposeErasure(participant=participant, ground=ground), "investigator", reason="a name was typed")
    return world.give(
        DestroyParticipantKeys(participant=participant, ground=ground), "data_manager", reason="checked, it was"
    )


def test_two_people_destroy_the_keys_and_the_texts_are_missing_from_then_on(trial_world):
    participant = with_texts(trial_world)
    receipt = forget(trial_world, participant)
    assert receipt.event(ParticipantKeysDestroyed).first == "investigator-01"
    done = carry_out_erasures(trial_world.trial)
    assert done.participants == (participant,)
    assert done.keys >= 1
    assert all(WORD not in str(fact.event) for fact in trial_world.trial.facts())
    rows = trial_world.trial.stores[Space.OPEN].rows
    (name,) = (row for row in rows.where(ITEM, participant=participant) if row["item"] == "name")
    assert (name["value"], name["missing"]) == (None, "erased")
    assert {row["value"] for row in rows.where(ITEM, participant=participant) if row["item"] == "started"} == {"2024"}
    assert {row["text"] for row in rows.where(COMMENT, participant=participant)} == {"(erased)"}
    assert rows.get(ASKED, (f"remark-{participant}",)) is None
    assert carry_out_erasures(trial_world.trial).keys == 0, "doing it again is harmless"


def test_the_record_verifies_and_says_how_much_is_shredded(trial_world):
    participant = with_texts(trial_world)
    other = with_texts(trial_world)
    before = trial_world.trial.open_head()
    forget(trial_world, participant)
    carry_out_erasures(trial_world.trial)
    ledger, keyring = trial_world.trial.ledgers[Space.OPEN], trial_world.trial.stores[Space.OPEN].keyring
    assert ledger.root(before[0]).hex() == before[1]
    assert verify_ledger(ledger, outside={}, keys=[]).fault is None
    assert shredded(ledger, keyring) >= 2
    assert forgotten(trial_world.trial) == {participant: 1}
    assert any(WORD in str(fact.event) for fact in trial_world.trial.facts_of(other))


def test_before_the_keys_are_gone_no_decision_sees_the_texts_any_more(trial_world):
    participant = with_texts(trial_world)
    twin = trial_world.twin()
    place = ("log", "medication", 1)

    def seen(trial):
        return str(trial.state().of(CaseBook, participant).peek(place))

    assert WORD in seen(trial_world.trial)
    assert WORD in seen(twin)
    forget(trial_world, participant)
    assert WORD not in seen(trial_world.trial)
    assert WORD not in seen(twin)


def test_what_is_written_afterwards_has_a_key_of_its_own(trial_world):
    participant = with_texts(trial_world)
    forget(trial_world, participant)
    trial_world.give(remark(participant, "a harmless remark"), "nurse")
    carry_out_erasures(trial_world.trial)
    told = [str(fact.event) for fact in trial_world.trial.facts_of(participant)]
    assert any("a harmless remark" in text for text in told)
    assert not any(WORD in text for text in told)


def test_a_retry_of_an_erased_request_is_not_answered(trial_world):
    participant = with_texts(trial_world)
    forget(trial_world, participant)
    carry_out_erasures(trial_world.trial)
    with pytest.raises(Exception, match="was something else"):
        trial_world.give(remark(participant), "nurse", request_id=f"remark-{participant}")


def test_a_withdrawal_erases_nothing(trial_world):
    participant = with_texts(trial_world)
    for ground in ("withdrawal", "participant_withdrew"):
        trial_world.refuses(
            WithdrawalErasesNothing,
            ProposeErasure(participant=participant, ground=ground),
            "investigator",
            reason="x",
        )


def test_other_grounds_no_reason_and_nobody_are_refused(trial_world):
    participant = with_texts(trial_world)
    propose = ProposeErasure(participant=participant, ground=MISTAKE)
    trial_world.refuses(
        GroundNotAccepted, ProposeErasure(participant=participant, ground="wish"), "investigator", reason="x"
    )
    trial_world.refuses(ErasureWithoutReason, propose, "investigator")
    trial_world.refuses(NotFound, ProposeErasure(participant="NO-01-999", ground=MISTAKE), "data_manager", reason="x")


def test_one_person_alone_destroys_nothing(trial_world):
    participant = with_texts(trial_world)
    destroy = DestroyParticipantKeys(participant=participant, ground=MISTAKE)
    trial_world.refuses(SecondPersonNeeded, destroy, "investigator", reason="x")
    trial_world.give(ProposeErasure(participant=participant, ground=MISTAKE), "investigator", reason="x")
    trial_world.refuses(SecondPersonNeeded, destroy, "investigator", reason="x")


def test_the_grounds_must_hold(trial_world):
    participant = with_texts(trial_world)
    for ground in ("never_enrolled", "retention_expired"):
        trial_world.refuses(
            GroundDoesNotHold, ProposeErasure(participant=participant, ground=ground), "investigator", reason="x"
        )
    trial_world.give(FailScreening(participant=participant), "investigator", reason="moved away")
    trial_world.give(ProposeErasure(participant=participant, ground="never_enrolled"), "investigator", reason="x")
    enrolled = trial_world.signed_off()
    trial_world.refuses(
        GroundDoesNotHold, ProposeErasure(participant=enrolled, ground="never_enrolled"), "investigator", reason="x"
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_keys_lie_apart_from_the_record_and_leave_their_file(sealed_worlds, tmp_path, request, kind):
    if kind == "sqlite":
        urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("open", "closed")]
    else:
        urls = [request.getfixturevalue("new_postgres_database")() for _ in range(2)]
    with open_store(urls[0]) as opened, open_store(urls[1]) as closed:
        world = sealed_worlds(stores=(opened, closed))
        participant = with_texts(world)
        keys = [key for *_, key in opened.keyring.entries()]
        assert keys
        if kind == "sqlite":
            assert all(key not in (tmp_path / "open.db").read_bytes() for key in keys)
            assert any(key in (tmp_path / "open.db.keys.db").read_bytes() for key in keys)
            assert (tmp_path / "open.db.keys.db").stat().st_mode & 0o077 == 0
        forget(world, participant)
        with open_store(urls[0]) as second:
            twin = world.twin(open_store=second, closed_store=None)
            assert any(WORD in str(fact.event) for fact in twin.facts())
            carry_out_erasures(world.trial)
            assert not any(WORD in str(fact.event) for fact in twin.facts()), "it notices what another destroyed"
        if kind == "sqlite":
            left = (tmp_path / "open.db.keys.db").read_bytes()
            assert all(key not in left for key in keys)
            assert WORD.encode() not in (tmp_path / "open.db").read_bytes()
            assert WORD.encode() not in (tmp_path / "open.db-wal").read_bytes()
        else:
            told = [row for table in (COMMENT, ITEM) for row in opened.rows.where(table)]
            assert WORD not in str(told)

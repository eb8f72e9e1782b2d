"""Files beside the record: what the record holds of them, and who may add and take away."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.trial.attachments.commands import (
    LARGEST,
    AlreadyAttached,
    AttachFile,
    FileNotAcceptable,
    WithdrawalWithoutReason,
    WithdrawFile,
)
from trialwright.trial.attachments.views import ATTACHMENT
from trialwright.trial.command import NotFound
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted

DIGEST = "ab" * 32


def attach(participant: str, **changes: Any) -> AttachFile:
    given: dict[str, Any] = {
        "participant": participant,
        "encounter": "screening",
        "form": "screening",
        "digest": DIGEST,
        "size": 1200,
        "media_type": "application/pdf",
        "text": "letter of the neurologist",
    }
    return AttachFile(**given | changes)


def files(world: Any, participant: str) -> list[Any]:
    return list(world.trial.stores[Space.OPEN].rows.where(ATTACHMENT, participant=participant))


def test_an_attached_file_stands_in_the_view_with_who_and_what(trial_world: Any) -> None:
    participant = trial_world.examined()
    trial_world.give(attach(participant), "nurse")
    (row,) = files(trial_world, participant)
    assert (row["digest"], row["size"], row["media_type"]) == (DIGEST, 1200, "application/pdf")
    assert (row["attached_by"], row["text"]) == ("nurse-01", "letter of the neurologist")


def test_a_withdrawn_file_is_gone_from_the_view_and_may_be_attached_again(trial_world: Any) -> None:
    participant = trial_world.examined()
    trial_world.give(attach(participant), "nurse")
    withdraw = WithdrawFile(participant=participant, digest=DIGEST)
    with pytest.raises(WithdrawalWithoutReason):
        trial_world.give(withdraw, "nurse")
    trial_world.give(withdraw, "nurse", reason="another participant's letter")
    assert files(trial_world, participant) == []
    with pytest.raises(NotFound):
        trial_world.give(withdraw, "nurse", reason="again")
    trial_world.give(attach(participant), "nurse")
    assert len(files(trial_world, participant)) == 1


def test_the_same_bytes_are_attached_once(trial_world: Any) -> None:
    participant = trial_world.examined()
    trial_world.give(attach(participant), "nurse")
    with pytest.raises(AlreadyAttached):
        trial_world.give(attach(participant, text="again"), "investigator")


@pytest.mark.parametrize(
    "wrong",
    [
        {"media_type": "text/html"},
        {"size": 0},
        {"size": LARGEST + 1},
        {"digest": "../../etc/passwd"},
        {"digest": DIGEST.upper()},
        {"text": "  "},
        {"text": "x" * 201},
    ],
    ids=str,
)
def test_what_is_no_file_to_keep_is_refused(trial_world: Any, wrong: dict[str, Any]) -> None:
    participant = trial_world.examined()
    with pytest.raises(FileNotAcceptable):
        trial_world.give(attach(participant, **wrong), "nurse")


@pytest.mark.parametrize("wrong", [{"form": "nothing"}, {"encounter": "month_6"}, {"encounter": "nowhere"}], ids=str)
def test_a_file_needs_a_form_of_a_visit_that_took_place(trial_world: Any, wrong: dict[str, Any]) -> None:
    participant = trial_world.examined()
    with pytest.raises(NotFound):
        trial_world.give(attach(participant, **wrong), "nurse")


def test_whoever_may_know_the_arm_attaches_nothing_in_the_open_space(trial_world: Any) -> None:
    participant = trial_world.examined()
    for role in ("laboratory", "monitor"):
        with pytest.raises(NotPermitted):
            trial_world.give(attach(participant), role)

"""No text that a caller sends keeps a refused attempt out of the security log."""

from __future__ import annotations

import pytest

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import RandomiseParticipant
from trialwright.trial.command import Actor
from trialwright.trial.permission import NotPermitted
from trialwright.trial.requests import RequestUnreadable
from trialwright.trial.setup.commands import PauseRecruitment

LONE = "\ud800"


@pytest.mark.parametrize("request_id", ["", "with blanks", "ø", "a" * 500, LONE, "../x", "\x00"])
def test_an_attempt_with_a_malformed_request_id_is_refused_by_its_name_and_logged(trial_world, request_id):
    readable = request_id in ("with blanks", "ø", "../x")
    refusal = NotPermitted if readable else RequestUnreadable
    trial_world.refuses(refusal, PauseRecruitment(site="01"), "nurse", request_id=request_id)
    assert trial_world.attempts()[-1]["request_id"] == "malformed.1"


def test_an_ordinary_request_id_stands_in_the_log_with_the_number_of_the_attempt(trial_world):
    trial_world.refuses(NotPermitted, PauseRecruitment(site="01"), "nurse", request_id="a-1")
    assert trial_world.attempts()[-1]["request_id"] == "a-1.1"


@pytest.mark.parametrize("name", [LONE, "n" * 100_000, "\x00\n"])
def test_names_that_cannot_be_written_are_logged_as_far_as_they_can(trial_world, name):
    command = RandomiseParticipant(participant=name)
    stranger = Actor(name, Role.INVESTIGATOR, "x", "01")
    with pytest.raises(RequestUnreadable):
        trial_world.give(command, stranger)
    (attempt,) = trial_world.attempts()
    assert attempt["command"] == "RandomiseParticipant"
    assert len(attempt["actor"]) <= 200
    assert len(attempt["about"]) <= 200

"""Short form of ``tests/campaigns/two_worlds_pages.py``: arms exchanged, nothing a blinded person fetches differs.

One page of each kind for each role, and a part of what the campaign sends; every planted fault in every place.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from trialwright.protocol.roles import Role

CAMPAIGNS = Path(__file__).resolve().parents[1] / "campaigns"
BLINDED = (
    "investigator", "study_nurse", "blinded_rater", "monitor", "data_manager", "medical_monitor", "sponsor",
    "central_reader", "inspector",
)  # fmt: skip
PLACES = ("staff", "staff, refused", "api", "closed", "closed, refused", "participant", "participant, refused")


@pytest.fixture(scope="module")
def campaign():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CAMPAIGNS))
        import two_worlds_pages

        yield two_worlds_pages


@pytest.fixture(scope="module")
def worlds(campaign, tmp_path_factory):
    """Two installations, in the second of which every allocation is exchanged."""
    with campaign.two_worlds(tmp_path_factory.mktemp("worlds")) as both:
        yield both


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_that_lets_the_arm_out_is_reported_wherever_it_is(campaign, worlds, place):
    found = campaign.planted(worlds, place)
    assert len(found) >= 7
    assert [fault for fault, reported in found.items() if not reported] == []


# Before the staff's forms: one of them makes a new letter, and that ends what the participant signs in with.
def test_every_page_of_a_participant_is_the_same_whatever_they_get(campaign, worlds):
    tally = campaign.own_pages(worlds, worlds.people[0], each_kind=1)
    assert tally.differences[:3] == []
    assert tally.compared["pages"] > 10


@pytest.mark.parametrize("role", BLINDED)
def test_every_page_of_a_blinded_role_is_the_same_whatever_is_given(campaign, worlds, role):
    tally = campaign.pages(worlds, Role(role), each_kind=1, posting=role == "study_nurse")
    assert tally.differences[:3] == []
    assert tally.compared["pages"] > 15
    assert role != "study_nurse" or tally.compared["forms sent"] > 10


@pytest.mark.parametrize("role", ["study_nurse", "sponsor"])
def test_every_answer_of_the_api_to_a_blinded_role_is_the_same(campaign, worlds, role):
    tally = campaign.api(worlds, Role(role))
    assert tally.differences[:3] == []
    assert tally.compared["answers of the API"] > 50


def test_a_command_that_is_done_is_answered_alike_and_so_is_every_page_after_it(campaign, worlds):
    assert campaign.a_command(worlds).differences == []


@pytest.mark.parametrize("role", ["study_nurse", "sponsor"])
def test_every_refusal_is_the_same(campaign, worlds, role):
    tally = campaign.refusals(worlds, Role(role))
    tally.add(campaign.without_business(worlds, Role(role)))
    assert tally.differences[:3] == []
    assert tally.compared["refusals"] > 30


def test_an_investigator_in_the_closed_process_sees_the_same_up_to_the_reveal(campaign, worlds):
    tally = campaign.emergency(worlds, each_kind=1)
    assert tally.differences[:3] == []
    assert tally.compared["forms sent"] > 5


def test_every_file_that_a_worker_makes_is_the_same_and_a_faulty_worker_is_reported(campaign, worlds):
    wanted = ("items.csv", "views.csv", "ledger.zip")
    tally, reported = campaign.files(worlds, (Role.STUDY_NURSE, Role.SPONSOR), wanted=wanted)
    assert tally.differences[:3] == []
    assert [fault for fault, found in reported.items() if not found] == []


def test_mails_are_the_same_and_a_faulty_worker_is_reported(campaign, worlds):
    tally, reported = campaign.mails(worlds)
    assert tally.differences == []
    assert [fault for fault, found in reported.items() if not found] == []


def test_the_lists_of_these_tests_are_those_of_the_campaign_and_every_fault_is_tried(campaign):
    assert tuple(role.value for role in campaign.BLINDED) == BLINDED
    assert campaign.PLACES == PLACES
    for file, faults in (
        ("leaky.py", campaign.FAULTS),
        ("leaky_worker.py", (*campaign.FILE_FAULTS, *campaign.MAIL_FAULTS)),
    ):
        text = (CAMPAIGNS / file).read_text(encoding="utf-8")
        assert tuple(re.findall(r'^    "(\w+)": (?:_|lambda)', text, re.MULTILINE)) == faults
    apart = [fault for faults in campaign.NOT_THERE.values() for fault in faults]
    assert all(apart.count(fault) < len(PLACES) - 1 for fault in apart)


def test_nothing_but_the_servers_date_is_left_out_of_the_comparison(campaign):
    def answer(date="Mon, 01 Jan 2029 00:00:00 GMT", **more):
        return httpx.Response(200, headers={"Date": date, **more}, content=b"a")

    assert campaign.differences(answer(), answer("Tue, 02 Jan 2029 00:00:01 GMT")) == []
    assert campaign.differences(answer(), answer("Tue, 2 Jan 2029 00:00:01 GMT")) != []
    assert campaign.differences(answer(Vary="a"), answer(Vary="b")) != []

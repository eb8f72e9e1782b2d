"""The blind holds: exchange every allocation, and nothing in the open space changes. Short form of the campaign."""

from __future__ import annotations

import pytest

LEAKS = (
    "token_from_the_label",
    "token_not_padded",
    "store_crosses",
    "more_open_events",
    "lot_in_the_open",
    "deviation_in_one_arm",
    "query_names_the_arm",
    "emergency_tells_what",
    "log_names_the_content",
    "hand_over_takes_longer",
    "freezing_holds_up_the_next_act",
    "another_person_hands_over",
    "refused_in_one_arm",
    "checkpoint_when_frozen",
    "closed_root_in_the_open",
    "requests_counted_together",
    "salts_drawn_in_order",
    "kits_numbered_in_order",
    "sorted_by_arm",
    "view_fed_from_the_closed_space",
)


def both(two_worlds, build, addresses=None, **how):
    """The same trial twice, with the arms exchanged the second time."""
    return tuple(
        two_worlds.world(build, mirrored=mirrored, address=addresses and addresses(mirrored), **how)
        for mirrored in (False, True)
    )


def exchanged(one, other):
    """The same people, and every one of them on the other side."""
    assert one.arms.keys() == other.arms.keys()
    assert all(one.arms[participant] != other.arms[participant] for participant in one.arms)
    assert len(set(one.arms.values())) == 2
    assert one.closed != other.closed
    return True


def test_in_smart_ms_nothing_that_blinded_people_could_read_depends_on_the_arm(two_worlds, build_of, folder):
    """Ledgers, hashes, checkpoints, security log, views, trail of every role, exports, logs and the database file."""
    one, other = both(
        two_worlds,
        build_of("smart-ms"),
        lambda mirrored: two_worlds.in_files(folder, mirrored),
        participants=3,
        seed=2,
    )
    assert two_worlds.differences(one.open, other.open) == []
    assert exchanged(one, other)
    assert b"custody.manufacture_failed" in one.closed
    assert b"custody.product_stored" in one.closed
    assert b"allocation.emergency_unblinded" in one.open["smart-ms/open: entries"]
    read = {name.split()[0] for name in one.open}
    assert read >= {"table", "audit", "export", "file", "database,", "summary", "checkpoints", "logs"}


def test_in_a_minimised_parallel_study_neither(two_worlds, build_of):
    one, other = both(two_worlds, build_of("ocrelizumab-sc"), participants=6)
    assert two_worlds.differences(one.open, other.open) == []
    assert exchanged(one, other)


def test_a_postgresql_database_holds_the_same_rows(two_worlds, build_of, new_postgres_database):
    def fresh(mirrored):
        addresses = {space: new_postgres_database() for space in ("open", "closed")}
        return addresses.__getitem__

    build = two_worlds.without_follow_up_forms(build_of("smart-ms"))
    one, other = both(two_worlds, build, fresh, participants=2, seed=2, thorough=False)
    assert two_worlds.differences(one.open, other.open) == []
    assert exchanged(one, other)
    assert "database ledger.ledger_entry" in one.open
    assert "database projection.injection_slot" in one.open


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_reported(two_worlds, build_of, leak):
    build = two_worlds.without_follow_up_forms(build_of("smart-ms"))
    assert two_worlds.caught(build, two_worlds.LEAKS[leak]) != []


def test_a_trace_in_a_free_page_of_the_database_file_is_reported_by_the_file_alone(two_worlds, build_of):
    build = two_worlds.without_follow_up_forms(build_of("smart-ms"))
    found = two_worlds.caught(build, two_worlds.trace_in_a_free_page, in_file=True)
    assert [difference.split(":")[0].split()[0] for difference in found] == ["file"]


def test_without_a_leak_the_comparison_of_the_same_small_trial_reports_nothing(two_worlds, build_of):
    build = two_worlds.without_follow_up_forms(build_of("smart-ms"))
    assert two_worlds.caught(build, lambda patch: None, in_file=True) == []


def test_values_that_follow_what_was_given_are_reported(two_worlds, build_of):
    one, other = both(two_worlds, build_of("smart-ms"), participants=2, seed=2, responses=True, thorough=False)
    assert two_worlds.differences(one.open, other.open) != []


def test_every_leak_of_the_campaign_is_planted_here(two_worlds):
    assert set(LEAKS) == set(two_worlds.LEAKS)
    assert len(LEAKS) + len(two_worlds.FILE_LEAKS) >= 20

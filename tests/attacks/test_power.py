"""Power cuts: what was acknowledged is found afterwards, and the attack finds a build of which that is not true."""

from __future__ import annotations

import sqlite3

import pytest

from trialwright.stores import StoreSettingsTooWeak
from trialwright.stores.sqlite import SqliteDatabase


@pytest.fixture(scope="module")
def power(attack):
    return attack("attack_power")


def test_no_cut_takes_an_acknowledged_act_or_leaves_half_of_one(power):
    found = power.attack(400, "FULL", runs=8)
    assert found == {"cuts": 400}


def test_the_attack_finds_a_build_that_syncs_at_checkpoints_only(power):
    assert power.attack(40, "NORMAL", runs=2)["lost"] > 0


def test_the_attack_finds_a_build_that_relies_on_a_log_nobody_synced(power):
    assert power.attack(400, "FULL", runs=8, settled=False)["lost"] > 0


class Stubborn(sqlite3.Connection):
    """Takes no setting of ``synchronous`` but NORMAL, as a build of SQLite or a wrapper might."""

    def execute(self, sql, *values):
        return super().execute(sql.replace("synchronous = FULL", "synchronous = NORMAL"), *values)


def test_the_program_refuses_to_run_with_less_than_full(tmp_path):
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None, factory=Stubborn)
    with pytest.raises(StoreSettingsTooWeak, match="synchronous"):
        SqliteDatabase(connection)
    connection.close()

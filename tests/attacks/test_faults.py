"""Full disks, I/O errors and clocks that jump: a clear refusal or an exact time, nothing lost, and it goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import apsw
import pytest

from trialwright.build.compile import compiled
from trialwright.foundation.errors import InvalidValue, RecordError, Refusal
from trialwright.foundation.ports import DerivedEntropy, SettableClock
from trialwright.ledger import (
    NewEntry,
    RequestAlreadyRecorded,
    SigningKey,
    canonical,
    parse_checkpoint,
    verify_ledger,
)
from trialwright.protocol import load_study
from trialwright.protocol.roles import Role
from trialwright.stores import MemoryStore, StoreFull, StoreUnavailable, open_store
from trialwright.stores.grouping import GroupingDatabase
from trialwright.stores.sql import SqlStore
from trialwright.trial.checkpointing import Checkpointer
from trialwright.trial.command import Actor, Context, NotYet
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.setup.commands import CreateStudy
from trialwright_web.config.demo import environment


@pytest.fixture(scope="module")
def power(attack):
    return attack("attack_power")


def carry_out(power, store, acts, acknowledged):
    """Acts with retries; notes what was refused and what acknowledged."""
    refused = []
    while len(acknowledged) < acts:
        try:
            power.act(store, len(acknowledged), 3000)
        except RequestAlreadyRecorded:
            pass
        except RecordError as error:
            refused.append(type(error))
            assert error.remedy
            assert len(refused) < 50, f"it does not go on: {error}"
            continue
        acknowledged.append(len(acknowledged))
    return refused


@pytest.mark.parametrize(
    ("kind", "planted", "named"),
    [
        ("write", apsw.IOError("planted"), StoreUnavailable),
        ("sync", apsw.IOError("planted"), StoreUnavailable),
        ("write", apsw.FullError("planted"), StoreFull),
    ],
)
@pytest.mark.parametrize("first", [60, 75, 120, 133])
def test_an_error_of_the_disk_is_named_and_nothing_is_lost(power, folder, kind, planted, named, first):
    first = first if kind == "write" else first // 8
    disk = power.LoggingDisk(lambda what, file, n: planted if what == kind and first <= n < first + 3 else None)
    store = power.open_on(disk, folder / "store.db", pages=20)
    acknowledged = []
    refused = carry_out(power, store, 25, acknowledged)
    store.close()
    disk.unregister()
    assert set(refused) <= {named, StoreFull, StoreUnavailable}
    assert named in refused
    assert power.fault_of(folder / "store.db", len(acknowledged)) is None


def test_the_attack_finds_a_build_that_answers_before_the_commit(power, folder):
    """Errors come after the answer then; what was undone had been acknowledged."""
    disk = power.LoggingDisk(
        lambda what, file, n: apsw.FullError("planted") if what == "write" and n >= 150 else None
    )
    store = power.open_on(disk, folder / "store.db")
    weak = SqlStore(GroupingDatabase(store._database, 4), store.keyring)
    acknowledged = []
    for number in range(30):
        try:
            power.act(weak, number, 3000)
        except RecordError:
            break
        acknowledged.append(number)
    store._database.rollback()
    store._database.close()
    disk.unregister()
    assert power.fault_of(folder / "store.db", len(acknowledged)) == "lost"


@contextmanager
def small_disk(folder, kilobytes):
    """A real file system with so much room."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"A SMALL DISK COULD NOT BE MOUNTED, the full disk was planted only: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_really_full_refuses_and_goes_on_when_room_returns(power, folder):
    with small_disk(folder, 2000) as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(1_000_000))
        acknowledged = 0
        with open_store(f"sqlite:///{disk}/store.db") as store:
            with pytest.raises(StoreFull):
                while True:
                    power.act(store, acknowledged, 3000)
                    acknowledged += 1
            assert acknowledged
            with pytest.raises(StoreFull):
                power.act(store, acknowledged, 3000)
            ballast.unlink()
            power.act(store, acknowledged, 3000)
            acknowledged += 1
            assert verify_ledger(store.ledger(power.LEDGER), outside={}, keys=[]).fault is None
        assert power.fault_of(disk / "store.db", acknowledged) is None


# --- clocks --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def build(request):
    return compiled(load_study(request.config.rootpath / "studies" / "smart-ms").study)


CLOCKS = [
    datetime(2026, 10, 25, 0, 59, 59, 999999, tzinfo=UTC),  # an instant before the hour that comes twice
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
    datetime(2020, 2, 29, 23, 59, 59, 1, tzinfo=UTC),  # years back
    datetime(2031, 1, 1, tzinfo=UTC),  # years ahead
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # the hour that does not exist in Oslo
]


def test_a_clock_that_jumps_changes_neither_order_nor_times(build):
    clock, store = SettableClock(CLOCKS[0]), MemoryStore()
    trial = Trial(
        build.study.identity.id, open_store=store, closed_store=MemoryStore(), builds={build.id: build},
        clock=clock, entropy=DerivedEntropy(1), mode="rehearsal",
    )  # fmt: skip
    sponsor = Actor("sponsor", Role.SPONSOR, "centre")
    trial.dispatch(CreateStudy(build=build.id), by=sponsor, request_id="create")
    for number, instant in enumerate(CLOCKS[1:]):
        clock.set(instant)
        with pytest.raises(Refusal):
            trial.dispatch(CreateStudy(build=build.id), by=sponsor, request_id=f"again-{number}")
    log = store.ledger(f"{trial.study}/security-open")
    times = [json.loads(entry.body)["at"] for entry in log.read()]
    assert [datetime.fromisoformat(text) for text in times] == CLOCKS[1:]
    assert {datetime.fromisoformat(fact.at) for fact in trial.facts(Space.OPEN)} == {CLOCKS[0]}


def test_a_clock_that_was_put_back_holds_no_checkpoint_back():
    """A signature's, and one of every minute: else nothing would be proven until the clock is where it was."""
    clock, store, signed = SettableClock(CLOCKS[3]), MemoryStore(), []
    ledger = store.ledger("small/open")
    checkpointer = Checkpointer(
        {Space.OPEN: store}, {Space.OPEN: ledger}, SigningKey("sponsor", bytes(32)), clock,
        lambda space, note: signed.append(parse_checkpoint(note).size),
    )  # fmt: skip

    def happens():
        number = ledger.size() + 1
        said = {"stream": "study", "stream_seq": number, "type": "a.b", "request_id": f"r-{number}"}
        with ledger.transaction() as transaction:
            transaction.append([NewEntry(**said, body=canonical(said))])

    for number, ask in enumerate((checkpointer.periodic, lambda: checkpointer(Space.OPEN)) * 2, 1):
        happens()
        ask()
        assert signed[-1] == number, "whatever the clock says"
        clock.set(clock.now() - timedelta(days=400))
    happens()
    checkpointer(Space.OPEN)
    clock.set(clock.now() + timedelta(seconds=59))
    happens()
    assert checkpointer.periodic() == 0, "a minute has not gone by"
    clock.set(clock.now() + timedelta(seconds=1))
    assert checkpointer.periodic() == 1


LOCKED = """
import django, json
django.setup()
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from trialwright.foundation.ports import SettableClock
from trialwright.stores import StoreLocked
from trialwright_web.config import forgetting

tried = []
def locked(self, study):
    tried.append(study)
    raise StoreLocked("somebody else", remedy="wait")
forgetting.installation = lambda: SimpleNamespace(studies=["small"])
forgetting.Forgetting._in_study = locked
clock = SettableClock(datetime(2031, 1, 1, tzinfo=UTC))
worker = forgetting.Forgetting("staff", clock)

def after(**delta):
    clock.set(clock.now() + timedelta(**delta))
    try:
        worker.carry_on()
    except StoreLocked:
        pass
    return len(tried)

print(json.dumps([after(), after(seconds=59), after(days=-400), after(seconds=59), after(seconds=1)]))
"""


def test_a_clock_that_was_put_back_keeps_nobody_from_being_forgotten(tmp_path):
    """What failed is tried again a minute later: of the worker's clock, and at once where that was put back."""
    (tmp_path / "secret.key").write_text("f" * 64, encoding="ascii")
    (tmp_path / "installation.toml").write_text("[studies]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LOCKED], env={**os.environ, **environment(tmp_path, "staff")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "[1, 1, 2, 2, 3]\n", done.stderr


def context(build, observed_at, now=CLOCKS[1]):
    return Context(
        now=now, zone="Europe/Oslo", today="2026-10-25", observed_at=observed_at,
        actor=Actor("nurse", Role.STUDY_NURSE, "hospital", "01"), reason=None, signature=None, build=build,
        builds={build.id: build}, mode="rehearsal", request_id="r", entropy=DerivedEntropy(1), allocations=None,
        open_head=lambda: (0, ""),
    )  # fmt: skip


def test_the_hour_that_comes_twice_is_two_hours(build):
    summer = context(build, "2026-10-25T02:30:00+02:00").happened
    winter = context(build, "2026-10-25T02:30:00+01:00", now=datetime(2026, 10, 25, 2, tzinfo=UTC)).happened
    assert (winter - summer).total_seconds() == 3600


def test_a_claimed_time_without_offset_or_ahead_of_the_clock_is_refused(build):
    with pytest.raises(InvalidValue):
        _ = context(build, "2026-10-25T02:30:00").happened
    with pytest.raises(NotYet):
        _ = context(build, "2026-10-25T02:30:00+01:00").happened

"""Two worlds: the same trial with the arms exchanged leaves the same open space, byte for byte.

Same seed, clock and people; what happens to participants is drawn independently of the arm; seals are ideal, so that
their bytes depend on their place alone. Whatever then differs in the open space tells the arm. ``LEAKS`` are small
faults planted into the system, each of which the comparison must report. The whole campaign::

    python tests/campaigns/two_worlds.py [participants] [seeds]

``tests/journeys/test_two_worlds.py`` runs the same in a short form.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import logging
import sqlite3
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.exports import FORMATS, ITEM_COLUMNS, labelled_items, view_rows, write_table
from trialwright.foundation.ports import DerivedEntropy
from trialwright.ledger import write_export
from trialwright.ledger.port import Store
from trialwright.protocol import load_study
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.rehearsal import Rehearsed, Wishes, rehearse, summary
from trialwright.rehearsal import closing as closing_of_rehearsal
from trialwright.rehearsal import product as product_of_rehearsal
from trialwright.rehearsal.world import World
from trialwright.stores import MemoryStore, open_store
from trialwright.trial.allocation.commands import RandomiseParticipant, UnblindInEmergency
from trialwright.trial.allocation.events import EmergencyUnblinded, ParticipantRandomised
from trialwright.trial.audit import audit_trail
from trialwright.trial.capture.commands import VerifyItems
from trialwright.trial.closure.commands import FreezeAnalysisCode
from trialwright.trial.closure.events import DeviationOpened
from trialwright.trial.command import Actor, Command, Context
from trialwright.trial.custody.commands import AdministerProduct, HandOver, StoreProduct
from trialwright.trial.custody.events import InjectionHandedOver, LabelTaken, LateResultReported
from trialwright.trial.custody.views import SLOT
from trialwright.trial.dispatch import Receipt, Trial
from trialwright.trial.event import Event, Space
from trialwright.trial.queries.commands import OpenQuery
from trialwright.trial.rooms import DECISIONS
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.state import State

STUDIES = Path(__file__).parents[2] / "studies"

Seen = dict[str, bytes]
"""Name of a piece → its bytes: everything that somebody with the whole open space, and only that, can read."""


@dataclass(frozen=True)
class Ran:
    """One world, and what can be seen of it.

    Attributes:
        open: what a blinded person could get hold of.
        closed: the entries of the closed space.
        arms: participant → allocation.
    """

    open: Seen
    closed: bytes
    arms: Mapping[str, str]


def study(name: str) -> Build:
    """The build of a study of this repository."""
    return compiled(load_study(STUDIES / name).study)


def without_follow_up_forms(build: Build) -> Build:
    """The same study, its visits without acts left empty after screening: each planted fault needs two runs, and
    what leaks is decided where products are made, handed over and given."""
    schedule = build.study.schedule
    encounters = tuple(
        e if e.acts else e.model_copy(update={"forms": tuple(f for f in e.forms if f == "vital_signs")})
        for e in schedule.encounters
    )
    return compiled(
        build.study.model_copy(update={"schedule": schedule.model_copy(update={"encounters": encounters})})
    )


def world(
    build: Build,
    *,
    mirrored: bool,
    participants: int,
    seed: int = 1,
    address: Callable[[str], str] | None = None,
    responses: bool = False,
    thorough: bool = True,
) -> Ran:
    """Run one world and look at all there is to see.

    Args:
        mirrored: every allocation exchanged for the other.
        address: space → address of its store; memory without it. Databases are closed and read again from outside.
        responses: let what is given change values, which only a leak does here.
        thorough: read the audit trail in every role and write every export, too.
    """
    wishes = Wishes(participants=participants, seed=seed, ideal_seals=True, mirrored=mirrored, responses=responses)
    handed: list[str] = []

    def hand_out(space: Space, note: str) -> None:
        if space is Space.OPEN:
            handed.append(note)

    opened = open_store(address("open")) if address else MemoryStore()
    closed = open_store(address("closed")) if address else MemoryStore()
    with opened, closed:
        with _listening() as said:
            done = rehearse(build, opened, closed, wishes, hand_out=hand_out)
        seen = {
            **_ledgers(opened),
            **_tables(done, opened),
            **_told(done),
            **({**_trails(done), **_exported(opened, build.study.identity.id)} if thorough else {}),
            "checkpoints handed out": "\0".join(handed).encode(),
            "logs and printed words": "".join(said).encode(),
        }
        arms = {row: _label(done.trial, row) for row in _randomised(done)}
        hidden = b"\0".join(_ledgers(closed).values())
    if address:
        seen |= _database(address("open"))
    return Ran(seen, hidden, arms)


def differences(one: Seen, other: Seen) -> list[str]:
    """Every piece that is not the same in both, and where it begins to differ."""
    found = []
    for name in sorted(one.keys() | other.keys()):
        a, b = one.get(name), other.get(name)
        if a is None or b is None:
            found.append(f"{name}: only in one world")
        elif a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            start = max(0, at - 60)
            found.append(
                f"{name}: {len(a)} and {len(b)} bytes, at {at}: {a[start : at + 40]!r} / {b[start : at + 40]!r}"
            )
    return found


# --- what there is to see ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _listening() -> Iterator[list[str]]:
    """Whatever is logged at any level, printed or warned meanwhile."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(f"{record.name} {record.levelname} {record.getMessage()}\n")

    root, ear, printed = logging.getLogger(), Ear(), io.StringIO()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            yield said
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
    said.extend([printed.getvalue(), *(f"{warning.message}\n" for warning in warned)])


def _ledgers(store: Store) -> Seen:
    """Every ledger of the store, the security log too: columns, bodies, hashes, head, streams, checkpoints."""
    seen = {"ledgers": " ".join(store.ledger_ids()).encode()}
    for name in store.ledger_ids():
        ledger = store.ledger(name)
        seen[f"{name}: entries"] = b"\n".join(repr(tuple(entry)).encode() for entry in ledger.read())
        seen[f"{name}: head"] = repr(ledger.head()).encode()
        seen[f"{name}: streams"] = repr([(s, ledger.stream_version(s)) for s in ledger.streams()]).encode()
        seen[f"{name}: checkpoints kept"] = "\0".join(store.checkpoints(name)).encode()
    return seen


def _tables(done: Rehearsed, store: Store) -> Seen:
    return {
        f"table {table.name}": json.dumps(list(store.rows.where(table))).encode()
        for table in done.trial.projectors[Space.OPEN].tables
    }


def _told(done: Rehearsed) -> Seen:
    refused = sorted((t.command, t.refusal, n) for t, n in done.refused.items() if t.space is Space.OPEN)
    return {"summary": summary(done).encode(), "refusals on the way": repr(refused).encode()}


def _trails(done: Rehearsed) -> Seen:
    """The audit trail as each blinded role reads it, site by site."""
    study = next(iter(done.trial.builds.values())).study
    identity = study.identity
    # The inspector reads the closed space once the study is unblinded, as it is at the end of a rehearsal.
    sighted = {*identity.blinding.unblinded_roles, Role.INSPECTOR, Role.PARTICIPANT}
    readers: list[dict[str, Any]] = [
        {"role": role, "site": site}
        for role in identity.roles
        if role not in sighted
        for site in (study.sites if role in SITE_ROLES else (None,))
    ]
    readers += [{"role": Role.PARTICIPANT, "participant": code} for code in _randomised(done)]
    return {
        f"audit trail of {' '.join(str(value) for value in reader.values())}": _lines(
            audit_trail(done.trial, **reader)
        )
        for reader in readers
    }


def _lines(rows: Iterable[object]) -> bytes:
    return b"\n".join(repr(row).encode() for row in rows)


def _exported(store: Store, name: str) -> Seen:
    """The files that ``trialwright export`` writes from the open store: their names, their order and their bytes."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        builds = builds_on_record(store.ledger(f"{name}/open"))
        for format_ in FORMATS:
            rows = labelled_items(store.rows, builds, "en")
            write_table(rows, ITEM_COLUMNS, folder / f"items.{format_}", format_)
        for table, columns, rows in view_rows(store.rows, Space.OPEN):
            write_table(rows, columns, folder / f"{table}.csv", "csv")
        for ledger in store.ledger_ids():
            target = folder / f"ledger-{ledger.replace('/', '-')}.zip"
            write_export(store.ledger(ledger), target, checkpoints=store.checkpoints(ledger))
        return {f"export {path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


def _database(address: str) -> Seen:
    """The database as its owner reads it, without our code."""
    if address.startswith("sqlite"):
        path = Path(address.removeprefix("sqlite:///"))
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as raw:
            dump = "\n".join(raw.iterdump())
        files = {f"file {p.name[len(path.name) :]}": p.read_bytes() for p in path.parent.glob(f"{path.name}*")}
        return {"database, dumped": dump.encode(), **files}
    seen = {}
    with psycopg.connect(address) as raw:
        names = raw.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        ).fetchall()
        for schema, table in names:
            # Where a row lies in its table depends on when the server's own vacuum passed by; that is not compared.
            rows = raw.execute(f'SELECT t::text FROM "{schema}"."{table}" t ORDER BY t::text COLLATE "C"').fetchall()
            seen[f"database {schema}.{table}"] = "\n".join(row for (row,) in rows).encode()
    return seen


def _randomised(done: Rehearsed) -> list[str]:
    return [fact.event.participant for fact in done.trial.facts() if isinstance(fact.event, ParticipantRandomised)]


def _label(trial: Trial, participant: str) -> str:
    assert trial.allocations is not None
    return trial.allocations.label(participant)


# --- planted leaks -------------------------------------------------------------------------------------------------

Change = Callable[[list[Event], Any, State, Context], list[Event]]


def _decides(patch: pytest.MonkeyPatch, command: type[Command], change: Change) -> None:
    """Let a decision amount to something else."""
    decide = DECISIONS[command]
    patch.setitem(
        DECISIONS, command, lambda c, state, context: change(list(decide(c, state, context)), c, state, context)
    )


def _acts(patch: pytest.MonkeyPatch, command: type[Command], before: Any = None, after: Any = None) -> None:
    """Let people of the rehearsal do something more around an act, or the act otherwise."""
    act = World.act

    def changed(world: World, given: Command, by: Actor, **how: Any) -> Receipt:
        if not isinstance(given, command):
            return act(world, given, by, **how)
        if before is not None:
            given, by, how = before(world, given, by, how)
        receipt = act(world, given, by, **how)
        if after is not None:
            after(world, given)
        return receipt

    patch.setattr(World, "act", changed)


def _arm(context: Context, participant: str) -> str:
    assert context.allocations is not None
    return context.allocations.label(participant)


def _row(state: State, context: Context, event: ParticipantRandomised) -> str:
    """The label in the next row, as the randomising process could only know with the keys."""
    gateway: Any = context.allocations
    return str(gateway._value(gateway._state(), event.stratum, event.position))


def _with_token(change: Callable[[str, ParticipantRandomised], str]) -> Change:
    def changed(events: list[Event], command: Any, state: State, context: Context) -> list[Event]:
        return [
            replace(e, token=change(_row(state, context, e), e)) if isinstance(e, ParticipantRandomised) else e
            for e in events
        ]

    return changed


def token_from_the_label(patch: pytest.MonkeyPatch) -> None:
    """The opaque token is an unsalted hash of participant and label."""
    token = _with_token(lambda label, e: sha256(f"{e.participant} {label}".encode()).hexdigest()[:32])
    _decides(patch, RandomiseParticipant, token)


def token_not_padded(patch: pytest.MonkeyPatch) -> None:
    """The token says nothing, but is as long as the label."""
    _decides(patch, RandomiseParticipant, _with_token(lambda label, e: "0" * len(label)))


def store_crosses(patch: pytest.MonkeyPatch) -> None:
    """Freezing a product that is not given also writes to the open space."""

    def more(events: list[Event], command: StoreProduct, state: State, context: Context) -> list[Event]:
        return [*events, InjectionHandedOver(participant=command.participant, slot="slot_1")]

    _decides(patch, StoreProduct, more)


def more_open_events(patch: pytest.MonkeyPatch) -> None:
    """A product that is given leaves one open event more than the comparator."""

    def more(events: list[Event], command: AdministerProduct, state: State, context: Context) -> list[Event]:
        given = command.content == "product"
        return [
            *events,
            *([LabelTaken(label=f"{command.label}.U", participant=command.participant)] if given else []),
        ]

    _decides(patch, AdministerProduct, more)


def lot_in_the_open(patch: pytest.MonkeyPatch) -> None:
    """The lot of what was handed over stands in an open event; number and size are the same in both arms."""

    def more(events: list[Event], command: HandOver, state: State, context: Context) -> list[Event]:
        lot = command.comparator_lot or "CELL-0001"
        late = LateResultReported(participant=command.participant, slot=command.slot, measurement="lot", result=lot)
        return [*events, late]

    _decides(patch, HandOver, more)


def deviation_in_one_arm(patch: pytest.MonkeyPatch) -> None:
    """Giving the comparator opens a deviation, in neutral words."""

    def more(events: list[Event], command: AdministerProduct, state: State, context: Context) -> list[Event]:
        deviation = DeviationOpened(
            participant=command.participant, deviation=f"product.x.{command.slot}", kind="product", about="see closed"
        )
        return [*events, *([deviation] if command.content == "comparator" else [])]

    _decides(patch, AdministerProduct, more)


def query_names_the_arm(patch: pytest.MonkeyPatch) -> None:
    """A monitor who knows too much asks about a participant in words that name the arm."""
    asked: set[tuple[int, str]] = set()

    def ask(world: World, command: VerifyItems) -> None:
        about = id(world), command.participant
        if command.participant not in world.randomised or about in asked:
            return
        asked.add(about)
        question = OpenQuery(
            participant=command.participant,
            encounter=command.encounter,
            form=command.form,
            repeat=command.repeat,
            item=command.items[0],
            text=f"Is this plausible after {_label(world.trial, command.participant)}?",
        )
        world.act(question, world.cast.central(Role.MONITOR), topic="leak")

    _acts(patch, VerifyItems, after=ask)


def emergency_tells_what(patch: pytest.MonkeyPatch) -> None:
    """The open record of an emergency unblinding says what was seen."""

    def telling(events: list[Event], command: UnblindInEmergency, state: State, context: Context) -> list[Event]:
        arm = _arm(context, command.participant)
        return [replace(e, means=arm) if isinstance(e, EmergencyUnblinded) else e for e in events]

    _decides(patch, UnblindInEmergency, telling)


def log_names_the_content(patch: pytest.MonkeyPatch) -> None:
    """A debugging line in the log of the application names the content of the syringe."""

    def logged(events: list[Event], command: HandOver, state: State, context: Context) -> list[Event]:
        logging.getLogger("trialwright.custody").debug("handed over, lot %s", command.comparator_lot)
        return events

    _decides(patch, HandOver, logged)


def _later(**time: float) -> Callable[[World, Any], None]:
    def wait(world: World, command: Any) -> None:
        world.clock.set(world.clock.now() + timedelta(**time))

    return wait


def hand_over_takes_longer(patch: pytest.MonkeyPatch) -> None:
    """Thawing the product takes ninety seconds more than drawing up saline."""

    def wait(world: World, command: HandOver, by: Actor, how: Any) -> Any:
        if command.comparator_lot is None:
            _later(seconds=90)(world, command)
        return command, by, how

    _acts(patch, HandOver, before=wait)


def freezing_holds_up_the_next_act(patch: pytest.MonkeyPatch) -> None:
    """Who injects waits for the laboratory to freeze what was not given before going on."""

    def wait(world: World, command: AdministerProduct) -> None:
        if command.content == "comparator":
            _later(hours=3)(world, command)

    _acts(patch, AdministerProduct, after=wait)


def another_person_hands_over(patch: pytest.MonkeyPatch) -> None:
    """Saline comes from the qualified person, cells from the laboratory."""

    def other(world: World, command: HandOver, by: Actor, how: Any) -> Any:
        return command, world.cast.central(Role.QUALIFIED_PERSON) if command.comparator_lot else by, how

    _acts(patch, HandOver, before=other)


def refused_in_one_arm(patch: pytest.MonkeyPatch) -> None:
    """In one arm somebody tries what is refused, and the open security log grows."""

    def retry(world: World, command: HandOver) -> None:
        if command.comparator_lot:
            site = command.participant.split("-")[1]
            by = world.cast.at(site, Role.INVESTIGATOR)
            assert world.attempt(RandomiseParticipant(participant=command.participant), by) is None

    _acts(patch, HandOver, after=retry)


def checkpoint_when_frozen(patch: pytest.MonkeyPatch) -> None:
    """Freezing a product makes a checkpoint of the open ledger."""

    def sign(world: World, command: StoreProduct) -> None:
        checkpointer: Any = world.trial.checkpoint
        checkpointer.sign(Space.OPEN)

    _acts(patch, StoreProduct, after=sign)


def closed_root_in_the_open(patch: pytest.MonkeyPatch) -> None:
    """An open event cites the root of the closed ledger."""

    def cite(world: World, command: FreezeAnalysisCode, by: Actor, how: Any) -> Any:
        return replace(command, code=world.trial.ledgers[Space.CLOSED].head().root.hex()), by, how

    _acts(patch, FreezeAnalysisCode, before=cite)


def requests_counted_together(patch: pytest.MonkeyPatch) -> None:
    """Request ids of both spaces come from one counter."""

    def counted(world: World, command: Command, topic: str) -> str:
        world._requests["all"] += 1
        return f"request-{world._requests['all']:06}"

    patch.setattr(World, "_request_id", counted)


def salts_drawn_in_order(patch: pytest.MonkeyPatch) -> None:
    """Salts of both spaces come from one stream, in the order of use."""
    drawn: Counter[int] = Counter()
    draw = DerivedEntropy.bytes

    def in_order(self: DerivedEntropy, count: int, *, purpose: str, stream: str, position: int) -> bytes:
        if purpose.startswith("salt"):
            drawn[id(self)] += 1
            purpose, stream, position = "salt", "all", drawn[id(self)]
        return draw(self, count, purpose=purpose, stream=stream, position=position)

    patch.setattr(DerivedEntropy, "bytes", in_order)


def kits_numbered_in_order(patch: pytest.MonkeyPatch) -> None:
    """Labels are numbered on at each site, and a frozen product takes a number too."""
    used: Counter[tuple[int, str]] = Counter()

    def take(draws: object, participant: str) -> tuple[str, int]:
        site = participant.split("-")[1]
        used[id(draws), site] += 1
        return site, used[id(draws), site]

    def numbered(build: Build, draws: Any, participant: str, slot: str, attempt: int) -> str:
        assert build.study.custody is not None
        return product_of_rehearsal.sample(build.study.custody.identifier, draws, *take(draws, participant))

    patch.setattr(product_of_rehearsal, "new_label", numbered)
    _acts(patch, StoreProduct, after=lambda world, command: take(world.draws, command.participant))


def sorted_by_arm(patch: pytest.MonkeyPatch) -> None:
    """At the end participants are gone through arm by arm."""
    worlds: list[World] = []

    def remember(world: World, command: Command, by: Actor, how: Any) -> Any:
        worlds.append(world)
        return command, by, how

    def by_arm(things: Any) -> list[Any]:
        found = builtins.sorted(things)
        if not worlds or not all(isinstance(thing, str) for thing in found):
            return found
        randomised = worlds[-1].randomised
        return builtins.sorted(found, key=lambda p: _label(worlds[-1].trial, p) if p in randomised else "")

    _acts(patch, RandomiseParticipant, before=remember)
    patch.setattr(closing_of_rehearsal, "sorted", by_arm, raising=False)


def view_fed_from_the_closed_space(patch: pytest.MonkeyPatch) -> None:
    """A projection of the open space is written from a closed fact; no ledger shows it."""
    _after_hand_over(patch, lambda rows, row, content: rows.put(SLOT, {**row, "late_result": content}))


def trace_in_a_free_page(patch: pytest.MonkeyPatch) -> None:
    """A closed fact stood in the open database for a moment; every query agrees, the file does not."""

    def pass_through(rows: Any, row: Any, content: str) -> None:
        rows.put(SLOT, {**row, "slot": f"zz {content}" * 40})

    def wipe(rows: Any, row: Any, content: str) -> None:
        rows.delete(SLOT, (row["participant"], f"zz {content}" * 40))

    _after_hand_over(patch, pass_through, wipe)


def _after_hand_over(patch: pytest.MonkeyPatch, *steps: Callable[[Any, Any, str], None]) -> None:
    append = Trial._append_both

    def leaking(trial: Trial, closed: Any, *rest: Any) -> Any:
        facts = append(trial, closed, *rest)
        for entry in closed:
            if entry.type != "custody.syringe_handed_over":
                continue
            data = json.loads(entry.body)["data"]
            for step in steps:
                with trial.ledgers[Space.OPEN].transaction() as transaction:
                    row = transaction.rows.get(SLOT, (data["participant"], data["slot"]))
                    step(transaction.rows, row, data["content"])
        return facts

    patch.setattr(Trial, "_append_both", leaking)


LEAKS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    leak.__name__: leak
    for leak in (
        token_from_the_label,
        token_not_padded,
        store_crosses,
        more_open_events,
        lot_in_the_open,
        deviation_in_one_arm,
        query_names_the_arm,
        emergency_tells_what,
        log_names_the_content,
        hand_over_takes_longer,
        freezing_holds_up_the_next_act,
        another_person_hands_over,
        refused_in_one_arm,
        checkpoint_when_frozen,
        closed_root_in_the_open,
        requests_counted_together,
        salts_drawn_in_order,
        kits_numbered_in_order,
        sorted_by_arm,
        view_fed_from_the_closed_space,
    )
}
"""Faults that any store shows."""

FILE_LEAKS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {"trace_in_a_free_page": trace_in_a_free_page}
"""Faults that only the file of a database shows."""


def in_files(folder: Path, mirrored: bool) -> Callable[[str], str]:
    """Addresses of SQLite stores, one folder a world, alike in name."""
    place = folder / ("mirrored" if mirrored else "plain")
    place.mkdir()
    return lambda space: f"sqlite:///{place / space}.db"


def main(participants: int = 18, seeds: int = 3) -> int:
    """The long form: every blinded study, many seeds, memory and files, and every leak. Returns the exit code."""
    wrong = 0
    for name in ("smart-ms", "ocrelizumab-sc"):
        build = study(name)
        for seed in range(1, seeds + 1):
            with tempfile.TemporaryDirectory() as folder:
                one, other = (
                    world(
                        build,
                        mirrored=mirrored,
                        participants=participants,
                        seed=seed,
                        address=in_files(Path(folder), mirrored),
                    )
                    for mirrored in (False, True)
                )
            found = differences(one.open, other.open)
            exchanged = one.arms.keys() == other.arms.keys() and all(one.arms[p] != other.arms[p] for p in one.arms)
            fine = not found and one.closed != other.closed and exchanged
            wrong += not fine
            size = sum(map(len, one.open.values()))
            print(
                f"{name}, seed {seed}, {participants} participants: {len(one.open)} pieces, {size:,} bytes in each"
                f" world, {len(found)} pieces differ; every allocation exchanged: {exchanged}; closed spaces differ:"
                f" {one.closed != other.closed}",
                flush=True,
            )
            for difference in found[:10]:
                print(f"  {difference}")
    build = without_follow_up_forms(study("smart-ms"))
    for name, leak in {**LEAKS, **FILE_LEAKS}.items():
        found = caught(build, leak, in_file=name in FILE_LEAKS)
        wrong += not found
        print(f"planted {name}: {f'reported, pieces that differ: {len(found)}' if found else 'MISSED'}")
    return 1 if wrong else 0


def caught(build: Build, leak: Callable[[pytest.MonkeyPatch], None], *, in_file: bool = False) -> list[str]:
    """What the comparison reports when the leak is planted in both worlds. Two people, one for each sequence."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        leak(patch)
        one, other = (
            world(
                build,
                mirrored=mirrored,
                participants=2,
                seed=2,
                address=in_files(Path(folder), mirrored) if in_file else None,
                thorough=False,
            )
            for mirrored in (False, True)
        )
    assert set(one.arms.values()) == set(other.arms.values()), "the seed gives both sequences"
    return differences(one.open, other.open)


def memory_folder() -> str | None:
    """A folder in memory where the machine has one; here nothing depends on what survives a power cut."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

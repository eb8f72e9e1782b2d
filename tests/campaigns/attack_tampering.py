"""Tampering: whoever owns the database changes it in every way we could think of, and ``verify`` is asked.

Each run takes a fresh SQLite file of one small ledger, lets an owner with full rights do up to three things to it,
evil ones and innocent ones mixed, and verifies it with the checkpoints that a site kept. Two judges who know nothing
of the verifier's code decide whether the answer was right:

- *truth*: the rows before and after. What the report calls covered must be as it was; where rows and head are as they
  were, there must be no fault; without a fault, all that the site's checkpoints cover must be called covered;
- *a plain reading of the format* (``first_bad``): the entry that the report names must be the one that it names.

The whole campaign (``make attack-tampering``), which goes on where it was stopped::

    python tests/campaigns/attack_tampering.py [runs] [--processes 2] [--kept FILE]

``tests/attacks/test_tampering_at_length.py`` runs a short form, and weakens the verifier rule by rule.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from long_run import Kept, Outcome, Progress

from trialwright.foundation.errors import TrialwrightError
from trialwright.ledger import (
    Frontier,
    NewEntry,
    NotVerifiable,
    Report,
    SigningKey,
    canonical,
    sign_checkpoint,
    verify_ledger,
)
from trialwright.stores import open_store

LEDGER = "demo/open"
RUNS_A_BLOCK = 250
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
SIZE, COVERED = 48, (13, 29, 43)
SPONSOR = SigningKey("sponsor.example/demo", b"s" * 32)
FORGER = SigningKey("sponsor.example/demo", b"f" * 32)
"""Of the same name as the trusted key: a replaced key."""
COLUMNS = "seq, stream, stream_seq, type, request_id, body, leaf, chain"

Row = list[object]
"""As in the database: seq, stream, stream_seq, type, request_id, body, leaf, chain."""


@dataclass
class Owned:
    """A database in the hands of its owner: rows and head as they will be written, and what else is done."""

    rows: list[Row]
    head: list[object]
    """Size, chain, frontier."""
    chance: random.Random
    sql: list[str] = field(default_factory=list)
    """Statements that change no row."""
    receipts: dict[str, str] = field(default_factory=dict)
    """What whoever verifies is given as the site's checkpoints."""
    stored: bool = False
    """Whether a checkpoint of what stands there in the end, signed by the forger, is stored beside it."""
    file: list[tuple[int, int]] = field(default_factory=list)
    """Bits of the file to turn over: place (a fraction of 2^32), bit."""

    def place(self, least: int = 0) -> int:
        return self.chance.randrange(least, len(self.rows)) if len(self.rows) > least else -1


# --- what an owner can do ------------------------------------------------------------------------------------------


def _better(row: Row, chance: random.Random) -> bytes:
    try:
        document = json.loads(_bytes(row[5]))
    except ValueError:  # an earlier act of the same run left bytes there that are no JSON
        document = {"stream": row[1], "stream_seq": row[2], "type": row[3], "request_id": row[4]}
    if not isinstance(document, dict):
        document = {}
    return canonical({**document, "data": {"value": f"better {chance.randrange(10**6)}"}})


def body_edited(owned: Owned) -> None:
    row = owned.rows[owned.place()]
    row[5] = _better(row, owned.chance)


def body_and_leaf_edited(owned: Owned) -> None:
    row = owned.rows[owned.place()]
    row[5] = _better(row, owned.chance)
    row[6] = _leaf(row[5])


def one_bit_of_a_body(owned: Owned) -> None:
    row = owned.rows[owned.place()]
    row[5] = _turned(row[5], owned.chance)


def one_bit_of_a_leaf(owned: Owned) -> None:
    row = owned.rows[owned.place()]
    row[6] = _turned(row[6], owned.chance)


def one_bit_of_a_chain_value(owned: Owned) -> None:
    row = owned.rows[owned.place()]
    row[7] = _turned(row[7], owned.chance)


def column_edited(owned: Owned) -> None:
    row = owned.rows[owned.place()]
    column = owned.chance.choice((1, 2, 3, 4))
    row[column] = 977 if column == 2 else "participant/P-x"


def column_of_another_kind(owned: Owned) -> None:
    row = owned.rows[owned.place()]
    column = owned.chance.choice((5, 6, 7))
    row[column] = _bytes(row[column]).hex()


def two_exchanged(owned: Owned) -> None:
    a = owned.place(1)
    if a > 0:
        owned.rows[a][1:], owned.rows[a - 1][1:] = owned.rows[a - 1][1:], owned.rows[a][1:]


def one_deleted(owned: Owned) -> None:
    del owned.rows[owned.place()]


def one_deleted_and_the_rest_renumbered(owned: Owned) -> None:
    one_deleted(owned)
    _renumber(owned.rows)


def one_inserted(owned: Owned) -> None:
    place = owned.place()
    row = list(owned.chance.choice(owned.rows))
    owned.rows.insert(place, row)
    _renumber(owned.rows)


def numbers_moved_on(owned: Owned) -> None:
    """The place of an entry is not in its hashed bytes."""
    for row in owned.rows[owned.place() :]:
        row[0] = int(str(row[0])) + 1000


def tail_cut_off(owned: Owned) -> None:
    del owned.rows[owned.place(1) :]
    _reheaded(owned)


def tail_cut_off_behind_the_head(owned: Owned) -> None:
    del owned.rows[owned.place(1) :]


def head_edited(owned: Owned) -> None:
    owned.head[1] = _turned(owned.head[1], owned.chance)


def rewritten(owned: Owned) -> None:
    """One body changed and every hash behind it computed anew."""
    body_edited(owned)
    _rehash(owned)


def rewritten_without_one(owned: Owned) -> None:
    """An entry gone, its stream counted anew, every hash computed anew."""
    one_deleted(owned)
    _recount(owned)


def rewritten_in_another_order(owned: Owned) -> None:
    owned.rows.sort(key=lambda row: owned.chance.random())
    _recount(owned)


def rewritten_with_another_type(owned: Owned) -> None:
    owned.rows[owned.place()][3] = "thing.undone"
    _recount(owned)


def rewritten_with_a_stream_not_counted(owned: Owned) -> None:
    one_deleted(owned)
    _rehash(owned)


def rewritten_with_a_column_forgotten(owned: Owned) -> None:
    owned.rows[owned.place()][4] = "another-request"
    _rehash(owned)


def rewritten_up_to_somewhere(owned: Owned) -> None:
    """Hashes computed anew for some entries only."""
    place = owned.place()
    row = owned.rows[place]
    row[5] = _better(row, owned.chance)
    _rehash(owned, until=place + owned.chance.randrange(1, 6))


def rewritten_with_new_checkpoints_of_a_replaced_key(owned: Owned) -> None:
    """The forger also hands out receipts, signed by a key of the same name."""
    rewritten(owned)
    leaves = [_bytes(row[6]) for row in owned.rows]
    owned.receipts = {
        f"receipt {n}": sign_checkpoint(LEDGER, n, Frontier.of(leaves[:n]).root(), FORGER)
        for n in COVERED
        if n <= len(leaves)
    }


def rewritten_with_a_stored_checkpoint_of_a_replaced_key(owned: Owned) -> None:
    """What no site has a receipt of yet, and a receipt of the forger's own laid into the database."""
    row = owned.rows[max(owned.place(COVERED[-1]), 0)]
    row[5] = _better(row, owned.chance)
    _rehash(owned)
    owned.stored = True


def bits_of_the_file(owned: Owned) -> None:
    owned.file += [(owned.chance.randrange(2**32), owned.chance.randrange(8)) for _ in range(3)]


def vacuumed(owned: Owned) -> None:
    owned.sql.append("VACUUM")


def indices_made_anew(owned: Owned) -> None:
    owned.sql.append("REINDEX")


def analysed(owned: Owned) -> None:
    owned.sql.append("ANALYZE")


def pages_of_another_size(owned: Owned) -> None:
    owned.sql += ["PRAGMA journal_mode = DELETE", "PRAGMA page_size = 8192", "VACUUM", "PRAGMA journal_mode = WAL"]


def own_table_added(owned: Owned) -> None:
    owned.sql.append("CREATE TABLE IF NOT EXISTS notes_of_the_administrator (text)")


EVIL: Sequence[Callable[[Owned], None]] = (
    body_edited,
    body_and_leaf_edited,
    one_bit_of_a_body,
    one_bit_of_a_leaf,
    one_bit_of_a_chain_value,
    column_edited,
    column_of_another_kind,
    two_exchanged,
    one_deleted,
    one_deleted_and_the_rest_renumbered,
    one_inserted,
    numbers_moved_on,
    tail_cut_off,
    tail_cut_off_behind_the_head,
    head_edited,
    rewritten,
    rewritten_without_one,
    rewritten_in_another_order,
    rewritten_with_another_type,
    rewritten_with_a_stream_not_counted,
    rewritten_with_a_column_forgotten,
    rewritten_up_to_somewhere,
    rewritten_with_new_checkpoints_of_a_replaced_key,
    rewritten_with_a_stored_checkpoint_of_a_replaced_key,
    bits_of_the_file,
)
INNOCENT: Sequence[Callable[[Owned], None]] = (
    vacuumed,
    indices_made_anew,
    analysed,
    pages_of_another_size,
    own_table_added,
)


def _turned(value: object, chance: random.Random) -> bytes:
    assert isinstance(value, bytes | str)
    changed = bytearray(value if isinstance(value, bytes) else value.encode())
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)  # type: ignore[call-overload, no-any-return]  # a cell


def _renumber(rows: list[Row]) -> None:
    for number, row in enumerate(rows, 1):
        row[0] = number


def _leaf(body: object) -> bytes:
    return sha256(b"\0" + _bytes(body)).digest()


def _rehash(owned: Owned, until: int = 10**9) -> None:
    _renumber(owned.rows)
    chain = sha256(b"\3" + LEDGER.encode()).digest()
    for number, row in enumerate(owned.rows):
        if number < until:
            row[6] = _leaf(row[5])
            row[7] = sha256(b"\2" + chain + _bytes(row[6])).digest()
        chain = _bytes(row[7])
    _reheaded(owned)


def _recount(owned: Owned) -> None:
    """Streams, bodies and hashes so that everything agrees with everything."""
    counted: Counter[str] = Counter()
    for row in owned.rows:
        counted[str(row[1])] += 1
        row[2] = counted[str(row[1])]
        said = {"stream": row[1], "stream_seq": row[2], "type": row[3], "request_id": row[4]}
        row[5] = canonical({**said, "data": {"value": "rewritten"}})
    _rehash(owned)


def _reheaded(owned: Owned) -> None:
    if owned.rows:
        frontier = Frontier.of(_bytes(row[6]) for row in owned.rows)
        owned.head = [frontier.size, owned.rows[-1][7], b"".join(frontier.nodes)]


# --- the judges ----------------------------------------------------------------------------------------------------


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 9162, section 2.1.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def first_bad(rows: Sequence[Row], head: tuple[int, bytes, bytes], signed: dict[int, bytes]) -> tuple[int, int]:
    """The entry that a plain reading of the format calls the first bad one (0: none), and how many are covered."""
    chain, counted, covered = sha256(b"\3" + LEDGER.encode()).digest(), Counter[str](), 0
    leaves: list[bytes] = []
    for place, row in enumerate([*rows, None], 1):
        if place - 1 in signed:
            if root_of(leaves) != signed[place - 1]:
                return covered + 1, covered
            covered = place - 1
        if row is None:
            break
        if not _good(row, place, chain, counted[str(row[1])]):
            return place, covered
        counted[str(row[1])] += 1
        chain = bytes(row[7])  # type: ignore[call-overload]  # a good row has bytes there
        leaves.append(bytes(row[6]))  # type: ignore[call-overload]
    if max(signed, default=0) > len(rows) or head != (len(rows), chain, root_of(leaves)):
        return len(rows) + 1, covered
    return 0, covered


def _good(row: Row, place: int, chain: bytes, before: int) -> bool:
    seq, stream, number, kind, request, body, leaf, stated = row
    if not all(type(cell) is bytes for cell in (body, leaf, stated)) or seq != place or number != before + 1:
        return False
    if leaf != _leaf(body) or stated != sha256(b"\2" + chain + _bytes(leaf)).digest():
        return False
    try:
        said = json.loads(_bytes(body).decode())
    except ValueError:
        return False
    return [said.get(name) for name in ("stream", "stream_seq", "type", "request_id")] == [
        stream,
        number,
        kind,
        request,
    ]


@dataclass(frozen=True)
class Verdict:
    """What came of one run. ``wrong``: empty, or what the verifier should have said."""

    outcome: str
    wrong: str


class Attack:
    """A ledger to attack, again and again.

    Args:
        folder: where its file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "attacked.db"
        with open_store(f"sqlite:///{self._path}") as store:
            ledger = store.ledger(LEDGER)
            with ledger.transaction() as transaction:
                transaction.append([_entry(number) for number in range(SIZE)])
            self._signed = {size: ledger.root(size) for size in COVERED}
            self.receipts = {
                f"receipt {n}": sign_checkpoint(LEDGER, n, root, SPONSOR) for n, root in self._signed.items()
            }
            store.save_checkpoint(LEDGER, self.receipts[f"receipt {COVERED[0]}"])
        with closing(sqlite3.connect(self._path)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._pristine = self._path.read_bytes()
        # Some versions of SQLite find fault with every table WITHOUT ROWID: what counts is what was not there before.
        self._in_order = self._integrity()
        self._rows, self._head = self._read()
        with closing(sqlite3.connect(self._path)) as raw:
            self._triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()

    def run(self, seed: int) -> Verdict:
        """One run; everything in it follows from the seed."""
        chance = random.Random(seed)
        owned = Owned([list(row) for row in self._rows], list(self._head), chance, receipts=dict(self.receipts))
        acts = [
            *chance.choices(EVIL, k=chance.choice((0, 1, 1, 1, 1, 2))),
            *chance.choices(INNOCENT, k=chance.choice((0, 1))),
        ]
        chance.shuffle(acts)
        for act in acts:
            if len(owned.rows) > 2:
                act(owned)
        told = " + ".join(act.__name__ for act in acts) or "nothing"
        self._write(owned)
        try:
            report = self._verify(owned.receipts)
        except NotVerifiable as refused:
            forged = owned.receipts != self.receipts
            return Verdict("receipt refused", "" if forged else f"{told}: {refused}")
        except TrialwrightError as refused:
            # A file that is no database any more, or whose columns hold other kinds: said by name, nothing proven.
            return Verdict(f"refused: {refused.code}", "" if owned.file or _odd(owned) else f"{told}: {refused}")
        except Exception as error:
            return Verdict("CRASHED", f"{told}: {error!r}")
        return self._judged(report, owned, told)

    def _judged(self, report: Report, owned: Owned, told: str) -> Verdict:
        try:
            rows, head = self._read()
        except (sqlite3.Error, IndexError, ValueError):
            # It was readable a moment ago: only possible where the file itself was spoiled.
            return Verdict("file spoiled", "" if owned.file and report.fault else f"{told}: {report}")
        if owned.file and report.fault and not self._sound():
            # In a broken tree of pages, what is read depends on the way there: no place is the right one to name.
            return Verdict("found in a damaged file", "")
        unchanged = rows == self._rows and head == self._head
        if rows[: report.covered] != self._rows[: report.covered]:
            return Verdict("MISSED", f"{told}: called covered and is not as it was: {report}")
        if report.fault is None and (report.covered != COVERED[-1] or owned.receipts != self.receipts):
            return Verdict("MISSED", f"{told}: no fault, and less is covered than was signed: {report}")
        if unchanged and report.fault is not None:
            return Verdict("FALSE ALARM", f"{told}: {report}")
        frontier = _bytes(head[2])
        nodes = [frontier[at : at + 32] for at in range(0, len(frontier), 32)]
        stated = (int(str(head[0])), _bytes(head[1]), _folded(nodes))
        expected, covered = first_bad(rows, stated, self._signed)
        named = report.fault.seq if report.fault else 0
        if (named, report.covered) != (expected, covered):
            return Verdict("MISNAMED", f"{told}: entry {expected} is the first bad one, {covered} covered: {report}")
        if report.fault:
            return Verdict(f"found: {report.fault.kind}", "")
        return Verdict("unchanged" if unchanged else "changed behind the last checkpoint, said to be unproven", "")

    def _verify(self, receipts: dict[str, str]) -> Report:
        with open_store(f"sqlite:///{self._path}", create=False) as store:
            return verify_ledger(
                store.ledger(LEDGER),
                outside=receipts,
                keys=[SPONSOR.verifier],
                inside=store.checkpoints(LEDGER),
            )

    def _sound(self) -> bool:
        """Whether SQLite itself finds the file's pages and indices in as good order as before anybody touched it."""
        try:
            return self._integrity() == self._in_order
        except (sqlite3.Error, UnicodeDecodeError):
            return False

    def _integrity(self) -> list[tuple[str]]:
        with closing(sqlite3.connect(self._path)) as raw:
            return raw.execute("PRAGMA integrity_check").fetchall()

    def _read(self) -> tuple[list[Row], Row]:
        with closing(sqlite3.connect(self._path)) as raw:
            # Bits of a name can move a row into a ledger that nobody asked about.
            own = "WHERE ledger_id = ?"
            found = raw.execute(f"SELECT {COLUMNS} FROM ledger_entry {own} ORDER BY seq", (LEDGER,)).fetchall()
            head = raw.execute(f"SELECT size, chain, frontier FROM ledger_head {own}", (LEDGER,)).fetchall()[0]
        return [list(row) for row in found], list(head)

    def _write(self, owned: Owned) -> None:
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._path.write_bytes(self._pristine)
        with closing(sqlite3.connect(self._path, isolation_level=None)) as raw:
            if owned.rows != self._rows or owned.head != self._head:
                raw.execute("PRAGMA synchronous = OFF")
                for name, _ in self._triggers:
                    raw.execute(f"DROP TRIGGER {name}")
                raw.execute("BEGIN")
                raw.execute("DELETE FROM ledger_entry")
                raw.executemany(
                    "INSERT OR IGNORE INTO ledger_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [(LEDGER, *row) for row in owned.rows],
                )
                raw.execute("UPDATE ledger_head SET size = ?, chain = ?, frontier = ?", owned.head)
                raw.execute("COMMIT")
                for _, sql in self._triggers:
                    raw.execute(sql)
            if owned.stored:
                root = Frontier.of(_bytes(row[6]) for row in owned.rows).root()
                note = sign_checkpoint(LEDGER, len(owned.rows), root, FORGER)
                raw.execute("INSERT INTO ledger_checkpoint VALUES (?, ?, ?)", (LEDGER, len(owned.rows), note))
            for statement in owned.sql:
                raw.execute(statement)
        if owned.file:
            content = bytearray(self._path.read_bytes())
            for place, bit in owned.file:
                content[place * len(content) >> 32] ^= 1 << bit
            self._path.write_bytes(content)


def _odd(owned: Owned) -> bool:
    return any(type(cell) is not bytes for row in owned.rows for cell in row[5:])


def _folded(nodes: list[bytes]) -> bytes:
    root = nodes[-1]
    for left in reversed(nodes[:-1]):
        root = sha256(b"\1" + left + root).digest()
    return root


def _entry(number: int) -> NewEntry:
    stream, place, request = f"participant/P-{number % 5}", number // 5 + 1, f"request-{number}"
    said = {"stream": stream, "stream_seq": place, "type": "thing.done", "request_id": request}
    return NewEntry(stream, place, "thing.done", request, canonical({**said, "data": {"value": str(number)}}))


def campaign(runs: int, folder: Path, first: int = 0) -> tuple[Counter[str], list[str]]:
    """Outcome → how often, and every run in which the verifier was wrong."""
    attack, outcomes, wrong = Attack(folder), Counter[str](), list[str]()
    for seed in range(first, first + runs):
        verdict = attack.run(seed)
        outcomes[verdict.outcome] += 1
        if verdict.wrong:
            wrong.append(f"seed {seed}: {verdict.outcome}: {verdict.wrong}")
    return outcomes, wrong


def block(number: int) -> Outcome:
    """The runs from ``number * RUNS_A_BLOCK`` on, in a folder in memory."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return Outcome(*campaign(RUNS_A_BLOCK, Path(folder), number * RUNS_A_BLOCK))


def long_campaign(runs: int, processes: int, kept: Kept) -> None:
    """Play the blocks that were not played before, with a progress bar and interim counts."""
    left = [number for number in range(-(-runs // RUNS_A_BLOCK)) if number not in kept.blocks]
    progress = Progress(len(left), "runs", RUNS_A_BLOCK)
    with ProcessPoolExecutor(processes) as pool:
        waiting = {pool.submit(block, number): number for number in left}
        try:
            for future in as_completed(waiting):
                kept.add(waiting[future], future.result())
                progress.step(len(kept.outcome.wrong))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)  # else all that waits would still be played
            raise


def main(arguments: Sequence[str] | None = None) -> int:
    """The long form. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=int, nargs="?", default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kept", type=Path, help="where outcomes are kept, to go on after an interruption")
    given = parser.parse_args(arguments)
    kept, began = Kept(given.kept), time.perf_counter()
    try:
        long_campaign(given.runs, given.processes, kept)
    except KeyboardInterrupt:
        print("stopped; what was played counts", file=sys.stderr)
    outcomes, wrong = kept.outcome.told, kept.outcome.wrong
    for outcome, number in outcomes.most_common():
        print(f"{number:>8,}  {outcome}")
    print(f"{outcomes.total():,} runs, {time.perf_counter() - began:,.0f} s, {len(wrong)} wrong answers")
    print("\n".join(wrong[:20]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

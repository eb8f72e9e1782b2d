"""The short form of ``tests/campaigns/attack_tampering.py``, and what it says to verifiers with a rule missing."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from sqlite3 import Error
from types import ModuleType

import psycopg
import pytest

from trialwright.foundation.errors import TrialwrightError
from trialwright.ledger import verification, verify, verify_ledger
from trialwright.stores import open_store, sqlite

RULES = {
    "leaf": ('if stream and sha256(b"\\x00" + body).digest() != leaf:', "if False:"),
    "chain": ('if chain and sha256(b"\\x02" + chain + leaf).digest() != stated:', "if False:"),
    "sequence": ("if seq != place:", "if False:"),
    "stream": ("if stream_seq != version + 1:", "if False:"),
    "columns": ("return None if agrees else", "return None if True else"),
    "checkpoint": ("if note.root != root_of(nodes):", "if False:"),
    "missing": ("if not fault and waiting:", "if False:"),
    "head": ("if not fault and head != (size, chain, root_of(nodes)):", "if False:"),
    "trusted key": ("if not mine and not kept:", "if False:"),
    "stored receipts believed": ("elif note.by:", "else:"),
}


@pytest.fixture(scope="session")
def tampering(attack):
    return attack("attack_tampering")


def weakened(rule: str) -> ModuleType:
    """The verifier without one of its rules."""
    text = Path(verify.__file__).read_text(encoding="utf-8")
    old, new = RULES[rule]
    assert text.count(old) == 1, f"the rule {rule} is not where it was"
    module = ModuleType(f"verify_without_{rule.replace(' ', '_')}")
    sys.modules[module.__name__] = module
    exec(compile(text.replace(old, new), module.__name__, "exec"), module.__dict__)
    return module


def test_whatever_an_owner_does_the_rows_are_unchanged_or_the_first_bad_entry_is_named(tampering, folder):
    outcomes, wrong = tampering.campaign(600, folder)
    assert wrong == []
    found = {outcome.removeprefix("found: ") for outcome in outcomes if outcome.startswith("found: ")}
    assert found == {"leaf", "chain", "sequence", "stream", "columns", "checkpoint", "missing", "head"}
    assert outcomes["unchanged"] > 50
    assert outcomes["changed behind the last checkpoint, said to be unproven"] > 0


@pytest.mark.parametrize("rule", RULES)
def test_a_verifier_without_one_of_its_rules_is_found_out(tampering, folder, monkeypatch, rule):
    monkeypatch.setattr(verification, "verify", weakened(rule))
    target = tampering.Attack(folder)
    assert any(target.run(seed).wrong for seed in range(600))


def test_a_verifier_with_all_its_rules_read_in_the_same_way_is_not(tampering, folder, monkeypatch):
    """The weakening itself is not what is found."""
    monkeypatch.setitem(RULES, "none", ("EMPTY = sha256", "EMPTY = sha256"))
    monkeypatch.setattr(verification, "verify", weakened("none"))
    assert tampering.campaign(60, folder)[1] == []


def test_on_postgresql_its_superuser_is_found_out_alike(tampering, new_postgres_database):
    """The same acts, written over the server's rows with triggers switched off."""
    address = new_postgres_database()
    with open_store(address) as store, store.ledger(tampering.LEDGER).transaction() as transaction:
        transaction.append([tampering._entry(number) for number in range(tampering.SIZE)])
    with open_store(address) as store:
        ledger = store.ledger(tampering.LEDGER)
        signed = {size: ledger.root(size) for size in tampering.COVERED}
        receipts = {
            f"receipt {n}": tampering.sign_checkpoint(tampering.LEDGER, n, root, tampering.SPONSOR)
            for n, root in signed.items()
        }
    columns = f"{tampering.COLUMNS} FROM ledger.ledger_entry ORDER BY seq"
    with psycopg.connect(address) as raw:
        rows = [list(row) for row in raw.execute(f"SELECT {columns}").fetchall()]
        head = list(raw.execute("SELECT size, chain, frontier FROM ledger.ledger_head").fetchall()[0])
    evil = [
        act for act in tampering.EVIL if act not in (tampering.column_of_another_kind, tampering.bits_of_the_file)
    ]
    for seed, act in enumerate(evil * 2):
        owned = tampering.Owned([list(row) for row in rows], list(head), random.Random(seed))
        act(owned)
        with psycopg.connect(address) as raw, raw.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM ledger.ledger_entry")
            cursor.executemany(
                "INSERT INTO ledger.ledger_entry VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [(tampering.LEDGER, *row) for row in owned.rows],
            )
            cursor.execute("UPDATE ledger.ledger_head SET size = %s, chain = %s, frontier = %s", owned.head)
            found = [list(row) for row in cursor.execute(f"SELECT {columns}").fetchall()]
        with open_store(address) as store:
            report = verify_ledger(
                store.ledger(tampering.LEDGER), outside=receipts, keys=[tampering.SPONSOR.verifier]
            )
        nodes = [owned.head[2][at : at + 32] for at in range(0, len(owned.head[2]), 32)]
        stated = (owned.head[0], owned.head[1], tampering._folded(nodes))
        expected = tampering.first_bad(found, stated, signed)
        assert (report.fault.seq if report.fault else 0, report.covered) == expected, (act.__name__, str(report))
        assert found[: report.covered] == rows[: report.covered]


def test_a_file_whose_schema_is_no_text_any_more_is_called_damaged(folder, monkeypatch):
    """SQLite's own message then cannot be decoded; found by the long campaign."""
    path = folder / "spoiled.db"
    open_store(f"sqlite:///{path}").close()
    content = path.read_bytes()
    at = content.index(b"tableledger_entryledger_entry")
    path.write_bytes(
        content[: at + 7] + b"\xd4" + content[at + 8 :].replace(b"CREATE TABLE led", b"CREATE TABLF led", 1)
    )
    with pytest.raises(TrialwrightError):
        open_store(f"sqlite:///{path}", create=False).close()
    monkeypatch.setattr(sqlite, "_ERRORS", (Error,))
    with pytest.raises(UnicodeDecodeError):  # what it was before
        open_store(f"sqlite:///{path}", create=False).close()


@pytest.mark.parametrize(
    "seed",
    [5263, 11854, 21436, 23333, 29275, 44027, 70440, 70763, 75944, 76378, 77488, 78123, 83323, 92572, 98732],
)
def test_what_was_once_answered_wrongly_is_answered_rightly(tampering, folder, seed):
    # Of 100,000: bits of the file that fell on a checkpoint kept in the store, or on the name of a row's ledger.
    assert tampering.Attack(folder).run(seed).wrong == ""

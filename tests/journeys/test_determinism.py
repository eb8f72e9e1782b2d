"""One seed, one record: on every store, in every process, on every Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore, open_store

SMALL = 4


def both(done):
    return done.root, done.closed_root


def test_memory_and_files_give_the_same_roots(in_memory, in_file):
    for name in ("smart-ms", "frexalimab-sc-iv", "ocrelizumab-sc"):
        kept = in_file(name)
        assert (kept.root, kept.closed_root) == both(in_memory(name, 1, SMALL))
        if name != "frexalimab-sc-iv":
            with open_store(kept.address("open"), create=False) as store:
                assert store.ledger(f"{kept.study}/open").head().root.hex() == kept.root
            with open_store(kept.address("closed"), create=False) as store:
                assert store.ledger(f"{kept.study}/closed").head().root.hex() == kept.closed_root


def test_postgresql_gives_the_same_roots(two_worlds, build_of, new_postgres_database):
    build, wishes = two_worlds.without_follow_up_forms(build_of("smart-ms")), Wishes(participants=2, seed=1)
    with open_store(new_postgres_database()) as opened, open_store(new_postgres_database()) as closed:
        done = rehearse(build, opened, closed, wishes)
        assert opened.ledger("smart-ms/open").head().root.hex() == done.root
        assert closed.ledger("smart-ms/closed").head().root.hex() == done.closed_root
    assert both(done) == both(rehearse(build, MemoryStore(), MemoryStore(), wishes))


def test_another_process_with_other_hashes_gives_the_same_roots(in_memory, other_python):
    """Python orders sets of texts anew in every process; nothing of that may reach the record."""
    done = in_memory("smart-ms", 1, SMALL)
    found = other_python.asked(sys.executable, ("smart-ms", SMALL, 1), hash_seed="4711")
    assert (found["root"], found["closed_root"]) == both(done)


def test_another_seed_gives_other_roots(in_memory):
    roots = [root for seed in (1, 2, 3) for root in both(in_memory("smart-ms", seed, SMALL))]
    assert len(set(roots)) == len(roots)


def test_another_python_gives_the_same_roots(in_memory, other_python):
    python = os.environ.get("TRIALWRIGHT_OTHER_PYTHON", "")
    kept = sorted(Path(other_python.REPOSITORY, ".other-python").glob("*/bin/python"))
    if not python and not kept:
        pytest.skip(
            "NO OTHER PYTHON: run tests/campaigns/other_python.py with one, or name the interpreter of an environment"
            " with Trialwright in TRIALWRIGHT_OTHER_PYTHON"
        )
    found = other_python.asked(python or kept[0], ("smart-ms", SMALL, 1))
    assert (found["root"], found["closed_root"]) == both(in_memory("smart-ms", 1, SMALL))

"""Views are folds: thrown away, spoiled and folded again they are the same, byte for byte."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from trialwright.foundation.ports import DerivedEntropy, SettableClock
from trialwright.rehearsal.rehearse import START
from trialwright.stores import open_store
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space

STUDIES = ("smart-ms", "frexalimab-sc-iv", "ocrelizumab-sc")
SMALL = 4


def tables(trial, space):
    """Every table of the space as bytes."""
    rows = trial.stores[space].rows
    return {t.name: json.dumps(list(rows.where(t))).encode() for t in trial.projectors[space].tables}


def spoil(trial, space):
    """Put a row that never was into every table, and drop another."""
    with trial.ledgers[space].transaction() as transaction:
        for table in trial.projectors[space].tables:
            row = next(transaction.rows.where(table), None)
            if row is not None:
                transaction.rows.delete(table, tuple(row[column.name] for column in table.key))
            ghost = {column.name: 999 if column.kind == "integer" else "ghost" for column in table.key}
            transaction.rows.put(table, ghost)


def assert_rebuilds(trial):
    for space in trial.ledgers:
        before = tables(trial, space)
        assert any(before.values())
        spoil(trial, space)
        assert all(content != before[name] for name, content in tables(trial, space).items())
        assert trial.rebuild_views(space) == trial.ledgers[space].head().size
        assert tables(trial, space) == before


@pytest.mark.parametrize("name", STUDIES)
def test_in_memory_every_table_comes_back_as_it_was(in_memory, name):
    trial = in_memory(name, 1, SMALL).trial
    assert_rebuilds(trial)


@pytest.mark.parametrize("name", STUDIES)
def test_in_a_file_every_table_comes_back_as_it_was(in_file, in_memory, build_of, name):
    """By a process that knows nothing but the files."""
    kept = in_file(name)
    plain = in_memory(name, 1, SMALL).trial
    with (
        closing(open_store(kept.address("open"), create=False)) as opened,
        closing(open_store(kept.address("closed"))) as closed,
    ):
        trial = Trial(
            kept.study,
            open_store=opened,
            closed_store=opened if plain.one_space else closed,
            builds=plain.builds,
            clock=SettableClock(START),
            entropy=DerivedEntropy(1),
            mode="rehearsal",
        )
        assert_rebuilds(trial)
        for space in Space:
            assert tables(trial, space) == tables(plain, space)

"""Folded streams: what they hold is what a fold of the whole stream holds, whoever wrote, whatever was let go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from trialwright.foundation.ports import DerivedEntropy
from trialwright.ledger import NewEntry, canonical
from trialwright.stores import MemoryStore
from trialwright.trial.event import Event, Space
from trialwright.trial.record import Recorder
from trialwright.trial.state import Slice, State, StreamCache

LEDGER = "demo/open"


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """Something to fold."""

    TYPE: ClassVar[str] = "demo.noted"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    text: str


@dataclass
class Notes(Slice):
    """All texts of a participant."""

    STREAM: ClassVar[str] = "participant/{}"
    FOLDS: ClassVar[tuple[type[Event], ...] | None] = (Noted,)
    texts: list[str] = field(default_factory=list)

    def apply(self, fact):
        self.texts.append(fact.event.text)


class Process:
    """One process with a cache of its own over a shared ledger."""

    def __init__(self, store, keep):
        self.ledger = store.ledger(LEDGER)
        self.recorder = Recorder([Noted], DerivedEntropy(1))
        self.cache = StreamCache({Space.OPEN: self.ledger}, [Notes], self.recorder, keep=keep)

    def write(self, participant, text):
        stream = f"participant/{participant}"
        seq = self.ledger.stream_version(stream) + 1
        with self.ledger.transaction() as transaction:
            placed = transaction.append([entry(stream, seq, participant, text, self.ledger.size())])
        self.cache.learn(Space.OPEN, [self.recorder.read(one) for one in placed], placed[-1].seq)

    def reads(self, participant):
        state = State(self.cache)
        texts = state.of(Notes, participant).texts
        return list(texts), state.version(Space.OPEN, f"participant/{participant}")


def entry(stream, seq, participant, text, number):
    said = dict.fromkeys(("observed_at", "site", "reason"))
    said |= dict.fromkeys(("at", "local", "zone", "actor", "role", "organisation", "build"), "x")
    body = {
        **said,
        "stream": stream,
        "stream_seq": seq,
        "type": Noted.TYPE,
        "type_version": 1,
        "request_id": f"r{number}",
        "data": {"participant": participant, "text": text},
    }
    return NewEntry(stream, seq, Noted.TYPE, f"r{number}", canonical(body))


def folded_plainly(ledger, participant):
    found = [
        json.loads(one.body)["data"]["text"] for one in ledger.read() if one.stream == f"participant/{participant}"
    ]
    return found, len(found)


PARTICIPANTS = st.sampled_from(["01", "02", "03"])
STEPS = st.lists(st.tuples(st.sampled_from(["write", "read"]), st.sampled_from([0, 1]), PARTICIPANTS), max_size=40)


@given(steps=STEPS, keep=st.integers(1, 3))
def test_a_reader_sees_what_the_ledger_holds_whoever_wrote_and_whatever_was_let_go(steps, keep):
    store = MemoryStore()
    processes = [Process(store, keep), Process(store, keep)]
    for number, (what, who, participant) in enumerate(steps):
        if what == "write":
            processes[who].write(participant, f"text {number}")
        else:
            assert processes[who].reads(participant) == folded_plainly(store.ledger(LEDGER), participant)


def test_only_a_stream_that_others_moved_is_read_again():
    store = MemoryStore()
    process, other = Process(store, 3), Process(store, 3)
    process.write("01", "first")
    process.write("02", "mine")
    assert process.reads("01") == (["first"], 1)
    assert process.reads("02") == (["mine"], 1)
    asked, read = [], process.ledger.read_stream
    process.ledger.read_stream = lambda stream, after=0: asked.append(stream) or read(stream, after)
    assert process.reads("01") == (["first"], 1)
    assert asked == []
    other.write("02", "theirs")
    assert process.reads("01") == (["first"], 1)
    assert asked == []
    assert process.reads("02") == (["mine", "theirs"], 2)
    assert asked == ["participant/02"]


def test_streams_are_looked_at_when_others_moved_more_than_can_be_named(monkeypatch):
    monkeypatch.setattr("trialwright.trial.state._FOLLOWED", 1)
    store = MemoryStore()
    process, other = Process(store, 3), Process(store, 3)
    process.write("01", "first")
    assert process.reads("01") == (["first"], 1)
    other.write("01", "second")
    other.write("02", "third")
    assert process.reads("01") == (["first", "second"], 2)
    assert process.reads("02") == (["third"], 1)


def test_one_reader_sees_one_version_of_a_stream():
    store = MemoryStore()
    mine, other = Process(store, 3), Process(store, 3)
    mine.write("01", "first")
    state = State(mine.cache)
    assert state.version(Space.OPEN, "participant/01") == 1
    other.write("01", "second")
    assert state.version(Space.OPEN, "participant/01") == 1
    assert mine.reads("01") == (["first", "second"], 2)


@dataclass
class ClosedNotes(Notes):
    """The same texts, as a slice of the closed space has them."""

    SPACE: ClassVar[Space] = Space.CLOSED


def test_two_spaces_in_one_ledger_are_followed_by_one_question_and_both_see_what_others_wrote():
    store = MemoryStore()
    other, ledger = Process(store, 3), store.ledger(LEDGER)
    recorder = Recorder([Noted], DerivedEntropy(1))
    cache = StreamCache(dict.fromkeys(Space, ledger), [Notes, ClosedNotes], recorder)
    asked, moved = [], ledger.moved
    ledger.moved = lambda after, most: asked.append(after) or moved(after, most)
    for number in range(1, 4):
        other.write("01", f"text {number}")
        state = State(cache)
        for kind in (Notes, ClosedNotes):
            assert len(state.of(kind, "01").texts) == number
        assert state.as_of(*Space) == state.as_of(Space.CLOSED) == number
        assert len(asked) == number

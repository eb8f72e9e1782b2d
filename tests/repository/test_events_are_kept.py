"""What one version has written, every later one reads: golden bytes of every event and of the envelope."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from trialwright.foundation.errors import RecordError
from trialwright.foundation.ports import DerivedEntropy
from trialwright.ledger import Entry, canonical
from trialwright.protocol.roles import Role
from trialwright.trial import record
from trialwright.trial.capture.events import Entered, FormSaved
from trialwright.trial.command import Actor
from trialwright.trial.event import Fact, Space, encode
from trialwright.trial.record import UPCASTS, Circumstances, Recorder
from trialwright.trial.rooms import EVENTS, SLICES
from trialwright.trial.views import VIEWS

HERE = Path(__file__).parent


def load_golden():
    specification = spec_from_file_location("trialwright_golden", HERE / "golden.py")
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


golden = load_golden()
RECORDER = Recorder(EVENTS, DerivedEntropy(1))


def versions(kind):
    return range(1, kind.VERSION + 1)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.TYPE)
def test_every_version_of_an_event_that_was_ever_written_is_read(kind):
    for version in versions(kind):
        path = golden.FOLDER / f"{kind.TYPE}.v{version}.json"
        assert path.exists(), f"no example of {kind.TYPE}: run python tests/repository/golden.py and look at it"
        raw = path.read_bytes()
        examples = json.loads(raw)
        assert canonical(examples) + b"\n" == raw
        for data in examples.values():
            event = RECORDER.event(kind.TYPE, data, version)
            if version == kind.VERSION:
                # A field may be added if it may be absent; none may change, move or go.
                assert encode(event).items() >= data.items()
                assert encode(RECORDER.event(kind.TYPE, encode(event))) == encode(event)


def test_there_are_no_examples_of_events_that_are_gone():
    known = {f"{kind.TYPE}.v{version}.json" for kind in EVENTS for version in versions(kind)}
    assert {path.name for path in golden.FOLDER.iterdir()} == known


def test_every_step_between_versions_can_be_taken():
    steps = {(kind.TYPE, version) for kind in EVENTS for version in range(1, kind.VERSION)}
    assert set(UPCASTS) == steps


def test_data_that_do_not_fit_are_a_named_error():
    for data in ({}, {"participant": 7}, {"participant": "p", "shown": "s", "more": "m"}):
        with pytest.raises(RecordError):
            RECORDER.event("capture.case_book_signed", data)
    with pytest.raises(RecordError, match="unknown type"):
        RECORDER.event("capture.never_heard_of", {})


def test_event_types_are_unique_and_say_their_room():
    assert len({kind.TYPE for kind in EVENTS}) == len(EVENTS)
    for kind in EVENTS:
        room = kind.__module__.split(".")[2]
        assert re.fullmatch(rf"{room}\.[a-z]+(_[a-z]+)*", kind.TYPE)
        assert kind.__doc__


def test_the_envelope_is_written_byte_by_byte_as_it_was(monkeypatch):
    monkeypatch.setattr(record, "__version__", "0.1.0")
    about = Circumstances(
        now=datetime(2025, 3, 30, 0, 59, 59, 123456, tzinfo=UTC),
        observed_at="2025-03-29T23:30:00-05:00",
        actor=Actor("nurse-01", Role.STUDY_NURSE, "hospital-01", "01"),
        zone="Europe/Oslo",
        reason="misread – æøå",
        build="b" * 64,
        request_id="request-1",
    )
    event = FormSaved(
        participant="NO-01-001",
        encounter="screening",
        form="vital_signs",
        repeat=1,
        items={"weight": Entered(text="70.50", unit="kg"), "height": Entered(missing="unknown")},
        derived={},
        raised=(),
        resolved=(),
        complete=False,
    )
    written = RECORDER.write("study/open", event, 12, about)
    assert written.body + b"\n" == (HERE / "envelope.v1.json").read_bytes()
    entry = Entry(
        seq=1,
        stream=written.stream,
        stream_seq=written.stream_seq,
        type=written.type,
        request_id=written.request_id,
        body=written.body,
        leaf=b"",
        chain=b"",
    )
    assert RECORDER.read(entry) == Fact(
        event=event,
        stream="participant/NO-01-001",
        stream_seq=12,
        at="2025-03-30T00:59:59.123456Z",
        observed_at="2025-03-29T23:30:00-05:00",
        local="2025-03-30T01:59:59+01:00",  # a second before summer time
        zone="Europe/Oslo",
        actor="nurse-01",
        role="study_nurse",
        organisation="hospital-01",
        site="01",
        reason="misread – æøå",
        build="b" * 64,
        request_id="request-1",
    )


@pytest.mark.parametrize("kind", SLICES, ids=lambda kind: kind.__name__)
def test_a_slice_folds_events_of_its_own_space_and_stream(kind):
    """A closed fact never stands in an open ledger, so a slice that waits for it there waits for ever."""
    for event in kind.FOLDS or ():
        assert event in EVENTS
        assert event.SPACE is kind.SPACE
        assert event.STREAM.partition("/")[0] == kind.STREAM.partition("/")[0]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_reads_events_of_its_own_space(view):
    assert view.on
    for event in view.on:
        assert event in EVENTS
        assert event.SPACE is view.space


def test_tables_and_views_have_names_of_their_own():
    tables = [table for view in VIEWS for table in view.tables]
    assert len({table.name for table in tables}) == len(tables)
    assert len({view.name for view in VIEWS}) == len(VIEWS)
    for table in tables:
        assert re.fullmatch("[a-z]+(_[a-z]+)*", table.name)
        assert len(set(table.names)) == len(table.names)
    assert Space.OPEN in {view.space for view in VIEWS}

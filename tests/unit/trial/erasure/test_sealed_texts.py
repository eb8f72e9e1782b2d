"""What is written freely about a participant stands sealed in the ledger, and comes back where its key is."""

from __future__ import annotations

import dataclasses
import json
import typing
from datetime import UTC, datetime

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.ledger import Entry
from trialwright.protocol.roles import Role
from trialwright.sealing import SealBroken
from trialwright.stores import KeyMissing, MemoryStore
from trialwright.stores.keyrings import MemoryKeyring
from trialwright.trial.capture.commands import RecordVisit
from trialwright.trial.capture.events import Entered
from trialwright.trial.command import Actor
from trialwright.trial.crossing.events import Crossing, FactsCrossed
from trialwright.trial.event import Space, encode
from trialwright.trial.free_text import FIELDS, holder_of
from trialwright.trial.queries.commands import CommentItem, OpenQuery
from trialwright.trial.queries.events import ItemCommented
from trialwright.trial.record import Circumstances, Recorder
from trialwright.trial.rooms import EVENTS
from trialwright.trial.safety.commands import ReportAdverseEvent
from trialwright.trial.sealed_text import SealedTexts, TextsSealed

WORD = "hemmelig ord æøå"

CODED = {
    "participant", "site", "date", "flags", "shown", "encounter", "form", "resolved", "raised", "items", "derived",
    "query", "item", "digest", "media_type", "slot", "label", "results", "wristband", "before", "decision",
    "measurement", "result", "step", "values", "requested_by", "batch_record", "content", "to", "comparator_lot",
    "found_label", "found_wristband", "lowest", "highest", "unit", "allocated", "volume_ml", "dose", "planned_dose",
    "value", "quantity", "adverse_event", "onset", "ended", "seriousness", "outcome", "causality", "special_interest",
    "noticed_at", "noticed_on", "agent", "relation", "by", "dictionary", "version", "code", "body_system", "aware_at",
    "aware_on", "clock", "started", "due", "deviation", "kind", "scopes", "language", "method", "teach_back",
    "interviewer", "identity_check", "build_version", "rescreen_of", "eligible", "criteria", "stratum", "token",
    "factors", "purpose", "means", "ground", "first",
}  # fmt: skip
"""Reviewed: codes, dates, numbers and identifiers, whatever event they stand in."""

CODED_IN = {
    "consent.signed_by_participant": {"text"},  # a hash
    "consent.given": {"text"},
    "allocation.disclosed": {"about"},
    "enrolment.participation_ended": {"how"},
    "capture.form_marked_not_done": {"how"},
    "capture.closed_form_marked_not_done": {"how"},
    "safety.adverse_event_reported": {"action"},
    "safety.adverse_event_followed_up": {"action"},
    "safety.expectedness_assessed": {"reference"},  # document and version
    "safety.term_coded": {"term"},  # of the dictionary
}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.TYPE)
def test_every_text_field_about_a_participant_is_sealed_or_was_reviewed(kind):
    fields = {field.name for field in dataclasses.fields(kind)}
    if "participant" not in fields:
        return
    hints = typing.get_type_hints(kind)
    plain = {name for name in fields if hints[name] in (int, bool, int | None)}
    sealed = {pattern[0] for pattern in FIELDS.get(kind, ())}
    assert fields - plain - sealed - CODED - CODED_IN.get(kind.TYPE, set()) == set()
    assert sealed <= fields


def bodies(world, participant, space=Space.OPEN):
    return [entry.body for entry in world.trial.ledgers[space].read_stream(f"participant/{participant}")]


def test_texts_stand_nowhere_in_the_ledger_and_are_read_all_the_same(trial_world):
    participant = trial_world.examined()
    trial_world.give(
        OpenQuery(participant=participant, encounter="screening", form="screening", item="age", text=f"{WORD} 1"),
        "monitor",
    )
    trial_world.give(
        CommentItem(participant=participant, encounter="screening", form="screening", item="sex", text=f"{WORD} 2"),
        "nurse",
        reason=f"{WORD} 3",
    )
    trial_world.give(
        ReportAdverseEvent(participant=participant, term=f"{WORD} 4", onset="2025-03-01", grade=1), "investigator"
    )
    trial_world.save(participant, "log", "medication", {"name": Entered(text=f"{WORD} 5")}, "nurse")
    trial_world.save(participant, "screening", "screening", {"age": Entered(text="35", unit="a")}, "nurse",
                     reason=f"{WORD} 6")  # fmt: skip
    raw = b"".join(bodies(trial_world, participant))
    assert WORD.encode() not in raw
    assert b'"sealed":[{' in raw
    told = json.dumps([[encode(f.event), f.reason] for f in trial_world.trial.facts()], ensure_ascii=False)
    assert all(f"{WORD} {number}" in told for number in range(1, 7))


def test_numbers_dates_and_codes_stay_readable(trial_world):
    participant = trial_world.examined(age="47")
    assert any(b'"text":"47"' in body for body in bodies(trial_world, participant))


def test_the_reason_of_an_act_is_sealed_in_every_stream_that_holds_it(trial_world):
    participant = trial_world.screened()
    trial_world.give(
        RecordVisit(participant=participant, encounter="screening", date=trial_world.today), "nurse", reason=WORD
    )
    everything = b"".join(entry.body for entry in trial_world.trial.ledgers[Space.OPEN].read())
    assert WORD.encode() not in everything


def test_what_crosses_is_sealed_in_the_closed_ledger_too():
    data = '{"participant":"NO-01-001","what":"hemmelig"}'
    event = FactsCrossed(parts=(Crossing(type="a.b", data=data),), request="r", reason="hemmelig")
    assert holder_of(event) == "NO-01-001"
    assert FIELDS[FactsCrossed] == (("parts", "*", "data"), ("reason",))


def test_another_process_on_the_same_stores_reads_the_texts(trial_world):
    participant = trial_world.examined()
    trial_world.save(participant, "log", "medication", {"name": Entered(text=WORD)}, "nurse")
    twin = trial_world.twin()
    assert any(WORD in str(fact.event) for fact in twin.facts())


def test_without_the_keyring_the_record_says_so(trial_world):
    participant = trial_world.examined()
    trial_world.save(participant, "log", "medication", {"name": Entered(text=WORD)}, "nurse")
    entry = list(trial_world.trial.ledgers[Space.OPEN].read_stream(f"participant/{participant}"))[-1]
    with pytest.raises(TextsSealed):
        Recorder(EVENTS, DerivedEntropy(1)).read(entry)
    strange = SealedTexts({"small/open": MemoryKeyring()}, {}, DerivedEntropy(1))
    with pytest.raises(KeyMissing) as missing:
        Recorder(EVENTS, DerivedEntropy(1), strange).read(entry)
    assert missing.value.remedy


def test_a_sealed_text_moved_to_another_entry_does_not_open(trial_world):
    participant = trial_world.examined()
    for word in ("one", "two"):
        trial_world.give(
            CommentItem(participant=participant, encounter="screening", form="screening", item="sex", text=word),
            "nurse",
        )
    store = trial_world.trial.stores[Space.OPEN]
    first, second = list(trial_world.trial.ledgers[Space.OPEN].read_stream(f"participant/{participant}"))[-2:]
    body = json.loads(second.body)
    body["sealed"] = json.loads(first.body)["sealed"]
    forged = second._replace(body=json.dumps(body).encode())
    texts = SealedTexts({"small/open": store.keyring}, {}, DerivedEntropy(1))
    with pytest.raises(SealBroken):
        Recorder(EVENTS, DerivedEntropy(1), texts).read(forged)
    body["sealed"][0]["places"] = [["data", "no", "such", "place"]]
    mangled = first._replace(body=json.dumps(body | {"stream_seq": first.stream_seq}).encode())
    with pytest.raises(SealBroken):
        Recorder(EVENTS, DerivedEntropy(1), texts).read(mangled)


def test_long_texts_are_sealed_in_parts():
    event = ItemCommented(
        participant="NO-01-001", encounter="log", form="f", repeat=1, item="i", text="lang tekst æ " * 9_000
    )
    about = Circumstances(
        now=datetime(2025, 3, 3, tzinfo=UTC), observed_at=None, actor=Actor("n", Role.STUDY_NURSE, "h", "01"),
        zone="Europe/Oslo", reason=None, build="b", request_id="r",
    )  # fmt: skip
    recorder = Recorder(
        EVENTS, DerivedEntropy(1), SealedTexts({"small/open": MemoryKeyring()}, {}, DerivedEntropy(1))
    )
    written = recorder.write("small/open", event, 1, about)
    assert len(json.loads(written.body)["sealed"][0]["parts"]) > 1
    assert recorder.read(Entry(1, *written, b"", b"")).event == event


def test_the_same_seed_gives_the_same_root_whatever_the_keyring(sealed_worlds):
    roots = set()
    for _ in range(2):
        world = sealed_worlds(stores=(MemoryStore(), MemoryStore()))
        participant = world.examined()
        world.save(participant, "log", "medication", {"name": Entered(text=WORD)}, "nurse")
        roots.add(world.trial.open_head()[1])
    assert len(roots) == 1


def test_only_the_rough_length_of_a_text_shows(trial_world):
    participant = trial_world.examined()
    sizes = set()
    for text in ("no", "a much longer remark, of which nobody can tell"):
        trial_world.give(
            CommentItem(participant=participant, encounter="screening", form="screening", item="sex", text=text),
            "nurse",
        )
        entry = list(trial_world.trial.ledgers[Space.OPEN].read_stream(f"participant/{participant}"))[-1]
        sizes.add(len(json.loads(entry.body)["sealed"][0]["parts"][0]))
    assert len(sizes) == 1

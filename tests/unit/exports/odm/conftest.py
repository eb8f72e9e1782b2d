"""A rehearsed SMART-MS with a few more facts written behind it: the acts a rehearsal does not happen to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import odmlib
import pytest
from lxml import etree

from trialwright.build.compile import compiled
from trialwright.exports.odm import write_odm
from trialwright.foundation.ports import DerivedEntropy
from trialwright.protocol import Role, load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.capture.events import (
    EncounterHeld,
    EncounterMissed,
    Entered,
    FormMarkedNotDone,
    FormSaved,
    FormSigned,
    FormVoided,
)
from trialwright.trial.capture.views import ITEM
from trialwright.trial.command import Actor
from trialwright.trial.event import Space
from trialwright.trial.record import Circumstances, Recorder
from trialwright.trial.rooms import EVENTS
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.view import Projector
from trialwright.trial.views import VIEWS

REPOSITORY = Path(__file__).parents[4]
SCHEMAS = Path(odmlib.__file__).parent / "schemas" / "odm"
ROOTS = {"1.3.2": "1.3.2/ODM1-3-2.xsd", "2.0": "2.0/ODM.xsd"}
HOSTILE = (
    "a\x01b\x1fc\ufffe",
    "<script>alert(1)</script>",
    "]]>&amp;'\"",
    "\u202eright to left\u202c",
    "two\r\nlines\tand a tab",
    "=1+1",
    "😀 Tromsø",
)


@dataclass(frozen=True)
class Study:
    """A record in memory."""

    id: str
    open: MemoryStore
    closed: MemoryStore

    @property
    def builds(self):
        return builds_on_record(self.open.ledger(f"{self.id}/open"))

    def write(self, folder, version, *, blinded=False):
        return write_odm(self.id, self.open, folder, version, closed_store=None if blinded else self.closed)

    def append(self, *events, reason=None):
        """Write facts as commands would have, without asking whether they may."""
        ledger = self.open.ledger(f"{self.id}/open")
        recorder = Recorder(EVENTS, DerivedEntropy(7))
        last = recorder.read(next(iter(ledger.read(after=ledger.head().size - 1))))
        projector = Projector(VIEWS, frozenset({Space.OPEN}))
        for event in events:
            about = Circumstances(
                now=datetime.fromisoformat(last.at).astimezone(UTC) + timedelta(hours=1), observed_at=None,
                actor=Actor("nurse-x", Role.STUDY_NURSE, "Hospital", "01"), zone="Europe/Oslo", reason=reason,
                build=last.build, request_id=f"test-{ledger.head().size}",
            )  # fmt: skip
            with ledger.transaction() as transaction:
                seq = ledger.stream_version(event.stream) + 1
                (entry,) = transaction.append([recorder.write(ledger.ledger_id, event, seq, about)])
                projector.project([recorder.read(entry)], transaction.rows)


def rehearsed(name, participants):
    build = compiled(load_study(REPOSITORY / "studies" / name).study)
    open_store, closed_store = MemoryStore(), MemoryStore()
    rehearse(build, open_store, closed_store, Wishes(participants=participants, seed=1))
    return Study(name, open_store, closed_store)


def saved(participant, form, repeat=1, encounter="log", **items):
    return FormSaved(
        participant=participant, encounter=encounter, form=form, repeat=repeat,
        items={name: Entered(text=text) for name, text in items.items()}, derived={}, raised=(), resolved=(),
        complete=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def smart_ms():
    return rehearsed("smart-ms", 2)


@pytest.fixture(scope="session")
def eventful():
    """With a form voided and entered again, forms not done, visits missed and unscheduled, and hostile texts."""
    study = rehearsed("smart-ms", 2)
    values = list(study.open.rows.where(ITEM))
    one = next(row for row in values if row["form"] == "vital_signs" and row["value"])
    place = {name: one[name] for name in ("participant", "encounter", "form", "repeat")}
    other = next(
        row
        for row in values
        if row["form"] == "vital_signs" and row["encounter"] != one["encounter"] and row["value"]
    )
    somebody = str(one["participant"])
    again = saved(somebody, "vital_signs", 1, str(one["encounter"]), position="SITTING")
    weight = FormSaved(**{**vars(again), "items": {"weight": Entered(text="170", unit="[lb_av]", source="device")}})
    study.append(FormVoided(**place), reason="wrong participant")
    study.append(again, weight, FormSigned(**place, shown="00"))
    study.append(
        FormMarkedNotDone(
            **{**place, "encounter": other["encounter"], "participant": other["participant"]}, how="not_done"
        ),
        reason="too tired",
    )
    study.append(FormMarkedNotDone(**{**place, "encounter": "unscheduled_2"}, how="intentionally_blank"))
    study.append(
        EncounterHeld(participant=somebody, encounter="unscheduled_2", date="2027-01-02", unscheduled=True),
        EncounterMissed(participant=somebody, encounter="month_12"),
    )
    texts = study.builds[next(reversed(study.builds))].study.forms["medication"]
    name = next(item.id for item in texts.items() if item.type == "text")
    study.append(
        *(saved(somebody, "medication", 50 + n, **{name: text}) for n, text in enumerate(HOSTILE)),
        saved(somebody, "medication", 60, **{name: "x" * 4000}),
    )
    return study


@pytest.fixture(scope="session", params=["1.3.2", "2.0"])
def version(request):
    return request.param


@pytest.fixture(scope="session")
def written(smart_ms, eventful, tmp_path_factory):
    """(study, version) → folder of files, and what was counted."""
    found = {}
    for name, study in (("plain", smart_ms), ("eventful", eventful)):
        for which in ROOTS:
            folder = tmp_path_factory.mktemp("odm")
            found[name, which] = folder, study.write(folder, which)
    return found


@pytest.fixture(scope="session")
def schema():
    """Version → the schema that odmlib ships."""
    return {which: etree.XMLSchema(etree.parse(str(SCHEMAS / root))) for which, root in ROOTS.items()}


@pytest.fixture(scope="session")
def study_of():
    """Name of an example study → its build."""
    return lambda name: compiled(load_study(REPOSITORY / "studies" / name).study)

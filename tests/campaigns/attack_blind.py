"""The blind under attack: somebody has the whole open space of many trials, and some arms to learn from.

Trials are rehearsed with real sealing; what happens to people does not depend on what they get (whatever the
treatment itself does to values is a finding of the trial, no leak). From the dump of the open space (entries, views,
security log, log, checkpoints) thousands of features are made of each participant: counts, sizes, gaps, hours,
orders, words, who acted, what came next, what hashes of guesses match. A classifier learns the arm on half of the
participants and is asked about the other half. It must stay inside the band of chance, and it must find each of
``LEAKS``, small faults planted into the same dumps. The whole campaign (``make attack-blind``)::

    python tests/campaigns/attack_blind.py [trials] [participants of each]

``tests/attacks/test_blind.py`` runs a short form. Faults planted into the running system instead of the dump, and
byte-wise comparison, are those of ``two_worlds.py``.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.ledger import parse_checkpoint
from trialwright.protocol import load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.allocation.events import ParticipantRandomised
from trialwright.trial.event import Space

STUDY = Path(__file__).parents[2] / "studies" / "smart-ms"
HANDED, RANDOMISED = "custody.injection_handed_over", "allocation.participant_randomised"
LABEL = "custody.label_taken"
CHANCE = 0.0005
"""How rarely pure chance may leave the band, at one end."""

Entry = dict[str, Any]
"""An envelope as it is read from the dump."""


@dataclass
class Dump:
    """The open space of one trial as its owner dumps it.

    Attributes:
        entries: of the study's ledger, in order.
        refused: of the security log.
        tables: view → rows.
        checkpoints: sizes.
        log: lines of the application's log and mails.
        arms: participant → allocation; not part of the dump.
    """

    entries: list[Entry]
    refused: list[Entry]
    tables: dict[str, list[dict[str, Any]]]
    checkpoints: list[int]
    log: list[str]
    arms: Mapping[str, str]


def build() -> Build:
    """SMART-MS without the forms of its follow-up visits: what leaks is decided around products."""
    study = load_study(STUDY).study
    encounters = tuple(
        e if e.acts else e.model_copy(update={"forms": tuple(f for f in e.forms if f == "vital_signs")})
        for e in study.schedule.encounters
    )
    return compiled(
        study.model_copy(update={"schedule": study.schedule.model_copy(update={"encounters": encounters})})
    )


def dumped(study: Build, seed: int, participants: int) -> Dump:
    """Rehearse a trial and dump its open space."""
    opened = MemoryStore()
    wishes = Wishes(participants=participants, seed=seed, responses=False, amendment=False)
    done = rehearse(study, opened, MemoryStore(), wishes)
    name, allocations = study.study.identity.id, done.trial.allocations
    assert allocations is not None
    codes = [f.event.participant for f in done.trial.facts() if isinstance(f.event, ParticipantRandomised)]
    kept = opened.checkpoints(f"{name}/open")
    return Dump(
        entries=[json.loads(entry.body) for entry in opened.ledger(f"{name}/open").read()],
        refused=[
            json.loads(entry.body)
            for other in opened.ledger_ids()
            if "security" in other
            for entry in opened.ledger(other).read()
        ],
        tables={
            table.name: [dict(row) for row in opened.rows.where(table)]
            for table in done.trial.projectors[Space.OPEN].tables
        },
        checkpoints=[parse_checkpoint(note).size for note in kept],
        log=[],
        arms={code: allocations.label(code) for code in codes},
    )


# --- features ------------------------------------------------------------------------------------------------------

Features = dict[str, float]


def features(dump: Dump) -> dict[str, Features]:
    """Participant → everything about them that can be counted, measured or looked up."""
    found: dict[str, Features] = {code: defaultdict(float) for code in dump.arms}
    own: dict[str, list[int]] = defaultdict(list)
    for place, entry in enumerate(dump.entries):
        own[entry["stream"].removeprefix("participant/")].append(place)
    signed = set(dump.checkpoints)
    for code, made in found.items():
        for place, after in zip(own[code], [*own[code][1:], None], strict=True):
            entry = dump.entries[place]
            _add(made, _of_entry(json.dumps(entry), code, tuple(sorted(set(dump.arms.values())))))
            following = dump.entries[place + 1]["type"] if place + 1 < len(dump.entries) else "end"
            made[f"next after {entry['type']}: {following}"] += 1
            made[f"signed after {entry['type']}"] += place + 1 in signed
            if after is not None:
                later = dump.entries[after]
                pair = f"{entry['type']} to {later['type']}"
                made[f"gap {pair}"] += (_at(later) - _at(entry)).total_seconds()
                made[f"requests {pair}"] += _number(later["request_id"]) - _number(entry["request_id"])
    for name, rows in {**dump.tables, "security log": dump.refused, "log": [{"line": x} for x in dump.log]}.items():
        texts = [json.dumps(row, default=str) for row in rows]
        for code, made in found.items():
            mine = [place for place, text in enumerate(texts) if code in text]
            made[f"rows {name}"] += len(mine)
            made[f"place {name}"] = mine[0] / len(rows) if mine else -1
            for place in mine:
                _add(made, _of_row(texts[place], name))
    return found


def _add(made: Features, more: Features) -> None:
    for name, value in more.items():
        made[name] += value


@lru_cache(maxsize=100_000)
def _of_entry(entry_text: str, code: str, labels: tuple[str, ...]) -> Features:
    entry, made = json.loads(entry_text), defaultdict[str, float](float)
    kind, at = entry["type"], _at(entry)
    made[f"count {kind}"] += 1
    made["count"] += 1
    size = len(entry_text)
    made[f"size {kind}"] += size
    made["size"] += size
    made[f"minute {kind}"] += at.hour * 60 + at.minute
    made[f"second {kind}"] += at.second
    made[f"who {kind} {entry['role']}"] += 1
    for path, value in _leaves(entry.get("data")):
        text = str(value)
        made[f"length {kind} {path}"] += len(text)
        if len(text) <= 200:
            for word in set(re.findall(r"[^\W\d_]{3,}|\d+", text.lower())):
                made[f"word {path} {word}"] += 1
        for label in labels:
            guesses = (f"{code} {label}", f"{code}:{label}", label, f"{code}{label}")
            made[f"guess {label}"] += any(
                text.startswith(hashlib.sha256(guess.encode()).hexdigest()[:16]) for guess in guesses
            )
        made[f"number {kind} {path}"] += _number(text)
    return made


@lru_cache(maxsize=100_000)
def _of_row(text: str, name: str) -> Features:
    made: Features = defaultdict(float)
    for field, value in _leaves(json.loads(text)):
        made[f"length {name} {field}"] += len(str(value))
        for word in set(re.findall(r"[^\W\d_]{3,}", str(value)[:200].lower())):
            made[f"word {name} {field} {word}"] += 1
    return made


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from _leaves(value, f"{path}.{name}")
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value, path)
    elif data is not None:
        yield path, data


def _at(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["at"])


def _number(text: str) -> float:
    found = re.findall(r"\d+", text)
    return float(found[-1][-9:]) if found else 0.0


# --- the classifier ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """How well the arm was told for people never seen before.

    Attributes:
        right, of: by the classifier that was better.
        band: as many right answers pure chance does not reach.
        by: the feature that told most.
    """

    right: int
    of: int
    band: int
    by: str

    @property
    def told(self) -> bool:
        """Whether the arm was told beyond chance."""
        return self.right >= self.band

    def __str__(self) -> str:
        return f"{self.right} of {self.of} right (chance stays below {self.band}), most by {self.by!r}"


def classify(dumps: Sequence[Dump]) -> Answer:
    """Learn on every second participant, answer for the others: by the best feature, and by a vote of three."""
    people = [(made, dump.arms[code]) for dump in dumps for code, made in features(dump).items()]
    names = sorted({name for made, _ in people for name in made})
    table = np.array([[made.get(name, 0.0) for name in names] for made, _ in people])
    first = min(arm for _, arm in people)
    arms = np.array([arm == first for _, arm in people])
    learn = np.arange(len(people)) % 2 == 0
    best = np.argsort(-_told(table[learn], arms[learn]), kind="stable")[:3].tolist()
    votes = []
    for column in best:
        _, threshold, above = _told_by(table[learn, column], arms[learn])
        votes.append((table[~learn, column] > threshold) == above)
    asked = arms[~learn]
    one = int((votes[0] == asked).sum())
    many = int(((np.mean(votes, axis=0) > 0.5) == asked).sum())
    return Answer(max(one, many), len(asked), band(len(asked)), names[best[0]])


def _told(table: Any, arms: Any) -> Any:
    """For each column, how many the best threshold gets right."""
    order = np.argsort(table, axis=0, kind="stable")
    ordered = np.take_along_axis(table, order, axis=0)
    below = np.cumsum(arms[order], axis=0)[:-1]
    right = (arms.sum() - below) + (np.arange(1, len(arms))[:, None] - below)
    best = np.where(ordered[1:] > ordered[:-1], np.maximum(right, len(arms) - right), 0)
    return best.max(axis=0)


def _told_by(values: Any, arms: Any) -> tuple[int, float, bool]:
    """How many the best threshold gets right, the threshold, and whether the first arm lies above it."""
    order = np.argsort(values, kind="stable")
    ordered, first = values[order], arms[order]
    cuts = np.flatnonzero(ordered[1:] > ordered[:-1])
    if len(cuts) == 0:
        return 0, 0.0, True
    below = np.cumsum(first)[cuts]
    right = (first.sum() - below) + (cuts + 1 - below)
    right_if_below = len(first) - right
    high, low = int(np.argmax(right)), int(np.argmax(right_if_below))
    above = bool(right[high] >= right_if_below[low])
    cut = cuts[high if above else low]
    told = int(right[high] if above else right_if_below[low])
    return told, float((ordered[cut] + ordered[cut + 1]) / 2), above


def band(people: int) -> int:
    """The smallest number of right answers that tossing coins reaches with a chance below ``CHANCE``; two
    classifiers are asked, so each gets half."""
    tail, wanted = 0.0, people + 1
    while wanted > 0:
        tail += math.comb(people, wanted - 1) / 2**people if wanted <= people + 1 else 0
        if tail >= CHANCE / 2:
            return wanted
        wanted -= 1
    return 0


# --- planted leaks -------------------------------------------------------------------------------------------------

Leak = Callable[[Dump, str, random.Random], None]
"""Changes a dump for one participant of the first arm."""


def _mine(dump: Dump, code: str, kind: str) -> list[Entry]:
    return [e for e in dump.entries if e["stream"] == f"participant/{code}" and e["type"] == kind]


def _insert(dump: Dump, code: str, after: str, kind: str, data: Mapping[str, Any], stream: str | None = None) -> None:
    place = next(i for i, e in enumerate(dump.entries) if e is _mine(dump, code, after)[0])
    entry = {**dump.entries[place], "type": kind, "data": dict(data)}
    dump.entries.insert(place + 1, {**entry, "stream": stream or entry["stream"]})


def _shift(dump: Dump, code: str, kind: str, later: timedelta) -> None:
    for entry in _mine(dump, code, kind):
        entry["at"] = (_at(entry) + later).isoformat()


def _say(dump: Dump, code: str, kind: str, **data: Any) -> None:
    for entry in _mine(dump, code, kind):
        entry["data"].update(data)


LEAKS: Mapping[str, Leak] = {
    "kits of one arm have higher numbers": lambda d, p, c: _say(d, p, HANDED, kit=f"K-{c.randrange(500, 999)}"),
    "handing over takes ninety seconds more": lambda d, p, c: _shift(d, p, HANDED, timedelta(seconds=90)),
    "randomising takes a second more": lambda d, p, c: _shift(d, p, RANDOMISED, timedelta(seconds=1)),
    "one more event": lambda d, p, c: _insert(d, p, HANDED, LABEL, {"label": f"L-{c.randrange(10**6)}"}),
    "one event less": lambda d, p, c: d.entries.remove(_mine(d, p, HANDED)[-1]),
    "an entry is seven bytes longer": lambda d, p, c: _say(d, p, HANDED, pad="x" * 7),
    "the text of a query names it": lambda d, p, c: _insert(
        d, p, RANDOMISED, "queries.opened", {"text": "Plausible so soon after the cells?"}
    ),
    "a form that one arm has": lambda d, p, c: _insert(
        d, p, HANDED, "capture.form_saved", {"form": "thawing", "items": {"a": {"text": "1"}}}
    ),
    "one period tells the other": lambda d, p, c: _say(
        d, p, HANDED, note="as in the other period, the other way round"
    ),
    "the token is a hash of the label": lambda d, p, c: _say(
        d, p, RANDOMISED, token=hashlib.sha256(f"{p} {d.arms[p]}".encode()).hexdigest()[:32]
    ),
    "the token is as long as the label": lambda d, p, c: _say(d, p, RANDOMISED, token="0" * len(d.arms[p])),
    "another person hands over": lambda d, p, c: [
        e.update(role="laboratory_technician") for e in _mine(d, p, HANDED)
    ].clear(),
    "the lot stands in the open": lambda d, p, c: _say(d, p, HANDED, lot=f"CELL-{c.randrange(9999):04}"),
    "a deviation in one arm": lambda d, p, c: _insert(
        d, p, HANDED, "closure.deviation_opened", {"kind": "product", "about": "see closed"}
    ),
    "refusals in one arm": lambda d, p, c: d.refused.append({"type": "refused", "participant": p}),
    "the log names the content": lambda d, p, c: d.log.append(f"custody: {p} gets product"),
    "mails of one arm have a longer subject": lambda d, p, c: d.log.append(f"mail: {p} visit, bring the cool box"),
    "a checkpoint at each product of one arm": lambda d, p, c: d.checkpoints.extend(
        place + 1 for place, e in enumerate(d.entries) if e in _mine(d, p, HANDED)
    ),
    "resupply follows a pack of one arm": lambda d, p, c: _insert(
        d, p, HANDED, "supply.pack_sent", {"packs": 1}, stream="site/any"
    ),
    "a view is sorted by arm": lambda d, p, c: d.tables["injection_slot"].sort(
        key=lambda row: d.arms.get(row["participant"], "zz")
    ),
    "a view has a word of the closed space": lambda d, p, c: [
        row.update(status="thawed") for row in d.tables["injection_slot"] if row["participant"] == p
    ].clear(),
}
"""What was planted → how. Each acts on participants of one arm alone."""


def planted(dumps: Sequence[Dump], leak: Leak) -> list[Dump]:
    """The same dumps with a leak."""
    changed = copy.deepcopy(list(dumps))
    first, chance = min(arm for dump in dumps for arm in dump.arms.values()), random.Random(1)
    for dump in changed:
        for code, arm in dump.arms.items():
            if arm == first and _mine(dump, code, HANDED):
                leak(dump, code, chance)
    return changed


def main(trials: int = 200, participants: int = 2) -> int:
    """The long form. Returns the exit code."""
    began, study = time.perf_counter(), build()
    dumps = [dumped(study, seed, participants) for seed in range(1, trials + 1)]
    clean, wrong = classify(dumps), 0
    people = sum(len(dump.arms) for dump in dumps)
    arms = Counter(arm for dump in dumps for arm in dump.arms.values())
    print(f"{trials} trials, {people} participants ({dict(arms)}), {time.perf_counter() - began:,.0f} s")
    print(f"nothing planted: {clean}{' THE ARM IS TOLD' if clean.told else ''}", flush=True)
    wrong += clean.told
    for name, leak in LEAKS.items():
        answer = classify(planted(dumps, leak))
        wrong += not answer.told
        print(f"{'found' if answer.told else 'MISSED'}: {name}: {answer}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

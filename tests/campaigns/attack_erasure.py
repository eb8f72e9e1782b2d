"""Plants identities wherever people write, destroys the keys, and looks for them in everything that is left.

    python tests/campaigns/attack_erasure.py 500

The trial of ``tests/unit/trial`` runs on SQLite files. Each identity is planted for a participant of its own in one
of the places below. A backup is taken, as ``trialwright backup`` does. Then two people destroy each participant's
keys; exports and logs are made, the backup is restored beside the keyrings, and a searcher reads every file that is
left: as it is, unpacked, and, with any keyring it finds, as the program reads it. It also tries to confirm what it
guesses by the digests of requests. A last participant is not forgotten, so that a searcher who can find nothing is
noticed.

Around the trial an installation of the application can stand (``erasure_application.py``): identities are planted
in what it keeps, too, its workers forget, and its databases, files, logs and backups are searched as well, and opened
with every secret that is left.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import shutil
import sqlite3
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import erasure_application
from erasure_application import FILES, NEVER_ENROLLED, TYPED_BY_MISTAKE, Application
from typer.testing import CliRunner

from trialwright import stores
from trialwright.build.compile import compiled
from trialwright.cli import app
from trialwright.cli.backup import fold_views
from trialwright.foundation.errors import TrialwrightError
from trialwright.foundation.ports import DerivedEntropy, SettableClock
from trialwright.foundation.truth import Truth
from trialwright.ledger import verify_ledger
from trialwright.protocol import Study, load_study
from trialwright.protocol.roles import Role
from trialwright.sealing import InProcessDispensing, KeyOpener, KeyPurpose, generate_key
from trialwright.stores import open_store
from trialwright.trial import requests
from trialwright.trial.allocation.commands import RecordAccidentalUnblinding
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.attachments.commands import AttachFile, WithdrawFile
from trialwright.trial.audit import audit_trail
from trialwright.trial.capture.events import Entered
from trialwright.trial.command import Actor, Command
from trialwright.trial.dispatch import Trial
from trialwright.trial.enrolment.assessment import Judgement
from trialwright.trial.enrolment.commands import AssessCriteria, FailScreening
from trialwright.trial.erasure.carrying_out import carry_out_erasures, shredded
from trialwright.trial.erasure.commands import DestroyParticipantKeys, ProposeErasure
from trialwright.trial.event import Space
from trialwright.trial.queries.commands import AnswerQuery, CommentItem, OpenQuery
from trialwright.trial.record import Recorder
from trialwright.trial.rooms import EVENTS
from trialwright.trial.safety.commands import FollowUpAdverseEvent, ReportAdverseEvent
from trialwright.trial.sealed_text import SealedTexts

TRIAL = Path(__file__).parents[1] / "unit" / "trial"
STEM = "Plantet-Ærlig"
"""Begins every identity; nothing else holds it."""
START = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
STUDY = "small"


@dataclass
class Planted:
    """A trial with identities in it.

    Attributes:
        folder: everything that is left lies in here.
        identities: identity → the place where it was planted.
        asked: identity → (command, actor, request, reason) that carried it.
        grounds: participant → why they are forgotten.
        application: what stands around the trial.
        kept: an identity of somebody who is not forgotten.
    """

    folder: Path
    world: Any
    identities: dict[str, str] = field(default_factory=dict)
    participants: dict[str, str] = field(default_factory=dict)
    asked: dict[str, tuple[Command, Actor, str | None]] = field(default_factory=dict)
    grounds: dict[str, str] = field(default_factory=dict)
    application: Application | None = None
    kept: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the searcher found.

    Attributes:
        found: (file, how) of every place in which an identity stands.
        control: the same for somebody who was not forgotten, as the program shows them.
        verified: whether the ledgers verify, and are the ones of before.
        shredded: entries that do not open any more.
    """

    found: tuple[tuple[str, str], ...]
    control: bool
    verified: bool
    shredded: int


def campaign(count: int, folder: Path, application: Application | None = None) -> Outcome:
    """Plant, back up, forget, export, search."""
    with ExitStack() as opened:
        planted = plant(count, folder, opened, application)
        before = planted.world.heads()
        _commit(planted)
        back_up(folder)
        forget(planted)
        export(planted)
        folded = put_back(folder)
        trial = planted.world.trial
        verified = folded and all(
            verify_ledger(ledger, outside={}, keys=[]).fault is None
            and ledger.root(before[space].size) == before[space].root
            for space, ledger in trial.ledgers.items()
        )
        gone = sum(shredded(ledger, trial.stores[space].keyring) for space, ledger in trial.ledgers.items())
        control = any(planted.kept in str(fact) for fact in trial.facts())
        found = tuple(search(planted))
        if application is not None:
            told = list(application.told())
            found += tuple((where, "opened") for where, text in told if STEM in text and planted.kept not in text)
            control &= {where for where, text in told if planted.kept in text} == erasure_application.STAYS
    return Outcome(found, control, verified, gone)


# --- planting ------------------------------------------------------------------------------------------------------

Place = Callable[[Any, str, str], tuple[Command, str, str | None]]
"""World, participant, identity → the command that carries it, by whom, with which reason."""


def _comment(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    command = CommentItem(participant=participant, encounter="screening", form="screening", item="sex", text=text)
    return command, "nurse", None


def _query(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    command = OpenQuery(participant=participant, encounter="screening", form="screening", item="age", text=text)
    return command, "monitor", None


def _answer(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    command, by, _ = _query(world, participant, "Is it right?")
    (opened,) = [fact.event for fact in world.give(command, by).facts]
    return AnswerQuery(participant=participant, query=opened.query, text=text), "nurse", None


def _term(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    return ReportAdverseEvent(participant=participant, term=text, onset="2025-03-01", grade=1), "investigator", None


def _follow_up(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    world.give(_term(world, participant, "headache")[0], "investigator")
    command = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", term=text)
    return command, "investigator", "corrected"


def _file(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    command = AttachFile(
        participant=participant, encounter="screening", form="screening", digest="ab" * 32, size=9,
        media_type="text/plain", text=text,
    )  # fmt: skip
    return command, "nurse", None


def _judgement(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    command = AssessCriteria(
        participant=participant, stated={"willing": "true"}, judgements={"fit": Judgement(Truth.YES, text)}
    )
    return command, "investigator", None


def _reason(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    return FailScreening(participant=participant), "investigator", text


def _unblinding(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
    world.randomised(world.signed_off(world.assessed(participant)))
    return RecordAccidentalUnblinding(participant=participant, learned_by=text, how=text), "investigator", None


def _item(name: str) -> Place:
    def place(world: Any, participant: str, text: str) -> tuple[Command, str, str | None]:
        from trialwright.trial.capture.commands import SaveForm

        items = {name: Entered(text=text)}
        return (
            SaveForm(participant=participant, encounter="log", form="medication", items=items, read_version=0),
            "nurse",
            None,
        )

    return place


PLACES: Mapping[str, Place] = {
    "comment": _comment,
    "query": _query,
    "answer": _answer,
    "adverse event": _term,
    "follow-up": _follow_up,
    "file's words": _file,
    "judgement": _judgement,
    "reason": _reason,
    "accident and its deviation": _unblinding,
    "text item": _item("name"),
    "identifying item": _item("nickname"),
}


def plant(count: int, folder: Path, opened: ExitStack, application: Application | None = None) -> Planted:
    """A trial with ``count`` identities, and one of somebody who stays."""
    planted = Planted(folder, _world(folder, opened), application=application)
    world = planted.world
    beside = erasure_application.PLACES if application is not None else {}
    names = [*PLACES, *beside]
    waiting: list[tuple[str, str, str]] = []
    for number in range(count + 1):
        identity = f"{STEM}-{number:04d}-{number * 7919 % 9973:04d}"
        name = names[number % len(names)]
        participant = world.examined(site="01")
        if number == count:
            planted.kept = identity
            command, by, reason = _comment(world, participant, identity)
            world.give(command, by, reason=reason)
            waiting += [
                (place, participant, identity) for place in beside if place not in ("import", "contact from before")
            ]
            continue
        planted.identities[identity], planted.participants[identity] = name, participant
        planted.grounds[participant] = beside.get(name, TYPED_BY_MISTAKE)
        if name in beside:
            waiting.append((name, participant, identity))
        else:
            command, by, reason = PLACES[name](world, participant, identity)
            world.give(command, by, reason=reason)
            planted.asked[identity] = (command, _conftest().actor(by), reason)
    if application is not None:
        _plant_beside(planted, application, waiting)
    return planted


def _plant_beside(planted: Planted, application: Application, waiting: list[tuple[str, str, str]]) -> None:
    """Plant in what the application keeps; the record says which files are attached, and which withdrawn."""
    world = planted.world
    for place, participant, identity in waiting:
        if (place in FILES and identity != planted.kept) or place == "file":
            digest = hashlib.sha256(identity.encode()).hexdigest()
            attached, by, _ = _file(world, participant, "letter")
            world.give(replace(attached, digest=digest), by)
            if place == "withdrawn file":
                world.give(WithdrawFile(participant=participant, digest=digest), by, reason="it names somebody")
    _commit(planted)
    application.begin()
    application.plant(waiting)


def _world(folder: Path, stack: ExitStack) -> Any:
    build = compiled(_with_nickname(load_study(TRIAL / "study").study))
    opened, closed = (
        stack.enter_context(open_store(f"sqlite:///{folder}/{space.value}.db", acts_per_commit=50)) for space in Space
    )
    clock, entropy = SettableClock(START), DerivedEntropy(1)
    trial = Trial(
        STUDY, open_store=opened, closed_store=closed, builds={build.id: build}, clock=clock, entropy=entropy,
        mode="rehearsal",
        seal_texts=True,
    )  # fmt: skip
    keys = [
        generate_key(purpose, entropy, ledger=STUDY) for purpose in (KeyPurpose.DISPENSING, KeyPurpose.UNBLINDING)
    ]
    trial.allocations = SealedAllocations(trial.state, trial.builds, InProcessDispensing(KeyOpener(keys[0])))
    world = _conftest().World(trial, clock, *keys)
    world.open()
    world.seal_list(world.prepared_list(rows=200))
    return world


def _with_nickname(study: Study) -> Study:
    """The study with an item that identifies somebody."""
    forms = dict(study.forms)
    form = forms["medication"]
    group = form.groups[0]
    item = group.items[0]
    assert item.type == "text"
    nickname = item.model_copy(update={"id": "nickname", "privacy": "identifying", "required": False})
    groups = (group.model_copy(update={"items": (*group.items, nickname)}),)
    forms["medication"] = form.model_copy(update={"groups": groups})
    return study.model_copy(update={"forms": forms})


def _conftest() -> ModuleType:
    """The hands that drive the small trial."""
    if "erasure_world" not in sys.modules:
        specification = spec_from_file_location("erasure_world", TRIAL / "conftest.py")
        assert specification is not None and specification.loader is not None
        module = sys.modules["erasure_world"] = module_from_spec(specification)
        specification.loader.exec_module(module)
    return sys.modules["erasure_world"]


# --- what happens to them ------------------------------------------------------------------------------------------


def back_up(folder: Path) -> None:
    """What `trialwright backup` writes, before anybody is forgotten."""
    stores.back_up(parts(folder), folder / "backup", START)


def parts(folder: Path) -> tuple[stores.Part, ...]:
    """Both spaces of the study, the databases lying in a folder."""
    return tuple(
        stores.Part(f"{STUDY}.{space.value}", f"sqlite:///{folder}/{space.value}.db", f"{STUDY}/{space.value}", STUDY)
        for space in Space
    )


def put_back(folder: Path) -> bool:
    """Restore the backup afterwards, beside the keyrings as they are now; whether its views are folded."""
    target = folder / "restored"
    target.mkdir()
    stores.restore(folder / "backup", parts(target), START, outside={}, keys=[])
    for keyring in folder.glob("*.keys.db"):
        shutil.copyfile(keyring, target / keyring.name)
    return not fold_views(STUDY, parts(target))


def forget(planted: Planted) -> None:
    """Two people for each participant, and the deeds."""
    decide(planted)
    if planted.application is None:
        carry_out_erasures(planted.world.trial)
    else:
        planted.application.forget()


def decide(planted: Planted) -> None:
    """Two people for each participant."""
    world = planted.world
    for participant, ground in planted.grounds.items():
        if ground == NEVER_ENROLLED:
            world.give(FailScreening(participant=participant), "investigator", reason="not suitable")
        given = {"participant": participant, "ground": ground}
        world.give(ProposeErasure(**given), "investigator", reason="a name was typed")
        world.give(DestroyParticipantKeys(**given), "data_manager", reason="it was")
    _commit(planted)


def _commit(planted: Planted) -> None:
    """Acts share commits here; others see none before."""
    for store in planted.world.trial.stores.values():
        store._database.commit_group()


def export(planted: Planted) -> None:
    """Everything that leaves the system, made afterwards."""
    target, trial = planted.folder / "exports", planted.world.trial
    target.mkdir()
    for role in (Role.DATA_MANAGER, Role.INDEPENDENT_STATISTICIAN):
        rows = (str(row) for row in audit_trail(trial, role=role))
        (target / f"trail-{role.value}.txt").write_text("\n".join(rows), encoding="utf-8")
    _commit(planted)
    address = f"sqlite:///{planted.folder}/open.db"
    for number, arguments in enumerate((["archive", address], ["everything", address])):
        done = CliRunner().invoke(app, ["export", *arguments, "--output", str(target / str(number))])
        (target / f"{number}.log").write_text(f"{done.output}\n{done.exception!r}", encoding="utf-8")


# --- searching -----------------------------------------------------------------------------------------------------


def search(planted: Planted) -> Iterator[tuple[str, str]]:
    """(file, how) for every identity that is found anywhere but the one that stays."""
    names = [name.encode() for name in planted.identities]
    files = [path for path in sorted(planted.folder.rglob("*")) if path.is_file()]
    digests = dict(_guesses(planted))
    for path in files:
        for part, content in _unpacked(path.name, path.read_bytes()):
            for how, wanted in _spellings().items():
                at = content.find(wanted)
                while at >= 0:
                    if not _is_kept(content[at : at + 200], how, planted.kept):
                        yield str(path.relative_to(planted.folder)), f"{part}: {how}"
                        break
                    at = content.find(wanted, at + 1)
            for identity, digest in digests.items():
                if digest in content:
                    yield str(path.relative_to(planted.folder)), f"confirms {identity}"
    yield from _read_with_keys(planted, files, names)


def _spellings() -> dict[str, bytes]:
    """The stem as it may be written; of base64 the part that does not depend on what stands around it."""
    found = {name: STEM.encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be", "latin-1")}
    found["hex"] = STEM.encode().hex().encode()
    found["HEX"] = found["hex"].upper()
    found["JSON"] = STEM.encode("ascii", "backslashreplace").replace(b"\\xc6", b"\\u00c6")
    found["HTML"] = STEM.encode("ascii", "xmlcharrefreplace")
    found["percent"] = STEM.replace("Æ", "%C3%86").encode()
    for shift in range(3):
        whole = base64.b64encode(b"\x00" * shift + STEM.encode())
        found[f"base64 +{shift}"] = whole[4 : len(whole) // 4 * 4 - 4]
    return found


def _is_kept(near: bytes, how: str, kept: str) -> bool:
    """Whether what was found is the one who stays."""
    number = kept.removeprefix(STEM)[:10]
    coded = {"utf-16-le": number.encode("utf-16-le"), "utf-16-be": number.encode("utf-16-be")}
    if how in ("hex", "HEX"):
        return number.encode().hex().encode() in near.lower()
    if how.startswith("base64"):
        return any(base64.b64encode(b"\x00" * n + kept.encode())[4:32] in near for n in range(3))
    return coded.get(how, number.encode()) in near


def _unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The file, and what is packed in it."""
    yield "as it is", content
    if content[:2] == b"\x1f\x8b":
        yield from _unpacked(name, gzip.decompress(content))
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(BytesIO(content)) as packed:
            for member in packed.namelist():
                yield from ((f"{member}/{part}", inner) for part, inner in _unpacked(member, packed.read(member)))


def _guesses(planted: Planted) -> Iterator[tuple[str, bytes]]:
    """The digest that a request has if the guess is right."""
    for identity, (command, by, reason) in planted.asked.items():
        yield identity, requests.digest_of(command, by, None, reason).encode()


def _read_with_keys(planted: Planted, files: list[Path], names: list[bytes]) -> Iterator[tuple[str, str]]:
    """Read every ledger that lies anywhere with every keyring that lies anywhere, as the program would."""
    ledgers = [path for path in files if path.suffix in (".db", ".sqlite") and not path.name.endswith(".keys.db")]
    keyrings = [path for path in files if path.name.endswith(".keys.db")]
    with tempfile.TemporaryDirectory() as place:
        for ledger in ledgers:
            space = ledger.stem.rpartition(".")[2]
            for keyring in (path for path in keyrings if path.name == f"{space}.db.keys.db"):
                copy = Path(place) / f"{space}.db"
                for file in Path(place).iterdir():
                    file.unlink()
                with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
                    source.backup(target)
                shutil.copyfile(keyring, copy.with_name(keyring.name))
                told = _told(copy)
                for name in names:
                    if name.decode() in told:
                        how = f"with {keyring.relative_to(planted.folder)}"
                        yield str(ledger.relative_to(planted.folder)), how
                        break


def _told(file: Path) -> str:
    """Everything that the program reads in a ledger."""
    with open_store(f"sqlite:///{file}", create=False) as store:
        ledger = store.ledger(f"{STUDY}/{file.stem}")
        texts = SealedTexts({ledger.ledger_id: store.keyring}, {}, DerivedEntropy(1))
        recorder = Recorder(EVENTS, DerivedEntropy(1), texts)
        told = []
        for entry in ledger.read():
            # A keyring of another day lacks keys, or has one too many: that must not stop a search.
            with suppress(TrialwrightError):
                told.append(str(recorder.read(entry)))
    return "\n".join(told)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="erasure-") as place:
        outcome = campaign(count, Path(place), Application(Path(place), TRIAL / "study", START))
    kinds = len(PLACES) + len(erasure_application.PLACES)
    print(f"{count} identities in {kinds} kinds of places, {time.monotonic() - began:.0f} s")
    print(
        f"found afterwards: {len(outcome.found)}; entries shredded: {outcome.shredded}; verified: {outcome.verified}"
    )
    for file, how in outcome.found[:20]:
        print(f"  {file}: {how}")
    return 0 if outcome.verified and outcome.control and not outcome.found else 1


if __name__ == "__main__":
    raise SystemExit(main())

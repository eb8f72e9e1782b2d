"""``drill``: an emergency unblinding tried out, with the system and without it, against the clock.

It gives the real commands, so it writes: a rehearsal or test record only. In production an unblinding that nobody
needed would be a false fact about a real participant.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from trialwright.cli.keys import read_password
from trialwright.cli.output import NEGATIVE, AsJson, print_json, print_lines
from trialwright.cli.record import created, running_trial, study_of
from trialwright.cli.rehearsal import beside
from trialwright.foundation.errors import RecordError, Refusal
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.foundation.ports import SettableClock
from trialwright.protocol.roles import Role
from trialwright.sealing import DispensingProcess, EnvelopeWriter, envelope_password
from trialwright.stores import open_store
from trialwright.trial.allocation.commands import PrepareEnvelope, UnblindInEmergency
from trialwright.trial.allocation.envelopes import emergency_envelopes, in_words
from trialwright.trial.allocation.gateway import SealedAllocations, reveal
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.command import Actor, Signature
from trialwright.trial.dispatch import Receipt, Trial
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.event import Space
from trialwright.trial.setup.views import PERSON

ALLOWED = 120.0
"""Seconds from the decision to the treatment; what people need comes on top, and is timed with a watch."""


class DrillRefused(Refusal):
    """A production record, or one in which nobody can be unblinded any more."""

    code = "cli.drill_refused"


class DrillFailed(RecordError):
    """An envelope did not open."""

    code = "cli.drill_failed"


@dataclass(frozen=True)
class Leg:
    """One way to the treatment, and how long it took.

    Attributes:
        means: system or envelope.
        participant: who was unblinded.
        seconds: from the decision to the words on the screen.
        words: what was shown.
    """

    means: str
    participant: str
    seconds: float
    words: str


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("drill")(drill)


def drill(
    store: Annotated[str, typer.Argument(help="Address of the open space's store of a rehearsal.")],
    key: Annotated[Path, typer.Option(help="The dispensing key's file; rehearse --keys wrote it.")],
    closed_store: Annotated[
        str | None, typer.Option(help="Address of the closed space's store; beside the open one by default.")
    ] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with its password; asked for otherwise.")] = None,
    as_json: AsJson = False,
) -> None:
    """Unblind two participants of a rehearsal, one with the system and one from a sealed envelope, and time both.

    The rehearsal's record says so, like every unblinding. Exit code 1 where one took more than two minutes.
    """
    password = read_password(password_file, f"Password of {key.name}")
    with open_store(store, create=False) as opened:
        study, _ = study_of(opened, store)
        mode = created(opened, study).mode
    if mode == "production":
        raise DrillRefused(
            f"{study} is in production; a drill would unblind a real participant",
            remedy="drill on a rehearsal of the same study: docs/how-to/unblind-in-an-emergency.md",
            study=study,
        )
    legs = _Drill(study, store, closed_store or beside(store), key, password).both()
    slow = [leg for leg in legs if leg.seconds > ALLOWED]
    if as_json:
        print_json({"study": study, "allowed": ALLOWED, "legs": [vars(leg) for leg in legs]})
    else:
        print_lines(
            f"{'with the system' if leg.means == 'system' else 'from the envelope':<17}  {leg.participant}  "
            f"{leg.seconds:6.2f} s  {leg.words}"
            for leg in legs
        )
        print_lines(
            [f"{ALLOWED:.0f} s are allowed, people's part included.", "Both stand in the rehearsal's record."]
        )
    if slow:
        raise typer.Exit(NEGATIVE)


@dataclass(frozen=True)
class _Drill:
    study: str
    store: str
    closed_store: str
    key: Path
    password: str = field(repr=False)

    def both(self) -> tuple[Leg, Leg]:
        """With the system, and then without it."""
        with tempfile.TemporaryDirectory() as place:
            with self._running() as trial:
                online, offline = _two(trial)
                envelope = Path(place) / f"{offline}.envelope"
                secret = _prepare(trial, offline, envelope)
            return self._with_the_system(online), self._with_the_envelope(offline, envelope, secret)

    def _with_the_system(self, participant: str) -> Leg:
        """From nothing running to the treatment in words."""
        began = time.monotonic()
        with self._running() as trial:
            receipt = _unblind(trial, participant, "system")
            shown = reveal(receipt.facts, _gateway(trial))[participant]
            words = in_words(next(iter(trial.builds.values())), shown)
        return Leg("system", participant, time.monotonic() - began, words)

    def _with_the_envelope(self, participant: str, envelope: Path, secret: str) -> Leg:
        """Every store closed and the dispensing service ended: a file, its opener, and any Python."""
        began = time.monotonic()
        with as_file(files("trialwright.sealing") / "envelope_opener.py") as opener:
            done = subprocess.run(  # noqa: S603 - the opener as it lies beside the envelopes
                [sys.executable, "-I", "-W", "ignore", str(opener), str(envelope)],
                input=secret + "\n",
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,  # without a terminal the password is read from the input
            )
        seconds = time.monotonic() - began
        _, found, words = done.stdout.partition(f"Participant {participant}: ")
        if done.returncode or not found:
            raise DrillFailed(
                f"the envelope of {participant} did not open: {done.stderr.strip()[-200:]}",
                remedy="make the envelope again, and try it before it is needed",
            )
        with self._running() as trial:
            _unblind(trial, participant, "envelope")
        return Leg("envelope", participant, seconds, words.strip())

    @contextmanager
    def _running(self) -> Iterator[Trial]:
        with ExitStack() as stack:
            opened = stack.enter_context(open_store(self.store, create=False))
            closed = stack.enter_context(open_store(self.closed_store, create=False))
            # A rehearsal has its own time; delegations are in force there, not on the machine's day.
            ledger = opened.ledger(f"{self.study}/open")
            (newest,) = ledger.read(after=ledger.size() - 1)
            clock = SettableClock(datetime.fromisoformat(json.loads(newest.body)["at"]))
            trial = running_trial(self.study, opened, closed, clock)
            service = stack.enter_context(DispensingProcess(self.key, self.password))
            trial.allocations = SealedAllocations(trial.state, trial.builds, service)
            yield trial


def _two(trial: Trial) -> tuple[str, str]:
    """Two participants who are still blind."""
    rows = trial.stores[Space.OPEN].rows.where(RANDOMISATION)
    blind = [str(row["participant"]) for row in rows if not row["unblinded"]]
    if len(blind) < 2:
        raise DrillRefused(
            f"{len(blind)} participants are randomised and still blind", remedy="rehearse with more participants"
        )
    return blind[0], blind[-1]


def _prepare(trial: Trial, participant: str, envelope: Path) -> str:
    """Make the sealed envelope, as it is made after a randomisation; its password."""
    entropy, maker = SystemEntropy(), _one_of(trial, (Role.INDEPENDENT_STATISTICIAN, Role.PHARMACIST))
    receipt = trial.dispatch(
        PrepareEnvelope(participant=participant), by=maker, request_id=_request(), reason="drill"
    )
    secret = envelope_password(entropy, ledger=f"{trial.study}/closed", holder=participant)
    writer = EnvelopeWriter(secret, ledger=f"{trial.study}/closed", holder=participant, entropy=entropy)
    build = next(iter(trial.builds.values()))
    envelope.write_bytes(emergency_envelopes(receipt.facts, _gateway(trial), build, writer)[participant])
    return secret


def _unblind(trial: Trial, participant: str, means: str) -> Receipt:
    place = trial.stores[Space.OPEN].rows.get(DISPOSITION, (participant,))
    site = str(place["site"]) if place else ""
    by = _one_of(trial, (Role.INVESTIGATOR,), site)
    return trial.dispatch(
        UnblindInEmergency(participant=participant, means=means),
        by=by,
        request_id=_request(),
        reason="drill",
        signature=Signature(by.person, "unblind_in_emergency", "0" * 64),
    )


def _one_of(trial: Trial, roles: tuple[Role, ...], site: str = "") -> Actor:
    for role in roles:
        for row in trial.stores[Space.OPEN].rows.where(PERSON, role=role.value):
            if site in ("", row["site"]) and row["until"] is None:
                return Actor(str(row["person"]), role, str(row["organisation"]), str(row["site"]) or None)
    raise DrillRefused(
        f"nobody is appointed as {' or '.join(role.value for role in roles)}", remedy="rehearse with this role"
    )


def _gateway(trial: Trial) -> SealedAllocations:
    assert isinstance(trial.allocations, SealedAllocations), "set where the trial was opened"
    return trial.allocations


def _request() -> str:
    return "drill." + SystemEntropy().bytes(16, purpose="request id", stream="drill", position=0).hex()

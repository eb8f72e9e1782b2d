"""A thousand trials: random studies, random faults, a random order of acts; what must always hold is read afterwards.

Each seed plays one trial (``random_trial.py``) of a random study (``random_study.py``; five seeds share one, because
to read and build a folder takes as long as to play a trial) and reads its ledgers (``trial_readings.py``).

The whole campaign (``make attack-trials``), which goes on where it was stopped::

    python tests/campaigns/attack_trials.py [runs] [--processes 2] [--kept FILE]

``tests/attacks/test_thousand_trials.py`` runs a short form, and finds every weakened build.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from long_run import Kept, Outcome, Progress
from random_study import LABELS, random_build
from random_trial import RandomTrial
from trial_readings import problems

from trialwright.build import Build
from trialwright.trial import dispatch, rooms
from trialwright.trial.allocation import commands as allocation
from trialwright.trial.allocation.events import ParticipantRandomised
from trialwright.trial.allocation.gateway import SealedAllocations
from trialwright.trial.allocation.state import PARAMETERS, Randomised
from trialwright.trial.capture import commands as capture
from trialwright.trial.closure.events import ClosedDeviationOpened, DeviationOpened, SecondPersonAsked
from trialwright.trial.command import Command
from trialwright.trial.consent.state import Consent
from trialwright.trial.custody.commands import AdministerProduct, administration
from trialwright.trial.enrolment import commands as enrolment
from trialwright.trial.enrolment.events import ParticipationEnded
from trialwright.trial.enrolment.views import VIEWS as ENROLMENT_VIEWS
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.record import Circumstances
from trialwright.trial.setup.events import RecruitmentPaused
from trialwright.trial.setup.state import SiteSetup
from trialwright.trial.state import StreamCache
from trialwright.trial.view import Projector

TRIALS_A_STUDY = 5
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def attack(build: Build, seed: int) -> Outcome:
    """One trial; everything in it follows from study and seed."""
    trial = RandomTrial(build, seed)
    trial.play()
    told = trial.told + Counter({"trials": 1, "events": sum(trial.sizes().values())})
    study = build.study
    told[f"studies: {study.identity.design}, {study.identity.blinding.kind}"] += 1
    told[f"method: {study.randomisation.method}"] += 1
    told["studies with a product"] += study.custody is not None
    return Outcome(told, [f"seed {seed}: {problem}" for problem in problems(trial)])


def block(number: int) -> Outcome:
    """The trials of one random study."""
    found = Outcome()
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        build = random_build(number, Path(folder))
    for seed in range(number * TRIALS_A_STUDY, (number + 1) * TRIALS_A_STUDY):
        found.add(attack(build, seed))
    return found


# --- weakened builds ------------------------------------------------------------------------------------------------


def _decides(command: type[Command], change: Callable[[Event], Event | None]) -> AbstractContextManager[Any]:
    """Events of a decision changed, or left out."""
    honest = rooms.DECISIONS[command]

    def decide(*given: Any) -> Iterator[Event]:
        return (changed for event in honest(*given) if (changed := change(event)) is not None)

    return patch.dict(rooms.DECISIONS, {command: decide})  # type: ignore[arg-type]  # a dict


def _without(kind: type[Event]) -> Callable[[Event], Event | None]:
    return lambda event: None if type(event) is kind else event


def _forgets(slice_: type[Any], kind: type[Event] | str) -> AbstractContextManager[Any]:
    honest = slice_.apply
    name = kind if isinstance(kind, str) else kind.TYPE
    return patch.object(slice_, "apply", lambda self, fact: None if name == fact.event.TYPE else honest(self, fact))


@contextmanager
def _no_consent_asked() -> Iterator[None]:
    with patch.object(allocation, "require_consent", _nothing), patch.object(enrolment, "require_consent", _nothing):
        yield


def _nothing(*_: Any, **__: Any) -> None:
    """Instead of a gate."""


@contextmanager
def _save_after_the_lock() -> Iterator[None]:
    permission = replace(capture.SaveForm.PERMISSION, after_lock=True)
    with patch.object(capture.SaveForm, "PERMISSION", permission), patch.object(capture, "_need_entry", _nothing):
        yield


def _rows_swapped() -> AbstractContextManager[Any]:
    honest = SealedAllocations._value

    def value(self: SealedAllocations, state: Any, stratum: str, position: int) -> str:
        return honest(self, state, stratum, position if stratum == PARAMETERS else position ^ 1)

    return patch.object(SealedAllocations, "_value", value)


def _positions_swapped() -> AbstractContextManager[Any]:
    def swapped(event: Event) -> Event:
        return replace(event, position=event.position ^ 1) if hasattr(event, "position") else event

    return _decides(allocation.RandomiseParticipant, swapped)


def _arm_for_a_token() -> AbstractContextManager[Any]:
    def telling(event: Event) -> Event:
        return replace(event, token=LABELS[0]) if isinstance(event, ParticipantRandomised) else event

    return _decides(allocation.RandomiseParticipant, telling)


def _flag_dropped(name: str, flag: str) -> AbstractContextManager[Any]:
    honest = getattr(administration, name)
    return patch.object(administration, name, lambda *given: (found for found in honest(*given) if found != flag))


def _refusal_written() -> AbstractContextManager[Any]:
    honest = dispatch.Trial._log

    def log(self: dispatch.Trial, request: Any, refusal: Any) -> None:
        honest(self, request, refusal)
        state, asked = self.state(), SecondPersonAsked(act="refused")
        state.version(Space.OPEN, asked.stream)
        about = Circumstances(self.clock.now(), None, request.by, "UTC", None, "", f"{request.request_id}.refused")
        self._append_one([asked], state, about)

    return patch.object(dispatch.Trial, "_log", log)


def _memory_fails() -> AbstractContextManager[Any]:
    honest = StreamCache._kinds

    def kinds(self: StreamCache, space: Space, stream: str, type_name: str) -> Any:
        return [] if type_name == "capture.items_verified" else honest(self, space, stream, type_name)

    def learn(self: StreamCache, space: Space, facts: Sequence[Fact], size: int) -> None:
        with patch.object(StreamCache, "_kinds", kinds):
            learned(self, space, facts, size)

    learned = StreamCache.learn
    return patch.object(StreamCache, "learn", learn)


def _view_forgets() -> AbstractContextManager[Any]:
    disposition = next(view for view in ENROLMENT_VIEWS if view.name == "disposition")
    kept = {kind: project for kind, project in disposition.on.items() if kind is not ParticipationEnded}
    return patch.dict(disposition.on, kept, clear=True)  # type: ignore[arg-type]  # a dict


def _last_fact_not_projected() -> AbstractContextManager[Any]:
    honest = Projector.project

    def project(self: Projector, facts: Sequence[Fact], rows: Any) -> None:
        honest(self, facts[:-1] if len(facts) > 1 else facts, rows)

    return patch.object(Projector, "project", project)


WEAKENED: Mapping[str, Callable[[], AbstractContextManager[Any]]] = {
    "no gate of consent": _no_consent_asked,
    "no gate of sign-off": lambda: patch.object(allocation, "_check_sign_off", _nothing),
    "rows of the list exchanged": _rows_swapped,
    "positions exchanged": _positions_swapped,
    "randomised twice": lambda: patch.object(Randomised, "done", property(lambda self: False)),
    "a visit's deviation not opened": lambda: _decides(capture.RecordVisit, _without(DeviationOpened)),
    "a closed deviation not opened": lambda: _decides(AdministerProduct, _without(ClosedDeviationOpened)),
    "windows not looked at": lambda: patch.object(capture, "_days_out", lambda *given: 0),
    "a dose before release not flagged": lambda: _flag_dropped("_open_flags", "not_ready"),
    "a wrong product not flagged": lambda: _flag_dropped("_identity_flags", "wrong_product"),
    "a decision forgets withdrawals": lambda: _forgets(Consent, "consent.withdrawn"),
    "a decision forgets pauses": lambda: _forgets(SiteSetup, RecruitmentPaused),
    "a process forgets what it wrote": _memory_fails,
    "a view forgets an event": _view_forgets,
    "a view misses the last fact of an act": _last_fact_not_projected,
    "a refusal writes": _refusal_written,
    "a lock lets saves pass": _save_after_the_lock,
    "a crossing is never completed": lambda: patch.object(dispatch.Trial, "_is_complete", lambda *given: True),
    "a request is forgotten": lambda: patch.object(dispatch.Trial, "_earlier", _nothing),
    "the arm for a token": _arm_for_a_token,
}
"""What is taken from the library → how; each must be found."""


def found_at(weakness: str, builds: Sequence[Build], most: int) -> tuple[int, str]:
    """After how many trials a weakened build is found (0: not within ``most``), and what was said."""
    with ExitStack() as stack:
        stack.enter_context(WEAKENED[weakness]())
        for seed in range(most):
            wrong = attack(builds[seed % len(builds)], seed).wrong
            if wrong:
                return seed + 1, wrong[0]
    return 0, ""


# --- the long form --------------------------------------------------------------------------------------------------


def campaign(runs: int, processes: int, kept: Kept) -> None:
    """Play the trials that were not played before, with a progress bar."""
    left = [number for number in range(-(-runs // TRIALS_A_STUDY)) if number not in kept.blocks]
    progress = Progress(len(left), "trials", TRIALS_A_STUDY)
    with ProcessPoolExecutor(processes) as pool:
        waiting = {pool.submit(block, number): number for number in left}
        try:
            for future in as_completed(waiting):
                kept.add(waiting[future], future.result())
                progress.step(len(kept.outcome.wrong))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)  # else all that waits would still be played
            raise


def main(arguments: Sequence[str] | None = None) -> int:
    """The long form. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=int, nargs="?", default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kept", type=Path, help="where outcomes are kept, to go on after an interruption")
    given = parser.parse_args(arguments)
    kept, began = Kept(given.kept), time.perf_counter()
    try:
        campaign(given.runs, given.processes, kept)
    except KeyboardInterrupt:
        print("stopped; what was played counts", file=sys.stderr)
    told, wrong = kept.outcome.told, kept.outcome.wrong
    for what, number in sorted(told.items(), key=lambda item: (-item[1], item[0])):
        print(f"{number:>10,}  {what}")
    seconds = time.perf_counter() - began
    print(f"{told['trials']:,} trials of {len(kept.blocks):,} studies, {seconds:,.0f} s, {len(wrong)} problems")
    print("\n".join(wrong[:40]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

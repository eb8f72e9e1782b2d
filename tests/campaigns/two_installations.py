"""Two installations over two rehearsals of one seed, the second with every allocation exchanged, and people in them.

Used by ``two_worlds_pages.py``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from in_both_worlds import Pair
from pages import REPOSITORY, STUDY, served

from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import open_store
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright_web.config.demo import PASSWORD, environment

UNTIL = datetime(2027, 9, 1, 7, tzinfo=UTC)
BLINDED = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR,
    Role.SPONSOR, Role.CENTRAL_READER, Role.INSPECTOR,
)  # fmt: skip


def make_world(folder: Path, *, mirrored: bool, participants: int, seed: int) -> dict[str, str]:
    """An installation over a rehearsal, without the databases of its accounts; answers who is in which arm."""
    folder.mkdir()
    build = compiled(load_study(REPOSITORY / "studies" / STUDY).study)
    wishes = Wishes(
        participants=participants, seed=seed, ideal_seals=True, mirrored=mirrored, responses=False, until=UNTIL
    )
    # What a rehearsal fills can be made again from its seed and need not wait for the disk.
    opened, closed = (open_store(f"sqlite:///{folder / name}.db", acts_per_commit=100) for name in (STUDY, "closed"))
    with opened, closed:
        done = rehearse(build, opened, closed, wishes)
        people = [row["participant"] for row in opened.rows.where(RANDOMISATION)]
        arms = {str(person): str(done.trial.allocations.label(person)) for person in people}
    (folder / "arms.json").write_text(json.dumps(arms))
    (folder / "secret.key").write_text("of two worlds " * 5)
    (folder / "checkpoint.key").write_text("00" * 32)
    (folder / "closed.toml").write_text(f'[studies.{STUDY}]\nstore = "sqlite:///closed.db"\n')
    (folder / "installation.toml").write_text(
        f'[studies.{STUDY}]\nfolder = "{REPOSITORY}/studies/{STUDY}"\nstore = "sqlite:///{STUDY}.db"\n'
        f'mode = "rehearsal"\nbegan = {UNTIL.isoformat().replace("+00:00", "Z")}\n'
    )
    return arms


def site_of(people: Sequence[str]) -> str:
    """The site with the most of these participants; whoever works at a site sees its own only."""
    return Counter(code.split("-")[1] for code in people).most_common(1)[0][0]


def person_of(role: Role, site: str) -> str:
    """The person who acts in a role in a rehearsal, at the site where the role has one."""
    return f"{role.value}.{site if role in SITE_ROLES else '1'}"


MANAGED = """
import sys, django
django.setup()
from django.core.management import call_command
for command in sys.argv[1:]:
    call_command(*command.split())
"""


def make_accounts(folder: Path, site: str) -> None:
    """The databases of accounts and identities; they know no arm, so the other world gets copies."""
    accounts = f"make_rehearsal_accounts {PASSWORD} " + " ".join(sorted(person_of(role, site) for role in BLINDED))
    participants = f"make_rehearsal_participants {PASSWORD} {STUDY}"
    for process, command in (("staff", accounts), ("public", participants)):
        run(folder, process, "-c", MANAGED, "prepare_databases", command)


def run(folder: Path, process: str, *command: str) -> None:
    own = {**os.environ, **environment(folder, process), "ARMS": str(folder / "arms.json"), "PYTHONHASHSEED": "0"}
    subprocess.run([sys.executable, *command], env=own, check=True)


class Worlds:
    """Two installations, and everybody in them.

    Attributes:
        folders: of the installations.
        people: participants, randomised in both.
        site: where roles of a site are looked at.
    """

    def __init__(self, folders: Sequence[Path], people: Sequence[str], cleaning: ExitStack) -> None:
        self.folders, self.people, self.site = folders, people, site_of(people)
        self._cleaning, self._addresses = cleaning, dict[str, list[str]]()
        self._steps, self._began = count(1), str(int(time.time()))
        self._threads = cleaning.enter_context(ThreadPoolExecutor(2))

    def addresses(self, process: str) -> list[str]:
        """Of a process in both worlds, started when it is first asked for."""
        if process not in self._addresses:
            self._addresses[process] = [self._served(folder, process) for folder in self.folders]
        return self._addresses[process]

    def _served(self, folder: Path, process: str) -> str:
        settings = {
            "ARMS": str(folder / "arms.json"),
            "STEPS_BEGAN": self._began,
            "PYTHONHASHSEED": "0",  # the order of sets is chance, not knowledge
            f"TRIALWRIGHT_{process.upper()}_ADDRESS": "http://localhost:8000",
            "TRIALWRIGHT_IDLE_MINUTES": "240",
        }
        started = served(folder, (process,), "leaky:application", **settings)
        return self._cleaning.enter_context(started)[process]

    def anybody(self, name: str, process: str) -> Pair:
        """Somebody who is not signed in."""
        pair = Pair(name, self.addresses(process), self._steps, self._threads)
        self._cleaning.callback(pair.close)
        return pair

    def role(self, role: Role, process: str = "staff") -> Pair:
        """Signed in, at the desk of a role."""
        see, person = self.anybody(f"{role.value} ({process})", process), person_of(role, self.site)
        answers = see.send("/accounts/login/", {"login": person, "password": PASSWORD})
        assert answers[0].status_code == 302, answers[0].text[:2000]
        if 'name="desk"' in see.get("/")[0].text:
            see.send("/", {"desk": f"{STUDY}:{role.value}@{self.site if role in SITE_ROLES else ''}"})
        return see

    def participant(self, code: str) -> Pair:
        """A participant, signed in to their own pages."""
        see = self.anybody(code, "public")
        answers = see.send("/me/enter", {"number": code, "secret": PASSWORD})
        assert answers[0].headers.get("Location") == "/me/", answers[0].text[:2000]
        return see

    def program(self, role: Role) -> Pair:
        """A program with a token of a role's desk."""
        page, see = self.role(role), self.anybody(f"program of {role.value}", "staff")
        fields = {"name": "worlds", "days": "1", "password": PASSWORD}
        answers = page.send(f"/{STUDY}/api/tokens/", fields)
        for client, answer in zip(see.clients, answers, strict=True):
            client.headers["Authorization"] = f"Bearer {re.findall(r'tw_[0-9a-f]{64}', answer.text)[0]}"
        return see


@contextmanager
def two_worlds(home: Path, *, participants: int = 3, seed: int = 2) -> Iterator[Worlds]:
    """Two installations, the second with every allocation exchanged, until the end of the block."""
    folders = [home / "one", home / "other"]
    arms = [
        make_world(folder, mirrored=mirrored, participants=participants, seed=seed)
        for folder, mirrored in zip(folders, (False, True), strict=True)
    ]
    assert arms[0].keys() == arms[1].keys()
    assert all(arms[0][person] != arms[1][person] for person in arms[0])
    assert (folders[0] / "closed.db").read_bytes() != (folders[1] / "closed.db").read_bytes()
    make_accounts(folders[0], site_of(sorted(arms[0])))
    for name in ("staff.db", "public.db", "identity.db"):
        shutil.copy(folders[0] / name, folders[1] / name)
    with ExitStack() as cleaning:
        yield Worlds(folders, sorted(arms[0]), cleaning)

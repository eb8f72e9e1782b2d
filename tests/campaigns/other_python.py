"""The same seed gives the same roots on another Python. Makes an environment once and keeps it::

    python tests/campaigns/other_python.py python3.13 [folder of the environment]

prints the roots of both and compares. With ``--roots STUDY PARTICIPANTS SEED`` it is the part that runs inside.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TRIALS = (("smart-ms", 6, 1), ("frexalimab-sc-iv", 4, 1), ("ocrelizumab-sc", 4, 2))
"""Study, participants, seed."""


def roots(study: str, participants: int, seed: int) -> dict[str, object]:
    """What a rehearsal in memory comes to, on the Python that runs this."""
    from trialwright.build.compile import compiled
    from trialwright.protocol import load_study
    from trialwright.rehearsal import Wishes, rehearse
    from trialwright.stores import MemoryStore

    build = compiled(load_study(REPOSITORY / "studies" / study).study)
    done = rehearse(build, MemoryStore(), MemoryStore(), Wishes(participants=participants, seed=seed))
    return {"build": build.id, "events": done.events, "root": done.root, "closed_root": done.closed_root}


def asked(python: str | Path, trial: tuple[str, int, int], hash_seed: str = "random") -> dict[str, object]:
    """The same from another process: another Python, or other hashes of text."""
    answer = subprocess.run(
        [str(python), __file__, "--roots", *map(str, trial)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def environment(python: str, folder: Path) -> Path:
    """An environment for the other Python with what the lock file pins; returns its interpreter."""
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        pip = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(REPOSITORY / "requirements.lock")], check=True)
        subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(REPOSITORY)], check=True)
    return inside


def main(python: str, folder: str = "") -> int:
    """Compare; returns the exit code."""
    inside = environment(python, Path(folder) if folder else REPOSITORY / ".other-python" / Path(python).name)
    version = subprocess.run([str(inside), "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    print(f"Python {platform.python_version()} and {version}")
    wrong = 0
    for trial in TRIALS:
        here, there = asked(sys.executable, trial), asked(inside, trial)
        wrong += here != there
        print(f"{trial[0]}, {trial[1]} participants, seed {trial[2]}: {'the same' if here == there else 'DIFFERENT'}")
        print(*(f"  {name:12} {value}" for name, value in here.items()), sep="\n")
        if here != there:
            print(*(f"  {name:12} {value}" for name, value in there.items()), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1] == "--roots":
        print(json.dumps(roots(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
    else:
        sys.exit(main(*sys.argv[1:]))

"""The command line in processes of its own, without the second that each would need to start."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trialwright.sealing import EnvelopeWriter, keys, protected

# A process that has the program in memory, and becomes the program once for each line that it is sent.
PROGRAM = """
import json, os, sys
from trialwright.cli import main
for line in sys.stdin:
    wanted = json.loads(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.chdir(wanted["cwd"])
    for number, file in enumerate((os.devnull, wanted["stdout"], wanted["stderr"])):
        os.dup2(os.open(file, os.O_RDWR), number)
    sys.argv = ["trialwright", *wanted["arguments"]]
    main()
    sys.exit()
"""


@pytest.fixture(scope="module", autouse=True)  # not until the session ends: other folders follow
def passwords_tried_quickly() -> Iterator[None]:
    """Key files, shares and envelopes of this process are as quick to open as a rehearsal's.

    How slow they are by default, so that nobody can guess, tests/unit/sealing says.
    """
    with pytest.MonkeyPatch.context() as patch:
        for function in (protected.protect, keys.write_key, keys.write_share, EnvelopeWriter.__init__):
            assert function.__kwdefaults__ is not None
            patch.setitem(function.__kwdefaults__, "work", 10)
        yield


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs a command line to its end: ``run("check", folder, cwd=…)``, with its exit code and what it printed.

    Each is a process with its own memory, streams and exit code; only the imports are shared.
    """
    streams = [tmp_path_factory.mktemp("streams") / name for name in ("stdout", "stderr")]
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None and program.stdout is not None

        def to_the_end(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
            for stream in streams:
                stream.write_text("")
            words = [str(argument) for argument in arguments]
            wanted = {"arguments": words, "cwd": str(cwd or Path.cwd())}
            wanted |= {stream.name: str(stream) for stream in streams}
            program.stdin.write(json.dumps(wanted) + "\n")
            program.stdin.flush()
            code = int(program.stdout.readline())
            return subprocess.CompletedProcess(
                words, code, *(stream.read_text(encoding="utf-8") for stream in streams)
            )

        yield to_the_end
        program.stdin.close()

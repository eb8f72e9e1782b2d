"""Runs the commands that a page of the documentation shows, and compares what they print.

    python tests/repository/documents.py docs/tutorial/first-study.md …

Each page runs in an empty folder of its own. Three kinds of fenced block count:

- ``console``: lines that begin with ``$`` are commands, what follows is what they print. ``…`` stands for anything
  within a line, alone on a line for any lines. A comment ``<!-- exit code 1 -->`` above the block says that its last
  command answers no; every other command must end with 0.
- ``diff``: a change that the reader types. ``---`` names the file; the lines with ``-`` or a blank in front stand in
  it exactly once and become those with ``+`` or a blank.
- ``file`` with a path (``yaml file=forms/dose.yaml``): a file that the reader writes.

The folder holds a link to the example studies, so that ``studies/smart-ms`` means the same as in the repository.
Blocks of other kinds (``sh``) are not run: they install, or need a server.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:^<!-- exit code (?P<code>\d) -->\n)?^```(?P<kind>\S+)(?: file=(?P<file>\S+))?\n(?P<body>.*?)^```$",
    re.M | re.S,
)
ANYTHING = "…"
STUDIES = Path(__file__).parents[2] / "studies"


class PageWrong(Exception):
    """A page says what is not so."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    kind: str
    body: str
    line: int
    code: int = 0
    file: str = ""


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in BLOCK.finditer(page):
        line = page.count("\n", 0, found.start("body"))
        yield Block(found["kind"], found["body"], line, int(found["code"] or 0), found["file"] or "")


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Command and expected output, in order. A command goes on in the next line after a backslash."""
    command, said, goes_on = "", "", False
    for line in block.body.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, said
            command, said = line[2:], ""
        elif goes_on:
            command += "\n" + line
        else:
            said += line + "\n"
        goes_on = (goes_on or line.startswith("$ ")) and line.endswith("\\")
    if command:
        yield command, said


def fits(expected: str, printed: str) -> bool:
    """Whether the output is the expected one; blanks at the end of lines and of the whole do not count."""
    pattern = ""
    for line in expected.strip().splitlines():
        if line.strip() == ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split(ANYTHING)) + r"[ \t]*\n"
    text = "\n".join(line.rstrip() for line in printed.strip().splitlines()) + "\n"
    return not expected.strip() or re.fullmatch(pattern, text) is not None


def change(folder: Path, body: str) -> None:
    """Make the change that a ``diff`` block shows.

    Raises:
        PageWrong: the lines do not stand in the file exactly once.
    """
    head, _, rest = body.partition("\n")
    path = folder / head.removeprefix("--- ").strip()
    old = "".join(line[1:] + "\n" for line in rest.splitlines() if line[:1] != "+")
    new = "".join(line[1:] + "\n" for line in rest.splitlines() if line[:1] != "-")
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise PageWrong(f"{path.name} has these lines {text.count(old)} times:\n{old}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(page: str, folder: Path, name: str = "page") -> int:
    """Do what a page says, in an empty folder. Returns the number of commands.

    Raises:
        PageWrong: a command ends or prints otherwise than the page says.
    """
    count = 0
    # The reader has activated the environment; nothing of the machine's home folder may matter.
    home = folder / ".home"
    home.mkdir()
    (folder / "studies").symlink_to(STUDIES, target_is_directory=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "COLUMNS": "100"}
    for block in blocks(page):
        where = f"{name}:{block.line}"
        if block.file:
            target = folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.body, encoding="utf-8")
        elif block.kind == "diff":
            change(folder, block.body)
        elif block.kind == "console":
            every = list(commands(block))
            for number, (command, said) in enumerate(every, 1):
                done = subprocess.run(
                    ["bash", "-c", command],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                    timeout=300,
                )
                wanted = block.code if number == len(every) else 0
                if done.returncode != wanted:
                    raise PageWrong(f"{where}: {command}\nexit code {done.returncode}, not {wanted}\n{done.stdout}")
                if not fits(said, done.stdout):
                    raise PageWrong(f"{where}: {command}\nprinted:\n{done.stdout}\nnot:\n{said}")
                count += 1
    return count


def main(pages: list[str]) -> int:
    """Run pages, two at a time; exit code 1 when one is wrong, after all have been run."""
    wrong = False
    with ThreadPoolExecutor(2) as pool:
        for page, found in zip(pages, pool.map(_in_a_folder, pages), strict=True):
            if isinstance(found, PageWrong):
                sys.stderr.write(f"{found}\n")
                wrong = True
            else:
                said = f"{found} commands as shown" if found else "shows nothing that is run"
                sys.stdout.write(f"{page}: {said}\n")
    return 1 if wrong else 0


def _in_a_folder(page: str) -> int | PageWrong:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return run(Path(page).read_text(encoding="utf-8"), Path(folder), page)
        except PageWrong as wrong:
            return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a study takes for granted: everything its files mark ``source: A``."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.build.rules.texts import declarations, walk
from trialwright.protocol.declared import Declared, Mark
from trialwright.protocol.loader import LoadedStudy


@dataclass(frozen=True)
class Assumption:
    """One declaration that no source supports.

    Attributes:
        file, line: where it stands.
        what: its id, or the key that leads to it.
        note: what the authors wrote beside it.
    """

    file: str
    line: int
    what: str
    note: str


def assumptions(loaded: LoadedStudy) -> tuple[Assumption, ...]:
    """Every declaration marked ``source: A``, in the order of files and lines."""
    found = []
    for file, declared in declarations(loaded.study):
        for path, part in walk(declared):
            if isinstance(part, Declared) and part.source is Mark.ASSUMPTION:
                steps = [str(step) for step in path if isinstance(step, str)]
                what = str(getattr(part, "id", None) or (".".join(steps) if steps else "the whole file"))
                found.append(Assumption(file, loaded.positions.of(file, path).line, what, part.note or ""))
    return tuple(sorted(found, key=lambda a: (a.file, a.line)))

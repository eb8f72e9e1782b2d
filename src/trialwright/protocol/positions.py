"""Where every key and value of a study folder stands, so that each finding can point at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]
"""Keys and indices from the top of a file to a value: ``("groups", 0, "items", 3, "when")``."""


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Place:
    """A value's place, and its key's. ``inline`` is how far the text of a one-line value starts after its place."""

    key: Position
    value: Position
    inline: int | None = None


@dataclass(frozen=True)
class Positions:
    """Places of all files; a path that is not written (a default) is found at the nearest one that is."""

    files: Mapping[str, Mapping[KeyPath, Place]] = field(default_factory=dict)

    def of(self, file: str, path: KeyPath = (), *, offset: int | None = None) -> Position:
        """The value's position; with ``offset``, the character that far inside a one-line text."""
        place = self._nearest(file, path)
        if offset is None or place.inline is None or path not in self.files.get(file, {}):
            return place.value
        return Position(place.value.line, place.value.column + place.inline + offset)

    def of_key(self, file: str, path: KeyPath) -> Position:
        """The position of the key that leads to the value."""
        return self._nearest(file, path).key

    def _nearest(self, file: str, path: KeyPath) -> Place:
        places = self.files.get(file, {})
        for length in range(len(path), -1, -1):
            found = places.get(path[:length])
            if found is not None:
                return found
        return Place(Position(1, 1), Position(1, 1))

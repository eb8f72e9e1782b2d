"""State is a fold: slices, each folding one stream, read through a reader that remembers what was read.

There is no global participant state. A slice belongs to the room whose events it folds; a decision asks for the
slices it needs, and every stream it read is checked again, under the lock, before its events are appended.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar, cast

from trialwright.ledger.port import Ledger
from trialwright.trial.erasure.events import ParticipantKeysDestroyed
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.record import Recorder

_FOLLOWED = 200
"""Entries of others whose streams are told one by one."""


class Slice:
    """What one room remembers of one stream. Subclasses are dataclasses with defaults and an ``apply``.

    ``apply`` is called in order with each fact whose event type is in ``FOLDS``; decisions only read.
    """

    STREAM: ClassVar[str]
    """``study``, ``site/{}`` or ``participant/{}``; the placeholder is the key."""
    SPACE: ClassVar[Space] = Space.OPEN
    FOLDS: ClassVar[tuple[type[Event], ...] | None]
    """Event types it is given; None for every event of the stream."""

    def apply(self, fact: Fact) -> None:
        """Fold one fact."""
        raise NotImplementedError(type(self).__name__)  # pragma: no cover - every slice has its own


S = TypeVar("S", bound=Slice)


@dataclass
class _Seen:
    """How far a ledger was followed."""

    size: int = 0
    moves: int = 0
    """How often it was found to have been moved so far by others that every stream had to be looked at."""


@dataclass
class _Folded:
    version: int = 0
    moves: int = -1
    """The moves of the ledger at which the version was last compared with it."""
    slices: dict[type[Slice], Slice] = field(default_factory=dict)


class StreamCache:
    """Folded streams, kept while there is room; a ledger that nobody else moved is not asked again.

    Args:
        ledgers: the ledger of each space this process holds.
        slices: every slice of every room.
        recorder: decodes entries.
        keep: how many streams stay in memory.
    """

    def __init__(
        self, ledgers: Mapping[Space, Ledger], slices: Iterable[type[Slice]], recorder: Recorder, keep: int = 8192
    ) -> None:
        self._ledgers = ledgers
        self._recorder = recorder
        self._keep = keep
        self._folded: OrderedDict[tuple[Space, str], _Folded] = OrderedDict()
        self._seen = {space: _Seen() for space in ledgers}
        self._by_stream: dict[tuple[Space, str], list[type[Slice]]] = {}
        self._by_type: dict[tuple[Space, str, str], list[type[Slice]]] = {}
        self._whole: dict[tuple[Space, str], list[type[Slice]]] = {}
        self._merged: dict[tuple[Space, str, str], list[type[Slice]]] = {}
        for kind in slices:
            self._by_stream.setdefault((kind.SPACE, _kind(kind.STREAM)), []).append(kind)
            if kind.FOLDS is None:
                self._whole.setdefault((kind.SPACE, _kind(kind.STREAM)), []).append(kind)
            for event in kind.FOLDS or ():
                self._by_type.setdefault((kind.SPACE, _kind(kind.STREAM), event.TYPE), []).append(kind)

    def follow(self, space: Space) -> dict[Space, int]:
        """Notice which streams have entries that this process did not write.

        Returns:
            How many entries there are, for each space of the same ledger: an open study has both in one.
        """
        spaces = [other for other, ledger in self._ledgers.items() if ledger is self._ledgers[space]]
        return dict.fromkeys(spaces, self._follow(self._ledgers[space], spaces))

    def _follow(self, ledger: Ledger, spaces: Sequence[Space]) -> int:
        known = min(self._seen[space].size for space in spaces)
        moved = ledger.moved(known, _FOLLOWED)
        size, streams = (ledger.size(), None) if moved is None else moved
        for space in spaces:
            self._seen[space].size = size
            if streams is None:
                self._seen[space].moves += 1  # too many to name: each stream is looked at when it is asked for
                continue
            for stream, version in streams.items():
                folded = self._folded.get((space, stream))
                if folded is not None and folded.version < version:
                    folded.moves = -1
        return size

    def folded(self, space: Space, stream: str) -> _Folded:
        """The stream folded up to what the ledger held when it was last followed, or more."""
        key = (space, stream)
        folded = self._folded.get(key)
        if folded is None:
            folded = _Folded(slices=self._fresh(space, stream))
            self._folded[key] = folded
            while len(self._folded) > self._keep:
                self._folded.popitem(last=False)
        self._folded.move_to_end(key)
        moves = self._seen[space].moves
        if folded.moves != moves:
            self._catch_up(folded, space, stream)
            folded.moves = moves
        return folded

    def learn(self, space: Space, facts: Sequence[Fact], size: int) -> None:
        """Fold what this process has just committed, so that it need not be read again.

        Args:
            space: where it was written.
            facts: all of one transaction.
            size: entries in the ledger after it.
        """
        seen = self._seen[space]
        if seen.size == size - len(facts):
            seen.size = size
        for fact in facts:
            if isinstance(fact.event, ParticipantKeysDestroyed):
                self._forget(fact.stream)
            folded = self._folded.get((space, fact.stream))
            if folded is not None and folded.version == fact.stream_seq - 1:
                _apply(folded, self._kinds(space, fact.stream, fact.event.TYPE), fact)
                folded.version = fact.stream_seq

    def _catch_up(self, folded: _Folded, space: Space, stream: str) -> None:
        ledger = self._ledgers[space]
        entries = list(ledger.read_stream(stream, after=folded.version))
        erased = any(entry.type == ParticipantKeysDestroyed.TYPE for entry in entries)
        if erased and folded.version:
            # What was folded before may hold what is now to be forgotten.
            self._recorder.refresh()
            entries = list(ledger.read_stream(stream))
            folded.version, folded.slices = 0, self._fresh(space, stream)
        below = sum(entry.type == ParticipantKeysDestroyed.TYPE for entry in entries) if erased else 0
        for entry in entries:
            kinds = self._kinds(space, stream, entry.type)
            if kinds:
                _apply(folded, kinds, self._recorder.read(entry, below))
            folded.version = entry.stream_seq

    def _forget(self, stream: str) -> None:
        for space in self._ledgers:
            self._folded.pop((space, stream), None)

    def _fresh(self, space: Space, stream: str) -> dict[type[Slice], Slice]:
        return {kind: kind() for kind in self._by_stream.get((space, _kind(stream)), ())}

    def _kinds(self, space: Space, stream: str, type_name: str) -> list[type[Slice]]:
        kind = _kind(stream)
        key = (space, kind, type_name)
        found = self._merged.get(key)
        if found is None:
            found = self._merged[key] = [*self._by_type.get(key, ()), *self._whole.get((space, kind), ())]
        return found


def _apply(folded: _Folded, kinds: Iterable[type[Slice]], fact: Fact) -> None:
    for kind in kinds:
        folded.slices[kind].apply(fact)


class State:
    """What one decision sees. Remembers the version of every stream it read."""

    def __init__(self, cache: StreamCache) -> None:
        self._cache = cache
        self._folded: dict[tuple[Space, str], _Folded] = {}
        self._followed: dict[Space, int] = {}
        self.read: dict[Space, dict[str, int]] = {Space.OPEN: {}, Space.CLOSED: {}}

    def of(self, kind: type[S], key: str = "") -> S:
        """The slice of one stream; empty when nothing happened there yet."""
        stream = kind.STREAM.replace("{}", key)
        return cast(S, self._read(kind.SPACE, stream).slices[kind])

    def as_of(self, *spaces: Space) -> int | None:
        """How many entries the ledger had before anything of it was read, the fewest where two spaces share one;
        None if nothing was.
        """
        return min((self._followed[space] for space in spaces if space in self._followed), default=None)

    def version(self, space: Space, stream: str) -> int:
        """The version read of a stream, reading it now if it was not read before."""
        self._read(space, stream)
        return self.read[space][stream]

    def _read(self, space: Space, stream: str) -> _Folded:
        # One decision sees one version of a stream, however often it looks.
        folded = self._folded.get((space, stream))
        if folded is None:
            if space not in self._followed:
                self._followed |= self._cache.follow(space)
            folded = self._folded[space, stream] = self._cache.folded(space, stream)
            self.read[space][stream] = folded.version
        return folded


def _kind(stream: str) -> str:
    return stream.partition("/")[0]

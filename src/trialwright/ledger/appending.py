"""What may be appended, decided once for all stores: versions, repeated requests, hashes. Knows no database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from trialwright.ledger.entries import Entry, NewEntry, chain_hash, check_entry, leaf_hash
from trialwright.ledger.errors import RequestAlreadyRecorded, TransactionMisused, VersionConflict
from trialwright.ledger.merkle import Frontier
from trialwright.ledger.port import Head


class Recorded(Protocol):
    """What an appending asks of its store, all of it read under the head lock."""

    def versions(self, streams: Collection[str]) -> dict[str, int]:
        """The version of each of these streams; those without entries may be left out."""
        ...

    def requests(self, request_ids: Collection[str], upto: int) -> tuple[Entry, ...]:
        """The entries with ``seq <= upto`` of the first of these requests that has any."""
        ...

    def moved(self, as_of: int) -> Mapping[str, int] | None:
        """The version of each stream that had entries after the first ``as_of`` when the head was locked; None if
        it was not asked.
        """
        ...


class Appending:
    """The growing end of one ledger during one transaction.

    Args:
        chain: the chain value at the head.
        frontier: the Merkle frontier at the head.
        recorded: the store's answers.
    """

    def __init__(self, chain: bytes, frontier: Frontier, recorded: Recorded) -> None:
        self.chain = chain
        self.frontier = frontier
        self._recorded = recorded
        self._versions: dict[str, int] = {}
        # Entries after this position belong to the command at work, which may append in several steps under
        # one request id; an id at or before it is a repetition.
        self._begun_at = frontier.size
        self._ended = False

    @property
    def size(self) -> int:
        return self.frontier.size

    def head(self) -> Head:
        return Head(self.frontier.size, self.chain, self.frontier.root())

    def check(self, expected: Mapping[str, int], as_of: int | None = None) -> None:
        """Raise VersionConflict unless every stream has the version given; see :class:`ledger.port.Transaction`."""
        self._refuse_after_end()
        if as_of == self.frontier.size:
            self._versions |= expected  # nothing was written since they were read
            return
        moved = self._recorded.moved(as_of) if as_of is not None and not self._versions else None
        if moved is not None:
            # Streams that nobody wrote to since they were read have the version that was read.
            self._versions |= {**expected, **{name: moved[name] for name in moved if name in expected}}
        found = self._versions_of(expected.keys())
        differ = {name: (want, found[name]) for name, want in expected.items() if found[name] != want}
        if differ:
            raise VersionConflict(differ)

    def extend(self, entries: Sequence[NewEntry]) -> tuple[Entry, ...]:
        """Check the entries and give them their places and hashes; nothing has changed if it raises."""
        self._refuse_after_end()
        for entry in entries:
            check_entry(entry)
        self._refuse_repetition({entry.request_id for entry in entries})
        self._versions |= self._continued(entries)
        return tuple(self._placed(entry) for entry in entries)

    def end(self) -> None:
        """No more after commit or rollback."""
        self._ended = True

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Remember the end as it is and return to it when the block raises."""
        self._refuse_after_end()
        chain, frontier, versions = self.chain, self.frontier.copy(), dict(self._versions)
        begun_at, self._begun_at = self._begun_at, frontier.size
        try:
            yield
        except BaseException:
            self.chain, self.frontier, self._versions = chain, frontier, versions
            raise
        finally:
            self._begun_at = begun_at

    def _versions_of(self, streams: Collection[str]) -> dict[str, int]:
        unknown = [name for name in streams if name not in self._versions]
        if unknown:
            found = self._recorded.versions(unknown)
            self._versions |= {name: found.get(name, 0) for name in unknown}
        return self._versions

    def _refuse_repetition(self, request_ids: set[str]) -> None:
        earlier = self._recorded.requests(request_ids, self._begun_at) if request_ids else ()
        if earlier:
            raise RequestAlreadyRecorded(earlier[0].request_id, earlier)

    def _continued(self, entries: Sequence[NewEntry]) -> dict[str, int]:
        found = self._versions_of({entry.stream for entry in entries})
        reached: dict[str, int] = {}
        for entry in entries:
            version = reached.get(entry.stream, found[entry.stream])
            if entry.stream_seq != version + 1:
                raise VersionConflict({entry.stream: (entry.stream_seq - 1, version)})
            reached[entry.stream] = entry.stream_seq
        return reached

    def _placed(self, entry: NewEntry) -> Entry:
        leaf = leaf_hash(entry.body)
        self.chain = chain_hash(self.chain, leaf)
        self.frontier.append(leaf)
        return Entry(self.frontier.size, *entry, leaf, self.chain)

    def _refuse_after_end(self) -> None:
        if self._ended:
            raise TransactionMisused(
                "the transaction is over", remedy="open a new transaction and check the versions again"
            )

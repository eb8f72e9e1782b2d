"""The port: what every store offers. Memory, SQLite and PostgreSQL answer alike (one contract suite).

A store is one database and one blinding space; it may hold several ledgers (the study's, a security log). It
is used by one thread at a time: every thread or process opens its own (the memory store alone is shared).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from trialwright.foundation.ports import Keyring
from trialwright.foundation.tables import Rows, Table
from trialwright.ledger.entries import Entry, NewEntry


class Head(NamedTuple):
    """Where a ledger stands: entries so far, chain value (32 bytes), Merkle root (32 bytes)."""

    size: int
    chain: bytes
    root: bytes


class Foreseen(NamedTuple):
    """What a transaction is going to be asked: a store far away answers it on the way on which it takes the lock.

    Nothing is checked that would not be checked without.

    Args:
        request_id: under which entries will be appended; empty where that is not known.
        as_of: the same of :meth:`Transaction.check`.
    """

    request_id: str = ""
    as_of: int | None = None


class ProjectionRows(Rows, Protocol):
    """Rows of projection tables inside a transaction."""

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create the tables that are absent.

        Raises:
            ProjectionOutdated: a table exists with other columns; ``clear`` remakes it for a rebuild.
        """
        ...


class Transaction(Protocol):
    """One unit of writing to one ledger and to the projections beside it, under the ledger's head lock."""

    @property
    def head(self) -> Head:
        """The ledger's head, including what this transaction appended."""
        ...

    @property
    def rows(self) -> ProjectionRows:
        """Projection rows in the same transaction."""
        ...

    def check(self, expected: Mapping[str, int], as_of: int | None = None) -> None:
        """Make sure that every stream a decision has read still has the version it had then (0: no entries).

        Args:
            expected: stream → version as it was read.
            as_of: how many entries the ledger had before the first stream was read, where the reader knows: while
                it still has as many nothing can have moved, and no stream is asked.

        Raises:
            VersionConflict: naming each stream that moved.
        """
        ...

    def append(self, entries: Sequence[NewEntry]) -> tuple[Entry, ...]:
        """Append in this order, all or nothing.

        Raises:
            EntryMalformed: an entry that could never be verified.
            RequestAlreadyRecorded: a request id was recorded before this transaction (or savepoint) began.
            VersionConflict: a ``stream_seq`` is not the stream's version + 1.
        """
        ...

    def find_request(self, request_id: str) -> tuple[Entry, ...]:
        """What the request wrote, in order; empty if it is unknown."""
        ...

    def settle(self) -> None:
        """Make sure that the database has taken everything so far: what it refuses may be known only when it commits.

        For whoever must not commit elsewhere before. Raises what ``append`` and rows raise.
        """
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo what the block did, and only that, when it raises; lets one commit carry many commands."""
        ...


class Ledger(Protocol):
    """One ordered, append-only record."""

    @property
    def ledger_id(self) -> str: ...

    def head(self) -> Head:
        """Size, chain and root; a ledger nobody wrote to has size 0."""
        ...

    def size(self) -> int:
        """How many entries it has; cheaper than :meth:`head`."""
        ...

    def moved(self, after: int, most: int) -> tuple[int, Mapping[str, int]] | None:
        """What came after the first ``after`` entries: how many entries there are then, and the last ``stream_seq``
        of each stream that moved; None if more than ``most`` entries came.
        """
        ...

    def root(self, size: int | None = None) -> bytes:
        """The Merkle root of the first ``size`` entries (all by default; O(log n) then, O(size) for older ones).

        Raises:
            ProofRejected: the ledger is shorter.
        """
        ...

    def leaves(self, size: int | None = None) -> Sequence[bytes]:
        """The leaf hashes of the first ``size`` entries, for inclusion and consistency proofs."""
        ...

    def stream_version(self, stream: str) -> int:
        """The last ``stream_seq`` of the stream, 0 if it has no entries."""
        ...

    def streams(self, prefix: str = "") -> Sequence[str]:
        """The names of streams that begin with ``prefix``, in byte order."""
        ...

    def read_stream(self, stream: str, after: int = 0) -> Iterator[Entry]:
        """The stream's entries with ``stream_seq > after``, in order."""
        ...

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Entries with ``seq > after``, in order, at most ``limit``."""
        ...

    def find_request(self, request_id: str) -> tuple[Entry, ...]:
        """What the request wrote, in order; empty if it is unknown."""
        ...

    def transaction(self, foreseen: Foreseen | None = None) -> AbstractContextManager[Transaction]:
        """Take the head lock; commit at the end of the block, roll back on an exception.

        Transactions of two stores may be nested; two of the same store may not.

        Args:
            foreseen: what the transaction will be asked, as far as the caller knows.

        Raises:
            StoreLocked: another writer held the lock too long.
            TransactionMisused: this store already has a transaction open in this thread.
        """
        ...


class Store(Protocol):
    """One database: ledgers, their checkpoints and the projection rows."""

    def ledger(self, ledger_id: str) -> Ledger:
        """The ledger of that id; it comes into being with its first entry."""
        ...

    def ledger_ids(self) -> tuple[str, ...]:
        """The ids of the ledgers that have entries, in byte order."""
        ...

    @property
    def rows(self) -> Rows:
        """Projection rows for reading outside transactions; writing through it is refused."""
        ...

    def save_checkpoint(self, ledger_id: str, note: str) -> None:
        """Keep a signed checkpoint; saving the same one twice keeps one.

        Raises:
            CheckpointMalformed: not a checkpoint.
            CheckpointUntrusted: its origin is another ledger.
        """
        ...

    def checkpoints(self, ledger_id: str) -> tuple[str, ...]:
        """The checkpoints kept, by size and then text."""
        ...

    @property
    def keyring(self) -> Keyring:
        """The keys of what is sealed in this space; kept apart from it."""
        ...

    def scrub(self) -> None:
        """Leave nothing in the database's files of rows that were deleted; outside transactions.

        Raises:
            StoreLocked: somebody else uses the database; ask again.
        """
        ...

    def stands(self) -> bool:
        """Whether the connection to the database stands, as far as this machine knows; asks nobody.

        A server that was restarted has ended it. Who finds that opens the store anew, and nobody meets an error.
        """
        ...

    def close(self) -> None:
        """Let go of the database; a transaction still open is rolled back."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

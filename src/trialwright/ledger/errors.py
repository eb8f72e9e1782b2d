"""What can be wrong with a record, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trialwright.foundation.errors import InvalidValue, RecordError

if TYPE_CHECKING:
    from trialwright.ledger.entries import Entry


class NotCanonical(InvalidValue):
    """A document outside the profile that the record can hold (float, bad key, too deep, …)."""

    code = "ledger.not_canonical"


class EntryMalformed(InvalidValue):
    """An entry whose names are not allowed or whose body does not say what its columns say."""

    code = "ledger.entry_malformed"


class VersionConflict(RecordError):
    """A stream has moved since it was read; ``streams`` maps each to (version expected, version found)."""

    code = "ledger.version_conflict"

    def __init__(self, streams: Mapping[str, tuple[int, int]]) -> None:
        self.streams = dict(streams)
        told = ", ".join(f"{name} (expected {want}, found {found})" for name, (want, found) in streams.items())
        super().__init__(
            f"the record has moved on: {told}",
            remedy="read the streams again, decide again, and show the person both versions",
            streams=told,
        )


class RequestAlreadyRecorded(RecordError):
    """The request was carried out before; ``entries`` are what it wrote then."""

    code = "ledger.request_already_recorded"

    def __init__(self, request_id: str, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        super().__init__(
            f"request {request_id} was recorded before, as entries {entries[0].seq} to {entries[-1].seq}",
            remedy="return the earlier result; use a new request id for a new act",
            request_id=request_id,
        )


class TransactionMisused(RecordError):
    """A transaction opened inside another of the same store, or used after its end."""

    code = "ledger.transaction_misused"


class LedgerDamaged(RecordError):
    """What stands in the store contradicts itself; nothing more is written until it is examined."""

    code = "ledger.damaged"


class CheckpointMalformed(InvalidValue):
    """A text that is not a checkpoint (C2SP signed note), or a key that is not one."""

    code = "ledger.checkpoint_malformed"


class CheckpointUntrusted(RecordError):
    """A checkpoint without a good signature by a trusted key, or of another ledger."""

    code = "ledger.checkpoint_untrusted"


class ProofRejected(RecordError):
    """An inclusion or consistency proof that does not lead to the root."""

    code = "ledger.proof_rejected"


class NotVerifiable(RecordError):
    """An export, checkpoint or key with which nothing can be verified."""

    code = "ledger.not_verifiable"


class ExportRefused(RecordError):
    """An export that would overwrite something, or has nowhere to go."""

    code = "ledger.export_refused"

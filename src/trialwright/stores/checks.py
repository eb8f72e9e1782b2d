"""Guards that all stores share, so that they refuse alike."""

from __future__ import annotations

from trialwright.ledger import Checkpoint, CheckpointUntrusted, ProofRejected, TransactionMisused, parse_checkpoint


def checked_size(size: int | None, available: int) -> int:
    """How many entries are meant: ``size``, or all.

    Raises:
        ProofRejected: the ledger has fewer, or the size is negative.
    """
    if size is None:
        return available
    if not 0 <= size <= available:
        raise ProofRejected(
            f"{size} entries were asked for, the ledger has {available}",
            remedy="if a checkpoint covers more, entries are lost: restore them first",
            size=size,
        )
    return size


def checked_checkpoint(ledger_id: str, note: str) -> Checkpoint:
    """The checkpoint, if it is one and of this ledger.

    Raises:
        CheckpointMalformed, CheckpointUntrusted: it is not.
    """
    checkpoint = parse_checkpoint(note)
    if checkpoint.origin != ledger_id:
        raise CheckpointUntrusted(
            f"the checkpoint is of {checkpoint.origin}, not of {ledger_id}", remedy="save it with its own ledger"
        )
    return checkpoint


def nested() -> TransactionMisused:
    """The refusal of a transaction inside a transaction of the same store."""
    return TransactionMisused(
        "the store already has a transaction open in this thread",
        remedy="end it first, or use its savepoint()",
    )

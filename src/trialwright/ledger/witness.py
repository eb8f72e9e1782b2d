"""A witness: keeps the newest checkpoint it was shown, and takes another only as its continuation.

A site's folder of receipts is one. It needs the sponsor's public key and nothing of the record: a proof of some
hundred bytes shows that nothing of what was signed before was changed, removed or put in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trialwright.foundation.files import write_whole
from trialwright.ledger.checkpoints import Checkpoint, VerifierKey, parse_checkpoint, verify_checkpoint
from trialwright.ledger.merkle import verify_consistency


class Witness:
    """A folder of checkpoints of one ledger, each proven to continue the one before.

    Args:
        folder: where they lie, ``000000000042.txt`` for the one of 42 entries; made with the first.
        origin: the ledger's id.
        keys: trusted to sign.
    """

    def __init__(self, folder: Path, origin: str, keys: Sequence[VerifierKey]) -> None:
        self._folder, self._origin, self._keys = folder, origin, keys

    def held(self) -> Checkpoint | None:
        """The newest checkpoint; None before the first."""
        names = sorted(self._folder.glob("*.txt"))
        return parse_checkpoint(names[-1].read_text(encoding="utf-8")) if names else None

    def accept(self, note: str, proof: Sequence[bytes] = ()) -> Checkpoint:
        """Take a checkpoint in.

        Args:
            note: its text.
            proof: :func:`~trialwright.ledger.consistency_proof` from the size of the one held; none for the first.

        Raises:
            CheckpointMalformed, CheckpointUntrusted: it is none, of another ledger, or not signed by a trusted key.
            ProofRejected: it does not continue the one held. Two that are signed and contradict each other prove that
                two histories were shown.
        """
        given, held = verify_checkpoint(note, self._keys, origin=self._origin), self.held()
        if held is not None:
            verify_consistency(held.size, held.root, given.size, given.root, proof)
        write_whole(self._folder / f"{given.size:012}.txt", note.encode())
        return given

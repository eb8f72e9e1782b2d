"""The record: canonical bytes, hash chain, Merkle tree, checkpoints, and the port that stores implement.

It keeps bytes and type names and knows no event, so that an auditor can verify a record without our code.
"""

from trialwright.ledger.appending import Appending
from trialwright.ledger.canonical import canonical
from trialwright.ledger.checkpoints import (
    Checkpoint,
    SigningKey,
    VerifierKey,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from trialwright.ledger.entries import (
    Entry,
    NewEntry,
    chain_hash,
    chain_start,
    check_entry,
    checked_ledger_id,
    leaf_hash,
)
from trialwright.ledger.errors import (
    CheckpointMalformed,
    CheckpointUntrusted,
    EntryMalformed,
    ExportRefused,
    LedgerDamaged,
    NotCanonical,
    NotVerifiable,
    ProofRejected,
    RequestAlreadyRecorded,
    TransactionMisused,
    VersionConflict,
)
from trialwright.ledger.export import write_export, write_stream
from trialwright.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from trialwright.ledger.port import Foreseen, Head, Ledger, ProjectionRows, Store, Transaction
from trialwright.ledger.verification import verify_export, verify_ledger
from trialwright.ledger.verify import Fault, Report
from trialwright.ledger.witness import Witness

__all__ = [
    "EMPTY_ROOT",
    "Appending",
    "Checkpoint",
    "CheckpointMalformed",
    "CheckpointUntrusted",
    "Entry",
    "EntryMalformed",
    "ExportRefused",
    "Fault",
    "Foreseen",
    "Frontier",
    "Head",
    "Ledger",
    "LedgerDamaged",
    "NewEntry",
    "NotCanonical",
    "NotVerifiable",
    "ProjectionRows",
    "ProofRejected",
    "Report",
    "RequestAlreadyRecorded",
    "SigningKey",
    "Store",
    "Transaction",
    "TransactionMisused",
    "VerifierKey",
    "VersionConflict",
    "Witness",
    "canonical",
    "chain_hash",
    "chain_start",
    "check_entry",
    "checked_ledger_id",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "parse_checkpoint",
    "sign_checkpoint",
    "verify_checkpoint",
    "verify_consistency",
    "verify_export",
    "verify_inclusion",
    "verify_ledger",
    "write_export",
    "write_stream",
]

"""Verifying a ledger in its store or an export: the checks of ``verify.py`` with a faster signature check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from trialwright.ledger import verify
from trialwright.ledger.checkpoints import VerifierKey
from trialwright.ledger.errors import NotVerifiable
from trialwright.ledger.port import Ledger


def verify_ledger(
    ledger: Ledger, *, outside: Mapping[str, str], keys: Sequence[VerifierKey], inside: Iterable[str] = ()
) -> verify.Report:
    """Verify a ledger where it stands, up to the first bad entry.

    Args:
        ledger: the ledger.
        outside: checkpoints that were held out of reach of the database's owner: label (who held it) → text.
        keys: the keys trusted to sign them.
        inside: checkpoints from the store itself; they must agree, but prove nothing. One that cannot be read, is of
            another ledger or carries a false signature of a trusted key is named in the report and counts for
            nothing.

    Returns:
        The report: first fault if any, and up to which entry the record is proven. An entry beyond ``covered``
        is unproven however well the hashes agree.

    Raises:
        NotVerifiable: a checkpoint given cannot be read, is of another ledger, or is signed by no trusted key.
    """
    try:
        notes = [verify.read_note(text, label, _plain(keys), _signature_valid) for label, text in outside.items()]
        labelled = ((f"stored checkpoint {number}", text) for number, text in enumerate(inside, 1))
        kept, spoiled = verify.read_kept(labelled, ledger.ledger_id, _plain(keys), _signature_valid)
        # The head is read first: entries that arrive meanwhile are left for the next time.
        head = ledger.head()
        report = verify.check(ledger.ledger_id, ledger.read(limit=head.size), head, notes + kept)
        return report._replace(spoiled=spoiled)
    except verify.Unreadable as error:
        raise _not_verifiable(error) from error


def verify_export(export: Path, *, outside: Mapping[str, str], keys: Sequence[VerifierKey]) -> verify.Report:
    """Verify an exported ledger (folder or zip) as ``python verify.py`` does.

    Args:
        export: what :func:`~trialwright.ledger.write_export` wrote.
        outside: as in :func:`verify_ledger`.
        keys: as in :func:`verify_ledger`.

    Raises:
        NotVerifiable: the export or a checkpoint cannot be read or trusted.
    """
    try:
        return verify.verify_export(export, outside.items(), map(str, keys), valid=_signature_valid)
    except verify.Unreadable as error:
        raise _not_verifiable(error) from error


def _plain(keys: Iterable[VerifierKey]) -> list[tuple[str, bytes, bytes]]:
    return [(key.name, key.hash, key.public) for key in keys]


def _signature_valid(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _not_verifiable(error: verify.Unreadable) -> NotVerifiable:
    return NotVerifiable(
        str(error), remedy="give the export whole, the checkpoints as they were received, and the keys that you trust"
    )

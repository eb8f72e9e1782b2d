"""Sealing: lists, numbers, draws and fields that only the holders of keys can read, committed to beforehand.

Knows no trial. The dispensing service runs as its own process (``python -m trialwright.sealing.dispensing``);
``envelope_opener.py`` stands alone and opens an emergency envelope with nothing but Python.
"""

from trialwright.sealing.commitment import Row, commitment_root, verify_commitment
from trialwright.sealing.dispensers import Dispensing, DispensingProcess, InProcessDispensing
from trialwright.sealing.draws import CommittedNumber, ExpandedDraws
from trialwright.sealing.emergency import ENVELOPE_BYTES, EnvelopeWriter, envelope_password, open_envelope
from trialwright.sealing.encoding import from_text, to_text
from trialwright.sealing.errors import (
    CommitmentMismatch,
    ContentTooLong,
    DispensingFailed,
    InvalidKey,
    InvalidList,
    InvalidShares,
    InvalidText,
    KeyDestroyed,
    ReplayMismatch,
    SealBroken,
    SealingError,
    WeakPassword,
    WrongKey,
    WrongPassword,
)
from trialwright.sealing.escrow import escrow_key, recover_key
from trialwright.sealing.fields import DataKey, FieldPlace, open_field, seal_field, unwrap_key, wrap_key
from trialwright.sealing.keyring_escrow import (
    KeyringCopy,
    NamedKey,
    escrow_keyring,
    read_keyring_copy,
    recover_keyring,
)
from trialwright.sealing.keys import (
    KeyPurpose,
    KeyShare,
    PrivateKey,
    PublicKey,
    combine_key,
    generate_key,
    read_key,
    read_share,
    split_key,
    write_key,
    write_share,
)
from trialwright.sealing.lists import SealedList, open_list, open_row, seal_list
from trialwright.sealing.places import Kind, Place
from trialwright.sealing.sealers import IdealSealer, KeyOpener, Opener, RealSealer, Sealed, Sealer
from trialwright.sealing.streams import (
    Decision,
    DrawRecord,
    expand_numbers,
    open_draw,
    replay,
    seal_draw,
    seal_stream,
)

__all__ = [
    "ENVELOPE_BYTES",
    "CommitmentMismatch",
    "CommittedNumber",
    "ContentTooLong",
    "DataKey",
    "Decision",
    "Dispensing",
    "DispensingFailed",
    "DispensingProcess",
    "DrawRecord",
    "EnvelopeWriter",
    "ExpandedDraws",
    "FieldPlace",
    "IdealSealer",
    "InProcessDispensing",
    "InvalidKey",
    "InvalidList",
    "InvalidShares",
    "InvalidText",
    "KeyDestroyed",
    "KeyOpener",
    "KeyPurpose",
    "KeyShare",
    "KeyringCopy",
    "Kind",
    "NamedKey",
    "Opener",
    "Place",
    "PrivateKey",
    "PublicKey",
    "RealSealer",
    "ReplayMismatch",
    "Row",
    "SealBroken",
    "Sealed",
    "SealedList",
    "Sealer",
    "SealingError",
    "WeakPassword",
    "WrongKey",
    "WrongPassword",
    "combine_key",
    "commitment_root",
    "envelope_password",
    "escrow_key",
    "escrow_keyring",
    "expand_numbers",
    "from_text",
    "generate_key",
    "open_draw",
    "open_envelope",
    "open_field",
    "open_list",
    "open_row",
    "read_key",
    "read_keyring_copy",
    "read_share",
    "recover_key",
    "recover_keyring",
    "replay",
    "seal_draw",
    "seal_field",
    "seal_list",
    "seal_stream",
    "split_key",
    "to_text",
    "unwrap_key",
    "verify_commitment",
    "wrap_key",
    "write_key",
    "write_share",
]

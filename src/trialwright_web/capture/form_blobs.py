"""Where attached files lie: sealed, each under the hash of what it holds, in a folder beside the record.

The key stands in a file of its own beside the folder, made at first use: unlike drafts, attachments are part of the
trial's record and must outlive a change of the application's secret. Back up the folder and the key. In a study that
seals texts a key of its own from the keyring is needed for each file as well, so that it can be forgotten.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trialwright.foundation.errors import RecordError, Refusal
from trialwright.foundation.files import make_durable, write_whole
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.trial.dispatch import Trial
from trialwright_web.shell.forgettable import destroy_file, file_was_destroyed, key_of_file

KEY_FILE = "attachments.key"
STRAY_AFTER = timedelta(days=1)
"""How long a file may lie without a fact that names it: its command may still be under way."""
_NONCE = 12


class AttachmentsNotKept(Refusal):
    """This installation has no folder for attachments."""

    code = "web.attachments_not_kept"


class AttachmentDamaged(RecordError):
    """A file is gone, or is not what the record says."""

    code = "web.attachment_damaged"


class AttachmentForgotten(Refusal):
    """The file belonged to somebody who is forgotten."""

    code = "web.attachment_forgotten"


class Blobs:
    """The sealed files of one study.

    Args:
        folder: of the installation's attachments; None where it keeps none.
        trial: the study.
    """

    def __init__(self, folder: Path | None, trial: Trial) -> None:
        if folder is None:
            raise AttachmentsNotKept(
                "no folder for attachments is set", remedy="set TRIALWRIGHT_ATTACHMENTS, or keep the file at the site"
            )
        self._trial = trial
        self._study = trial.study
        self._folder = folder / trial.study
        self._key_file = folder.parent / KEY_FILE

    def put(self, content: bytes) -> str:
        """Seal and keep the bytes; answers their SHA-256 (hex). What is there already stays.

        Whoever puts records it then; what no fact names after :data:`STRAY_AFTER` is swept away.
        """
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        try:
            os.utime(path)  # sent again now, it is no stray of an earlier attempt that was refused
            make_durable(path)  # another process may have put it there a moment ago
        except FileNotFoundError:
            nonce = SystemEntropy().bytes(_NONCE, purpose="attachment", stream=digest, position=0)
            key = self._key(key_of_file(self._trial, digest, make=True))
            sealed = nonce + AESGCM(key).encrypt(nonce, content, self._about(digest))
            write_whole(path, sealed)  # on the disk before the record speaks of it
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with this hash.

        Raises:
            AttachmentForgotten: they were destroyed with everything about somebody.
            AttachmentDamaged: they are gone, or were altered.
        """
        if not self._path(digest).exists() and file_was_destroyed(self._trial, digest):
            raise AttachmentForgotten(
                f"the file {digest[:12]}… was destroyed with what is forgotten",
                remedy="nothing is to be done; the audit trail says when and by whom",
            )
        try:
            sealed = self._path(digest).read_bytes()
            content = self._opened(sealed, digest)
        except (OSError, InvalidTag, ValueError):
            raise AttachmentDamaged(
                f"the file {digest[:12]}… cannot be opened", remedy="restore it from the backup", digest=digest
            ) from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise AttachmentDamaged(
                f"the file {digest[:12]}… is not what the record says", remedy="restore it from the backup"
            )
        return content

    def forget(self, digest: str) -> None:
        """Destroy the bytes with this hash, and every copy of them with their key. Harmless when repeated."""
        destroy_file(self._trial, digest)
        self._path(digest).unlink(missing_ok=True)

    def lying(self, before: datetime) -> dict[str, list[Path]]:
        """Digest → what lies there under it, whole or unfinished, not touched since an instant."""
        found: dict[str, list[Path]] = {}
        for path in self._folder.glob("??/*"):
            if path.stat().st_mtime < before.timestamp():
                found.setdefault(path.name.partition(".")[0], []).append(path)
        return found

    def _opened(self, sealed: bytes, digest: str) -> bytes:
        under = key_of_file(self._trial, digest)
        if under:
            with suppress(InvalidTag):  # from before the study sealed texts
                return AESGCM(self._key(under)).decrypt(sealed[:_NONCE], sealed[_NONCE:], self._about(digest))
        return AESGCM(self._key(b"")).decrypt(sealed[:_NONCE], sealed[_NONCE:], self._about(digest))

    def _path(self, digest: str) -> Path:
        assert digest.isalnum(), "digests come from the record or from hashing"
        return self._folder / digest[:2] / digest

    def _about(self, digest: str) -> bytes:
        return f"{self._study}\x00{digest}".encode()

    def _key(self, under: bytes) -> bytes:
        """The installation's key, or one that follows from it and the file's own."""
        own = self._installed_key()
        return HKDF(SHA256(), 32, salt=under, info=b"trialwright attachment").derive(own) if under else own

    def _installed_key(self) -> bytes:
        if not self._key_file.exists():
            seed = SystemEntropy().bytes(32, purpose="attachments key", stream=self._study, position=0)
            # Of two first uploads one makes the key.
            write_whole(self._key_file, seed.hex().encode(), mode=0o600, once=True)
        return bytes.fromhex(self._key_file.read_text(encoding="ascii"))

"""Emergency envelopes: one file for each participant, opened with a password when nothing else works.

An envelope is exactly 1,024 bytes of JSON, filled with spaces: format, ledger, participant, scrypt's salt and work,
nonce, ciphertext. The ciphertext is AES-256-GCM over 256 padded bytes, so no envelope differs in size from another.
``envelope_opener.py`` beside this module opens one on any computer with Python 3.8 and nothing installed.
"""

from __future__ import annotations

import json

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trialwright.foundation.ports import Entropy
from trialwright.sealing.encoding import from_text, joined, padded, to_text, unpadded, utf8
from trialwright.sealing.errors import ContentTooLong, SealBroken, WrongPassword
from trialwright.sealing.protected import DEFAULT_WORK, check_password, password_key

ENVELOPE_BYTES = 1024
_CONTENT_BYTES = 256
_FORMAT = "trialwright emergency envelope 1"
# Read aloud and typed at night: no letters that look or sound like others.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class EnvelopeWriter:
    """Writes the envelopes that one password opens: a single participant's, or those of a site.

    The password is stretched once, so a thousand envelopes cost little more than one.

    Args:
        password: at least 12 characters; :func:`envelope_password` makes good ones.
        ledger: the ledger's id.
        holder: who keeps the password (a site or a participant code); addresses the entropy.
        entropy: for salt and nonces.
        work: base-2 logarithm of scrypt's N; below 17 only for rehearsals.

    Raises:
        WeakPassword: a shorter password.
        InvalidKey: ``work`` outside 10 … 20.
    """

    def __init__(
        self, password: str, *, ledger: str, holder: str, entropy: Entropy, work: int = DEFAULT_WORK
    ) -> None:
        check_password(password)
        self._ledger, self._entropy, self._work = ledger, entropy, work
        self._stream = f"{ledger}/{holder}"
        self._salt = entropy.bytes(16, purpose="envelope salt", stream=self._stream, position=0)
        self._aead = AESGCM(password_key(password, self._salt, work))

    def write(self, participant: str, content: str) -> bytes:
        """The envelope of a participant, :data:`ENVELOPE_BYTES` long whatever it holds.

        Args:
            participant: the code printed on the envelope.
            content: the allocation in the words a doctor needs, at most 254 bytes of UTF-8.

        Raises:
            ContentTooLong: longer words, or a participant or ledger too long for the header.
            InvalidText: not valid Unicode.
        """
        filled, bound = padded(utf8(content), _CONTENT_BYTES), _bound(self._ledger, participant)
        stream = f"{self._stream}/{participant}"
        nonce = self._entropy.bytes(12, purpose="envelope nonce", stream=stream, position=0)
        ciphertext = self._aead.encrypt(nonce, filled, bound)
        body = {
            "format": _FORMAT,
            "ledger": self._ledger,
            "participant": participant,
            "work": self._work,
            "salt": to_text(self._salt),
            "nonce": to_text(nonce),
            "ciphertext": to_text(ciphertext),
        }
        text = json.dumps(body, indent=1).encode("ascii")
        if len(text) >= ENVELOPE_BYTES:
            raise ContentTooLong(
                "the names of ledger and participant do not fit the envelope",
                remedy="use names of at most 60 plain letters",
                length=len(text),
            )
        return text.ljust(ENVELOPE_BYTES - 1) + b"\n"


def open_envelope(envelope: bytes, password: str) -> tuple[str, str]:
    """Participant and content of an envelope.

    Raises:
        SealBroken: not an envelope.
        WrongPassword: wrong password or altered envelope.
    """
    try:
        body = json.loads(envelope.decode("ascii"))
        ledger, participant, work = body["ledger"], body["participant"], body["work"]
        salt, nonce, ciphertext = (from_text(body[name]) for name in ("salt", "nonce", "ciphertext"))
        whole = body["format"] == _FORMAT and len(nonce) == 12 and len(ciphertext) == _CONTENT_BYTES + 16
        whole = whole and isinstance(ledger, str) and isinstance(participant, str)
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise SealBroken("this is not an emergency envelope", remedy="choose the participant's envelope file")
    try:
        key = password_key(password, salt, work)
        filled = AESGCM(key).decrypt(nonce, ciphertext, _bound(ledger, participant))
    except InvalidTag:
        raise WrongPassword(
            f"the password does not open the envelope of {participant}, or the envelope was altered",
            remedy="type the password again, letters and hyphens as printed",
            participant=participant,
        ) from None
    return participant, unpadded(filled).decode("utf-8")


def envelope_password(entropy: Entropy, *, ledger: str, holder: str) -> str:
    """24 letters and digits in six groups, 117 bits: ``7KQF-2M9X-…``, printed and kept under seal."""
    # 30 letters: bytes of 240 and more are passed over, so that each letter is equally likely.
    source = entropy.bytes(256, purpose="envelope password", stream=f"{ledger}/{holder}", position=0)
    letters = [_LETTERS[byte % len(_LETTERS)] for byte in source if byte < 240][:24]
    return "-".join("".join(letters[i : i + 4]) for i in range(0, 24, 4))


def _bound(ledger: str, participant: str) -> bytes:
    return joined(_FORMAT, ledger, participant)

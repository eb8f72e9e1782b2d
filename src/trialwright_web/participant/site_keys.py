"""The key of a site: made by its staff under a passphrase, opened by the passphrase, lent to one session at a time.

The installation stores the public half and the private half wrapped under the passphrase. While somebody has it open,
the private half lies in the session encrypted under a random key that stands in a cookie of that browser alone. So
neither the databases nor a stolen cookie opens it, and any worker can answer.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from allauth.core import ratelimit
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.sealing import (
    KeyPurpose,
    PrivateKey,
    WrongPassword,
    from_text,
    generate_key,
    read_key,
    to_text,
    write_key,
)
from trialwright.sealing.encoding import joined
from trialwright_web.participant.models import SiteKey
from trialwright_web.shell.desk import Desk

SHORTEST_PASSPHRASE, LONGEST_PASSPHRASE = 14, 500
IDLE_MINUTES = 15
SESSION = "contacts_unlocked"
COOKIE = f"trialwright_{settings.ENVIRONMENT.process}_contacts"
_WRITE_AFTER = 60
_NONCE = 12


class PassphraseUnfit(InvalidValue):
    """The new passphrase is too short, or was not typed twice alike."""

    code = "web.passphrase_unfit"


class PassphraseRefused(Refusal):
    """The passphrase does not open the site's key, or there were too many tries."""

    code = "web.passphrase_refused"


class SiteKeyExists(Refusal):
    """The site has a key; a second one would lock out what the first one sealed."""

    code = "web.site_key_exists"


def site_key(desk: Desk) -> SiteKey | None:
    """The key of the desk's site, if it was made."""
    return SiteKey.objects.filter(study=desk.study, site=desk.site or "").first()


def make_site_key(desk: Desk, passphrase: str, again: str) -> SiteKey:
    """Make the site's key. The passphrase is stored nowhere.

    Raises:
        PassphraseUnfit: shorter than 14 characters, longer than 500, or not typed twice alike.
        SiteKeyExists: the site has one.
    """
    if not SHORTEST_PASSPHRASE <= len(passphrase) <= LONGEST_PASSPHRASE:
        raise PassphraseUnfit(
            _("the passphrase has %(length)d characters") % {"length": len(passphrase)},
            remedy=_("use %(least)d or more, for example five words that do not belong together")
            % {"least": SHORTEST_PASSPHRASE},
        )
    if passphrase != again:
        raise PassphraseUnfit(_("the two passphrases differ"), remedy=_("type the same passphrase twice"))
    entropy = SystemEntropy()
    key = generate_key(KeyPurpose.IDENTITY, entropy, ledger=f"{desk.study}/{desk.site}")
    wrapped = write_key(key, passphrase, entropy)
    try:
        with transaction.atomic(using="identity"):
            return SiteKey.objects.create(
                study=desk.study,
                site=desk.site or "",
                public=str(key.public),
                wrapped=wrapped,
                made_at=timezone.now(),
                made_by=desk.person,
            )
    except IntegrityError:
        raise SiteKeyExists(
            _("the site has a key already"), remedy=_("open it with the site's passphrase; a key is made once")
        ) from None


def take_file(desk: Desk) -> bytes | None:
    """The key file, for whoever asks first; None afterwards."""
    row = site_key(desk)
    if row is None:
        return None
    first = SiteKey.objects.filter(pk=row.pk, taken_at=None).update(taken_at=timezone.now())
    return bytes(row.wrapped) if first else None


def unlock(request: HttpRequest, desk: Desk, row: SiteKey, passphrase: str) -> bytes:
    """Open the site's key for this session; answers what :func:`hand_cookie` gives the browser.

    Raises:
        PassphraseRefused: wrong, or too many wrong tries (ten a minute from an address, five in five minutes at a
            site), after which the right one is refused, too.
    """
    about = {"action": "unlock_contacts", "key": f"{desk.study}/{desk.site}"}
    if not ratelimit.consume(request, **about, dry_run=True):
        raise PassphraseRefused(_("too many tries"), remedy=_("wait five minutes, then try again"))
    try:
        if len(passphrase) > LONGEST_PASSPHRASE:
            raise WrongPassword("the passphrase is too long", remedy="type the site's passphrase")
        key = read_key(bytes(row.wrapped), passphrase)
    except WrongPassword:
        ratelimit.consume(request, **about)
        raise PassphraseRefused(
            _("the passphrase is not right"), remedy=_("type the passphrase of the site, not your own password")
        ) from None
    entropy = SystemEntropy()
    cover = entropy.bytes(32, purpose="cover of a site's key", stream=desk.study, position=0)
    nonce = entropy.bytes(_NONCE, purpose="cover's nonce", stream=desk.study, position=0)
    covered = nonce + AESGCM(cover).encrypt(nonce, key.raw, _bound(desk, row))
    request.session[SESSION] = {"key": row.pk, "covered": to_text(covered), "seen": _now()}
    return cover


def hand_cookie(response: HttpResponse, desk: Desk, cover: bytes) -> None:
    """Give the browser its half. It is sent to the pages of contacts of this study only, and never kept on disk."""
    response.set_cookie(
        COOKIE,
        base64.urlsafe_b64encode(cover).decode("ascii"),
        path=reverse("consents:contacts", args=(desk.study,)),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def opened(request: HttpRequest, desk: Desk, row: SiteKey | None) -> PrivateKey | None:
    """The site's key, if this session has it open; it closes after fifteen minutes without a page of contacts."""
    kept: Any = request.session.get(SESSION)
    if kept is None or row is None or kept["key"] != row.pk:
        return None
    if not 0 <= _now() - kept["seen"] <= IDLE_MINUTES * 60:
        lock(request)
        return None
    try:
        cover = base64.urlsafe_b64decode(request.COOKIES.get(COOKIE, ""))
        covered = from_text(kept["covered"])
        raw = AESGCM(cover).decrypt(covered[:_NONCE], covered[_NONCE:], _bound(desk, row))
    except (binascii.Error, ValueError, InvalidTag):
        return None
    if _now() - kept["seen"] > _WRITE_AFTER:
        request.session[SESSION] = {**kept, "seen": _now()}
    return PrivateKey(KeyPurpose.IDENTITY, raw)


def lock(request: HttpRequest) -> None:
    """Forget the site's key; signing out does the same, for the session ends."""
    request.session.pop(SESSION, None)


def _bound(desk: Desk, row: SiteKey) -> bytes:
    return joined("trialwright open site key 1", desk.study, desk.site or "", desk.person, row.public)


def _now() -> int:
    return int(timezone.now().timestamp())

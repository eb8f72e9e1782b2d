"""Who a participant is: name, address, telephone, e-mail and national id, sealed to the key of the site."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.sealing import PrivateKey, PublicKey
from trialwright.sealing.encoding import joined, padded, unpadded
from trialwright.sealing.hybrid import Chance, open_sealed, seal_to
from trialwright_web.participant.models import Contact, SiteKey
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.forgettable import key_of_contact

ORPHANS_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Field:
    """One thing to know of a person."""

    name: str
    label: str | Promise
    longest: int


FIELDS = (
    Field("name", gettext_lazy("Name"), 200),
    Field("address", gettext_lazy("Postal address"), 500),
    Field("telephone", gettext_lazy("Telephone"), 60),
    Field("email", gettext_lazy("E-mail"), 200),
    Field("national_id", gettext_lazy("National identity number"), 40),
)
_NONCE = 12
WIDTH = 6144
"""Bytes of every sealed contact before the seal: 1000 characters at six bytes, names of the fields, length."""


class ContactUnfit(InvalidValue):
    """What was typed cannot be kept as a contact."""

    code = "web.contact_unfit"


class ContactChanged(Refusal):
    """Somebody else wrote the contact in the meantime."""

    code = "web.contact_changed"


def typed(given: Mapping[str, str]) -> dict[str, str]:
    """What a form holds, without spaces around it."""
    return {field.name: given.get(field.name, "").strip() for field in FIELDS}


def enter(desk: Desk, key: SiteKey, values: Mapping[str, str], participant: str | None) -> Contact:
    """Write a contact under a random id; needs no passphrase.

    Raises:
        ContactUnfit: no name, or a text that is too long.
        ContactChanged: the participant has a contact already.
    """
    number = SystemEntropy().bytes(16, purpose="contact", stream=desk.study, position=0).hex()
    now = timezone.now()
    try:
        with transaction.atomic(using="identity"):
            return Contact.objects.create(
                id=number,
                study=key.study,
                site=key.site,
                participant=participant,
                sealed=_wrapped(desk, number, participant, _sealed(key, number, values)),
                entered_at=now,
                written_at=now,
                written_by=desk.person,
            )
    except IntegrityError:
        raise _changed() from None


def correct(desk: Desk, key: SiteKey, row: Contact, revision: int, values: Mapping[str, str]) -> None:
    """Write a contact anew; what stood there before is gone.

    Raises:
        ContactUnfit: no name, or a text that is too long.
        ContactChanged: it is not the revision that was shown.
    """
    done = Contact.objects.filter(pk=row.pk, revision=revision, participant=row.participant).update(
        sealed=_wrapped(desk, row.id, row.participant, _sealed(key, row.id, values)),
        revision=revision + 1,
        written_at=timezone.now(),
        written_by=desk.person,
    )
    if not done:
        raise _changed()


def attach(desk: Desk, row: Contact, participant: str) -> None:
    """Say which participant a waiting contact is.

    Raises:
        ContactChanged: the participant has a contact already, or this one is another's.
    """
    try:
        with transaction.atomic(using="identity"):
            done = Contact.objects.filter(pk=row.pk, revision=row.revision, participant=None).update(
                participant=participant, sealed=_wrapped(desk, row.id, participant, bytes(row.sealed))
            )
    except IntegrityError:
        done = 0
    if not done:
        raise _changed()


def contact_of(desk: Desk, participant: str) -> Contact | None:
    """The contact of a participant of the desk's site."""
    found: Contact | None = _here(desk).filter(participant=participant).first()
    return found


def waiting(desk: Desk) -> list[Contact]:
    """Contacts of the desk's site that belong to no participant yet, oldest first."""
    return list(_here(desk).filter(participant=None).order_by("entered_at"))


def shown(desk: Desk, key: PrivateKey, row: Contact) -> dict[str, str]:
    """What a contact says.

    Raises:
        SealingError: sealed to another key, altered, or moved from another row.
    """
    plain = unpadded(open_sealed(key, _unwrapped(desk, row), context=_bound(row.study, row.site, row.id)))
    return typed(json.loads(plain))


def sweep_orphans(now: datetime) -> int:
    """Delete contacts that belong to no participant after thirty days. Returns how many."""
    return Contact.objects.filter(participant=None, entered_at__lt=now - ORPHANS_KEPT).delete()[0]


def forget_contact(study: str, participant: str) -> int:
    """Delete the contact of a participant. Returns how many."""
    return Contact.objects.filter(study=study, participant=participant).delete()[0]


def _here(desk: Desk) -> Any:
    return Contact.objects.filter(study=desk.study, site=desk.site or "")


def _wrapped(desk: Desk, number: str, participant: str | None, sealed: bytes) -> bytes:
    """What is sealed to the site, once more under a key that goes when the participant is forgotten."""
    key = key_of_contact(desk.trial, participant, make=True) if participant else b""
    if not key:
        return sealed
    nonce = SystemEntropy().bytes(_NONCE, purpose="contact", stream=number, position=1)
    return nonce + AESGCM(key).encrypt(nonce, sealed, number.encode())


def _unwrapped(desk: Desk, row: Contact) -> bytes:
    sealed = bytes(row.sealed)
    key = key_of_contact(desk.trial, row.participant) if row.participant else b""
    if key:
        with suppress(InvalidTag):  # from before the study sealed texts
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], row.id.encode())
    return sealed


def _sealed(key: SiteKey, number: str, values: Mapping[str, str]) -> bytes:
    if not values["name"]:
        raise ContactUnfit(_("there is no name"), remedy=_("type the name"))
    for field in FIELDS:
        if len(values[field.name]) > field.longest:
            raise ContactUnfit(
                _("%(what)s is too long") % {"what": field.label},
                remedy=_("use %(most)d characters at most") % {"most": field.longest},
            )
    text = json.dumps(dict(values), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    chance = Chance.of(SystemEntropy(), stream=f"contact/{number}", position=0)
    return seal_to(
        PublicKey.parse(key.public),
        padded(text.encode(), WIDTH),
        context=_bound(key.study, key.site, number),
        chance=chance,
    )


def _bound(study: str, site: str, number: str) -> bytes:
    return joined("trialwright contact 1", study, site, number)


def _changed() -> ContactChanged:
    return ContactChanged(
        _("somebody else wrote this contact in the meantime"),
        remedy=_("open the page again, compare, and write what is still missing"),
    )

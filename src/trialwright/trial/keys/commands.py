"""Put a key in force: the first, or one that takes the place of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.protocol.roles import Role
from trialwright.sealing import InvalidKey, KeyPurpose, PublicKey
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.event import Event
from trialwright.trial.keys.events import KeyPutInForce
from trialwright.trial.keys.state import Keys
from trialwright.trial.state import State

FIRST = "first"
REASONS = ("rotation", "lost", "disclosed")


class KeyRefused(Refusal):
    """Not a public key, one that was in force before, or not theirs to put in force."""

    code = "keys.key_refused"


class RotationUnexplained(Refusal):
    """The first key of a purpose replaces none; every other says why the one before goes."""

    code = "keys.rotation_unexplained"


class NotWhatWasShown(Refusal):
    """The signature covers another key."""

    code = "keys.not_what_was_shown"


@dataclass(frozen=True, kw_only=True)
class PutKeyInForce(Command):
    """Put a public key in force, signed over :func:`shown_key`. By the sponsor; a site's identity key by its
    investigator. What was sealed stays sealed to the key before, and opens with that key.

    Refused: not a public key, a key that was in force before, an identity key by another than the site, a
    replacement without its reason, a signature over another key.

    Args:
        public: ``purpose+fingerprint+key``.
        why: ``first``, ``rotation``, ``lost`` or ``disclosed``.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.INVESTIGATOR, signs="put_key_in_force", after_lock=True)
    public: str
    why: str = FIRST


def shown_key(public: str) -> str:
    """What the signature of :class:`PutKeyInForce` covers: SHA-256 (hex) of the key's text."""
    return sha256(public.encode()).hexdigest()


def put_key_in_force(command: PutKeyInForce, state: State, context: Context) -> Iterable[Event]:
    key, keys = _key(command.public), state.of(Keys)
    site = context.actor.site if key.purpose is KeyPurpose.IDENTITY else None
    if (key.purpose is KeyPurpose.IDENTITY) != (context.actor.role is Role.INVESTIGATOR):
        raise KeyRefused(
            f"a {key.purpose.value} key is not the {context.actor.role.value}'s to put in force",
            remedy="an identity key is put in force by the site's investigator, every other by the sponsor",
            purpose=key.purpose.value,
        )
    if key.fingerprint in keys.known:
        raise KeyRefused(
            f"the key {key.fingerprint} was in force before", remedy="generate a new key", fingerprint=key.fingerprint
        )
    before = keys.in_force.get((key.purpose.value, site or ""))
    if command.why not in (REASONS if before else (FIRST,)):
        raise RotationUnexplained(
            f"{command.why[:40]!r} does not say why this {key.purpose.value} key comes into force",
            remedy=f"one of {', '.join(REASONS)}" if before else "it is the first",
            purpose=key.purpose.value,
        )
    shown = shown_key(command.public)
    if context.signature is None or context.signature.shown != shown:
        raise NotWhatWasShown("the signature is over another key", remedy="show the fingerprint again, then sign")
    yield KeyPutInForce(
        purpose=key.purpose.value,
        public=command.public,
        fingerprint=key.fingerprint,
        why=command.why,
        shown=shown,
        replaces=before,
        site=site,
    )


def _key(text: str) -> PublicKey:
    try:
        return PublicKey.parse(text)
    except InvalidKey as error:
        raise KeyRefused(error.message, remedy=error.remedy) from error


DECISIONS: Mapping[type[Command], Decide] = {PutKeyInForce: put_key_in_force}

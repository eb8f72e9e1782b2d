"""Invitations: a one-time link with which somebody chooses their own password; nobody else ever knows it.

The token is Django's: it covers the password's hash and the last sign-in, so that it is worthless once used, and it
ends after ``PASSWORD_RESET_TIMEOUT``. Inviting somebody again takes their password, second factors and tokens of the
API away first.
"""

from __future__ import annotations

import re

from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.http import base36_to_int, int_to_base36

from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright_web.accounts.models import Account
from trialwright_web.store.tokens import revoke_tokens_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,79}\Z")


class PersonUnreadable(InvalidValue):
    """Not an id that a person can have in the record."""

    code = "web.person_unreadable"


class AlreadySignsIn(Refusal):
    """The person has chosen a password; only who runs the installation invites them again."""

    code = "web.already_signs_in"


class _Tokens(PasswordResetTokenGenerator):
    key_salt = "trialwright_web.accounts.invitations"


def invite(person: str, email: str = "") -> str:
    """Make the account if there is none, take away what it signed in with, and answer the link's path.

    Args:
        person: the id in the record; becomes the user name.
        email: where mails that say "sign in" go; unchanged where empty.

    Raises:
        PersonUnreadable: the id has other characters, or another length.
    """
    if not _NAME.match(person):
        raise PersonUnreadable(
            f"{person[:80]!a} cannot be a user name", remedy="use 2 to 80 letters, digits, dots, _, - and @"
        )
    with transaction.atomic():
        account, _ = Account.objects.get_or_create(username=person)
        account.set_unusable_password()
        account.is_active = True
        account.email = email or account.email
        account.save()
        Authenticator.objects.filter(user=account).delete()
        revoke_tokens_of(account.pk, timezone.now())
    return reverse("invitation", args=(int_to_base36(account.pk), _Tokens().make_token(account)))


def signs_in() -> frozenset[str]:
    """Everybody who has an account with a password, or had one."""
    return frozenset(
        account.person
        for account in Account.objects.all()
        if account.has_usable_password() or account.last_login is not None or not account.is_active
    )


def first_invitation(person: str, email: str = "") -> str:
    """Like :func:`invite`, for somebody who never signed in.

    Raises:
        AlreadySignsIn: they have signed in, or have a password.
        PersonUnreadable: as :func:`invite`.
    """
    if person in signs_in():
        raise AlreadySignsIn(
            f"{person[:80]!a} has an account",
            remedy="who runs the installation invites again",
            person=person,
        )
    return invite(person, email)


def invited(number: str, token: str) -> Account | None:
    """The account that the link is for, while it is good."""
    try:
        account = Account.objects.filter(pk=base36_to_int(number), is_active=True).first()
    except ValueError:
        return None
    good = account is not None and not account.has_usable_password() and _Tokens().check_token(account, token)
    return account if good else None

"""Signatures: re-authentication at the moment of signing, over the hash of exactly what was shown.

The first signature of a session takes both components (password and second factor), later ones the password
(21 CFR 11.200(a)(1)). A page that asks for a signature includes ``shell/sign.html``.
"""

from __future__ import annotations

from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.authentication import get_authentication_records
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.utils import timezone
from django.utils.translation import gettext

from trialwright.foundation.errors import Refusal
from trialwright.trial.command import Signature
from trialwright_web.shell.desk import Desk, Request

SIGNED = "signed_in_session"


class SignatureRefused(Refusal):
    """The password or the code was not right; nothing was signed."""

    code = "web.signature_refused"


def needs_code(request: Request) -> str:
    """What the next signature asks for beside the password: at the first of a session ``code``, or ``passkey`` where
    a code or a passkey will do, if one is set up; else nothing."""
    if request.session.get(SIGNED) or _passkey_was_used(request):
        return ""
    types = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    if Authenticator.Type.WEBAUTHN in types:
        return "passkey"
    return "code" if types else ""


def _passkey_was_used(request: Request) -> bool:
    """A passkey was shown in the last minutes, when signing in or on the page that asks for it."""
    since = timezone.now().timestamp() - account_settings.REAUTHENTICATION_TIMEOUT
    return any(
        record.get("type") == Authenticator.Type.WEBAUTHN and record.get("at", 0) > since
        for record in get_authentication_records(request)
    )


def sign(request: Request, desk: Desk, meaning: str, shown: str) -> Signature:
    """The signature that a posted form gives: fields ``password`` and, where :func:`needs_code`, ``code``.

    Args:
        meaning: as the command's permission names it.
        shown: hash of what the page showed, as the page carried it.

    Raises:
        SignatureRefused: a component is missing or wrong, or there were too many tries.
    """
    reauthenticate(request)
    if needs_code(request) and not _code_is_right(request.user, request.POST.get("code", "")):
        ratelimit.consume(request, action="reauthenticate", user=request.user)
        raise SignatureRefused(
            gettext("the code is not right"), remedy=gettext("type the code your authenticator shows now")
        )
    request.session[SIGNED] = True
    return Signature(desk.person, meaning, shown)


def reauthenticate(request: Request) -> None:
    """Make sure of the person by the posted ``password``.

    Raises:
        SignatureRefused: it is wrong, or there were too many tries.
    """
    # Wrong tries are counted, not signatures: a nurse signs many forms in a minute.
    if not ratelimit.consume(request, action="reauthenticate", user=request.user, dry_run=True):
        raise SignatureRefused(gettext("too many tries"), remedy=gettext("wait a minute, then sign again"))
    if not request.user.check_password(request.POST.get("password", "")):
        ratelimit.consume(request, action="reauthenticate", user=request.user)
        raise SignatureRefused(gettext("the password is not right"), remedy=gettext("type your own password"))


def _factors(user: Any) -> Any:
    types = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    return Authenticator.objects.filter(user=user, type__in=types)


def _code_is_right(user: Any, code: str) -> bool:
    code = code.replace(" ", "")
    for factor in _factors(user):
        check = TOTP if factor.type == Authenticator.Type.TOTP else RecoveryCodes
        if code and check(factor).validate_code(code):
            return True
    return False

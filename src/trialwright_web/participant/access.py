"""Signing in as a participant: a code from a letter once, then an own password; wrong tries lock for a while."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac

from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.protocol.roles import Role
from trialwright.trial.command import Signature
from trialwright_web.participant import held
from trialwright_web.participant.models import Invitation
from trialwright_web.shell.desk import Desk, Place, Request
from trialwright_web.shell.studies import installation

SESSION = "participant"
SEEN = "participant_seen"
STAMP = "participant_access"
"""What the access was like when the session began; a new letter or another password ends it."""
LETTER_DAYS = 30
SHORTEST_PASSWORD = 10
TRIES, LOCKED = 5, timedelta(minutes=15)
TRIES_OF_ADDRESS, SECONDS_OF_ADDRESS = 30, 600
# Without letters and digits that look alike on paper.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"

P = ParamSpec("P")
View = Callable[Concatenate[Request, "Person", P], HttpResponse]


class AccessRefused(Refusal):
    """Number, code or password are not right, or there were too many tries."""

    code = "web.access_refused"


class PasswordTooShort(InvalidValue):
    """The password a participant chose is too short."""

    code = "web.password_too_short"


@dataclass(frozen=True)
class Person:
    """A participant who is signed in, at a desk of their own.

    Args:
        invitation: how they sign in.
        desk: with the trial in front of them; commands go through it.
    """

    invitation: Invitation
    desk: Desk

    @property
    def study(self) -> str:
        return self.desk.study

    @property
    def code(self) -> str:
        """The participant's code in the trial."""
        return self.desk.person

    def sign(self, request: HttpRequest, meaning: str, shown: str) -> Signature:
        """A signature: the own password once more, over the hash of what was shown.

        Raises:
            AccessRefused: the password is not right.
        """
        invitation = self.invitation
        right = not _is_locked(invitation) and check_password(request.POST.get("password", ""), invitation.password)
        _count(invitation, right=right)
        if not right:
            raise _refused()
        return Signature(self.code, meaning, shown)


def invite(study: str, participant: str, site: str, language: str, by: str) -> str:
    """Make (or make anew) a participant's access; answers the code for the letter, which is stored nowhere."""
    code = _new_code(participant)
    now = timezone.now()
    Invitation.objects.update_or_create(
        study=study,
        participant=participant,
        defaults={
            "site": site,
            "language": language,
            "letter": make_password(code),
            "password": "",
            "invited_at": now,
            "invited_by": by,
            "expires_at": now + timedelta(days=LETTER_DAYS),
            "failures": 0,
            "locked_until": None,
        },
    )
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def enter(request: HttpRequest, participant: str, secret: str) -> Invitation:
    """Check number and password, or number and the letter's code at the first time.

    Raises:
        AccessRefused: always with the same words, whatever was wrong.
    """
    wrong = f"participant-entry:{get_adapter(request).get_client_ip(request)}"
    if cache.get(wrong, 0) >= TRIES_OF_ADDRESS:
        raise _refused()
    # Two studies may give the same number; the secret tells which is meant.
    candidates = [
        invitation
        for invitation in Invitation.objects.filter(participant=participant.strip().upper())[:5]
        if invitation.study in installation().studies and _stored(invitation)
    ]
    for invitation in candidates:
        if not _is_locked(invitation) and check_password(_typed(invitation, secret), _stored(invitation)):
            _count(invitation, right=True)
            return invitation
    if not candidates:
        make_password(secret)  # as slow as for somebody who exists
    for invitation in candidates:
        _count(invitation, right=False)
    cache.add(wrong, 0, SECONDS_OF_ADDRESS)
    cache.incr(wrong)
    raise _refused()


def _stored(invitation: Invitation) -> str:
    """The hash to check against: of the password, before there is one of the letter's code while it is valid."""
    return invitation.password or (invitation.letter if invitation.expires_at > timezone.now() else "")


def _typed(invitation: Invitation, secret: str) -> str:
    return secret if invitation.password else secret.replace("-", "").replace(" ", "").upper()


def choose_password(invitation: Invitation, password: str) -> None:
    """The own password; the letter's code is void from now on.

    Raises:
        PasswordTooShort: fewer than ten characters.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort(
            "the password is too short", remedy=f"use {SHORTEST_PASSWORD} or more characters, for example three words"
        )
    invitation.password = make_password(password)
    invitation.letter = ""
    invitation.save(update_fields=["password", "letter"])


def sign_in(request: HttpRequest, invitation: Invitation) -> None:
    """Begin a session of its own."""
    request.session.cycle_key()
    request.session[SESSION] = invitation.pk
    request.session[STAMP] = _stamp(invitation)
    request.session[SEEN] = int(timezone.now().timestamp())


def as_participant(view: View[P]) -> Callable[..., HttpResponse]:
    """Make a view that only a signed-in participant reaches: ``view(request, person, …)``. Nothing is cached."""

    @functools.wraps(view)
    def reached(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        before = request.session.get(SESSION)
        person = _person(request)
        if person is None:
            return held.at_the_door(request, before)
        if not person.invitation.password:
            return redirect(reverse("participant:password"))
        request.desk = person.desk
        response = view(request, person, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    reached.roles = frozenset({Role.PARTICIPANT})  # type: ignore[attr-defined]  # read by the table of access
    return reached


def of_session(request: HttpRequest) -> Invitation | None:
    """The access that this session belongs to; ended by idleness, a new letter, or a password chosen elsewhere."""
    number = request.session.get(SESSION)
    if number is None:
        return None
    now = int(timezone.now().timestamp())
    if now - request.session.get(SEEN, 0) > settings.ENVIRONMENT.idle_minutes * 60:
        request.session.flush()
        return None
    invitation = Invitation.objects.filter(pk=number).first()
    if invitation is None or not constant_time_compare(request.session.get(STAMP, ""), _stamp(invitation)):
        request.session.flush()
        return None
    if now - request.session[SEEN] > 60:
        request.session[SEEN] = now
    return invitation


def _stamp(invitation: Invitation) -> str:
    """Says nothing of the secrets that it covers."""
    covered = f"{invitation.pk}\x00{invitation.letter}\x00{invitation.password}"
    return salted_hmac("trialwright_web.participant.access", covered, algorithm="sha256").hexdigest()


def _person(request: HttpRequest) -> Person | None:
    invitation = of_session(request)
    if invitation is None or invitation.study not in installation().studies:
        return None
    trial = installation().trial(invitation.study)
    place = Place(invitation.study, Role.PARTICIPANT, invitation.site, "participant")
    language = translation.get_language() or "en"
    return Person(invitation, Desk(place, invitation.participant, invitation.pk, trial, language))


def _new_code(participant: str) -> str:
    entropy = SystemEntropy()
    letters: list[str] = []
    while len(letters) < 12:
        for byte in entropy.bytes(32, purpose="letter", stream=participant, position=len(letters)):
            # 248 is the largest multiple of 31 in a byte: every letter is equally likely.
            if byte < 248 and len(letters) < 12:
                letters.append(ALPHABET[byte % len(ALPHABET)])
    return "".join(letters)


def _is_locked(invitation: Invitation) -> bool:
    return invitation.locked_until is not None and invitation.locked_until > timezone.now()


def _count(invitation: Invitation, *, right: bool) -> None:
    """Five wrong tries lock for a while; a right one forgets them."""
    if (right and not invitation.failures) or (not right and _is_locked(invitation)):
        return
    invitation.failures = 0 if right else invitation.failures + 1
    if invitation.failures >= TRIES:
        invitation.failures, invitation.locked_until = 0, timezone.now() + LOCKED
    invitation.save(update_fields=["failures", "locked_until"])


def _refused() -> AccessRefused:
    return AccessRefused(
        "that did not work",
        remedy="check the number and the code or password; after five wrong tries wait fifteen minutes, or call the "
        "study nurse",
    )

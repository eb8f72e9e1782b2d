"""A session that ends while somebody writes: what they sent waits in the page that asks them to sign in again.

Nothing is stored here. The texts stand in the sign-in form, bound to whom the ended session belonged to; whoever else
signs in there gets none of them. Passwords and signatures are never held: they are given anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language

from trialwright_web.shell.language import PARAMETER
from trialwright_web.shell.pages import render_page

FIELDS = ("question", "answer", "rather_not", "scope")
"""What a participant writes or chooses, on any page; nothing else is held."""

_SIGNER = Signer(salt="trialwright_web.participant.held")


@dataclass(frozen=True)
class Held:
    """What waits in the sign-in form.

    Args:
        following: the page that it was sent to, or that was asked for; empty where there is none.
        texts: field and text, in their order.
        owner: signed number of the access that the ended session belonged to; empty where nothing is held.
    """

    following: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    owner: str = ""

    @property
    def asks(self) -> bool:
        """Whether it is a question to the hospital, which is sent as it is."""
        return "question" in dict(self.texts)

    def is_of(self, number: int) -> bool:
        """Whether it belongs to who has signed in now."""
        try:
            return _SIGNER.unsign(self.owner) == str(number)
        except BadSignature:
            return False


def at_the_door(request: HttpRequest, before: int | None) -> HttpResponse:
    """Ask to sign in (again); with what was sent, where a session has just ended.

    Args:
        before: the access that the session belonged to, if there was one.
    """
    texts = _texts(request.POST, "") if before is not None else ()
    if texts:
        waiting = Held(request.path, texts, _SIGNER.sign(str(before)))
        context = {"ended": True, "held": waiting}
        return _private(render_page(request, "participant/enter.html", context, status=403))
    asked = {"ended": "1"} if before is not None else {}
    if PARAMETER in request.GET:
        asked[PARAMETER] = get_language() or "en"
    if request.method in ("GET", "HEAD") and request.path != reverse("participant:home"):
        asked["next"] = request.path
    return redirect(f"{reverse('participant:enter')}?{urlencode(asked)}" if asked else reverse("participant:enter"))


def held_by(request: HttpRequest) -> Held:
    """What the sign-in form carries."""
    given = request.POST if request.method == "POST" else request.GET
    following = given.get("next", "")
    own = reverse("participant:home")
    inside = following.startswith(own) and following != reverse("participant:enter")
    if not inside or "\\" in following or len(following) > 300:
        following = ""
    return Held(following, _texts(request.POST, "held."), request.POST.get("owner", ""))


def _texts(given: QueryDict, prefix: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name in FIELDS for text in given.getlist(f"{prefix}{name}") if text.strip())


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response

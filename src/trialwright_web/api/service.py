"""The service: who asks (a token), what is refused how, and every operation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.security import HttpBearer

from trialwright.foundation.errors import Refusal, TrialwrightError
from trialwright.foundation.operating_system import SystemClock
from trialwright.protocol.roles import Role
from trialwright_web.shell.desk import Desk, desk_of
from trialwright_web.shell.language import language_of
from trialwright_web.shell.pages import status_of
from trialwright_web.shell.tokens import find_token


class NotYourDesk(Refusal):
    """The token's role may not ask this."""

    code = "api.not_your_desk"


class DeskToken(HttpBearer):
    """A token stands for one person at one desk of one study, while they hold the role."""

    def authenticate(self, request: HttpRequest, token: str) -> Desk | None:
        """The desk, or None: unknown, ended and revoked tokens and other studies look alike."""
        found = find_token(token, SystemClock().now())
        match = request.resolver_match
        if found is None or match is None or found.study != match.kwargs.get("study"):
            return None
        return desk_of(found.account, found.study, found.place, language_of(request))


class _StudyApi(NinjaAPI):
    """The service lies under the routes of a study."""

    def get_root_path(self, path_params: dict[str, Any]) -> str:
        return reverse("api:v1:api-root", kwargs=path_params)


api = _StudyApi(
    title="Trialwright",
    version="1",
    description="Reads views of the open space and gives commands, with the rights of the token's desk.",
    auth=DeskToken(),
    docs_url=None,
    urls_namespace="v1",
)

Operation = Callable[..., Any]


def for_roles(*roles: Role) -> Callable[[Operation], Operation]:
    """Let an operation answer these roles only; none means every role here. The desk is ``request.auth``."""
    allowed = frozenset(roles) or frozenset(Role) - {Role.PARTICIPANT}

    def decorate(operation: Operation) -> Operation:
        @wraps(operation)
        def reached(request: HttpRequest, *given: Any, **named: Any) -> Any:
            desk: Desk = request.auth  # type: ignore[attr-defined]  # ninja puts it there
            if desk.role not in allowed:
                raise NotYourDesk(f"this is not for the role {desk.role.value}", remedy="use a token of another desk")
            return operation(request, *given, **named)

        # Annotations are texts that mean something in the operation's module; the service reads them here.
        hints = get_type_hints(operation, include_extras=True)
        told = inspect.signature(operation)
        reached.__signature__ = told.replace(  # type: ignore[attr-defined]
            parameters=[p.replace(annotation=hints.get(p.name, p.annotation)) for p in told.parameters.values()],
            return_annotation=Any,
        )
        reached.roles = allowed  # type: ignore[attr-defined]  # read by the table of access
        return reached

    return decorate


@api.exception_handler(TrialwrightError)
def refused(request: HttpRequest, error: TrialwrightError) -> HttpResponse:
    """A named error: its code, what was wrong, what to do."""
    status = 403 if isinstance(error, NotYourDesk) else status_of(error)
    return api.create_response(request, error.as_dict(), status=status)


@api.exception_handler(Http404)
def absent(request: HttpRequest, error: Http404) -> HttpResponse:
    """Nothing there, or of another site; the two look alike."""
    said = {"error": "api.absent", "message": "there is nothing here", "remedy": "look at the list first"}
    return api.create_response(request, said, status=404)


@api.exception_handler(ValidationError)
def unreadable(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What was sent is not what the description asks for: where, and why; never what was sent."""
    wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors[:20])
    said = {"error": "api.unreadable", "message": wrong, "remedy": "send what openapi.json describes"}
    return api.create_response(request, said, status=422)


@api.exception_handler(HttpError)
def turned_away(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Without a token that counts (401), or with a body that is no JSON (400)."""
    codes = {400: "api.no_json", 401: "api.no_token"}
    remedies = {400: "send JSON in UTF-8", 401: "send the header Authorization: Bearer with a token in force"}
    said = {
        "error": codes.get(error.status_code, "api.refused"),
        "message": str(error),
        "remedy": remedies.get(error.status_code, "look at openapi.json"),
    }
    return api.create_response(request, said, status=error.status_code)


# The operations add themselves.
from trialwright_web.api import reading, writing  # noqa: E402, F401

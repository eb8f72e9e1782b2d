"""The application, telling in a header of each answer which templates drew it.

For campaigns alone. One more page is there, ``/accounts/fails/``, in which our own code breaks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.template.base import Template
from django.urls import path

from trialwright_web.config.wsgi import application as honest

_drawn = threading.local()
_render = Template._render


def _noted(template: Any, context: Any) -> Any:
    name = getattr(template.origin, "template_name", None) or template.name
    if name:
        getattr(_drawn, "names", set()).add(str(name))
    return _render(template, context)


def _fails(request: Any) -> Any:
    raise ZeroDivisionError("planted")


def _plant() -> None:
    from trialwright_web.accounts import urls

    urls.urlpatterns.append(path("fails/", _fails))


Template._render = _noted
_plant()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The answer, with ``X-Templates``."""
    _drawn.names = set()

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("X-Templates", ",".join(sorted(_drawn.names)))], *more)

    return honest(environ, start)

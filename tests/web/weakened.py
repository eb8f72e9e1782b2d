"""The application without one of its guards, for one request, by a header that only tests send.

``X-Planted-Fault: no_guard`` writes tables without the guard against formulas; ``safe:TEMPLATE`` draws a template as
if its author had put ``|safe`` behind every variable. Tests see by it that they can fail. Without the header the
application answers as it is.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import Any

from django.template import Template
from django.template.engine import Engine

from trialwright.exports import tabular
from trialwright_web.config.wsgi import application as honest

HERE = threading.local()
_guarded, _get_template = tabular._guarded, Engine.get_template


def _fault() -> str:
    return getattr(HERE, "fault", "")


def _guarded_or_not(cell: Any) -> Any:
    return cell if _fault() == "no_guard" and cell is not None else _guarded(cell)


def _get_template_or_weak(engine: Engine, name: str) -> Any:
    template = _get_template(engine, name)
    if _fault() != f"safe:{name}":
        return template
    source = re.sub(r"\{\{\s*(.*?)\s*\}\}", r"{{ \1|safe }}", template.source)
    return Template(source, template.origin, name, engine)


tabular._guarded = _guarded_or_not
Engine.get_template = _get_template_or_weak


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI."""
    HERE.fault = environ.get("HTTP_X_PLANTED_FAULT", "")
    try:
        return list(honest(environ, start_response))
    finally:
        HERE.fault = ""

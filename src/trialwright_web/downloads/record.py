"""Receipts: what somebody keeps outside, so that nobody here can rewrite the record unnoticed."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from trialwright.ledger import verify
from trialwright.trial.event import Space
from trialwright_web.shell.checkpoints import signing_key
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.rights import DATA


@at_desk(*DATA)
@require_GET
def receipt(request: Request, desk: Desk) -> HttpResponse:
    """The newest signed checkpoint of the open record."""
    ledger = desk.trial.ledgers[Space.OPEN].ledger_id
    notes = desk.trial.stores[Space.OPEN].checkpoints(ledger)
    if not notes:
        raise Http404
    return _attached(notes[-1], f"{desk.study}-checkpoint.txt")


@at_desk(*DATA)
@require_GET
def checkpoint_key(request: Request, desk: Desk) -> HttpResponse:
    """The public key that verifies receipts; compare it with the one that was published elsewhere."""
    if settings.ENVIRONMENT.checkpoints is None:
        raise Http404
    return _attached(f"{signing_key(settings.ENVIRONMENT.checkpoints, desk.study).verifier}\n", "checkpoint-key.txt")


@at_desk(*DATA)
@require_GET
def verifier(request: Request, desk: Desk) -> HttpResponse:
    """The program that verifies a copy of the record with nothing but Python."""
    return _attached(Path(verify.__file__).read_text(encoding="utf-8"), "verify.py", "text/x-python")


def _attached(text: str, name: str, kind: str = "text/plain") -> HttpResponse:
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

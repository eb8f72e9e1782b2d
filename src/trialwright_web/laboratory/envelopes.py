"""Sealed emergency envelopes: one file and one password for each participant, made right after the randomisation."""

from __future__ import annotations

import base64
import inspect

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.protocol.roles import Role
from trialwright.sealing import EnvelopeWriter, envelope_opener, envelope_password
from trialwright.trial.allocation.commands import PrepareEnvelope
from trialwright.trial.allocation.envelopes import emergency_envelopes
from trialwright.trial.allocation.views import LOOK, RANDOMISATION
from trialwright.trial.dispatch import Receipt
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.revealing import AlreadyShown, gateway

MAKERS = (Role.INDEPENDENT_STATISTICIAN, Role.PHARMACIST)


@at_desk(*MAKERS)
@require_http_methods(["GET", "POST"])
def envelope(request: Request, desk: Desk) -> HttpResponse:
    """Make the envelope of one participant; the page shows its password and the file once."""
    allocations = reverse("laboratory:allocations", args=(desk.study,))
    act = Act(
        title=_("Make an emergency envelope"),
        command=PrepareEnvelope,
        make=lambda answers: PrepareEnvelope(participant=answers.text("participant")),
        back=allocations,
        fields=(
            Field(
                "participant",
                _("Participant"),
                "select",
                tuple((code, code) for code in without_envelope(desk)),
                help=_("Randomised participants; those without an envelope stand first."),
            ),
        ),
        intro=_(
            "The file goes to the site on a memory stick together with the opener; the password is printed, sealed "
            "and kept apart from it. Whoever opens it without need breaks the blind of this participant."
        ),
        button=_("Make the envelope"),
    )
    return act_page(request, desk, act, then=lambda receipt: _made(request, desk, receipt, allocations))


def without_envelope(desk: Desk) -> list[str]:
    """Randomised participants, those without an envelope first."""
    people = [str(row["participant"]) for row in desk.participants()]
    randomised = [code for code in people if desk.rows.get(RANDOMISATION, (code,))]
    have = {str(row["participant"]) for row in desk.closed_rows.where(LOOK, purpose="envelope")}
    return sorted(randomised, key=lambda code: (code in have, code))


def _made(request: Request, desk: Desk, receipt: Receipt, back: str) -> HttpResponse:
    if receipt.repeated:
        raise AlreadyShown(
            str(_("this envelope was made before, and shown then")),
            remedy=str(_("make another one, and destroy the first")),
        )
    ledger, entropy = f"{desk.study}/closed", SystemEntropy()
    participant = str(getattr(receipt.facts[0].event, "participant", ""))
    password = envelope_password(entropy, ledger=ledger, holder=participant)
    writer = EnvelopeWriter(password, ledger=ledger, holder=participant, entropy=entropy)
    site = str(desk.participant(participant)["site"])
    made = emergency_envelopes(receipt.facts, gateway(desk), desk.build_at(site), writer)
    context = {
        "participant": participant,
        "site": site,
        "password": password,
        "file": base64.b64encode(made[participant]).decode("ascii"),
        "back": back,
    }
    answer = render_page(request, "laboratory/envelope.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


@at_desk(*MAKERS, Role.INVESTIGATOR, visitors=True)
@require_GET
def opener(request: Request, desk: Desk) -> HttpResponse:
    """The program that opens an envelope on any computer with Python."""
    answer = HttpResponse(inspect.getsource(envelope_opener), content_type="text/x-python; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="envelope_opener.py"'
    return answer

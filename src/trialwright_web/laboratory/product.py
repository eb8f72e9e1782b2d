"""One product: identity, stages, values against the release criteria, chain of identity, and the acts."""

from __future__ import annotations

from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.protocol.roles import Role
from trialwright_web.laboratory.acts import ACTS, offers
from trialwright_web.laboratory.board import READERS
from trialwright_web.laboratory.chain import product_of
from trialwright_web.shell.acts import act_page
from trialwright_web.shell.barcodes import code128
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.labels import Label, label_pdf
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.stages import expires
from trialwright_web.shell.templatetags.shell import in_language

COPIES = 4


@at_desk(*READERS)
@require_GET
def product_page(request: Request, desk: Desk, participant: str, label: str) -> HttpResponse:
    """The page of a product."""
    product = product_of(desk, participant, label)
    context = {
        "product": product,
        "offers": offers(desk, product),
        "measurements": list(product.measurements()),
        "criteria": list(product.criteria()),
        "steps": product.steps(),
        "bars": code128(label),
        "expires": expires(product.slot_row, product.custody) if product.is_current else None,
        "zone": desk.zone(product.site),
    }
    return render_page(request, "laboratory/product.html", context)


@at_desk(*READERS)
@require_http_methods(["GET", "POST"])
def act(request: Request, desk: Desk, participant: str, label: str, act: str) -> HttpResponse:
    """One act at a product."""
    if act not in ACTS:
        raise Http404
    return act_page(request, desk, ACTS[act][2](product_of(desk, participant, label)))


@at_desk(Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.PHARMACIST)
@require_GET
def labels(request: Request, desk: Desk, participant: str, label: str) -> HttpResponse:
    """Labels with the product's identifiers, for syringe, box and sheet; the same whatever is in the syringe."""
    product = product_of(desk, participant, label)
    acronym = desk.build.study.identity.acronym
    lines = (f"{acronym} · {in_language(product.slot.label)}", _("For clinical trial use only"))
    return label_pdf((Label(label, participant, lines),) * COPIES, desk.language)


@at_desk(*READERS)
@require_GET
def batch_record(request: Request, desk: Desk, participant: str, label: str) -> HttpResponse:
    """The batch record as it stands, which certificates are signed over (SHA-256 of its canonical JSON)."""
    product = product_of(desk, participant, label)
    answer = JsonResponse(
        {"sha256": product.batch_hash(), "record": product.batch_record()}, json_dumps_params={"indent": 1}
    )
    answer["Content-Disposition"] = f'attachment; filename="batch-{label}.json"'
    return answer

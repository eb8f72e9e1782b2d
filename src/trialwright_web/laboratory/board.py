"""The laboratory's board: every container, how far it is, what comes next, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.custody.state import LabelUse, Slots
from trialwright_web.laboratory.acts import Offer, offers
from trialwright_web.laboratory.chain import Product, product_of
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.stages import expires
from trialwright_web.shell.waiting import Waiting, says_what_waits

READERS = (
    Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.PHARMACIST, Role.INJECTING_PHYSICIAN, Role.UNBLINDED_MONITOR,
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One container on the board."""

    product: Product
    next: tuple[Offer, ...]
    expires: datetime | None

    @property
    def is_over(self) -> bool:
        return bool(self.product.slot_row.get("injected_on")) or self.product.state in ("failed", "destroyed")

    @property
    def waits(self) -> bool:
        """Whether the desk is who comes next."""
        return bool(self.next) and self.next[0].expected


def _waiting(desk: Desk) -> Iterator[Waiting]:
    """What comes next here, as the home lists it."""
    for line in _lines(desk):
        if line.waits:
            yield Waiting(
                words=str(line.next[0].title),
                address=line.next[0].address,
                participant=line.product.participant,
                about=line.product.label,
                due=line.expires.isoformat() if line.expires else None,
            )


@says_what_waits(_waiting)
@at_desk(*READERS)
@require_GET
def board(request: Request, desk: Desk) -> HttpResponse:
    """The board; a scanned label leads to its product."""
    scanned = request.GET.get("scan", "").strip().upper()
    if scanned:
        participant = desk.trial.state().of(LabelUse, scanned).participant
        if participant and desk.may_see(participant):
            return redirect(reverse("laboratory:product", args=(desk.study, participant, scanned)))
    show = request.GET.get("show", "")
    found = [line for line in _lines(desk) if show == "all" or (line.waits if show == "mine" else not line.is_over)]
    found.sort(
        key=lambda line: (not line.waits, line.expires is None, str(line.product.slot_row.get("collected_on")))
    )
    context = {
        "lines": found,
        "show": show,
        "unknown": scanned,
        "zone": desk.zone(),
        "custody": desk.build.study.custody,
        "randomised": [] if desk.build.study.custody else list(_randomised(desk)),
    }
    return render_page(request, "laboratory/board.html", context)


def _lines(desk: Desk) -> Iterator[Line]:
    custody = desk.build.study.custody
    if custody is None:
        return
    state = desk.trial.state()
    for person in desk.participants():
        participant = str(person["participant"])
        for label in state.of(Slots, participant).labels:
            product = product_of(desk, participant, label)
            until = expires(product.slot_row, custody) if product.is_current else None
            yield Line(product, offers(desk, product), until)


def _randomised(desk: Desk) -> Iterator[str]:
    """Whose treatment is prepared after a look at the allocation, in a study without products of its own."""
    for person in desk.participants():
        if desk.rows.get(RANDOMISATION, (person["participant"],)):
            yield str(person["participant"])

"""All injections, and one of them: how far it has come, and what the site does next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from trialwright.foundation.tables import Row
from trialwright.protocol.custody import Custody, Slot
from trialwright.protocol.roles import Role
from trialwright.trial.custody.views import SLOT
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.tasks import UNDER_WAY
from trialwright_web.products.site import ACTS, Offer, offers
from trialwright_web.shell.acts import may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.flags import flag_words
from trialwright_web.shell.menu import offered_where
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.stages import Stage, empty_slot, expires, stages, status_words
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.waiting import Waiting, says_what_waits
from trialwright_web.shell.words import Words

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INJECTING_PHYSICIAN, Role.MONITOR, Role.UNBLINDED_MONITOR,
    Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip


@dataclass(frozen=True)
class SlotLine:
    """One planned injection of one participant; ``has_begun`` where they are in the trial, or something happened."""

    participant: str
    site: str
    slot: Slot
    row: Row
    stages: tuple[Stage, ...]
    status: Words
    expires: datetime | None
    flags: tuple[str, ...]
    next: tuple[Offer, ...]
    address: str
    has_begun: bool

    @property
    def waits(self) -> bool:
        """Whether the desk is who comes next."""
        return bool(self.next) and self.next[0].expected


def lines(desk: Desk) -> Iterator[SlotLine]:
    """Every slot that happened or is still to come, by participant."""
    custody = desk.build.study.custody
    if custody is None:
        return
    for person in desk.participants():
        rows = {str(row["slot"]): row for row in desk.rows.where(SLOT, participant=person["participant"])}
        for planned in custody.slots:
            if planned.id in rows or person["status"] in UNDER_WAY:
                yield line(desk, custody, person, planned, rows.get(planned.id))


def line(desk: Desk, custody: Custody, person: Row, planned: Slot, row: Row | None) -> SlotLine:
    """One slot of one participant, as it stands."""
    participant = str(person["participant"])
    row = row or empty_slot(participant, planned.id)
    return SlotLine(
        participant=participant,
        site=str(person["site"]),
        slot=planned,
        row=row,
        stages=stages(row),
        status=status_words(row),
        expires=expires(row, custody),
        flags=tuple(flag_words(flag) for flag in str(row.get("flags") or "").split()),
        next=offers(desk, person, row),
        address=reverse("products:slot", args=(desk.study, participant, planned.id)),
        has_begun=bool(row.get("status")) or person["status"] != "screening",
    )


def _waiting(desk: Desk) -> Iterator[Waiting]:
    """What the desk does next for an injection that is under way; the first gate of later ones is no news."""
    custody = desk.build.study.custody
    if custody is None or not any(may_act(desk, command) for _title, command, _page in ACTS.values()):
        return
    people = {row["participant"]: row for row in desk.participants()}
    planned = {slot.id: slot for slot in custody.slots}
    for row in desk.rows.where(SLOT):
        person, slot = people.get(row["participant"]), planned.get(str(row["slot"]))
        if person is None or slot is None:
            continue
        one = line(desk, custody, person, slot, row)
        if one.waits:
            yield Waiting(
                words=str(one.next[0].title),
                address=one.next[0].address,
                participant=one.participant,
                about=in_language(slot.label),
                due=one.expires.isoformat() if one.expires else None,
            )


@offered_where(lambda desk: desk.build.study.custody is not None)
@says_what_waits(_waiting)
@at_desk(*READERS)
@require_GET
def board(request: Request, desk: Desk) -> HttpResponse:
    """The board of injections."""
    found = list(lines(desk))
    chosen = request.GET.get("show", "")
    if chosen == "mine":
        found = [one for one in found if one.waits]
    elif chosen != "all":
        found = [one for one in found if one.has_begun and not _is_over(one)]
    return render_page(
        request,
        "products/board.html",
        {"lines": found, "show": chosen, "zone": desk.zone(), "custody": desk.build.study.custody},
    )


@at_desk(*READERS)
@require_GET
def slot_page(request: Request, desk: Desk, participant: str, slot: str) -> HttpResponse:
    """One injection."""
    return render_page(request, "products/slot.html", slot_context(desk, participant, slot))


def slot_context(desk: Desk, participant: str, slot: str) -> dict[str, Any]:
    """What the page of a slot shows.

    Raises:
        Http404: no such participant at the desk, or no such slot.
    """
    person = desk.participant(participant)
    build = desk.build_at(str(person["site"]))
    custody = build.study.custody
    planned = next((one for one in custody.slots if one.id == slot), None) if custody else None
    if custody is None or planned is None:
        raise Http404
    row = desk.rows.get(SLOT, (participant, slot))
    return {
        "line": line(desk, custody, person, planned, row),
        "custody": custody,
        "zone": desk.zone(str(person["site"])),
        "encounters": build.study.encounters,
        "may_print": desk.role in (Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INJECTING_PHYSICIAN),
    }


@offered_where(lambda desk: desk.build.study.identity.blinding.kind == "blinded")
@at_desk(Role.INVESTIGATOR)
@require_GET
def emergency(request: Request, desk: Desk) -> HttpResponse:
    """Where to unblind in an emergency: in the closed process, which this page leads to."""
    people = [row for row in desk.rows.where(DISPOSITION, site=desk.site) if row["randomised_on"]]
    return render_page(request, "products/emergency.html", {"people": people})


def _is_over(one: SlotLine) -> bool:
    return bool(one.row.get("injected_on")) or any(stage.state == "stopped" for stage in one.stages)

"""The independent statistician brings a sealed list, compares its root, and signs it into the closed record."""

from __future__ import annotations

import json
from collections import Counter

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from trialwright.foundation.errors import InvalidValue, TrialwrightError
from trialwright.protocol.roles import Role
from trialwright.sealing import SealBroken
from trialwright.trial.allocation.commands import SealAllocationList
from trialwright.trial.allocation.preparation import PreparedList
from trialwright.trial.allocation.state import PARAMETERS
from trialwright.trial.dispatch import Receipt
from trialwright.trial.keys.state import Keys
from trialwright_web.laboratory.templatetags.laboratory import method_words
from trialwright_web.shell.acts import Act, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.drafts import clear_draft, find_draft, keep_draft
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.words import Words

LARGEST = 20 * 1024 * 1024
"""Bytes of a file; a row of a list takes some 600."""


def _place(desk: Desk) -> str:
    return f"{desk.study}/allocation-list"


def _account(request: Request) -> int:
    return int(request.user.pk or 0)


@at_desk(Role.INDEPENDENT_STATISTICIAN)
@require_GET
def bring(request: Request, desk: Desk) -> HttpResponse:
    """How a list is made, and where its file is given."""
    return render_page(request, "laboratory/list.html", {})


@at_desk(Role.INDEPENDENT_STATISTICIAN)
@require_POST
def brought(request: Request, desk: Desk) -> HttpResponse:
    """Read the file. It is kept, encrypted, until it is signed; nothing of it is in the clear."""
    try:
        prepared = _read(request)
    except TrialwrightError as error:
        return render_page(request, "laboratory/list.html", {"error": error}, status=status_of(error))
    keep_draft(_account(request), _place(desk), 0, prepared.as_json())
    return redirect("laboratory:sign_list", desk.study)


@at_desk(Role.INDEPENDENT_STATISTICIAN)
@require_http_methods(["GET", "POST"])
def sign_list(request: Request, desk: Desk) -> HttpResponse:
    """The signature, over the list's root."""
    draft = find_draft(_account(request), _place(desk))
    if draft is None:
        return redirect("laboratory:list", desk.study)
    prepared = PreparedList.from_json(draft.fields)
    sealed = prepared.sealed
    rows = Counter(row.place.stratum for row in sealed.rows if row.place.stratum != PARAMETERS)
    in_force = desk.state.of(Keys).in_force
    keys: list[tuple[Words, Words]] = [
        (f"{purpose.value}: {print_}", _KEPT[in_force.get((purpose.value, "")) == print_])
        for purpose, print_ in sealed.recipients.items()
    ]
    allocations = reverse("laboratory:allocations", args=(desk.study,))

    def signed(receipt: Receipt) -> HttpResponse:
        clear_draft(_account(request), _place(desk))
        return redirect(allocations)

    act = Act(
        title=_("Sign the allocation list"),
        command=SealAllocationList,
        make=lambda answers: SealAllocationList(prepared=prepared),
        back=allocations,
        facts=(
            (_("Root"), sealed.root.hex()),
            (_("List"), str(prepared.number)),
            (_("Method"), method_words(prepared.method)),
            *((_("Sealed to"), f"{print_} – {words}") for print_, words in keys),
        ),
        rows=((_("Stratum"), _("Rows")), *((stratum or "–", str(count)) for stratum, count in rows.items())),
        intro=_("Compare the root with the one that was printed when you prepared the list, sign by sign."),
        warning=_("The list is committed to. It can be continued by another list, and never exchanged."),
        shown=sealed.root.hex(),
        button=_("Sign the list"),
        done=_("The list is committed to."),
    )
    return act_page(request, desk, act, then=signed)


_KEPT: dict[bool, Words] = {
    True: _("the key in force"),
    False: _("not on record as the key in force"),
}


def _read(request: Request) -> PreparedList:
    file = request.FILES.get("file")
    if file is None or not file.size:
        raise InvalidValue(now("no file was chosen"), remedy=now("choose sealed-list.json"))
    if file.size > LARGEST:
        raise InvalidValue(now("the file is too large to be a list"), remedy=now("choose sealed-list.json"))
    try:
        return PreparedList.from_json(json.loads(file.read()))
    except (ValueError, RecursionError, SealBroken) as error:
        raise InvalidValue(
            now("the file is no sealed list"),
            remedy=now("choose the sealed-list.json that `trialwright list prepare` wrote, not the specification"),
        ) from error

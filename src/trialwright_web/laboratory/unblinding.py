"""The final unblinding: locked, planned, proposed by one, signed by another; then the allocations stand here."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.closure.commands import UnblindStudy
from trialwright.trial.closure.state import UNBLIND, Ending
from trialwright.trial.closure.views import ALLOCATION, CLOSED_DEVIATION, MILESTONE
from trialwright_web.shell.acts import Act, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.menu import called_in_open_studies
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.revealing import in_words
from trialwright_web.shell.words import Words


def conditions(desk: Desk) -> tuple[tuple[Words, bool], ...]:
    """What has to be so before the second person signs, and whether it is."""
    ending = desk.trial.state().of(Ending)
    waiting = any(row["classified_at"] is None for row in desk.closed_rows.where(CLOSED_DEVIATION))
    return (
        (_("The study is locked"), ending.locked),
        (_("The analysis plan is signed"), bool(ending.plan)),
        (_("The analysis programs are frozen"), bool(ending.code)),
        (_("A first person proposed it"), UNBLIND in ending.proposed),
        (_("Every closed deviation is classified"), not waiting),
    )


@called_in_open_studies(_("Allocations on record"))
@at_desk(Role.INDEPENDENT_STATISTICIAN, Role.UNBLINDED_MONITOR)
@require_GET
def unblinding(request: Request, desk: Desk) -> HttpResponse:
    """How far it is; afterwards everybody's allocation."""
    ending = desk.trial.state().of(Ending)
    disclosed = list(desk.closed_rows.where(ALLOCATION)) if ending.unblinded else []
    standing = conditions(desk)
    context = {
        "conditions": standing,
        "ready": all(done for _words, done in standing),
        "unblinded": ending.unblinded,
        "allocations": [(row["participant"], in_words(desk.build, str(row["label"]))) for row in disclosed],
        "proposals": [row for row in desk.rows.where(MILESTONE) if row["what"] == "second_person_asked"],
        "may_sign": may_act(desk, UnblindStudy),
        "zone": desk.zone(),
    }
    return render_page(request, "laboratory/unblinding.html", context)


@at_desk(Role.INDEPENDENT_STATISTICIAN)
@require_http_methods(["GET", "POST"])
def unblind(request: Request, desk: Desk) -> HttpResponse:
    """The second person's signature, over the root of the locked record."""
    size, root = desk.trial.open_head()
    is_open = desk.trial.one_space
    act = Act(
        title=_("Put the allocations on record") if is_open else _("Unblind the study"),
        command=UnblindStudy,
        make=lambda answers: UnblindStudy(),
        back=reverse("laboratory:unblinding", args=(desk.study,)),
        facts=((_("Events in the open record"), str(size)), (_("Root of the open record"), root)),
        rows=((_("Condition"), ""), *((words, _("yes") if done else _("no")) for words, done in conditions(desk))),
        warning=_("This discloses every allocation. It cannot be undone."),
        shown=root,
        button=_("Sign and put them on record") if is_open else _("Sign and unblind the study"),
        danger=True,
        done=_("The allocations are on record.") if is_open else _("The study is unblinded."),
    )
    return act_page(request, desk, act)

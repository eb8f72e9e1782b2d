"""The independent statistician: commitments, how far the lists are used, every look, allocations for a data cut."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import DiscloseForDataCut
from trialwright.trial.allocation.views import COMMITMENT, LOOK, RANDOMISATION
from trialwright.trial.closure.views import DATA_CUT
from trialwright.trial.dispatch import Receipt
from trialwright.trial.setup.state import StudySetup
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.revealing import AlreadyShown, in_words, labels_of
from trialwright_web.shell.waiting import Waiting, says_what_waits
from trialwright_web.shell.words import Words

PURPOSES: dict[str, Words] = {
    "dispensing": _("to prepare what is given"),
    "envelope": _("for an emergency envelope"),
    "emergency": _("in an emergency"),
    "susar": _("to report a suspected reaction"),
    "data_cut": _("for a data cut"),
}


def _waiting(desk: Desk) -> Iterator[Waiting]:
    """Until a list is committed to, nobody can be randomised."""
    if desk.trial.state().of(StudySetup).opened and next(iter(desk.rows.where(COMMITMENT)), None) is None:
        yield Waiting(str(now("Seal an allocation list")), reverse("laboratory:list", args=(desk.study,)))


@says_what_waits(_waiting)
@at_desk(Role.INDEPENDENT_STATISTICIAN)
@require_GET
def allocations(request: Request, desk: Desk) -> HttpResponse:
    """What is committed to and used, the data cuts, and the looks."""
    randomised = list(desk.rows.where(RANDOMISATION))
    used = Counter(str(row["stratum"]) for row in randomised)
    strata: dict[str, int] = {}
    for row in desk.rows.where(COMMITMENT):
        strata[str(row["stratum"])] = strata.get(str(row["stratum"]), 0) + int(row["rows"] or 0)
    looks = sorted(desk.closed_rows.where(LOOK), key=lambda row: str(row["recorded_at"]), reverse=True)
    context = {
        "commitments": list(desk.rows.where(COMMITMENT)),
        "strata": [(name, rows, used[name], rows - used[name]) for name, rows in strata.items()],
        "cuts": list(desk.rows.where(DATA_CUT)),
        "looks": [(row, PURPOSES.get(str(row["purpose"]), row["purpose"])) for row in looks],
        "randomised": len(randomised),
        "zone": desk.zone(),
    }
    return render_page(request, "laboratory/allocations.html", context)


@at_desk(Role.INDEPENDENT_STATISTICIAN)
@require_http_methods(["GET", "POST"])
def join(request: Request, desk: Desk, cut: str) -> HttpResponse:
    """Join allocations to a data cut; the page, or a file, shows them once."""
    if desk.rows.get(DATA_CUT, (cut,)) is None:
        raise Http404
    people = [str(row["participant"]) for row in desk.rows.where(RANDOMISATION)]
    back = reverse("laboratory:allocations", args=(desk.study,))
    act = Act(
        title=_("Join allocations to a data cut"),
        command=DiscloseForDataCut,
        make=lambda answers: DiscloseForDataCut(cut=cut, participants=answers.several("participants")),
        back=back,
        facts=((_("Data cut"), cut),),
        fields=(
            Field("participants", _("Participants"), "several", tuple((c, c) for c in people), " ".join(people)),
            Field("as", _("Show it"), "choice", (("page", _("on a page")), ("csv", _("as a CSV file"))), "page"),
        ),
        reason=_("What for"),
        intro=_("For the committee's closed report. Each use is recorded with your name before anything is shown."),
        button=_("Record it and show"),
    )
    return act_page(request, desk, act, then=lambda receipt: _joined(request, desk, cut, receipt, back))


def _joined(request: Request, desk: Desk, cut: str, receipt: Receipt, back: str) -> HttpResponse:
    if receipt.repeated:
        raise AlreadyShown(
            now("this use was recorded before, and its answer shown then"), remedy=now("join again with a new page")
        )
    labels = labels_of(desk, receipt)
    if request.POST.get("as") == "csv":
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("participant", "allocation"))
        writer.writerows(sorted(labels.items()))
        answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{desk.study}-{cut}-allocations.csv"'
    else:
        words = [(participant, label, in_words(desk.build, label)) for participant, label in sorted(labels.items())]
        answer = render_page(request, "laboratory/joined.html", {"cut": cut, "words": words, "back": back})
    answer["Cache-Control"] = "no-store"
    return answer

"""Forgetting a person: one of two people proposes it, another one agrees. What follows the worker carries out."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.protocol.roles import Role
from trialwright.trial.erasure.commands import (
    NEVER_ENROLLED,
    RETENTION_EXPIRED,
    TYPED_BY_MISTAKE,
    DestroyParticipantKeys,
    ProposeErasure,
)
from trialwright.trial.erasure.state import Forgetting
from trialwright_web.capture.words import status_words
from trialwright_web.shell.acts import Act, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk

DECIDERS = (Role.INVESTIGATOR, Role.DATA_MANAGER)
GROUNDS: Mapping[str, Promise] = {
    TYPED_BY_MISTAKE: _("A name or number was typed by mistake: every text about the participant up to now goes"),
    NEVER_ENROLLED: _("The person never enrolled: texts, files, contact and access go"),
    RETENTION_EXPIRED: _("The retention has expired: texts, files, contact and access go"),
}
_NOBODY = _("This reason stays readable for ever: name nobody.")


@at_desk(*DECIDERS)
@require_http_methods(["GET", "POST"])
def forget(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Propose it, or agree to what somebody else proposed."""
    row = desk.participant(participant)
    forgetting = desk.state.of(Forgetting, participant)
    facts = ((_("Participant"), participant), (_("Status"), status_words(str(row["status"]))))
    if forgetting.proposed_by in ("", desk.person):
        act = _propose(desk, participant, facts, waits=bool(forgetting.proposed_by))
    else:
        proposed = (
            (_("Proposed by"), forgetting.proposed_by),
            (_("Ground"), GROUNDS[forgetting.proposed_ground]),
        )
        act = _agree(desk, participant, (*facts, *proposed), forgetting.proposed_ground)
    return act_page(request, desk, act)


def _propose(
    desk: Desk, participant: str, facts: tuple[tuple[str | Promise, str | Promise], ...], *, waits: bool
) -> Act:
    return Act(
        title=_("Forget this person"),
        command=ProposeErasure,
        make=lambda answers: ProposeErasure(participant=participant, ground=answers.text("ground")),
        back=reverse("capture:participant", args=(desk.study, participant)),
        facts=facts,
        intro=_(
            "For these three grounds only; who withdraws is not forgotten. Numbers, dates and codes stay. Another "
            "person, investigator or data management, must agree on this page."
        ),
        warning=_("You have proposed this. Another person must agree.") if waits else "",
        fields=(Field("ground", _("Ground"), "choice", tuple(GROUNDS.items())),),
        reason=_("What happened"),
        reason_help=_NOBODY,
        button=_("Propose"),
        done=_("Proposed. Another person must agree."),
    )


def _agree(desk: Desk, participant: str, facts: tuple[tuple[str | Promise, str | Promise], ...], ground: str) -> Act:
    return Act(
        title=_("Agree that this person is forgotten"),
        command=DestroyParticipantKeys,
        make=lambda answers: DestroyParticipantKeys(participant=participant, ground=ground),
        back=reverse("capture:participant", args=(desk.study, participant)),
        facts=facts,
        warning=_(
            "This cannot be undone. Drafts and unsaved imports are cleared, and exports of the last days must be "
            "asked for again. Exports that people took away are theirs to destroy."
        ),
        reason=_("What you checked"),
        reason_help=_NOBODY,
        button=_("Forget"),
        danger=True,
        done=_("It is decided. What was written is gone in a few minutes."),
    )

"""Inviting somebody who never signed in: a one-time link, shown once, with which they choose their own password.

Only first invitations are made here. Whoever lost a password or a telephone is invited again by who runs the
installation, because that takes away what the person signed in with: a sponsor must not come into an account that
signs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.protocol.roles import Role
from trialwright.trial.audit import sees_closed
from trialwright.trial.setup.state import SiteSetup
from trialwright.trial.setup.views import PERSON
from trialwright_web.accounts.invitations import first_invitation, signs_in
from trialwright_web.shell.acts import AnswerMissing
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.signing import reauthenticate

LOG = logging.getLogger("trialwright_web")


def may_invite(desk: Desk) -> bool:
    """The sponsor invites everybody on record; a principal investigator who works at the site."""
    if desk.role is Role.SPONSOR:
        return True
    if desk.site is None or desk.role is not Role.INVESTIGATOR:
        return False
    return desk.trial.state().of(SiteSetup, desk.site).principal_investigator == desk.person


@at_desk(Role.SPONSOR, Role.INVESTIGATOR)
@require_http_methods(["GET", "POST"])
def invite(request: Request, desk: Desk) -> HttpResponse:
    """Choose somebody; the answer shows the link, and no page ever shows it again."""
    if not may_invite(desk):
        return render_page(request, "shell/forbidden.html", status=403)
    people = dict(_waiting(desk))
    person = request.POST.get("person") or request.GET.get("person", "")
    link, error = "", None
    if request.method == "POST":
        try:
            link = _invite(request, desk, people, person)
        except (InvalidValue, Refusal) as refusal:
            error = refusal
    context: dict[str, object] = {"people": people, "person": person, "link": link, "error": error}
    answer = render_page(request, "capture/invite.html", context, status=_status(error))
    answer["Cache-Control"] = "no-store"
    return answer


def _status(error: TrialwrightError | None) -> int:
    return 200 if error is None else status_of(error)


def _waiting(desk: Desk) -> Iterator[tuple[str, Role]]:
    """Who is on record, in force, and has never signed in."""
    today = desk.today.isoformat()
    known = signs_in()
    for row in desk.rows.where(PERSON):
        person, role = str(row["person"]), Role(str(row["role"]))
        ended = row["until"] is not None and str(row["until"]) < today
        theirs = desk.site is None or row["site"] == desk.site
        if theirs and not ended and role is not Role.PARTICIPANT and person not in known:
            yield person, role


def _invite(request: Request, desk: Desk, people: dict[str, Role], person: str) -> str:
    if person not in people:
        raise AnswerMissing(
            _("nobody was chosen who waits for an invitation"),
            remedy=_("appoint or delegate them first, then choose them here"),
        )
    reauthenticate(request)
    path = first_invitation(person, request.POST.get("email", "").strip())
    LOG.info("account invited: %s by %s", person, desk.person)
    environment = settings.ENVIRONMENT
    unblinded = not desk.trial.one_space and sees_closed(desk.trial, people[person])
    return f"{environment.closed_address if unblinded else environment.staff_address}{path}"

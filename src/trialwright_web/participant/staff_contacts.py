"""Pages of the site's staff about contacts: the site's key, opening it, who a participant is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol.roles import Role
from trialwright_web.participant.contacts import (
    FIELDS,
    attach,
    contact_of,
    correct,
    enter,
    shown,
    typed,
    waiting,
)
from trialwright_web.participant.models import Contact, SiteKey
from trialwright_web.participant.site_keys import (
    COOKIE,
    IDLE_MINUTES,
    SHORTEST_PASSPHRASE,
    hand_cookie,
    lock,
    make_site_key,
    opened,
    site_key,
    take_file,
    unlock,
)
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page, status_of

STAFF = (Role.INVESTIGATOR, Role.STUDY_NURSE)


@at_desk(*STAFF)
@sensitive_variables()
@require_safe
def contacts(request: Request, desk: Desk) -> HttpResponse:
    """Everybody of the site: who has a contact, who waits for a participant; names while the key is open."""
    row = site_key(desk)
    key = opened(request, desk, row)
    found = Contact.objects.filter(study=desk.study, site=desk.site or "").exclude(participant=None)
    known = {one.participant: one for one in found}
    names = {code: shown(desk, key, one)["name"] for code, one in known.items()} if key else {}
    codes = sorted(str(one["participant"]) for one in desk.participants())
    people = [{"code": code, "contact": known.get(code), "name": names.get(code, "")} for code in codes]
    unattached = [{"row": one, "name": shown(desk, key, one)["name"] if key else ""} for one in waiting(desk)]
    context = {"key": row, "open": key is not None, "people": people, "waiting": unattached, "minutes": IDLE_MINUTES}
    return render_page(request, "participant/staff_contacts.html", context)


@at_desk(*STAFF)
@sensitive_variables()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def key_made(request: Request, desk: Desk) -> HttpResponse:
    """Make the site's key under a new passphrase, typed twice; what losing it means; the key file, once."""
    problem: TrialwrightError | None = None
    if request.method == "POST":
        try:
            make_site_key(desk, request.POST.get("passphrase", ""), request.POST.get("again", ""))
        except TrialwrightError as error:
            problem = error
        else:
            return redirect("consents:site_key", desk.study)
    context = {"key": site_key(desk), "least": SHORTEST_PASSPHRASE, "error": problem}
    return render_page(
        request, "participant/staff_site_key.html", context, status=status_of(problem) if problem else 200
    )


@at_desk(*STAFF)
@require_POST
def key_file(request: Request, desk: Desk) -> HttpResponse:
    """The key file, for the site's safe; given once."""
    content = take_file(desk)
    if content is None:
        return redirect("consents:site_key", desk.study)
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{desk.study}-{desk.site}-contacts.key.json"'
    return response


@at_desk(*STAFF)
@sensitive_variables()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def opening(request: Request, desk: Desk) -> HttpResponse:
    """Open the site's key for this session by its passphrase, then go on to the page that was wanted."""
    row = site_key(desk)
    home = reverse("consents:contacts", args=(desk.study,))
    wanted = request.POST.get("next") or request.GET.get("next") or home
    # Only pages of contacts: never another address, however it is spelled.
    wanted = wanted if wanted.startswith(home) and "\\" not in wanted else home
    if row is None:
        return redirect("consents:contacts", desk.study)
    problem: TrialwrightError | None = None
    if request.method == "POST":
        try:
            cover = unlock(request, desk, row, request.POST.get("passphrase", ""))
        except TrialwrightError as error:
            problem = error
        else:
            response = redirect(wanted)
            hand_cookie(response, desk, cover)
            return response
    context = {"next": wanted, "error": problem}
    return render_page(
        request, "participant/staff_unlock.html", context, status=status_of(problem) if problem else 200
    )


@at_desk(*STAFF)
@require_POST
def closing(request: Request, desk: Desk) -> HttpResponse:
    """Close the site's key before the time is over."""
    lock(request)
    home = reverse("consents:contacts", args=(desk.study,))
    response = redirect(home)
    response.delete_cookie(COOKIE, path=home, samesite="Strict")
    return response


@at_desk(*STAFF)
@sensitive_variables()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: Request, desk: Desk, participant: str) -> HttpResponse:
    """Who a participant is: enter it, read it while the key is open, correct it."""
    desk.participant(participant)
    return _page(request, desk, contact_of(desk, participant), participant)


@at_desk(*STAFF)
@sensitive_variables()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def new_contact(request: Request, desk: Desk) -> HttpResponse:
    """Write down somebody who is no participant yet."""
    return _page(request, desk, None, None)


@at_desk(*STAFF)
@sensitive_variables()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def waiting_contact(request: Request, desk: Desk, number: str) -> HttpResponse:
    """Somebody who is no participant yet."""
    row = Contact.objects.filter(pk=number, study=desk.study, site=desk.site or "", participant=None).first()
    if row is None:
        raise Http404
    return _page(request, desk, row, None)


@at_desk(*STAFF)
@require_POST
def attached(request: Request, desk: Desk, number: str) -> HttpResponse:
    """Say which participant somebody has become."""
    row = Contact.objects.filter(pk=number, study=desk.study, site=desk.site or "", participant=None).first()
    participant = request.POST.get("participant", "")
    if row is None:
        raise Http404
    desk.participant(participant)
    attach(desk, row, participant)
    return redirect("consents:contact", desk.study, participant)


def _page(request: Request, desk: Desk, row: Contact | None, participant: str | None) -> HttpResponse:
    """The page of one contact. Writing needs no open key: what was typed while it fell shut is kept all the same."""
    key_row = site_key(desk)
    key = opened(request, desk, key_row)
    problem: TrialwrightError | None = None
    values = shown(desk, key, row) if key and row else typed({})
    given = values
    if request.method == "POST" and key_row is not None:
        given = typed(request.POST.dict())
        try:
            written = _written(request, desk, key_row, row, participant, given)
        except TrialwrightError as error:
            problem = error
        else:
            messages.success(request, _("The contact was sealed and kept."))
            return redirect(_address(desk, written))
    context: dict[str, Any] = {
        "participant": participant,
        "row": row,
        "key": key_row,
        "open": key is not None,
        "shown": [(field, values[field.name]) for field in FIELDS],
        "fields": [(field, given[field.name]) for field in FIELDS],
        "revision": request.POST.get("revision") or (row.revision if row else 0),
        "codes": _without_contact(desk) if row and not participant else [],
        "next": request.path,
        "error": problem,
    }
    status = status_of(problem) if problem else 200
    return render_page(request, "participant/staff_contact.html", context, status=status)


def _written(
    request: Request, desk: Desk, key: SiteKey, row: Contact | None, participant: str | None, values: dict[str, str]
) -> Contact:
    """Enter a contact, or correct the revision that the form was drawn from."""
    revision = request.POST.get("revision", "")
    if row is None:
        return enter(desk, key, values, participant)
    correct(desk, key, row, int(revision) if revision.isdecimal() and len(revision) < 9 else 0, values)
    return row


def _address(desk: Desk, row: Contact) -> str:
    if row.participant:
        return reverse("consents:contact", args=(desk.study, row.participant))
    return reverse("consents:waiting_contact", args=(desk.study, row.id))


def _without_contact(desk: Desk) -> list[str]:
    """Participants of the site whose contact is missing, newest code last."""
    here = Contact.objects.filter(study=desk.study, site=desk.site or "").exclude(participant=None)
    known = set(here.values_list("participant", flat=True))
    return sorted(code for row in desk.participants() if (code := str(row["participant"])) not in known)

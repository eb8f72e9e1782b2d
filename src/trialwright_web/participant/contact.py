"""Asking a hospital about joining: real trials only. What is written is sealed and read by the site's staff alone."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from trialwright.finder import on_record
from trialwright.protocol.study import Site
from trialwright.trial.event import Space
from trialwright_web.participant.models import Enquiry
from trialwright_web.participant.secrets_kept import seal, unseal
from trialwright_web.shell.desk import open_to_all
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.studies import installation

LONGEST = {"name": 200, "reach": 200, "message": 2000}
MOST_WAITING = 200
"""Of one site; more than any site gets, less than what a flood would fill."""


@open_to_all
@csrf_exempt  # nobody is signed in, and a token would need a cookie
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest, study: str) -> HttpResponse:
    """Leave a way to be reached, and a question."""
    sites = _open_sites(study)
    given = {name: request.POST.get(name, "").strip() for name in ("site", *LONGEST)}
    build = installation().folder_build(study)
    context: dict[str, Any] = {"study": study, "identity": build.study.identity, "sites": sites, "given": given}
    if request.method != "POST":
        return render_page(request, "participant/contact.html", context)
    problems = _problems(given, sites)
    if problems:
        return render_page(request, "participant/contact.html", {**context, "problems": problems}, status=422)
    # People do not see the field "website"; machines fill it.
    waiting = Enquiry.objects.filter(study=study, site=given["site"], done_at=None).count()
    if not request.POST.get("website") and waiting < MOST_WAITING:
        text = json.dumps({name: given[name] for name in LONGEST})
        Enquiry.objects.create(
            study=study, site=given["site"], text=seal(text, _about(study, given["site"])), sent_at=timezone.now()
        )
    return render_page(request, "participant/contact_sent.html", context)


def enquiries(study: str, site: str) -> list[dict[str, Any]]:
    """What waits for a site, oldest first."""
    found = []
    for row in Enquiry.objects.filter(study=study, site=site, done_at=None).order_by("sent_at"):
        text = unseal(row.text, _about(study, site))
        found.append({"id": row.pk, "sent_at": row.sent_at, **(json.loads(text) if text else {})})
    return found


def _open_sites(study: str) -> list[Site]:
    """Sites that take participants now.

    Raises:
        Http404: no such study, or it is a demonstration or not open.
    """
    installed = installation().studies.get(study)
    if installed is None or installed.mode != "production":
        raise Http404
    record = on_record(installation().trial(study).stores[Space.OPEN].rows)
    if record is None or not record.is_production or not record.may_be_shown:
        raise Http404
    declared = installation().folder_build(study).study.identity.sites
    return [site for site in declared if record.sites.get(site.id)]


def _problems(given: dict[str, str], sites: list[Site]) -> dict[str, str]:
    found = {}
    if given["site"] not in {site.id for site in sites}:
        found["site"] = _("Choose a hospital.")
    if not given["reach"]:
        found["reach"] = _("Write a telephone number or a mail address, so that somebody can answer.")
    for name, longest in LONGEST.items():
        if len(given[name]) > longest:
            found[name] = _("Write less.")
    return found


def _about(study: str, site: str) -> str:
    return f"enquiry\x00{study}\x00{site}"

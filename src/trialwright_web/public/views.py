"""The list of studies with its search, and the page of one study."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from trialwright.finder import (
    TOWNS,
    Catalogue,
    Listing,
    PublicPage,
    Search,
    SearchNotUnderstood,
    Town,
    Waits,
    distance_km,
    public_page,
    structured_data,
    town,
)
from trialwright.protocol.study import PublicStatus
from trialwright_web.public import shelf
from trialwright_web.shell.desk import open_to_all
from trialwright_web.shell.pages import render_page

FILTERS = ("q", "condition", "country", "status", "phase", "age")
"""What a search may ask for, by its name in the address."""


@open_to_all
@require_safe
def trials(request: HttpRequest) -> HttpResponse:
    """List and search. The words of a search stand in the address, never in a log of ours."""
    known = shelf.catalogue()
    problem = None
    try:
        wanted = _search(request)
    except SearchNotUnderstood as error:
        wanted, problem = Search(), error
    language = reader_language()
    found = [] if problem else [_card(listing, language) for listing in known.search(wanted)]
    context = {
        "cards": found,
        "problem": problem,
        "given": request.GET,
        "searching": any(request.GET.get(name) for name in FILTERS),
        "conditions": _diseases(known, language, request.GET.get("condition", "").strip()),
        "countries": known.countries(),
        "phases": known.phases(),
        "statuses": known.statuses(),
        "noindex": not installation_is_real(),
    }
    return render_page(request, "public/trials.html", context, status=422 if problem else 200)


def _diseases(known: Catalogue, language: str, given: str) -> tuple[str, ...]:
    """Diseases to choose from; words of an address that are none of them stay what was chosen."""
    diseases = known.conditions(language)
    return diseases if not given or given in diseases else (given, *diseases)


@open_to_all
@require_safe
def trial(request: HttpRequest, study: str) -> HttpResponse:
    """The page of one study, all sections in their order."""
    listing = shelf.listing(study)
    page = public_page(listing.build, listing.record, reader_language())
    start = town(request.GET.get("from", "")) or _nearest_capital(page)
    data = structured_data(page, f"{settings.ENVIRONMENT.public_address}{reverse('public:trial', args=(study,))}")
    context = {
        **frame(page),
        "groups": _groups(page),
        "start": start,
        "towns": TOWNS,
        "distances": sorted(
            ((distance_km(start, site.site) if start else None, site) for site in page.sites),
            key=lambda pair: (pair[0] is None, pair[0] or 0),
        ),
        "others": [_card(other.listing, page.language) | {"named": other.named} for other in _others(study)],
        "structured": json.dumps(data, ensure_ascii=False).replace("<", "\\u003c") if data else "",
    }
    return render_page(request, "public/trial.html", context)


def frame(page: PublicPage) -> dict[str, Any]:
    """What every page of one study needs."""
    return {"page": page, "study_mode": page.record.mode if page.record else "", "noindex": not page.is_production}


def reader_language() -> str:
    """The language of the request."""
    return (get_language() or "en").partition("-")[0]


def installation_is_real() -> bool:
    """Whether any study here is a real trial."""
    return any(not listing.is_demonstration for listing in shelf.catalogue().listings)


def _search(request: HttpRequest) -> Search:
    given = {
        name: request.GET.get(name, "").strip() for name in ("q", "condition", "country", "status", "phase", "age")
    }
    try:
        age = int(given["age"]) if given["age"] else None
    except ValueError:
        raise SearchNotUnderstood(f"{given['age'][:20]!r} is no age", remedy="give whole years") from None
    try:
        status = PublicStatus(given["status"]) if given["status"] else None
    except ValueError:
        raise SearchNotUnderstood(f"{given['status'][:20]!r} is no status", remedy="choose one of the list") from None
    return Search(
        text=given["q"],
        condition=given["condition"],
        country=given["country"],
        status=status,
        phase=given["phase"],
        age=age,
    )


def _card(listing: Listing, language: str) -> dict[str, Any]:
    return {
        "study": listing.study,
        "acronym": listing.identity.acronym,
        "title": listing.title(language),
        "condition": listing.condition(language),
        "status": listing.status,
        "phase": listing.identity.phase,
        "countries": listing.countries,
        "sites": len(listing.identity.sites),
        "ages": listing.ages,
        "demonstration": listing.is_demonstration,
    }


def _others(study: str) -> Any:
    return shelf.catalogue().others(study)


def _groups(page: PublicPage) -> dict[str, Any]:
    """Criteria as the page shows them: what must be so, what must not, what only the doctor says."""
    judged = [line for line in page.criteria if not line.asks and line.later is Waits.DOCTOR]
    plain = [line for line in page.criteria if line not in judged]
    return {
        "include": [line for line in plain if line.kind == "inclusion"],
        "exclude": [line for line in plain if line.kind == "exclusion"],
        "judged": judged,
    }


def _nearest_capital(page: PublicPage) -> Town | None:
    """Distances are from the capital of the first site's country until the reader chooses."""
    country = page.sites[0].site.country
    return next((found for found in TOWNS if found.country == country), TOWNS[0])

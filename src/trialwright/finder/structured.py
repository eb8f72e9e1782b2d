"""What search engines read: structured data and the sitemap, of real trials only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from trialwright.finder.markup import Block
from trialwright.finder.page import PublicPage
from trialwright.protocol.study import PublicStatus

_STATUS = {
    PublicStatus.PLANNED: "NotYetRecruiting",
    PublicStatus.RECRUITING: "Recruiting",
    PublicStatus.ACTIVE_NOT_RECRUITING: "ActiveNotRecruiting",
    PublicStatus.COMPLETED: "Completed",
    PublicStatus.TERMINATED: "Terminated",
    PublicStatus.WITHDRAWN: "Withdrawn",
}


def structured_data(page: PublicPage, address: str) -> dict[str, Any] | None:
    """The page as a ``MedicalTrial`` of schema.org; None for a demonstration, which no machine may take for real.

    Args:
        page: to describe.
        address: where it is reached, absolute.
    """
    if not page.is_production:
        return None
    about = page.section("about")
    return {
        "@context": "https://schema.org",
        "@type": "MedicalTrial",
        "@id": address,
        "url": address,
        "name": page.title,
        "alternateName": [page.acronym, page.official_title.text],
        "description": _words(about.blocks if about else ()),
        "inLanguage": page.text_language,
        "healthCondition": {"@type": "MedicalCondition", "name": page.condition.text},
        "status": f"https://schema.org/{_STATUS[page.status.code]}",
        "phase": page.phase,
        "trialDesign": [f"https://schema.org/{design}" for design in _designs(page)],
        "sponsor": {"@type": "Organization", "name": page.sponsor},
        "studyLocation": [_location(page, n) for n in range(len(page.sites))],
        "identifier": [
            {"@type": "PropertyValue", "propertyID": known.register_name, "value": known.id}
            for known in page.identifiers
        ],
        "dateModified": page.status.on,
    }


def sitemap(pages: Iterable[tuple[str, str, dict[str, str]]]) -> str:
    """A sitemap of the protocol at sitemaps.org, version 0.9, with the languages of each page.

    Args:
        pages: for each real trial: address, ISO date of its last change, and language → address.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">',
    ]
    for address, changed, languages in pages:
        lines.append(f"<url><loc>{escape(address)}</loc><lastmod>{escape(changed)}</lastmod>")
        lines += [
            f'<xhtml:link rel="alternate" hreflang={quoteattr(language)} href={quoteattr(other)}/>'
            for language, other in languages.items()
        ]
        lines.append("</url>")
    return "\n".join([*lines, "</urlset>", ""])


def _designs(page: PublicPage) -> list[str]:
    found = ["RandomizedTrial", "MultiCenterTrial" if len(page.sites) > 1 else "SingleCenterTrial"]
    if len({site.site.country for site in page.sites}) > 1:
        found.append("InternationalTrial")
    found.append("DoubleBlindedTrial" if page.blinded else "OpenTrial")
    if any(arm.kind == "placebo_comparator" for arm in page.arms):
        found.append("PlaceboControlledTrial")
    return found


def _location(page: PublicPage, number: int) -> dict[str, Any]:
    site = page.sites[number].site
    place: dict[str, Any] = {
        "@type": "Hospital",
        "name": site.name,
        "address": {"@type": "PostalAddress", "addressLocality": site.town, "addressCountry": site.country},
    }
    if site.latitude is not None and site.longitude is not None:
        place["geo"] = {"@type": "GeoCoordinates", "latitude": site.latitude, "longitude": site.longitude}
    return place


def _words(blocks: Iterable[Block]) -> str:
    return " ".join("".join(span.text for span in line) for block in blocks for line in block.lines)

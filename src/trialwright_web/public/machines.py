"""What search engines read."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from trialwright.finder import sitemap
from trialwright_web.public import shelf
from trialwright_web.shell.desk import open_to_all


@open_to_all
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Demonstrations carry ``noindex`` on each page; the participants' pages are nobody's business."""
    lines = ["User-agent: *", "Disallow: /me/", f"Sitemap: {settings.ENVIRONMENT.public_address}/sitemap.xml", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@open_to_all
@require_safe
def sitemap_xml(request: HttpRequest) -> HttpResponse:
    """Real trials only."""
    pages = []
    for listing in shelf.catalogue().listings:
        if not listing.is_demonstration:
            address = f"{settings.ENVIRONMENT.public_address}{reverse('public:trial', args=(listing.study,))}"
            languages = {language: f"{address}?lang={language}" for language in listing.build.study.public}
            pages.append((address, listing.status.on, languages))
    return HttpResponse(sitemap(pages), content_type="application/xml; charset=utf-8")

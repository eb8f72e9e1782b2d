"""Blank forms to print: for the day on which the network is gone, and for whoever prefers paper at the bedside."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib.staticfiles import finders
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from trialwright.build import CompiledItem
from trialwright.expressions import shown_unit
from trialwright_web.capture.form_model import codes_of
from trialwright_web.capture.form_place import FILLS_ONLY
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.templatetags.shell import in_language

BLANK_ROWS = 5
"""Lines of a table on paper."""


@at_desk()
@require_GET
def blank(request: Request, desk: Desk, form: str) -> HttpResponse:
    """The blank form as a page."""
    return render_page(request, "capture/form_blank.html", _context(desk, form))


@at_desk()
@require_GET
def blank_pdf(request: Request, desk: Desk, form: str) -> HttpResponse:
    """The blank form as PDF/UA."""
    page = render_to_string("capture/form_blank.html", {**_context(desk, form), "is_pdf": True}, request=request)
    response = HttpResponse(_pdf(page), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{desk.study}-{form}.pdf"'
    return response


def _context(desk: Desk, form: str) -> dict[str, Any]:
    compiled = desk.build.forms.get(form)
    is_hidden = compiled is not None and compiled.form.space == "closed" and not desk.is_unblinded
    is_others = compiled is not None and desk.role in FILLS_ONLY and desk.role not in compiled.form.filled_by
    if compiled is None or is_hidden or is_others:
        raise Http404
    groups = [
        {
            "title": in_language(group.title),
            "repeats": group.repeats,
            "rows": range(1, BLANK_ROWS + 1),
            "fields": [_field(desk, compiled.items[item.id]) for item in group.items if item.derive is None],
        }
        for group in compiled.form.groups
    ]
    return {"form": compiled.form, "title": in_language(compiled.form.title), "groups": groups, "desk": desk}


def _field(desk: Desk, compiled: CompiledItem) -> dict[str, Any]:
    item = compiled.item
    choices = [label for _code, label in codes_of(desk.build, compiled)]
    choices += [in_language(outcome.label) for outcome in item.outcomes]
    return {
        "label": in_language(item.label),
        "help": in_language(item.help),
        "type": item.type,
        "choices": choices,
        "units": [shown_unit(unit) for unit in item.units],
        "when": item.when or "",
    }


def _pdf(page: str) -> bytes:
    from weasyprint import CSS, HTML  # loads fonts, which only this page needs

    path = finders.find("capture/form_blank.css")
    sheet = CSS(filename=path, url_fetcher=_nothing_from_outside)
    document = HTML(string=page, url_fetcher=_nothing_from_outside)
    pdf: bytes = document.write_pdf(stylesheets=[sheet], pdf_variant="pdf/ua-1")
    return pdf


def _nothing_from_outside(url: str, *args: object, **kwargs: object) -> NoReturn:
    raise ValueError(f"nothing is fetched for a printed form: {url[:80]}")

"""Blank forms to print: for the day on which the network is gone, and for whoever prefers paper at the bedside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from django.contrib.staticfiles import finders
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET

from trialwright.build import CompiledForm, CompiledItem
from trialwright.expressions import shown_unit
from trialwright_web.capture.form_conditions import condition_words
from trialwright_web.capture.form_model import codes_of
from trialwright_web.capture.form_place import FILLS_ONLY
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.templatetags.shell import in_language

BLANK_ROWS = 5
"""Lines of a table on paper."""


@dataclass(frozen=True)
class BlankForm:
    """A form to print, and where."""

    title: str
    address: str


def printable(desk: Desk, forms: Iterable[str]) -> list[BlankForm]:
    """Those of the forms that the desk may print, in the order given."""
    found = ((name, _offered(desk, name)) for name in forms)
    return [
        BlankForm(in_language(one.form.title), reverse("capture:blank_pdf", args=(desk.study, name)))
        for name, one in found
        if one is not None
    ]


@at_desk()
@require_GET
def blanks(request: Request, desk: Desk) -> HttpResponse:
    """Every form, blank to print."""
    forms = sorted(printable(desk, desk.build.forms), key=lambda one: one.title.casefold())
    return render_page(request, "capture/blanks.html", {"forms": forms})


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


def _offered(desk: Desk, form: str) -> CompiledForm | None:
    """A form that the desk may read, or None."""
    compiled = desk.build.forms.get(form)
    if compiled is None or (compiled.form.space == "closed" and not desk.is_unblinded):
        return None
    return None if desk.role in FILLS_ONLY and desk.role not in compiled.form.filled_by else compiled


def _context(desk: Desk, form: str) -> dict[str, Any]:
    compiled = _offered(desk, form)
    if compiled is None:
        raise Http404
    groups = [
        {
            "title": in_language(group.title),
            "repeats": group.repeats,
            "rows": range(1, BLANK_ROWS + 1),
            "fields": [_field(desk, compiled, compiled.items[one.id]) for one in group.items if one.derive is None],
        }
        for group in compiled.form.groups
    ]
    return {"form": compiled.form, "title": in_language(compiled.form.title), "groups": groups, "desk": desk}


def _field(desk: Desk, form: CompiledForm, compiled: CompiledItem) -> dict[str, Any]:
    item = compiled.item
    choices = [label for _code, label in codes_of(desk.build, compiled)]
    choices += [in_language(outcome.label) for outcome in item.outcomes]
    return {
        "label": in_language(item.label),
        "help": in_language(item.help),
        "type": item.type,
        "choices": choices,
        "units": [shown_unit(unit) for unit in item.units],
        "when": condition_words(desk.build, form, compiled.when) if compiled.when else "",
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

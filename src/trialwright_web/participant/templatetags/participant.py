"""Texts of a study as HTML, dates and scopes in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from trialwright.finder import Block, Said, Span
from trialwright_web.shell.dates import written

register = template.Library()

SCOPES = {
    "treatment": (_("The study treatment"), _("No more procedures and injections of the study. Visits go on.")),
    "visits": (_("Visits"), _("No more visits. What was collected so far is still used.")),
    "data_use": (_("Use of my data"), _("No new data are used. What safety rules demand must be kept.")),
    "samples": (_("My samples"), _("Samples that are left are destroyed.")),
}
CHECKED = {
    "known_to_interviewer": _("known from before"),
    "photo_document": _("passport, identity card or driving licence with a picture"),
    "electronic_id": _("electronic identity"),
}
WHAT = {
    "signed": _("You signed"),
    "countersigned": _("The hospital signed"),
    "refused": _("You said no"),
    "withdrawn": _("You stopped something"),
}


@register.filter
def prose(blocks: Iterable[Block]) -> SafeString:
    """Paragraphs and lists of a study's text; every word is escaped."""
    return mark_safe("".join(_block(block) for block in blocks))  # noqa: S308 - made of escaped parts only


@register.filter
def said(text: Said | str, language: str) -> SafeString:
    """A text of the study, marked with its language where that is not the page's."""
    if isinstance(text, str):
        return format_html("{}", text)
    if text.language == language:
        return format_html("{}", text.text)
    return format_html('<span lang="{}">{}</span>', text.language, text.text)


@register.filter
def day(value: str | date | None) -> str:
    """A date as people write it."""
    found = parse_date(value[:10]) if isinstance(value, str) else value
    return written(found, weekday=True) if found is not None else str(value or "")


@register.filter
def local_day(instant: str, zone: ZoneInfo) -> str:
    """The day of an instant of the record, by the site's clock."""
    return written(datetime.fromisoformat(instant).astimezone(zone).date(), weekday=True)


@register.filter
def moment(instant: str | datetime, zone: ZoneInfo) -> str:
    """An instant as people write it, by the site's clock: ``23 November 2026 08:10``."""
    found = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{written(found.astimezone(zone).date())} {found.astimezone(zone):%H:%M}"


@register.filter
def moment_with_offset(instant: str, zone: ZoneInfo) -> str:
    """The same for a paper that leaves the hospital: ``23 November 2026 08:10 (+0100)``."""
    return f"{moment(instant, zone)} ({datetime.fromisoformat(instant).astimezone(zone):%z})"


@register.filter
def identity_checked(check: str) -> Any:
    """How identity was checked, said about the one who checked."""
    return CHECKED.get(check, check)


@register.filter
def scope_name(scope: str) -> Any:
    """What is stopped."""
    return SCOPES[scope][0] if scope in SCOPES else scope


@register.filter
def scope_meaning(scope: str) -> Any:
    """What stopping it means."""
    return SCOPES[scope][1] if scope in SCOPES else ""


@register.filter
def consent_word(what: str) -> Any:
    """A line of the consent log in words."""
    return WHAT.get(what, what)


def _block(block: Block) -> SafeString:
    if block.kind == "paragraph":
        return format_html("<p>{}</p>", _spans(block.lines[0]))
    tag = "ol" if block.kind == "numbers" else "ul"
    items = format_html_join("", "<li>{}</li>", ((_spans(line),) for line in block.lines))
    return format_html("<{0}>{1}</{0}>", tag, items)


def _spans(line: Iterable[Span]) -> SafeString:
    forms = {0: "{}", 1: "<em>{}</em>", 2: "<strong>{}</strong>"}
    return mark_safe("".join(format_html(forms[span.stress], span.text) for span in line))  # noqa: S308 - escaped

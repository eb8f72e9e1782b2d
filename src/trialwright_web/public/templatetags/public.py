"""Links that keep the chosen language without a cookie, blocks of a study's text, words for codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import template
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from trialwright.finder import Block, Said, Span
from trialwright_web.public import words
from trialwright_web.shell.dates import written
from trialwright_web.shell.language import PARAMETER

register = template.Library()

_TAGS = {"bullets": "ul", "numbers": "ol"}


@register.simple_tag(takes_context=True)
def link(context: dict[str, Any], name: str, *arguments: str) -> str:
    """The address of a page, in the language that the reader chose for this one."""
    return in_language_of(context["request"], reverse(f"public:{name}", args=arguments))


@register.simple_tag(takes_context=True)
def in_language(context: dict[str, Any], address: str) -> str:
    """An address of another screen, in the language that the reader chose for this page."""
    return in_language_of(context["request"], address)


def in_language_of(request: Any, address: str) -> str:
    """The address with the language that stands in this page's own address, if one does."""
    chosen = request.GET.get(PARAMETER)
    return f"{address}?{PARAMETER}={chosen}" if chosen in ("en", "nb", "nn") else address


@register.simple_tag(takes_context=True)
def same_page(context: dict[str, Any], language: str) -> str:
    """This page in another language."""
    query = context["request"].GET.copy()
    query[PARAMETER] = language
    return f"{context['request'].path}?{query.urlencode()}"


@register.filter
def prose(blocks: Iterable[Block]) -> SafeString:
    """Paragraphs and lists of a study's text; every word is escaped."""
    return mark_safe("".join(_block(block) for block in blocks))  # noqa: S308 - made of escaped parts only


@register.filter
def said(text: Said, language: str) -> SafeString:
    """A text of the study, marked with its language where that is not the page's."""
    if text.language == language:
        return format_html("{}", text.text)
    return format_html('<span lang="{}">{}</span>', text.language, text.text)


@register.filter
def status_word(status: Any) -> Any:
    """Recruitment status in words."""
    return words.STATUS[status]


@register.filter
def closed_word(status: Any) -> Any:
    """Why nobody can join now; nothing while the trial recruits."""
    return words.CLOSED.get(status, "")


@register.filter
def status_tone(status: Any) -> str:
    """Colour of the status, beside its words."""
    return words.TONE.get(status, "neutral")


@register.filter
def phase_word(phase: str) -> Any:
    """Phase in two words."""
    return words.SHORT_PHASES[phase]


@register.filter
def phase_meaning(phase: str) -> Any:
    """Phase and what it asks."""
    return words.PHASES[phase]


@register.filter
def country(code: str) -> Any:
    """Name of a country, its code where we have no name."""
    return words.COUNTRIES.get(code, code)


@register.filter
def content(kind: str) -> Any:
    """What is done at a visit, in plain words."""
    return words.CONTENTS.get(kind, kind)


@register.filter
def waits(reason: Any) -> Any:
    """What an undecided criterion waits for."""
    return words.WAITS[reason]


@register.filter
def register_place(name: str) -> Any:
    """What a public place is called."""
    return words.PLACES.get(name, name.replace("_", " "))


@register.filter
def register_field(name: str) -> Any:
    """What a field of a register is called."""
    return words.FIELDS.get(name, name.replace("_", " "))


@register.filter
def register_address(identifier: Any) -> str:
    """Where a register shows the study; empty for one we do not know."""
    return words.ADDRESSES.get(identifier.register_name, "").format(identifier.id)


@register.filter
def day(text: str | date | None) -> str:
    """An ISO date as people write it; anything else as it is."""
    found = parse_date(text) if isinstance(text, str) else text
    return written(found) if found is not None else str(text or "")


def _block(block: Block) -> SafeString:
    if block.kind == "paragraph":
        return format_html("<p>{}</p>", _spans(block.lines[0]))
    items = format_html_join("", "<li>{}</li>", ((_spans(line),) for line in block.lines))
    return format_html("<{0}>{1}</{0}>", mark_safe(_TAGS[block.kind]), items)  # noqa: S308 - one of two tags


def _spans(line: Iterable[Span]) -> SafeString:
    forms = {0: "{}", 1: "<em>{}</em>", 2: "<strong>{}</strong>"}
    return mark_safe("".join(format_html(forms[span.stress], span.text) for span in line))  # noqa: S308 - escaped

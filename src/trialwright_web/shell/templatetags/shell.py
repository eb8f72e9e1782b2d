"""Template tags of every page: icons, names of roles, texts of the study in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from trialwright.expressions import shown_unit
from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol.roles import Role
from trialwright_web.shell.dates import written
from trialwright_web.shell.desk import Place
from trialwright_web.shell.icons import PATHS
from trialwright_web.shell.refusals import Told
from trialwright_web.shell.refusals import told as words_of

register = template.Library()


ROLES = {
    Role.INVESTIGATOR: _("Investigator"),
    Role.STUDY_NURSE: _("Study nurse"),
    Role.BLINDED_RATER: _("Blinded rater"),
    Role.INJECTING_PHYSICIAN: _("Injecting physician"),
    Role.CELL_LABORATORY: _("Cell laboratory"),
    Role.QUALIFIED_PERSON: _("Qualified Person"),
    Role.PHARMACIST: _("Pharmacist"),
    Role.MONITOR: _("Monitor"),
    Role.UNBLINDED_MONITOR: _("Unblinded monitor"),
    Role.DATA_MANAGER: _("Data manager"),
    Role.MEDICAL_MONITOR: _("Medical monitor"),
    Role.SAFETY_OFFICER: _("Safety officer"),
    Role.INDEPENDENT_STATISTICIAN: _("Independent statistician"),
    Role.CENTRAL_READER: _("Central reader"),
    Role.SPONSOR: _("Sponsor"),
    Role.INSPECTOR: _("Inspector"),
    Role.PARTICIPANT: _("Participant"),
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An inline SVG icon, for the eye only; the text beside it says the same."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        PATHS.get(name, PATHS["dot"]),
    )


@register.simple_tag
def told(error: TrialwrightError) -> Told:
    """An error in the reader's language; see ``shell.refusals``."""
    return words_of(error)


@register.filter
def role_name(role: Role | str) -> str:
    """The role in the reader's language."""
    return str(ROLES[role if isinstance(role, Role) else Role(role)])


@register.filter
def study_text(text: Any) -> str:
    """A text of the study (language → text) in the reader's language, else in the first that it has."""
    return in_language(text)


@register.filter
def study_name(place: Place, studies: Mapping[str, Any]) -> str:
    """Acronym and title of a desk's study."""
    identity = studies[place.study].identity
    return f"{identity.acronym} · {in_language(identity.title)}"


@register.filter
def as_input(field: BoundField) -> SafeString:
    """A field of one of Django's forms, as our own inputs look; its label says what a placeholder would."""
    if field.field.widget.attrs.get("autocomplete") == "current-password":
        field.help_text = ""  # allauth offers to mail a new one there, which we do not
    return field.as_widget(attrs={"class": "ds-input", "placeholder": ""})


@register.filter
def written_day(day: date) -> str:
    """A date with its day of the week, in words."""
    return written(day, weekday=True)


@register.filter
def local_time(text: Any, zone: ZoneInfo) -> str:
    """An instant of the record (UTC) as local time, a date as a date: ``15.02.2028 09:30``; other text as it is."""
    if isinstance(text, datetime):
        return text.astimezone(zone).strftime("%d.%m.%Y %H:%M")
    try:
        if len(str(text)) == len("2028-02-15"):
            return date.fromisoformat(str(text)).strftime("%d.%m.%Y")
        return datetime.fromisoformat(str(text)).astimezone(zone).strftime("%d.%m.%Y %H:%M")
    except ValueError:
        return "" if text is None else str(text)


_COUNTED = {"cells": _("cells")}
"""What a UCUM code counts → words; the others are not said."""


@register.filter
def unit_words(unit: Any) -> str:
    """A UCUM code as people write units: ``10*9/L`` → ×10⁹/L, ``10*6{cells}`` → ×10⁶ cells, ``Cel`` → °C."""
    counted = re.sub(r"\{(\w+)\}", lambda m: f" {_COUNTED[m[1]]}" if m[1] in _COUNTED else m[0], str(unit or ""))
    return shown_unit(counted)


def in_language(text: Any, language: str | None = None) -> str:
    """See :func:`study_text`."""
    if text is None or isinstance(text, str):
        return text or ""
    texts: Mapping[str, str] = text if isinstance(text, Mapping) else dict(text)
    wanted = language or get_language() or "en"
    # Nynorsk readers read bokmål before English.
    for code in (wanted, "nb" if wanted == "nn" else "en", "en"):
        if code in texts:
            return texts[code]
    return next(iter(texts.values()), "")

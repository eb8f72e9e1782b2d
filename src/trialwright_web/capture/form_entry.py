"""What stands in a field of a form while it is typed, and what a save says of it.

People type dates as ``140621`` or ``t``, decimals with a comma, times as ``930``. :func:`normal_text` reads that;
``shell/static/shell/typed.js`` reads it alike in the browser, from the same table of cases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from trialwright.build import (
    CompiledForm,
    CompiledItem,
    ItemValue,
    missing_value,
    outcome_value,
    parse_item_value,
)
from trialwright.build.values import LONGEST_TEXT
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.trial.audit import SEALED
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.saving import split_row
from trialwright.trial.capture.state import FormRecord
from trialwright_web.shell.typed import normal_clock, normal_day, shown_day

NUMBERS = frozenset({"integer", "decimal", "quantity", "scale"})
DATES = frozenset({"date", "partial_date"})
_PARTS = {"text": "v", "unit": "u", "why": "w", "source": "s"}
"""Attribute → prefix of the field's name in the page."""


@dataclass(frozen=True)
class Typed:
    """What stands in one field.

    Args:
        text: as typed, or the code chosen.
        unit: the unit chosen, for a quantity.
        why: ``missing.<reason>`` or ``outcome.<code>`` where there is no value.
        source: where it was seen first; empty means as the item declares.
    """

    text: str = ""
    unit: str = ""
    why: str = ""
    source: str = ""

    @property
    def is_blank(self) -> bool:
        """Nothing was typed or chosen."""
        return not self.text.strip() and not self.why

    def kept(self) -> dict[str, str]:
        """For a draft: what is there."""
        return {name: value for name, value in asdict(self).items() if value}


def posted(post: Mapping[str, str], names: Iterable[str]) -> dict[str, Typed]:
    """What a page sent for the named fields; those it did not send at all are left out."""
    found = {}
    for name in names:
        parts = {part: post.get(f"{prefix}.{name}") for part, prefix in _PARTS.items()}
        # Radio buttons without a choice send nothing: their field is known by the reason beside it.
        if any(value is not None for value in parts.values()):
            found[name] = Typed(**{part: value or "" for part, value in parts.items()})
    return found


def entry_names(form: CompiledForm, rows: Mapping[str, int]) -> list[str]:
    """Names of all fields that are entered, in order; ``rows``: repeating group → how many rows the page shows."""
    return [
        name if row == 1 else f"{name}.{row}"
        for name, item in form.items.items()
        if item.derive is None
        for row in range(1, (rows.get(item.group, 1) if item.repeats else 1) + 1)
    ]


def recorded(form: CompiledForm, record: FormRecord) -> dict[str, Typed]:
    """The fields as the record has them; what was computed counts as blank."""
    return {
        name: typed_of(form.items[split_row(name)[0]], value, record.sources.get(name, ""))
        for name, value in record.values.items()
        if name not in record.computed and split_row(name)[0] in form.items
    }


def without_identity(form: CompiledForm, fields: Mapping[str, Typed]) -> dict[str, Typed]:
    """The fields for a role that does not know who somebody is: what identifies stands as :data:`SEALED`."""
    return {
        name: Typed(text=SEALED) if form.items[split_row(name)[0]].item.privacy == "identifying" else typed
        for name, typed in fields.items()
    }


def typed_of(item: CompiledItem, value: ItemValue, source: str = "") -> Typed:
    """A stored value as a field shows it."""
    if value.missing is not None:
        return Typed(why=f"missing.{value.missing.value}", source=source)
    if value.outcome is not None:
        return Typed(why=f"outcome.{value.outcome}", source=source)
    return Typed(text=shown_text(item.item.type, value.text or ""), unit=value.unit or "", source=source)


def shown_text(kind: str, text: str) -> str:
    """A stored text as people read it: dates with dots."""
    return shown_day(text, partial=kind == "partial_date") if kind in DATES else text


def changes(
    form: CompiledForm, before: Mapping[str, Typed], now: Mapping[str, Typed], today: date
) -> tuple[dict[str, Entered], dict[str, InvalidValue]]:
    """What a save would say, and what cannot be read.

    Args:
        form: the compiled form.
        before: the fields as recorded.
        now: the fields as typed.
        today: the local date, for ``t`` and years of two digits.

    Returns:
        Item → entry for every field that differs from what is recorded; item → what is wrong with it.
    """
    entered: dict[str, Entered] = {}
    wrong: dict[str, InvalidValue] = {}
    for name, typed in now.items():
        item, known = form.items[split_row(name)[0]], before.get(name)
        if known is not None and _same(item, known, typed, today):
            continue
        try:
            said = _entered(item, typed, today, known is not None)
            if said is not None:
                _readable(item, said)
                entered[name] = said
        except InvalidValue as error:
            wrong[name] = error
    return entered, wrong


def read(item: CompiledItem, said: Entered) -> ItemValue:
    """An entry as the library reads it.

    Raises:
        InvalidValue: it cannot be a value of the item, or is no outcome or reason that the item allows.
    """
    if said.outcome is not None:
        return outcome_value(item.field, said.outcome)
    if said.missing is None:
        return parse_item_value(item.field, said.text or "", said.unit)
    try:
        return missing_value(item.field, MissingReason(said.missing))
    except ValueError:
        raise InvalidValue(f"{said.missing[:40]!r} is no reason", remedy="choose one of the list") from None


def _readable(item: CompiledItem, said: Entered) -> None:
    """Refuse an entry that cannot be read, in the words of whoever types."""
    try:
        read(item, said)
    except InvalidValue as error:
        is_number = item.item.type in ("decimal", "quantity")
        kind = "integer" if is_number and item.item.decimals == 0 else item.item.type
        if said.text is None or kind not in _UNREADABLE:
            raise
        message, remedy = _UNREADABLE[kind]
        if kind == "text" and len(said.text) > LONGEST_TEXT:
            message = gettext("This text is too long.")
            remedy = gettext("Shorten it to %(number)s characters.") % {"number": LONGEST_TEXT}
        if kind == item.item.type and is_number and item.item.decimals is not None:
            most = item.item.decimals
            remedy = ngettext(
                "Use digits with at most %(number)s decimal.", "Use digits with at most %(number)s decimals.", most
            ) % {"number": most}
        raise InvalidValue(str(message), remedy=str(remedy), **error.given) from error


_UNREADABLE: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "integer": (_("This is not a whole number."), _("Use digits only.")),
    "scale": (_("This is not a number of the scale."), _("Use a whole number of the scale.")),
    "decimal": (_("This is not a number."), _("Use digits with at most one comma or point.")),
    "quantity": (_("This is not a number."), _("Use digits with at most one comma or point.")),
    "date": (_("This is not a whole date."), _("Write it like 14.06.2028, 140628, or t for today.")),
    "partial_date": (_("This is not a date."), _("Write it like 14.06.2028, 140628 or UN.06.2028.")),
    "time": (_("This is not a time of day."), _("Write it like 09:30 or 930.")),
    "boolean": (_("This is not one of the answers."), _("Choose one of them.")),
    "code": (_("This is not one of the answers."), _("Choose one of them.")),
    "text": (
        _("This text cannot be kept as it is."),
        _("Type it again without signs that cannot be seen."),
    ),
}
"""By the item's type: what is wrong, and what to do."""


def differing(
    form: CompiledForm, before: Mapping[str, Typed], now: Mapping[str, Typed], today: date
) -> dict[str, Typed]:
    """The typed fields that differ from what is recorded, readable or not; what a draft keeps."""
    return {
        name: typed
        for name, typed in now.items()
        if not _same(form.items[split_row(name)[0]], before.get(name, Typed()), typed, today)
    }


def _same(item: CompiledItem, known: Typed, typed: Typed, today: date) -> bool:
    return _settled(item, known, today) == _settled(item, typed, today)


def _settled(item: CompiledItem, typed: Typed, today: date) -> Typed:
    """Two fields that say the same are equal: text read, units and sources that go without saying filled in."""
    if typed.is_blank:
        return Typed()
    text = normal_text(item.item.type, typed.text, today)
    unit = (typed.unit or _first_unit(item)) if text and item.item.type == "quantity" else ""
    source = "" if typed.source == item.item.origin else typed.source
    if item.item.type in DATES:
        text = shown_text(item.item.type, text)
    return replace(typed, text=text, unit=unit, source=source)


def _entered(item: CompiledItem, typed: Typed, today: date, is_recorded: bool) -> Entered | None:
    if typed.is_blank:
        if not is_recorded:
            return None
        raise InvalidValue(
            gettext("the value was removed"), remedy=gettext("enter another one, or choose why there is none")
        )
    if typed.text.strip() and typed.why:
        raise InvalidValue(gettext("a value and a reason why there is none"), remedy=gettext("keep one of them"))
    source = typed.source if typed.source not in ("", item.item.origin) else None
    if typed.why:
        kind, _, code = typed.why.partition(".")
        return Entered(outcome=code, source=source) if kind == "outcome" else Entered(missing=code, source=source)
    unit = (typed.unit or None) if item.item.type == "quantity" else None
    return Entered(text=normal_text(item.item.type, typed.text, today), unit=unit, source=source)


def _first_unit(item: CompiledItem) -> str:
    return item.item.units[0] if item.item.units else "1"


# --- how people type ------------------------------------------------------------------------------------------


def normal_text(kind: str, text: str, today: date) -> str:
    """The text as the library reads it: dates in ISO or with dots, decimals with a point, times with a colon.

    What cannot be understood comes back as it was typed, so that the refusal shows it.

    Args:
        kind: the item's type.
        text: as typed.
        today: the local date.
    """
    text = text.strip()
    if kind in DATES:
        return normal_day(text, today)
    if kind in NUMBERS:
        return re.sub(r"[ \u00a0\u202f]", "", text).replace(",", ".").replace("\u2212", "-")
    if kind == "time":
        return normal_clock(text)
    return text

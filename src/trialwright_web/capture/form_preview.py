"""What a form amounts to while it is typed, as the server sees it; the browser asks with each autosave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trialwright.build import CompiledInstrument, ItemValue, number_of
from trialwright.trial.capture.saving import split_row
from trialwright_web.capture.form_entry import Typed
from trialwright_web.capture.form_history import last_saved
from trialwright_web.capture.form_model import outcome_of, shown_computed
from trialwright_web.capture.form_place import FormPlace


def preview(place: FormPlace, typed: Mapping[str, Typed], is_behind: bool) -> dict[str, Any]:
    """``instruments`` computed from what is typed, and who ``moved`` the form since the page was drawn."""
    outcome = outcome_of(place.build, place.visit.book, place.key, typed, place.desk.today)
    return {"instruments": instruments(place, outcome.values), "moved": _moved(place) if is_behind else None}


def instruments(place: FormPlace, values: Mapping[str, ItemValue]) -> dict[str, dict[str, Any]]:
    """Field → what a published instrument computed: its value, why there is none, and how it is shown."""
    return {
        name: _told(place, name, value)
        for name, value in values.items()
        if (item := place.compiled.items.get(split_row(name)[0])) is not None
        and isinstance(item.derive, CompiledInstrument)
    }


def _told(place: FormPlace, name: str, value: ItemValue) -> dict[str, Any]:
    compiled = place.compiled.items[split_row(name)[0]]
    number = number_of(compiled.field, value)
    return {
        "value": None if number is None else float(number),
        "why": value.missing.value if value.missing else "",
        "shown": shown_computed(place.build, compiled, value),
    }


def _moved(place: FormPlace) -> dict[str, str]:
    fact = last_saved(place)
    return {
        "by": fact.actor if fact else "",
        "at": place.visit.local(fact.at) if fact else "",
        "location": place.address("capture:form_compare"),
    }

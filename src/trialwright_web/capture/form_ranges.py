"""Reference ranges of laboratories, by site, sex, age and date; a value outside is flagged, never refused."""

from __future__ import annotations

from collections.abc import Mapping

from trialwright_web.capture.form_entry import Typed
from trialwright_web.capture.form_place import FormPlace


def flags_of(place: FormPlace, typed: Mapping[str, Typed]) -> dict[str, str]:
    """Field → low or high, with the range."""
    return {}

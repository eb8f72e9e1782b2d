"""Days as each language writes them, and values as a monitor compares them with their source."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils.translation import override

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright_web.monitor.places import value_words
from trialwright_web.shell.dates import written


@pytest.mark.parametrize(("language", "form"), [("en", "5 {} 2028"), ("nb", "5. {} 2028"), ("nn", "5. {} 2028")])
@pytest.mark.parametrize("day", [date(2028, 2, 5), datetime(2028, 2, 5, 23, 30, tzinfo=UTC)])
def test_only_norwegian_days_of_a_month_have_a_full_stop(language: str, form: str, day: date) -> None:
    with override(language):
        found = written(day)
        assert found == form.format(found.split()[1])
        assert written(day, weekday=True).endswith(f" {found}")


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        ("ongoing", "true", "yes"),
        ("ongoing", "false", "no"),
        ("start", "2027-05-15", "15.05.2027"),
        ("start", "2027-05", "UN.05.2027"),
        ("start", "2027", "2027"),
    ],
)
def test_a_monitor_compares_words_and_not_codes(smart_ms: Build, item: str, value: str, expected: str) -> None:
    row: Row = {"form": "medication", "item": item, "value": value, "outcome": None, "missing": None, "unit": None}
    with override("en"):
        assert value_words(smart_ms, row) == expected


def test_why_a_value_is_missing_is_said_in_words(smart_ms: Build) -> None:
    row: Row = {
        "form": "medication",
        "item": "start",
        "value": None,
        "outcome": None,
        "missing": "not_done",
        "unit": None,
    }
    with override("en"):
        assert "_" not in value_words(smart_ms, row)

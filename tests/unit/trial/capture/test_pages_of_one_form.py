"""A running log of many pages: saving one page does not work out the checks of all others anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialwright.build.compile import compiled
from trialwright.build.formulas import ItemReference
from trialwright.protocol import load_study

STUDIES = Path(__file__).parents[4] / "studies"


@pytest.mark.parametrize(
    ("reference", "another"),
    [
        (ItemReference("dose", "log", "dose"), False),
        (ItemReference("dose", "log", "dose", latest=True), True),
        (ItemReference("dose", "log", "dose", encounter="baseline"), True),
        (ItemReference("dose", "other", "dose"), True),
        (ItemReference("age", None, "age"), True),
    ],
)
def test_a_plain_reference_to_the_own_form_means_the_very_page(reference, another):
    assert reference.means_another_page("log") is another


def test_checks_within_one_page_wait_for_no_other_page_of_the_form():
    build = compiled(load_study(STUDIES / "smart-ms").study)
    form = build.forms["medication"]
    assert any(r.form == "medication" for check in form.checks for r in check.condition.references)
    assert "medication" not in build.forms_reading["medication"]
    assert any(readers for readers in build.forms_reading.values()), "checks across forms are still asked again"

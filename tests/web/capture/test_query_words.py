"""A check asks in the reader's language; what people ask is theirs, also where a check asked before them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation

from trialwright.build import compile_study
from trialwright.protocol import load_study
from trialwright_web.shell.query_words import is_automatic, query_words


@pytest.fixture(scope="module")
def build():
    return compile_study(load_study(Path(__file__).parents[3] / "studies" / "smart-ms"))


def row(**changed):
    given = {
        "form": "vital_signs", "item": "systolic", "by_check": "pulse_pressure", "opened_by": "check",
        "text": "The difference between the two pressures is unusually large.",
    }  # fmt: skip
    return {**given, **changed}


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("en", "The difference between the two pressures is unusually large."),
        ("nb", "Forskjellen mellom de to trykkene er uvanlig stor."),
    ],
)
def test_a_check_asks_in_the_readers_language(build, language, asked):
    with translation.override(language):
        assert query_words(build, row()) == asked


def test_who_asks_again_is_read_in_their_own_words(build):
    again = row(opened_by="monitor.1", text="Which cuff was used?")
    with translation.override("nb"):
        assert query_words(build, again) == "Which cuff was used?"
    assert (is_automatic(row()), is_automatic(again)) == (True, False)


def test_a_check_that_the_form_no_longer_has_keeps_what_the_record_says(build):
    assert query_words(build, row(by_check="earlier", text="As it was asked.")) == "As it was asked."
    assert query_words(build, row(form="gone", text="As it was asked.")) == "As it was asked."

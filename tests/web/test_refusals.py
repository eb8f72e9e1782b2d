"""Refusals are told in the reader's language; what the library said is there under "Details"."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.conf import settings

if not settings.configured:
    settings.configure(USE_I18N=True, USE_TZ=True, LANGUAGE_CODE="en", LANGUAGES=[("en", "English")])

if not apps.ready:
    django.setup()

from trialwright.trial.allocation.commands import NotSignedOff, SignOffOutdated
from trialwright.trial.queries.commands import TextMissing
from trialwright_web.shell.refusals import REFUSALS, told

LIBRARY = Path(__file__).resolve().parents[2] / "src" / "trialwright"


def codes():
    """Code → the names that its errors are given, each raise by itself, read from the library's source."""
    code_of, raised = {}, {}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (LIBRARY / "trial").rglob("*.py")]
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "code":
                        code_of.setdefault(node.name, set()).add(part.value.value)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in code_of:
                for code in code_of[node.func.id]:
                    raised.setdefault(code, []).append({keyword.arg for keyword in node.keywords})
    return raised


CODES = codes()


def test_forty_refusals_and_more_have_words_and_all_of_them_exist():
    assert len(REFUSALS) >= 40
    assert set(REFUSALS) <= set(CODES)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_the_places_of_a_text_are_given_by_some_error_of_that_code(code):
    for message, remedy in REFUSALS[code]:
        places = set(re.findall(r"%\((\w+)\)s", str(message)))
        assert any(places <= given for given in CODES[code]), (message, CODES[code])
        assert "%(" not in str(remedy)


def test_what_the_error_was_given_stands_in_the_words_and_the_rest_under_details():
    said = told(NotSignedOff("eligibility is open", remedy="give SignOffEligibility", participant="NO-01-001"))
    assert said.message == "Eligibility of NO-01-001 is not signed off."
    assert said.details == "eligibility is open → give SignOffEligibility"


def test_of_several_texts_the_first_one_is_taken_whose_places_the_error_fills():
    old = told(SignOffOutdated("old", remedy="again", participant="NO-01-001", days=40))
    assert old.message == "Eligibility of NO-01-001 was signed off 40 days ago, which is too long."
    changed = told(SignOffOutdated("changed", remedy="again", participant="NO-01-001"))
    assert changed.message.startswith("Data or criteria of NO-01-001 changed")


def test_where_a_place_stays_empty_or_nobody_wrote_words_the_library_speaks_itself():
    said = told(NotSignedOff("eligibility is open", remedy="sign"))
    assert (said.message, said.remedy, said.details) == ("eligibility is open", "sign", "")

    class Unheard(TextMissing):
        code = "never.heard_of"

    assert told(Unheard("what", remedy="why")).message == "what"

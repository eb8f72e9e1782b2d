"""A review status counts only for the text that was reviewed."""

from __future__ import annotations

import pytest

from trialwright.protocol import Review, review_of, text_digest
from trialwright.protocol.documents import ConsentHead, ConsentText, PublicHead, PublicText, Section

SECTION = Section(id="about", heading="About", text="One study.")


def public(status="draft", reviewed=None, *, title="A page", section=SECTION, updated="2026-01-01"):
    head = PublicHead(title=title, status=status, reviewed_text=reviewed, updated=updated, update_source="here")
    return PublicText(head=head, sections=(section,))


def consent(version="1.0", scopes=("treatment", "visits"), status="approved", reviewed=None):
    head = ConsentHead(
        version=version, title="Join?", status=status, reviewed_text=reviewed, withdrawal_scopes=scopes
    )
    return ConsentText(head=head, sections=(SECTION,))


def test_a_draft_is_a_draft_whatever_hash_stands_beside_it():
    assert review_of(public(reviewed=text_digest(public()))) is Review.DRAFT


@pytest.mark.parametrize("status", ["reviewed", "approved"])
def test_a_status_counts_for_the_text_with_the_hash(status):
    text = public(status, text_digest(public()))
    assert review_of(text) is Review(status)
    assert review_of(public(status, text.head.reviewed_text, updated="2027-05-05")) is Review(status)


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Another page"},
        {"section": Section(id="about", heading="About", text="One study. Join now!")},
        {"section": Section(id="about", heading="All about", text="One study.")},
    ],
)
def test_a_changed_word_takes_the_status_away(changed):
    assert review_of(public("approved", text_digest(public()), **changed)) is Review.CHANGED


def test_a_status_that_names_no_text_counts_for_nothing():
    assert review_of(public("approved")) is Review.CHANGED


def test_a_consent_text_is_its_version_and_scopes_too():
    one = text_digest(consent())
    assert review_of(consent(reviewed=one)) is Review.APPROVED
    assert review_of(consent(version="1.1", reviewed=one)) is Review.CHANGED
    assert review_of(consent(scopes=("treatment", "visits", "samples"), reviewed=one)) is Review.CHANGED

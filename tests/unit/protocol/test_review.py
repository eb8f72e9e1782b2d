"""A review status counts only for the text that was reviewed."""

from __future__ import annotations

import pytest

from trialwright.protocol import Review, questions_digest, review_of, review_of_questions, text_digest
from trialwright.protocol.documents import ConsentHead, ConsentText, PublicHead, PublicText, Section
from trialwright.protocol.eligibility import Criterion, Eligibility, Fact
from trialwright.protocol.terminology import Code, CodeList

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


# --- questions and criteria -----------------------------------------------------------------------------------------


def eligibility(question="How old are you?", norsk="Hvor gammel er du?", hint="In years.", rule="Age 18 to 55"):
    facts = (
        Fact(id="age", type="integer", question={"en": question, "nb": norsk}, hint={"en": hint}),
        Fact(id="course", type="code", codelist="courses", question={"en": "Which type?", "nb": "Hvilken type?"}),
        Fact(id="leukocytes", type="decimal", label={"en": "White cells"}),
    )
    criterion = Criterion(id="age_18_55", kind="inclusion", text={"en": rule, "nb": "Alder 18 til 55"})
    return Eligibility(encounter="screening", facts=facts, criteria=(criterion,))


def courses(label="Relapsing"):
    return {"courses": CodeList(id="courses", label={"en": "Course"}, codes=(Code(code="R", label={"en": label}),))}


def digest(language="en", answers="Relapsing", **changed):
    return questions_digest(eligibility(**changed), courses(answers), language)


def reviewed_questions(value):
    return PublicText(head=public().head.model_copy(update={"reviewed_questions": value}), sections=(SECTION,))


def test_questions_that_name_no_review_are_a_draft():
    assert review_of_questions(public("approved"), digest()) is Review.DRAFT


def test_the_wording_that_was_reviewed_is_reviewed():
    assert review_of_questions(reviewed_questions(digest()), digest()) is Review.REVIEWED


@pytest.mark.parametrize(
    "changed",
    [{"question": "Your age?"}, {"hint": "In months."}, {"rule": "Age 18 to 65"}, {"answers": "Progressive"}],
)
def test_a_changed_question_hint_answer_or_criterion_takes_the_review_away(changed):
    assert review_of_questions(reviewed_questions(digest()), digest(**changed)) is Review.CHANGED


def test_another_language_and_what_only_staff_read_change_nothing():
    assert digest(norsk="Kor gamal er du?") == digest()
    assert digest("nb", norsk="Kor gamal er du?") != digest("nb")
    relabelled = eligibility()
    facts = tuple(fact.model_copy(update={"label": {"en": "Other"}}) for fact in relabelled.facts)
    assert questions_digest(relabelled.model_copy(update={"facts": facts}), courses(), "en") == digest()


def test_the_review_of_the_questions_is_none_of_the_text():
    assert text_digest(reviewed_questions(digest())) == text_digest(public())

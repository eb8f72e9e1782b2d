"""Words and symbols for what waits, how visits stand and where participants are, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from trialwright.build import Build
from trialwright.trial.tasks import CellState, Kind
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.words import Words


@dataclass(frozen=True)
class Sign:
    """A symbol of the matrix, what it says, and its tone (good, warn, bad or none)."""

    symbol: str
    words: Words
    tone: str = ""


KINDS: Mapping[Kind, tuple[Words, str]] = {
    Kind.MEET_CLOCK: (_("Safety reports with a clock"), "clock"),
    Kind.NOTIFY_BREACH: (_("Serious breaches to report"), "alert"),
    Kind.VISIT_OVERDUE: (_("Visits overdue"), "alert"),
    Kind.ASK_CONSENT: (_("To be asked for consent"), "list"),
    Kind.COUNTERSIGN_CONSENT: (_("Consent to countersign"), "check"),
    Kind.CONSENT_AGAIN: (_("Consent to be given again"), "list"),
    Kind.ASSESS_ELIGIBILITY: (_("Eligibility to assess"), "query"),
    Kind.SIGN_OFF_ELIGIBILITY: (_("Eligibility to sign off"), "check"),
    Kind.RANDOMISE: (_("Ready to be randomised"), "people"),
    Kind.END_SCREENING: (_("Not eligible: screening to end"), "leave"),
    Kind.VISIT_DUE: (_("Visits due"), "calendar"),
    Kind.ANSWER_QUERY: (_("Queries to answer"), "query"),
    Kind.SETTLE_QUERY: (_("Answered queries to settle"), "query"),
    Kind.COMPLETE_FORM: (_("Forms to fill"), "half"),
    Kind.SIGN_FORM: (_("Forms to sign"), "check"),
    Kind.VISIT_MISSED: (_("Visits that did not take place"), "calendar"),
    Kind.VERIFY_ITEMS: (_("Forms to verify against source"), "check"),
    Kind.CLASSIFY_DEVIATION: (_("Deviations to classify"), "deviation"),
    Kind.SIGN_CASE_BOOK: (_("Case books to sign"), "lock"),
}
"""What waits and its icon, in the order in which a day begins."""

SIGNS: Mapping[CellState, Sign] = {
    CellState.NOT_EXPECTED: Sign("", _("not expected")),
    CellState.NOT_YET_ANCHORED: Sign("·", _("no date yet")),
    CellState.AHEAD: Sign("○", _("ahead")),
    CellState.DUE: Sign("◎", _("in its window now"), "warn"),
    CellState.OVERDUE: Sign("!", _("overdue"), "bad"),
    CellState.MISSED: Sign("–", _("missed")),
    CellState.STARTED: Sign("◐", _("forms not complete"), "warn"),
    CellState.COMPLETE: Sign("●", _("complete, not signed"), "good"),
    CellState.SIGNED: Sign("✓", _("signed"), "good"),
}

STATUS: Mapping[str, tuple[Words, str]] = {
    "screening": (_("in screening"), "warn"),
    "randomised": (_("randomised"), "good"),
    "screen_failure": (_("screening failed"), ""),
    "consent_refused": (_("consent refused"), ""),
    "completed": (_("completed"), "good"),
    "withdrawn": (_("withdrawn"), "bad"),
    "discontinued": (_("discontinued"), "bad"),
    "lost_to_follow_up": (_("lost to follow-up"), "bad"),
    "died": (_("died"), "bad"),
}
"""Disposition → words and tone."""

VERDICTS: Mapping[str, tuple[Words, str]] = {
    "yes": (_("fits"), "good"),
    "no": (_("does not fit"), "bad"),
    "unknown": (_("not known yet"), "warn"),
}
JUDGEMENTS: Mapping[str, Mapping[str, Words]] = {
    "inclusion": {"yes": _("is met"), "no": _("is not met: does not fit"), "unknown": _("not known yet")},
    "exclusion": {"yes": _("does not apply"), "no": _("applies: does not fit"), "unknown": _("not known yet")},
}
"""What the doctor chooses, by kind of criterion: of a reason to exclude, "fits" could be read both ways."""


def status_words(status: object) -> str:
    """A disposition in words."""
    return str(STATUS.get(str(status), (str(status), ""))[0])


def status_tone(status: object) -> str:
    """A disposition's tone."""
    return STATUS.get(str(status), ("", ""))[1]


def criterion_words(build: Build, criterion: str) -> str:
    """A criterion as the study words it."""
    compiled = build.criteria.get(criterion)
    return in_language(compiled.criterion.text) if compiled is not None else criterion


def short_name(name: str) -> str:
    """An id of the study, short enough for a card: ``age_range`` → ``age range``."""
    return name.replace("_", " ")

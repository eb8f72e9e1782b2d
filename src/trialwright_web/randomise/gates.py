"""Every gate before randomisation with how it stands: the same questions that the command asks, all at once.

Shown so that nobody meets them one by one; what decides is the command.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.trial.allocation.preparation import knows_levels, same_randomisation, stratum_name
from trialwright.trial.allocation.state import Commitments, Randomised, Stratum
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.consent.gate import consent_gap
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.assessment import eligibility_facts, is_current, stratum_levels
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.permission import conflicting_roles
from trialwright.trial.setup.state import SiteSetup, StudySetup
from trialwright.trial.state import State
from trialwright_web.shell.dates import written
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.templatetags.shell import in_language, role_name

GAPS = (
    gettext_noop("the interviewer has not countersigned"),
    gettext_noop("no consent was given"),
    gettext_noop("consent for visits was withdrawn"),
    gettext_noop("consent for treatment was withdrawn"),
    gettext_noop("an amendment needs consent to be given again"),
)
"""Why consent does not allow it, as the library says it."""


@dataclass(frozen=True)
class Gate:
    """One condition.

    Args:
        holds: True, False, or None where it cannot be said yet.
        words: what must hold.
        detail: how it stands.
        address: where it is put right; empty where nowhere.
    """

    holds: bool | None
    words: str
    detail: str = ""
    address: str = ""


def gates(desk: Desk, person: Row) -> tuple[Gate, ...]:
    """All gates of a participant, in the order of the way there."""
    return tuple(_gates(desk, person))


def _gates(desk: Desk, person: Row) -> Iterator[Gate]:
    participant, site = str(person["participant"]), str(person["site"])
    state, build = desk.trial.state(), desk.build_at(site)
    enrolment = state.of(Enrolment, participant)
    over = enrolment.failed or bool(enrolment.ended_on)
    yield Gate(
        not over, _("The participant takes part"), _("screening failed or participation ended") if over else ""
    )
    done = state.of(Randomised, participant).done
    yield Gate(not done, _("Not randomised before"))
    yield _consent(desk, state, participant)
    yield _recruiting(state, site)
    yield from _eligibility(desk, state, enrolment, participant, build)
    others = conflicting_roles(participant, desk.actor, build, state)
    yield Gate(
        not others, _("You may act for this participant"), ", ".join(role_name(role) for role in sorted(others))
    )
    yield from _list(state, build, desk.builds, participant, enrolment)


def _consent(desk: Desk, state: State, participant: str) -> Gate:
    gap = consent_gap(state, participant, treatment=True)
    where = _address("capture:participant", desk.study, participant)
    words = _(gap) if gap else ""
    return Gate(gap is None, _("Consent to treatment is in force"), words, where if gap else "")


def _recruiting(state: State, site: str) -> Gate:
    setup = state.of(SiteSetup, site)
    open_ = setup.active and setup.recruiting and not state.of(StudySetup).frozen
    return Gate(open_, _("The site recruits"), "" if open_ else _("paused, not active, or the study is frozen"))


def _eligibility(desk: Desk, state: State, enrolment: Enrolment, participant: str, build: Build) -> Iterator[Gate]:
    where = _address("capture:criteria", desk.study, participant)
    assessed = enrolment.assessed
    holds = {"yes": True, "no": False}.get(assessed.eligible) if assessed is not None else None
    yield Gate(holds, _("Every criterion is met"), "" if assessed else _("not assessed yet"), "" if holds else where)
    signed = bool(enrolment.signed_off_on)
    limit = build.study.randomisation.within_days_of_sign_off
    age = (desk.today - date.fromisoformat(enrolment.signed_off_on)).days if signed else 0
    in_time = signed and (limit is None or age <= limit)
    detail = written(date.fromisoformat(enrolment.signed_off_on)) if signed else ""
    if signed and limit is not None:
        detail = _("%(day)s, %(age)d days ago; at most %(limit)d are allowed") % {
            "day": detail, "age": age, "limit": limit,
        }  # fmt: skip
    yield Gate(in_time, _("The investigator signed eligibility off"), detail, "" if in_time else where)
    current = signed and is_current(state, participant, build)
    yield Gate(
        current if signed else None,
        _("Nothing changed since the sign-off"),
        "",
        "" if current or not signed else where,
    )


def _list(
    state: State, build: Build, builds: dict[str, Build], participant: str, enrolment: Enrolment
) -> Iterator[Gate]:
    commitments = state.of(Commitments)
    words = _("An allocation list is sealed and committed to")
    if not commitments.lists:
        yield Gate(False, words, _("the independent statistician seals it"))
        return
    committed = builds[commitments.build]
    fits = same_randomisation(build, committed)
    yield Gate(fits, words, "" if fits else _("it was made for another way of randomising"))
    stated = enrolment.assessed.stated if enrolment.assessed else {}
    facts = eligibility_facts(build, state.of(CaseBook, participant), state.of(Consent, participant), stated)
    levels = stratum_levels(build, enrolment.site, facts)
    known = {name: level for name, level in levels.items() if level is not None}
    if levels:
        labels = {one.id: in_language(one.label) for one in build.study.randomisation.strata}
        undecided = [labels[name] for name, level in levels.items() if level is None]
        yield Gate(not undecided, _("The data say to which stratum the participant belongs"), ", ".join(undecided))
    if len(known) == len(levels) and knows_levels(committed, known):
        stratum = stratum_name(build, known)
        number = commitments.numbers.get(stratum)
        left = bool(number) and len(state.of(Stratum, str(number)).taken) < commitments.rows[stratum]
        yield Gate(
            left, _("The list has a place left"), "" if left else _("the independent statistician continues it")
        )


def _address(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""

"""The end: everything settled, frozen, reviewed blind, locked, planned, unblinded by two, closed."""

from __future__ import annotations

import hashlib

from trialwright.build import to_verify
from trialwright.protocol.roles import Role
from trialwright.rehearsal import oversight, visits
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.world import World
from trialwright.trial.capture.commands import SignCaseBook, VerifyItems
from trialwright.trial.capture.shown import shown_case_book
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.closure.commands import (
    ClassifyClosedDeviation,
    ClassifyDeviation,
    CloseStudy,
    FreezeAnalysisCode,
    FreezeStudy,
    LockStudy,
    MakeDataCut,
    ProposeUnblinding,
    SignAnalysisPlan,
    SignBlindReview,
    UnblindStudy,
    shown_review,
)
from trialwright.trial.closure.events import PopulationDecision
from trialwright.trial.closure.state import ClosedDeviations, Deviations


def close_study(world: World) -> Process:
    """From the last visit to the unblinded, closed study."""
    yield world.after(days=45)
    for participant in sorted(world.persons):
        yield from _tidy(world, participant)
    manager, sponsor = world.cast.central(Role.DATA_MANAGER), world.cast.central(Role.SPONSOR)
    statistician = world.cast.central(Role.INDEPENDENT_STATISTICIAN)
    yield world.after(days=2)
    world.act(MakeDataCut(cut="final"), manager)
    world.act(FreezeStudy(), manager)
    yield world.after(days=7)
    decisions = _review(world)
    world.act(SignBlindReview(decisions=decisions), sponsor, shown=shown_review(decisions))
    yield world.after(days=3)
    plan, code = _digest("analysis plan"), _digest("analysis programs")
    world.act(SignAnalysisPlan(version="1.0", plan=plan), statistician, shown=plan)
    world.act(FreezeAnalysisCode(code=code), statistician)
    yield world.after(days=1)
    _, root = world.trial.open_head()
    world.act(LockStudy(), sponsor, shown=root)
    yield world.after(days=2)
    # An open study has nobody to unblind, but its allocations are put on record in the same way, by two people, so
    # that what is exported from the record has its arms.
    _, locked = world.trial.open_head()
    world.act(ProposeUnblinding(), sponsor, shown=locked)
    yield world.after(hours=2)
    world.act(UnblindStudy(), statistician, shown=locked)
    yield world.after(days=30)
    _, end = world.trial.open_head()
    world.act(CloseStudy(), sponsor, shown=end)


def _tidy(world: World, participant: str) -> Process:
    """Nothing open is left of one participant: queries, signatures, verification, deviations, the case book."""
    site = participant.split("-")[1]
    yield from oversight.settle(world, participant)
    yield from visits.sign_forms(world, participant, site)
    yield from _verify(world, participant, site)
    monitor = world.cast.central(Role.MONITOR)
    for deviation in world.state().of(Deviations, participant).waiting():
        important = deviation.startswith(("consent", "eligibility", "product", "after_withdrawal"))
        classify = ClassifyDeviation(
            participant=participant,
            deviation=deviation,
            important=important,
            assessment="no effect on safety or on the primary outcome",
            action="discussed with the site",
        )
        world.act(classify, monitor, topic=deviation)
        yield world.after(minutes=5)
    if not world.trial.one_space:
        world.agenda.start(_classify_closed(world, participant), world.after(minutes=1))
    book = world.state().of(CaseBook, participant)
    if book.forms and not book.signed:
        investigator = world.cast.at(site, Role.INVESTIGATOR)
        world.act(SignCaseBook(participant=participant), investigator, shown=shown_case_book(participant, book))
        yield world.after(minutes=10)


def _classify_closed(world: World, participant: str) -> Process:
    role = Role.UNBLINDED_MONITOR if world.cast.has(Role.UNBLINDED_MONITOR) else Role.QUALIFIED_PERSON
    for deviation in world.state().of(ClosedDeviations, participant).waiting():
        classify = ClassifyClosedDeviation(
            participant=participant, deviation=deviation, important=False, assessment="reviewed", action="noted"
        )
        world.act(classify, world.cast.central(role), topic=deviation)
        yield world.after(seconds=20)


def _verify(world: World, participant: str, site: str) -> Process:
    build = world.build_at(site)
    for key, record in sorted(world.state().of(CaseBook, participant).live()):
        encounter, form, repeat = key
        entered = (name for name, value in record.values.items() if value.text is not None)
        left = tuple(n for n in entered if n not in record.verified and to_verify(build, participant, key, n))
        if record.status == "saved" and left:
            verified = VerifyItems(participant=participant, encounter=encounter, form=form, repeat=repeat, items=left)
            world.act(verified, world.cast.central(Role.MONITOR), topic=f"{encounter}.{form}.{repeat}")
            yield world.after(minutes=3)


def _review(world: World) -> tuple[PopulationDecision, ...]:
    populations = world.population.build.study.analysis.populations
    return tuple(
        PopulationDecision(participant=participant, population=population.id, included=True, why="")
        for participant in sorted(world.randomised)
        for population in populations
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""Monitors and data managers: verify against source, settle what was answered, ask now and then."""

from __future__ import annotations

from trialwright.build import to_verify
from trialwright.protocol.roles import Role
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.world import World
from trialwright.trial.capture.commands import VerifyItems
from trialwright.trial.capture.state import LOG, CaseBook
from trialwright.trial.event import Space
from trialwright.trial.queries.commands import AnswerQuery, CloseQuery, OpenQuery
from trialwright.trial.queries.state import Queries

ROUND_DAYS = 30


def watch(world: World) -> Process:
    """A round every month, until nobody is under way any more."""
    looked_at: dict[str, int] = {}
    while world.running or world.recruiting:
        yield world.after(days=ROUND_DAYS)
        for participant in sorted(world.persons):
            if participant in world.finished:
                continue
            version = world.state().version(Space.OPEN, f"participant/{participant}")
            if looked_at.get(participant) != version:  # else nothing was recorded since the last round
                yield from settle(world, participant)
                yield from verify(world, participant)
                looked_at[participant] = version


def settle(world: World, participant: str) -> Process:
    """Close what the site answered or confirmed; answer what a person asked."""
    asker = world.cast.central(Role.DATA_MANAGER if world.cast.has(Role.DATA_MANAGER) else Role.MONITOR)
    site = participant.split("-")[1]
    for name, query in sorted(world.state().of(Queries, participant).queries.items()):
        if query.status == "open":
            answer = AnswerQuery(participant=participant, query=name, text="see the source, correct", confirms=True)
            world.act(answer, world.cast.at(site, Role.STUDY_NURSE), topic=name)
            yield world.after(minutes=3)
        if world.state().of(Queries, participant).queries[name].status in ("answered", "confirmed"):
            world.act(CloseQuery(participant=participant, query=name), asker, topic=name)
            yield world.after(minutes=3)


def verify(world: World, participant: str) -> Process:
    """Verify what the study wants verified; ask a question now and then."""
    monitor = world.cast.central(Role.MONITOR)
    site = participant.split("-")[1]
    build = world.build_at(site)
    book = world.state().of(CaseBook, participant)
    for key, record in sorted(book.live()):
        encounter, form, repeat = key
        if record.status != "saved" or record.verified or build.forms[form].form.space == "closed":
            continue
        entered = [n for n, v in record.values.items() if v.missing is None and v.text is not None]
        chosen = tuple(name for name in entered if to_verify(build, participant, key, name))
        if not chosen:
            continue
        verified = VerifyItems(participant=participant, encounter=encounter, form=form, repeat=repeat, items=chosen)
        world.act(verified, monitor, topic=f"{encounter}.{form}.{repeat}")
        if encounter != LOG and world.draws.chance(0.01, participant, *key, "question"):
            question = OpenQuery(
                participant=participant,
                encounter=encounter,
                form=form,
                repeat=repeat,
                item=chosen[0],
                text="The source is hard to read here. Is the value right?",
            )
            world.act(question, monitor, topic=f"{encounter}.{form}.{repeat}")
        yield world.after(minutes=4)

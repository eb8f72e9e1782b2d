"""What lies on people's desks when a rehearsal stops in the middle: a form half filled, questions, a running clock.

Virtual people finish what they begin; real ones are in the middle of something at any moment. Who sees a
demonstration or trains on it should meet both.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from trialwright.foundation.dates import PartialDate
from trialwright.protocol.roles import Role
from trialwright.rehearsal import visits
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.world import World
from trialwright.trial.capture.commands import RecordVisit
from trialwright.trial.capture.state import LOG, CaseBook
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.queries.commands import AnswerQuery, OpenQuery
from trialwright.trial.queries.state import Queries
from trialwright.trial.safety.commands import ReportAdverseEvent

HOURS = 14
"""How long before the rehearsal stops they begin: the last afternoon."""
UNSCHEDULED = "unscheduled_1"


def begin(until: datetime) -> datetime:
    """When they begin, for a rehearsal that stops at an instant."""
    return until - timedelta(hours=HOURS)


def leave(world: World) -> Process:
    """At each site the monitor's questions, one of them answered, and a form half filled; at one a serious event."""
    reported = False
    for site in world.population.build.study.sites:
        people = _under_way(world, site)
        for number, participant in enumerate(people[:3]):
            yield from _ask(world, site, participant, answered=number == 1)
        if people:
            yield from _come_unplanned(world, site, people[0])
        if people and not reported:
            reported = _report(world, site, people[-1])


def _under_way(world: World, site: str) -> list[str]:
    """Who takes part at a site, in the order of randomisation."""
    state = world.state()
    return [
        code
        for code in world.randomised
        if (enrolment := state.of(Enrolment, code)).site == site and not enrolment.ended_on
    ]


def _ask(world: World, site: str, participant: str, *, answered: bool) -> Process:
    """The monitor asks about a value of the last form that somebody saved at a visit."""
    forms = world.build_at(site).forms
    book = world.state().of(CaseBook, participant)
    saved = [
        (book.held[key[0]], key, next(iter(values)))
        for key, record in book.live()
        if key[0] != LOG
        and record.status == "saved"
        and forms[key[1]].form.space == "open"
        and (values := {n for n in record.values if record.values[n].text and "." not in n})
    ]
    if not saved:
        return
    _day, (encounter, form, repeat), item = max(saved)
    question = OpenQuery(
        participant=participant,
        encounter=encounter,
        form=form,
        repeat=repeat,
        item=item,
        text="The source says something else. Please compare.",
    )
    world.act(question, world.cast.central(Role.MONITOR), topic="loose end")
    yield world.after(minutes=6)
    if answered:
        asked = world.state().of(Queries, participant).of_form(encounter, form, repeat)
        name = next(name for name, query in asked.items() if query.status == "open")
        answer = AnswerQuery(participant=participant, query=name, text="compared; it is right here", confirms=True)
        world.act(answer, world.cast.at(site, Role.STUDY_NURSE), topic="loose end")
        yield world.after(minutes=6)


def _come_unplanned(world: World, site: str, participant: str) -> Process:
    """Somebody comes without an appointment, and the nurse is called away in the middle of the first form."""
    build, day = world.build_at(site), world.today(site)
    form = next(iter(build.study.schedule.unscheduled_forms), None)
    if form is None or UNSCHEDULED in world.state().of(CaseBook, participant).held:
        return
    nurse = world.cast.at(site, Role.STUDY_NURSE)
    world.act(RecordVisit(participant=participant, encounter=UNSCHEDULED, date=day.isoformat()), nurse, topic="loose")
    yield world.after(minutes=9)
    visits.fill_half(world, world.persons[participant], site, visits.Page(UNSCHEDULED, form), day)


def _report(world: World, site: str, participant: str) -> bool:
    """A serious event that the sponsor has not yet heard of; its clocks run. Whether the study expects any event."""
    rates = world.population.build.study.simulation.adverse_events
    if not rates:
        return False
    report = ReportAdverseEvent(
        participant=participant,
        term=rates[0].term,
        onset=PartialDate.of(world.today(site) - timedelta(days=1)).text,
        grade=3,
        seriousness=("hospitalisation",),
    )
    world.act(report, world.cast.at(site, Role.INVESTIGATOR), topic="loose end")
    world.told["adverse events"] += 1
    return True

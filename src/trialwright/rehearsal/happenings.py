"""What happens to people: adverse events after what was done to them, reported, followed, judged and reported on."""

from __future__ import annotations

from datetime import datetime, timedelta

from trialwright.foundation.dates import PartialDate
from trialwright.protocol.roles import Role
from trialwright.protocol.simulation import AdverseEventRate
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.values import VirtualPerson
from trialwright.rehearsal.world import World
from trialwright.trial.allocation.commands import UnblindForSusar, UnblindInEmergency
from trialwright.trial.safety.commands import (
    AssessCausality,
    AssessExpectedness,
    CloseAdverseEvent,
    FollowUpAdverseEvent,
    RecodeTerm,
    RecordExpeditedReport,
    RecordSponsorAwareness,
    RecordSubmission,
    ReportAdverseEvent,
)
from trialwright.trial.safety.dictionary import SYNTHETIC
from trialwright.trial.safety.events import AdverseEventReported
from trialwright.trial.safety.state import AdverseEvent, AdverseEvents


class Happenings:
    """Draws adverse events for one site's participants and lets the people deal with them."""

    def __init__(self, world: World, site: str) -> None:
        self._world = world
        self._site = site
        self._investigator = world.cast.at(site, Role.INVESTIGATOR)
        assessor = Role.MEDICAL_MONITOR if world.cast.has(Role.MEDICAL_MONITOR) else Role.SAFETY_OFFICER
        self._assessor = world.cast.central(assessor)

    def after_collection(self, person: VirtualPerson, encounter: str) -> None:
        """What may follow an aspiration."""
        self._draw(person, encounter, "collection")

    def after_administration(self, person: VirtualPerson, encounter: str) -> None:
        """What may follow an administration, and what half a year of life brings besides."""
        self._draw(person, encounter, "administration")
        self._draw(person, encounter, "participant_year")
        if self._is_the_serious_one(person):
            rates = self._rates("administration") or self._rates("participant_year")
            if rates:
                wait = timedelta(days=2, hours=3)
                self._world.agenda.start(self._event(person, rates[0], encounter, serious=True), self._after(wait))

    def _draw(self, person: VirtualPerson, encounter: str, per: str) -> None:
        for rate in self._rates(per):
            probability = float(rate.probability) * (0.5 if per == "participant_year" else 1)
            if not self._world.draws.chance(probability, person.code, encounter, rate.term, "event"):
                continue
            days = 150 if per == "participant_year" else 6
            wait = timedelta(days=self._world.draws.uniform(person.code, encounter, rate.term, "when") * days + 0.2)
            self._world.agenda.start(self._event(person, rate, encounter), self._after(wait))

    def _rates(self, per: str) -> list[AdverseEventRate]:
        return [r for r in self._world.population.build.study.simulation.adverse_events if r.per == per]

    def _after(self, wait: timedelta) -> datetime:
        return self._world.clock.now() + wait

    def _is_the_serious_one(self, person: VirtualPerson) -> bool:
        """The first randomised person has a serious reaction, so that every rehearsal has one."""
        randomised = self._world.randomised
        done = self._world.told["serious adverse events"]
        return bool(randomised) and person.code == randomised[0] and not done

    def _event(
        self, person: VirtualPerson, rate: AdverseEventRate, encounter: str, *, serious: bool = False
    ) -> Process:
        world, draws = self._world, self._world.draws
        if person.code in world.finished:
            return
        weights = {grade: float(share) for grade, share in rate.grades.items()}
        grade = 3 if serious else int(draws.choice(weights, person.code, encounter, rate.term, "grade"))
        agents = [agent.id for agent in world.population.build.study.safety.agents]
        related = rate.agent if rate.agent in agents else None
        causality = {agent: "probable" if agent == related else "unlikely" for agent in agents}
        report = ReportAdverseEvent(
            participant=person.code,
            term=rate.term,
            onset=PartialDate.of(world.today(self._site) - timedelta(days=1)).text,
            grade=grade,
            seriousness=("hospitalisation",) if serious else (),
            causality=causality,
        )
        topic = f"{encounter}.{rate.term}.{serious}"
        receipt = world.act(report, self._investigator, topic=topic)
        name = receipt.event(AdverseEventReported).adverse_event
        world.told["adverse events"] += 1
        yield world.after(hours=3)
        yield from self._judge(person.code, name, serious=serious, topic=topic)
        yield world.after(days=draws.whole(4, 30, person.code, name, "recovery"))
        follow = FollowUpAdverseEvent(
            participant=person.code,
            adverse_event=name,
            outcome="recovered",
            ended=world.today(self._site).isoformat(),
        )
        world.act(follow, self._investigator, reason="recovered", topic=name)
        yield world.after(days=3)
        world.act(CloseAdverseEvent(participant=person.code, adverse_event=name), self._investigator, topic=name)

    def _judge(self, participant: str, name: str, *, serious: bool, topic: str) -> Process:
        """The sponsor learns of it, codes it, judges it; what has a clock is submitted in time."""
        world = self._world
        event = self._state(participant, name)
        if event.term.lower() in SYNTHETIC:
            coding = RecodeTerm(participant=participant, adverse_event=name, term=event.term)
            world.attempt(coding, self._assessor, topic=name)
        if not event.qualities:
            return
        aware = RecordSponsorAwareness(participant=participant, adverse_event=name)
        world.act(aware, self._assessor, topic=name)
        if not serious:
            return
        world.told["serious adverse events"] += 1
        yield world.after(hours=2)
        for agent in event.suspected():
            judged = AssessCausality(participant=participant, adverse_event=name, agent=agent, relation="probable")
            world.act(judged, self._assessor, topic=f"{name}.{agent}")
            expected = AssessExpectedness(participant=participant, adverse_event=name, agent=agent, expected=False)
            world.act(expected, self._assessor, topic=f"{name}.{agent}")
        yield world.after(hours=1)
        if not world.told["emergency unblindings"] and not world.trial.one_space:
            self._unblind(participant)
        yield world.after(days=1)
        self._report(participant, name)

    def _unblind(self, participant: str) -> None:
        unblind = UnblindInEmergency(participant=participant)
        why = "treatment in intensive care depends on what was injected"
        self._world.act(unblind, self._investigator, reason=why, shown=participant)
        self._world.told["emergency unblindings"] += 1

    def _report(self, participant: str, name: str) -> None:
        """Submit what is due; suspected unexpected reactions go through the closed space."""
        world = self._world
        clocks = {clock.id: clock for clock in world.population.build.study.safety.clocks}
        officer = world.cast.central(Role.SAFETY_OFFICER)
        event = self._state(participant, name)
        for clock in sorted(set(event.clocks) - event.met):
            if not clocks[clock].applies.startswith("susar"):
                submit = RecordSubmission(
                    participant=participant, adverse_event=name, clock=clock, reference=f"sent {name}"
                )
                world.act(submit, self._assessor, topic=f"{name}.{clock}")
                continue
            if not world.trial.one_space:
                look = UnblindForSusar(participant=participant, adverse_event=name)
                world.act(look, officer, reason="expedited report", topic=name)
            expedited = RecordExpeditedReport(
                participant=participant,
                adverse_event=name,
                clock=clock,
                outcome="submitted",
                reference=f"sent {name}",
            )
            world.act(expedited, officer, topic=f"{name}.{clock}")

    def _state(self, participant: str, name: str) -> AdverseEvent:
        return self._world.state().of(AdverseEvents, participant).events[name]

"""What an endpoint times and people tell at the next visit, as a relapse: it comes at the declared rate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from trialwright.protocol.simulation import EventTime
from trialwright.rehearsal import visits
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.values import VirtualPerson
from trialwright.rehearsal.world import World
from trialwright.trial.capture.state import LOG

_DAYS_A_MONTH = 30.4375


class Occurrences:
    """Draws the events of one person from one visit to the next.

    Args:
        world: where; where values are known beforehand, nothing further happens.
        person: whose.
        site: at which hospital.
    """

    def __init__(self, world: World, person: VirtualPerson, site: str) -> None:
        self._world = world
        self._person = person
        self._site = site
        self._told: date | None = None
        self._count: dict[str, int] = {}

    def tell(self, encounter: str, day: date) -> Process:
        """At a visit, write down what happened since the one before; the first visit only begins the count."""
        world, code, since = self._world, self._person.code, self._told
        self._told = day
        if since is None or world.known is not None:
            return
        for declared, form in self._declared():
            rate = float(declared.per_month) * self._ratio(declared.endpoint, day)
            happened = 1.0 - math.exp(-rate * max((day - since).days, 0) / _DAYS_A_MONTH)
            if world.draws.chance(happened, code, encounter, declared.endpoint, "occurs"):
                self._count[form] = self._count.get(form, 0) + 1
                yield world.after(minutes=4)
                visits.fill(world, self._person, self._site, visits.Page(LOG, form, self._count[form]), day)

    def _declared(self) -> Iterator[tuple[EventTime, str]]:
        """Events that are written on a running form, with the form."""
        study = self._world.build_at(self._site).study
        forms = {each.id: each.item.partition(".")[0] for each in study.analysis.endpoints}
        for declared in study.simulation.event_times:
            form = forms.get(declared.endpoint, "")
            if form in study.schedule.log_forms:
                yield declared, form

    def _ratio(self, endpoint: str, day: date) -> float:
        """What the arm that the person is under multiplies the rate by."""
        arms = [given.arm for given in self._person.treated if given.since <= day]
        ratios = self._person.population.scenario.hazard_ratios
        return math.prod(float(r.ratio) for r in ratios if r.endpoint == endpoint and arms and r.arm == arms[-1])

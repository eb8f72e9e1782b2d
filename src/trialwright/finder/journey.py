"""What taking part means in time: visits, their order and distance, counted from the schedule and never typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from trialwright.build import Build
from trialwright.finder.languages import Said, say
from trialwright.protocol.schedule import Encounter
from trialwright.schedule import projected

_START = date(2001, 1, 1)  # a Monday far from leap days; only differences of days are told


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVisit:
    """One visit of the plan.

    Attributes:
        encounter: its id.
        label: its name.
        day: planned days after the first visit.
        before, after: days that the visit may be earlier or later.
        remote: by telephone or video.
        optional: takes place for some only.
        contents: what is done, each once: kinds of forms (``imaging``, ``laboratory`` …) and acts (``consent``,
            ``collection``, ``administration``).
        collections: procedures that take something for the product.
        administrations: times that something is given.
    """

    encounter: str
    label: Said
    day: int
    before: int
    after: int
    remote: bool
    optional: bool
    contents: tuple[str, ...]
    collections: int
    administrations: int


@dataclass(frozen=True, slots=True)
class Journey:
    """The visits of a study, in order."""

    visits: tuple[PlannedVisit, ...]

    @property
    def days(self) -> int:
        """From the first visit to the last, as planned."""
        return max((visit.day for visit in self.visits), default=0)

    @property
    def months(self) -> int:
        """The same in months of 30.4 days, to the nearest."""
        return round(self.days / 30.4375)

    @property
    def days_at_hospital(self) -> int:
        """Days on which one has to come; two visits planned for the same day are one trip."""
        return len({visit.day for visit in self.visits if not visit.remote and not visit.optional})

    @property
    def remote_contacts(self) -> int:
        """Contacts by telephone or video."""
        return sum(visit.remote and not visit.optional for visit in self.visits)

    @property
    def collections(self) -> int:
        """How often something is taken for the product."""
        return sum(visit.collections for visit in self.visits if not visit.optional)

    @property
    def administrations(self) -> int:
        """How often something is given at a planned visit."""
        return sum(visit.administrations for visit in self.visits if not visit.optional)


def journey(build: Build, language: str) -> Journey:
    """The journey of one participant, as if every visit took place on its target.

    Args:
        build: whose schedule.
        language: of the labels.
    """
    study = build.study
    starts = {encounter.id: _START for encounter in study.schedule.encounters if encounter.anchor is None}
    targets = projected(build.plan(), starts)
    first = min(targets.values(), default=_START)
    reference = study.identity.languages[0]
    found = [
        _visit(build, encounter, targets[encounter.id] - first, language, reference)
        for encounter in study.schedule.encounters
        if encounter.id in targets
    ]
    return Journey(tuple(sorted(found, key=lambda visit: visit.day)))


def _visit(build: Build, encounter: Encounter, since: timedelta, language: str, reference: str) -> PlannedVisit:
    window = encounter.window
    acts = [act.act for act in encounter.acts]
    return PlannedVisit(
        encounter=encounter.id,
        label=say(encounter.label, language, reference),
        day=since.days,
        before=window.before if window else 0,
        after=window.after if window else 0,
        remote=encounter.remote,
        optional=encounter.when is not None,
        contents=_contents(build, encounter),
        collections=acts.count("collection"),
        administrations=acts.count("administration"),
    )


def _contents(build: Build, encounter: Encounter) -> tuple[str, ...]:
    """Acts a participant notices, then kinds of forms; what the laboratory or the closed team fills is not told."""
    noticed = ("consent", "collection", "administration")
    acts = [act.act for act in encounter.acts if act.act in noticed]
    forms = [build.study.forms[name] for name in encounter.forms]
    return tuple(dict.fromkeys([*acts, *(form.kind for form in forms if form.space == "open")]))

"""What must hold after every rehearsal, read from the facts alone, and what must have happened in it.

A plain second reading of the record: nothing here asks the rooms that wrote it. The long form rehearses every study
with many seeds and sizes::

    python tests/campaigns/rehearsals.py [seeds] [size ...]

``tests/journeys/test_rehearsals.py`` runs the same in a short form.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright.protocol.roles import SITE_ROLES
from trialwright.rehearsal import Rehearsed, Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.allocation.events import (
    AllocationListCommitted,
    AllocationPositionTaken,
    EmergencyUnblinded,
    ParticipantRandomised,
)
from trialwright.trial.capture.events import ChecksRepeated, EncounterHeld, EncounterMissed, FormSaved, FormVoided
from trialwright.trial.closure.events import (
    AllocationsDisclosed,
    AnalysisCodeFrozen,
    AnalysisPlanSigned,
    BlindReviewSigned,
    ClosedDeviationOpened,
    DeviationClassified,
    DeviationOpened,
    SecondPersonAsked,
    StudyClosed,
    StudyFrozen,
    StudyLocked,
    StudyUnblinded,
)
from trialwright.trial.consent.events import ConsentGiven, ConsentWithdrawn
from trialwright.trial.custody.events import (
    AdministrationAuthorised,
    InjectionGiven,
    InjectionHandedOver,
    ManufactureFailed,
    ProductAdministered,
    ProductDecided,
)
from trialwright.trial.enrolment.events import (
    CriteriaAssessed,
    EligibilitySignedOff,
    ParticipantScreened,
    ScreeningFailed,
)
from trialwright.trial.event import Fact, Space
from trialwright.trial.queries.events import QueryClosed, QueryOpened, QueryReopened
from trialwright.trial.safety.events import AdverseEventReported
from trialwright.trial.setup.events import AmendmentActivated, SiteActivated, TaskDelegated

STUDIES = Path(__file__).parents[2] / "studies"
EVERYWHERE = frozenset(
    {
        "screen failure",
        "late visit",
        "missed visit",
        "typing error caught by a check and corrected",
        "serious adverse event",
        "withdrawal",
        "amendment with new consent",
        "recruitment to the planned number",
    }
)
"""What every rehearsal of three or more participants brings."""

HAPPENINGS = {
    "smart-ms": EVERYWHERE | {"failed manufacture", "emergency unblinding"},
    "frexalimab-sc-iv": EVERYWHERE,
    "ocrelizumab-sc": EVERYWHERE | {"emergency unblinding"},
}
"""Study → what happens; the open study has nothing to unblind, two have no product that could fail."""


@dataclass
class Record:
    """Facts of both spaces (of the one space, once) and the builds they cite."""

    open: Sequence[Fact]
    closed: Sequence[Fact]
    builds: dict[str, Build]

    @classmethod
    def of(cls, done: Rehearsed) -> Record:
        """The record of a rehearsal."""
        trial = done.trial
        closed = () if trial.one_space else tuple(trial.facts(Space.CLOSED))
        return cls(tuple(trial.facts()), closed, dict(trial.builds))

    @property
    def all(self) -> Iterator[Fact]:
        """Every fact."""
        yield from self.open
        yield from self.closed

    def site_of(self) -> dict[str, str]:
        """Participant → site."""
        return {f.event.participant: f.event.site for f in self.open if isinstance(f.event, ParticipantScreened)}


def problems(record: Record) -> list[str]:
    """Everything that a correct trial could not have on record."""
    return [problem for law in LAWS for problem in law(record)]


# --- laws ----------------------------------------------------------------------------------------------------------


def nobody_is_randomised_without_consent_and_sign_off(record: Record) -> Iterator[str]:
    consent: dict[str, bool] = {}
    signed: dict[str, str] = {}
    seen: set[str] = set()
    limit = next(iter(record.builds.values())).study.randomisation.within_days_of_sign_off
    for fact in record.open:
        match fact.event:
            case ConsentGiven(participant=p):
                consent[p] = True
            case ConsentWithdrawn(participant=p):
                consent[p] = False
            case CriteriaAssessed(participant=p):
                signed.pop(p, None)
            case EligibilitySignedOff(participant=p, date=day):
                signed[p] = day
            case ParticipantRandomised(participant=p, date=day):
                if not consent.get(p):
                    yield f"{p} was randomised without consent"
                if p not in signed:
                    yield f"{p} was randomised without sign-off"
                elif limit and (date.fromisoformat(day) - date.fromisoformat(signed[p])).days > limit:
                    yield f"{p} was randomised too long after the sign-off"
                if p in seen:
                    yield f"{p} was randomised twice"
                seen.add(p)


def positions_are_used_in_the_order_of_the_list(record: Record) -> Iterator[str]:
    rows: dict[str, int] = {}
    used: Counter[str] = Counter()
    taken: dict[str, tuple[str, int]] = {}
    for fact in record.open:
        match fact.event:
            case AllocationListCommitted(strata=strata):
                rows.update({part.stratum: part.rows for part in strata})
            case AllocationPositionTaken(stratum=stratum, position=position, participant=p):
                if position != used[stratum] or position >= rows.get(stratum, 0):
                    yield f"{p} has position {position} of {stratum!r}, the next was {used[stratum]}"
                used[stratum] += 1
                taken[p] = stratum, position
            case ParticipantRandomised(participant=p, stratum=stratum, position=position):
                if taken.get(p) != (stratum, position):
                    yield f"{p} did not take the position {position} of {stratum!r}"


def every_flag_has_its_deviation(record: Record) -> Iterator[str]:
    opened = Counter(f.request_id for f in record.open if type(f.event) is DeviationOpened)
    behind = Counter(f.request_id for f in record.all if isinstance(f.event, ClosedDeviationOpened))
    for fact in record.all:
        flags = getattr(fact.event, "flags", ())
        if not flags or not fact.stream.startswith("participant/"):
            continue
        there = opened[fact.request_id]
        if isinstance(fact.event, ProductAdministered):
            there += behind[fact.request_id]
        if there < len(flags):
            yield f"{fact.event.TYPE} in {fact.stream} carries {flags} and opened {there} deviations"


def every_deviation_is_judged_before_the_lock(record: Record) -> Iterator[str]:
    waiting: set[tuple[str, str]] = set()
    for fact in record.open:
        match fact.event:
            case DeviationOpened(participant=p, deviation=name):
                waiting.add((p, name))
            case DeviationClassified(participant=p, deviation=name):
                waiting.discard((p, name))
            case StudyLocked():
                yield from (f"{p}: {name} was not judged at the lock" for p, name in sorted(waiting))


def every_query_is_settled_before_the_freeze(record: Record) -> Iterator[str]:
    waiting: set[tuple[str, str]] = set()
    for fact in record.open:
        match fact.event:
            case QueryOpened(participant=p, query=name) | QueryReopened(participant=p, query=name):
                waiting.add((p, name))
            case QueryClosed(participant=p, query=name):
                waiting.discard((p, name))
            case FormSaved(participant=p) | ChecksRepeated(participant=p) as saved:
                waiting |= {(p, raised.query) for raised in saved.raised}
                waiting -= {(p, name) for name in saved.resolved}
            case FormVoided(participant=p, resolved=resolved):
                waiting -= {(p, name) for name in resolved}
            case StudyFrozen():
                yield from (f"{p}: query {name} was open at the freeze" for p, name in sorted(waiting))


def every_fact_cites_the_build_in_force_at_its_site(record: Record) -> Iterator[str]:
    active: dict[str, str] = {}
    site_of = record.site_of()
    moved = 0
    for fact in record.open:
        event = fact.event
        site = site_of.get(getattr(event, "participant", "")) or getattr(event, "site", None)
        if site in active and fact.build != active[site]:
            yield f"{event.TYPE} in {fact.stream} cites {fact.build[:8]}, in force was {active[site][:8]}"
        if isinstance(event, SiteActivated | AmendmentActivated):
            moved += isinstance(event, AmendmentActivated)
            active[event.site] = event.active_build
        if fact.build not in record.builds:
            yield f"{event.TYPE} cites a build that nobody knows"


def who_acts_at_a_site_was_delegated_before(record: Record) -> Iterator[str]:
    held: set[tuple[str | None, str, str]] = set()
    for fact in record.open:
        match fact.event:
            case SiteActivated(site=site, principal_investigator=person):
                held.add((site, person, "investigator"))
            case TaskDelegated(site=site, person=person, role=role):
                held.add((site, person, role))
        if fact.role in {role.value for role in SITE_ROLES} and (fact.site, fact.actor, fact.role) not in held:
            yield f"{fact.actor} acted as {fact.role} at {fact.site} without delegation"


def roles_in_conflict_stay_apart(record: Record) -> Iterator[str]:
    conflicts = [
        {role.value for role in conflict.roles}
        for conflict in next(iter(record.builds.values())).study.identity.conflicts
    ]
    roles: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in record.all:
        roles[fact.stream, fact.actor].add(fact.role)
    for (stream, actor), held in roles.items():
        if stream.startswith("participant/") and any(pair <= held for pair in conflicts):
            yield f"{actor} acted in {stream} as {' and '.join(sorted(held))}"


def nothing_is_given_before_release_hand_over_and_authorisation(record: Record) -> Iterator[str]:
    build = next(iter(record.builds.values()))
    hours = build.study.custody.expiry_hours if build.study.custody else 0
    slots: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for fact in record.open:
        match fact.event:
            case ProductDecided(participant=p, slot=slot, decision="ready"):
                slots[p, slot] = {"ready": fact.at}
            case InjectionHandedOver(participant=p, slot=slot):
                slots[p, slot]["handed over"] = fact.at
            case AdministrationAuthorised(participant=p, slot=slot):
                slots[p, slot]["authorised"] = fact.at
            case InjectionGiven(participant=p, slot=slot, flags=()):
                steps = slots[p, slot]
                missing = {"ready", "handed over", "authorised"} - steps.keys()
                if missing:
                    yield f"{p}, {slot}: given without {', '.join(sorted(missing))}"
                elif _instant(fact.at) - _instant(steps["ready"]) > timedelta(hours=hours):
                    yield f"{p}, {slot}: given after the product had expired"


def the_end_comes_in_order(record: Record) -> Iterator[str]:
    wanted = [StudyFrozen, BlindReviewSigned, StudyLocked, StudyUnblinded, StudyClosed]
    found = [type(f.event) for f in record.open if type(f.event) in wanted]
    if found != wanted:
        yield f"the end came as {', '.join(kind.__name__ for kind in found)}"


def nothing_but_the_ending_is_written_after_the_lock(record: Record) -> Iterator[str]:
    locked = False
    ending = (
        SecondPersonAsked, AllocationsDisclosed, StudyUnblinded, AnalysisPlanSigned, AnalysisCodeFrozen, StudyClosed
    )  # fmt: skip
    for fact in record.open:
        # In one ledger the closed commands of the end write there too; none of them is about a participant.
        if locked and not isinstance(fact.event, ending):
            yield f"{fact.event.TYPE} was written after the lock"
        locked = locked or isinstance(fact.event, StudyLocked)


def time_never_runs_back(record: Record) -> Iterator[str]:
    for facts in (record.open, record.closed):
        last = ""
        for fact in facts:
            if fact.at < last:
                yield f"{fact.event.TYPE} at {fact.at} comes after {last}"
            last = fact.at


Law = Callable[[Record], Iterable[str]]
LAWS: tuple[Law, ...] = (
    nobody_is_randomised_without_consent_and_sign_off,
    positions_are_used_in_the_order_of_the_list,
    every_flag_has_its_deviation,
    every_deviation_is_judged_before_the_lock,
    every_query_is_settled_before_the_freeze,
    every_fact_cites_the_build_in_force_at_its_site,
    who_acts_at_a_site_was_delegated_before,
    roles_in_conflict_stay_apart,
    nothing_is_given_before_release_hand_over_and_authorisation,
    the_end_comes_in_order,
    nothing_but_the_ending_is_written_after_the_lock,
    time_never_runs_back,
)


# --- happenings ----------------------------------------------------------------------------------------------------


@dataclass
class _Seen:
    found: set[str] = field(default_factory=set)
    consents: Counter[str] = field(default_factory=Counter)
    randomised: int = 0
    new_consent: bool = False


def happened(record: Record, participants: int) -> set[str]:
    """Which of the things that a rehearsal must bring are on record."""
    seen = _Seen()
    for fact in record.all:
        _notice(seen, fact)
    if seen.new_consent and max(seen.consents.values(), default=0) > 1:
        seen.found.add("amendment with new consent")
    if seen.randomised == participants:
        seen.found.add("recruitment to the planned number")
    return seen.found


def _notice(seen: _Seen, fact: Fact) -> None:
    match fact.event:
        case ScreeningFailed():
            seen.found.add("screen failure")
        case EncounterHeld(days_out=days) if days > 0:
            seen.found.add("late visit")
        case EncounterMissed():
            seen.found.add("missed visit")
        case FormSaved(resolved=resolved) if resolved and fact.reason == "typing error":
            seen.found.add("typing error caught by a check and corrected")
        case AdverseEventReported(seriousness=seriousness) if seriousness:
            seen.found.add("serious adverse event")
        case ManufactureFailed():
            seen.found.add("failed manufacture")
        case ConsentWithdrawn():
            seen.found.add("withdrawal")
        case EmergencyUnblinded():
            seen.found.add("emergency unblinding")
        case AmendmentActivated(reconsent=True):
            seen.new_consent = True
        case ConsentGiven(participant=p):
            seen.consents[p] += 1
        case ParticipantRandomised():
            seen.randomised += 1


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def main(seeds: int = 10, *sizes: int) -> int:
    """Every study, every seed, every size. Returns the exit code."""
    wrong = 0
    for name, wanted in HAPPENINGS.items():
        build = compiled(load_study(STUDIES / name).study)
        for size in sizes or (4, 18, 60):
            events, started = 0, time.perf_counter()
            for seed in range(1, seeds + 1):
                done = rehearse(build, MemoryStore(), MemoryStore(), Wishes(participants=size, seed=seed))
                record = Record.of(done)
                found = problems(record)
                lacking = wanted - happened(record, size)
                events += done.events + done.closed_events
                if found or lacking:
                    wrong += 1
                    print(
                        f"{name}, {size} participants, seed {seed}: lacks {sorted(lacking)}", *found[:10], sep="\n  "
                    )
            took = time.perf_counter() - started
            print(f"{name}: {seeds} rehearsals of {size} participants, {events:,} events, {took:.0f} s")
    print(f"{wrong} rehearsals with a problem")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

"""What is wrong with a plan, found before anyone is enrolled: overlapping windows and demands nobody can meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import combinations

from trialwright.schedule.plan import Offset, PlannedEncounter

_REFERENCE_DAY = date(2024, 1, 1)
_LEAP_CYCLE_DAYS = 1461  # every day of the month, every month, at every distance from a leap day


class FaultKind(Enum):
    """Why a plan cannot be carried out as written."""

    DUPLICATE_ID = "duplicate_id"
    ANCHOR_SET_TWICE = "anchor_set_twice"
    NEGATIVE_WINDOW = "negative_window"
    UNREACHABLE_ANCHOR = "unreachable_anchor"
    UNKNOWN_PREDECESSOR = "unknown_predecessor"
    CYCLE = "cycle"
    TARGET_BEFORE_PREDECESSOR = "target_before_predecessor"
    WINDOW_BEFORE_PREDECESSOR = "window_before_predecessor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that cannot be.

    Attributes:
        kind: see :class:`FaultKind`.
        encounter: where it is written.
        other: the other encounter, the anchor, or the cycle ``a → b → a``; empty when there is none.
    """

    kind: FaultKind
    encounter: str
    other: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two windows of the same anchor that share days, so a contact on such a day could be either.

    Attributes:
        first, second: encounter ids, in the order of the plan.
        days: the largest number of shared local dates over all anchor dates, at least 1.
        ordered: one is declared to come after the other, so that both may fall on one day by intention.
    """

    first: str
    second: str
    days: int
    ordered: bool


def overlaps(plan: Sequence[PlannedEncounter]) -> tuple[Overlap, ...]:
    """Every pair of encounters with the same anchor whose windows share a day, for at least one anchor date.

    Months differ in length, so where a plan counts in months every anchor date of a leap cycle is tried.

    Raises:
        InvalidValue: a window outside the calendar.
    """
    found = []
    for first, second in combinations([e for e in plan if e.anchor is not None], 2):
        if first.anchor != second.anchor:
            continue
        shared = max(_shared_days(first, second, days) for days in _distances((first.offset,), (second.offset,)))
        if shared > 0:
            ordered = first.id in second.after or second.id in first.after
            found.append(Overlap(first=first.id, second=second.id, days=shared, ordered=ordered))
    return tuple(found)


def impossible(plan: Sequence[PlannedEncounter], *, given: Set[str] = frozenset()) -> tuple[Fault, ...]:
    """Everything in the plan that cannot be carried out as written, in a stable order.

    Args:
        plan: the encounters.
        given: anchors that come from outside the plan (consent, randomisation, an administration).

    Raises:
        InvalidValue: a window outside the calendar.
    """
    encounters = tuple(plan)
    faults = [*_names(encounters), *_windows(encounters), *_unreachable(encounters, given)]
    cycle = _cycle(encounters)
    if cycle:
        faults.append(Fault(kind=FaultKind.CYCLE, encounter=cycle[0], other=" → ".join(cycle)))
    else:  # targets of a circular plan have no meaning
        faults += _wrong_order(encounters)
    return tuple(faults)


def _names(plan: Iterable[PlannedEncounter]) -> Iterator[Fault]:
    ids: Counter[str] = Counter()
    anchors: Counter[str] = Counter()
    for encounter in plan:
        ids[encounter.id] += 1
        if ids[encounter.id] == 2:
            yield Fault(kind=FaultKind.DUPLICATE_ID, encounter=encounter.id)
        if encounter.sets is not None:
            anchors[encounter.sets] += 1
            if anchors[encounter.sets] == 2:
                yield Fault(kind=FaultKind.ANCHOR_SET_TWICE, encounter=encounter.id, other=encounter.sets)


def _windows(plan: Iterable[PlannedEncounter]) -> Iterator[Fault]:
    for encounter in plan:
        if encounter.window_before_days < 0 or encounter.window_after_days < 0:
            yield Fault(kind=FaultKind.NEGATIVE_WINDOW, encounter=encounter.id)


def _unreachable(plan: Sequence[PlannedEncounter], given: Set[str]) -> Iterator[Fault]:
    supplied = {encounter.sets for encounter in plan} | given
    known = {encounter.id for encounter in plan}
    for encounter in plan:
        if encounter.anchor is not None and encounter.anchor not in supplied:
            yield Fault(kind=FaultKind.UNREACHABLE_ANCHOR, encounter=encounter.id, other=encounter.anchor)
        for name in encounter.after:
            if name not in known:
                yield Fault(kind=FaultKind.UNKNOWN_PREDECESSOR, encounter=encounter.id, other=name)


def _cycle(plan: Sequence[PlannedEncounter]) -> tuple[str, ...]:
    """Ids along one cycle of "cannot be scheduled or take place before", first one repeated; or nothing."""
    setters = {encounter.sets: encounter for encounter in plan if encounter.sets is not None}
    graph: dict[str, set[str]] = {encounter.id: set(encounter.after) for encounter in plan}
    for encounter in plan:
        setter = setters.get(encounter.anchor) if encounter.anchor is not None else None
        # An encounter that sets its own anchor starts its part of the plan, unless it would have to take
        # place at a distance from itself.
        if setter is not None and (setter.id != encounter.id or encounter.offset.count != 0):
            graph[encounter.id].add(setter.id)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()


def _wrong_order(plan: Sequence[PlannedEncounter]) -> Iterator[Fault]:
    chains = _chains(plan)
    by_id = {encounter.id: encounter for encounter in plan}
    for encounter in plan:
        for name in encounter.after:
            predecessor = by_id.get(name)
            if predecessor is None or encounter.id not in chains or name not in chains:
                continue
            (root, offsets), (other_root, other_offsets) = chains[encounter.id], chains[name]
            if root != other_root:
                continue  # two beginnings: nothing is known of their distance
            nearest = min(_distances(other_offsets, offsets))
            same_anchor = encounter.anchor == predecessor.anchor
            if same_anchor and nearest + encounter.window_after_days < -predecessor.window_before_days:
                yield Fault(kind=FaultKind.WINDOW_BEFORE_PREDECESSOR, encounter=encounter.id, other=name)
            elif nearest < 0:
                yield Fault(kind=FaultKind.TARGET_BEFORE_PREDECESSOR, encounter=encounter.id, other=name)


def _chains(plan: Sequence[PlannedEncounter]) -> dict[str, tuple[str, tuple[Offset, ...]]]:
    """For each scheduled encounter, the anchor its chain begins with and the offsets from there to its target."""
    setters = {encounter.sets: encounter for encounter in plan if encounter.sets is not None}
    chains: dict[str, tuple[str, tuple[Offset, ...]]] = {}
    for encounter in plan:
        if encounter.anchor is None:
            continue
        anchor, setter = encounter.anchor, setters.get(encounter.anchor)
        offsets: tuple[Offset, ...] = (encounter.offset,)
        # The plan has no cycle; an encounter that sets its own anchor is where a chain begins.
        while setter is not None and setter.anchor is not None and setter.sets != setter.anchor:
            anchor, offsets = setter.anchor, (setter.offset, *offsets)
            setter = setters.get(anchor)
        chains[encounter.id] = (anchor, offsets)
    return chains


def _shared_days(first: PlannedEncounter, second: PlannedEncounter, distance: int) -> int:
    """Dates in both windows, negative when they are apart; ``distance`` is from the first target to the second."""
    opens = max(-first.window_before_days, distance - second.window_before_days)
    closes = min(first.window_after_days, distance + second.window_after_days)
    return closes - opens + 1


@lru_cache(maxsize=1024)
def _distances(one: tuple[Offset, ...], two: tuple[Offset, ...]) -> frozenset[int]:
    """Every number of days from the target of one chain of offsets to that of another, over all common anchors."""
    return frozenset(b - a for a, b in zip(_targets(one), _targets(two), strict=True))


@lru_cache(maxsize=256)
def _targets(chain: tuple[Offset, ...]) -> tuple[int, ...]:
    """The target's day number for each anchor date of a leap cycle."""
    if not chain:
        return tuple(_REFERENCE_DAY.toordinal() + day for day in range(_LEAP_CYCLE_DAYS))
    return tuple(chain[-1].after(date.fromordinal(day)).toordinal() for day in _targets(chain[:-1]))

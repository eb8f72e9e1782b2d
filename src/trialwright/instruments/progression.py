"""Confirmed worsening and improvement of a repeated measure, and its relation to relapses.

Sources: the parameters and their names in the literature: Montobbio et al., Mult Scler 2024;30:1185–1192; RAW and
PIRA: Lublin et al., Brain 2022;145:3147–3161; windows around event and confirmation: Müller et al., JAMA Neurol
2023;80:1232–1245. Where the literature leaves a choice, it is a parameter of :class:`Criteria` and none is hidden.

How it works. The baseline is the first visit without a relapse in the days before it. The first visit after it that
differs from the baseline by the least relevant change is an onset; it counts when a later visit inside the
confirmation window still shows the change and no visit in between lost it. With a roving baseline the confirmation
visit becomes the baseline, and the search goes on after it. With a fixed baseline the search goes on after the
change is lost, so one lasting change is one event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Literal, Protocol

from trialwright.foundation.errors import InvalidValue
from trialwright.instruments.exact import ARITHMETIC, exact


class Change(Enum):
    """Direction of a confirmed event."""

    WORSENING = "worsening"
    IMPROVEMENT = "improvement"


class Relation(Enum):
    """How a worsening stands to relapses."""

    RAW = "relapse_associated_worsening"
    PIRA = "progression_independent_of_relapse_activity"
    UNDETERMINED = "undetermined"


class Threshold(Protocol):
    """The least relevant change, as a function of the baseline."""

    def least_change(self, baseline: Decimal) -> Decimal:
        """Smallest difference that counts, in the measure's own unit, never negative."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EdssSteps:
    """EDSS: 1.5 from baseline 0, 1.0 above, and 0.5 from ``half_step_from`` on.

    Two conventions are in use and shift the result: the half step from 5.5 on (baseline above 5.0), or already
    from 5.0 on. Both are legitimate; which one is written in the protocol.
    """

    half_step_from: Decimal = Decimal("5.5")

    def least_change(self, baseline: Decimal) -> Decimal:
        if baseline == 0:
            return Decimal("1.5")
        return Decimal("0.5") if baseline >= self.half_step_from else Decimal("1.0")


@dataclass(frozen=True, slots=True)
class Relative:
    """A share of the baseline: ``Relative(Decimal("0.2"))`` for T25FW and 9-HPT."""

    share: Decimal

    def least_change(self, baseline: Decimal) -> Decimal:
        return ARITHMETIC.multiply(baseline.copy_abs(), self.share)


@dataclass(frozen=True, slots=True)
class Points:
    """A fixed number of points, whatever the baseline: ``Points(Decimal(4))`` for the SDMT."""

    points: Decimal

    def least_change(self, baseline: Decimal) -> Decimal:
        return self.points


@dataclass(frozen=True, slots=True)
class Smallest:
    """Whichever of several thresholds is reached first."""

    of: tuple[Threshold, ...]

    def least_change(self, baseline: Decimal) -> Decimal:
        return min(threshold.least_change(baseline) for threshold in self.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Everything that decides what a confirmed change is.

    Args:
        threshold: the least relevant change.
        higher_is_worse: False for the SDMT.
        confirm_after_days: distance of the confirmation visit from the onset (84 is 12 weeks, 168 is 24).
        early_days: the confirmation visit may be this many days earlier.
        late_days: and this many days later; None for any later visit.
        hold_between: every visit between onset and confirmation must show the change.
        baseline: ``fixed``, or ``roving`` to the confirmation visit of each event. A roving baseline moves on
            what happens after randomisation and can bias a comparison of arms.
        relapse_to_baseline_days: a visit less than this many days after a relapse's onset is no baseline.
        relapse_to_confirmation_days: nor does it confirm.
        raw_days: a worsening 0 to this many days after a relapse's onset is relapse-associated.
        pira_before_days, pira_after_days: a worsening is independent when no relapse began from this many days
            before to this many days after its onset, nor around its confirmation, ends included.

    Raises:
        InvalidValue: a negative number of days, or a confirmation window that reaches the onset.
    """

    threshold: Threshold
    higher_is_worse: bool = True
    confirm_after_days: int = 84
    early_days: int = 7
    late_days: int | None = 730
    hold_between: bool = True
    baseline: Literal["fixed", "roving"] = "fixed"
    relapse_to_baseline_days: int = 30
    relapse_to_confirmation_days: int = 30
    raw_days: int = 90
    pira_before_days: int = 90
    pira_after_days: int = 30

    def __post_init__(self) -> None:
        spans = {
            "early_days": self.early_days,
            "late_days": self.late_days or 0,
            "relapse_to_baseline_days": self.relapse_to_baseline_days,
            "relapse_to_confirmation_days": self.relapse_to_confirmation_days,
            "raw_days": self.raw_days,
            "pira_before_days": self.pira_before_days,
            "pira_after_days": self.pira_after_days,
        }
        for name, days in spans.items():
            if days < 0:
                raise InvalidValue(f"{name} is {days}", remedy="give a number of days, 0 or more", name=name)
        if self.confirm_after_days - self.early_days < 1:
            raise InvalidValue(
                "the confirmation window reaches the onset itself",
                remedy="make early_days smaller than confirm_after_days",
                given=self.early_days,
            )

    def reached(self, change: Change, baseline: Decimal, value: Decimal) -> bool:
        """Whether ``value`` differs from ``baseline`` by the least relevant change in that direction."""
        upwards = (change is Change.WORSENING) == self.higher_is_worse
        difference = ARITHMETIC.subtract(value, baseline)
        difference = difference if upwards else difference.copy_negate()
        return difference > 0 and difference >= self.threshold.least_change(baseline)


EDSS = Criteria(threshold=EdssSteps())
T25FW = Criteria(threshold=Relative(Decimal("0.2")))
NHPT = Criteria(threshold=Relative(Decimal("0.2")))
SDMT = Criteria(threshold=Smallest((Points(Decimal(4)), Relative(Decimal("0.2")))), higher_is_worse=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """One value of the measure on one local date.

    Args:
        on: local date.
        value: the measure, exactly; a whole number or text is taken as a decimal.
        confirms: False for an unscheduled visit that shall not confirm a change.

    Raises:
        InvalidValue: an instant instead of a date, or no number.
    """

    on: date
    value: Decimal
    confirms: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.on, datetime):
            raise InvalidValue(
                f"{self.on.isoformat()} is an instant, not a date",
                remedy="give the local date at the site",
                given=self.on.isoformat(),
            )
        object.__setattr__(self, "value", exact(self.value, name="value"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedChange:
    """One confirmed event.

    Attributes:
        change: worsening or improvement.
        baseline_on, onset_on, confirmed_on: local dates of the three visits.
        sustained_until: the last visit before the change was lost.
        sustained_to_end: it was never lost.
        relation: of a worsening, when relapses are known.
    """

    change: Change
    baseline_on: date
    onset_on: date
    confirmed_on: date
    sustained_until: date
    sustained_to_end: bool
    relation: Relation | None


def confirmed_changes(
    visits: Sequence[Visit], criteria: Criteria, relapses: Sequence[date] | None = None
) -> tuple[ConfirmedChange, ...]:
    """All confirmed changes of one participant, in order of time.

    Args:
        visits: in any order; a visit without a value is left out by the caller.
        criteria: see :class:`Criteria`.
        relapses: onset dates; an empty sequence says that there was none, None that nobody knows.

    Raises:
        InvalidValue: two visits on one date.
    """
    course = _Course(sorted(visits, key=lambda visit: visit.on), criteria, relapses)
    events = []
    baseline = course.next_baseline(0)
    index = 0 if baseline is None else baseline + 1
    while baseline is not None and index < len(course.visits):
        found = course.event_at(baseline, index)
        if found is None:
            index += 1
            continue
        event, confirmed, held_until = found
        events.append(event)
        if criteria.baseline == "fixed":
            index = held_until + 1
        else:
            baseline = course.next_baseline(confirmed)
            index = 0 if baseline is None else baseline + 1
    return tuple(events)


def first_worsening(
    visits: Sequence[Visit], criteria: Criteria, relapses: Sequence[date] | None = None
) -> ConfirmedChange | None:
    """The first confirmed worsening, or None; with a roving baseline, improvements before it move the baseline.

    Raises:
        InvalidValue: two visits on one date.
    """
    events = confirmed_changes(visits, criteria, relapses)
    return next((event for event in events if event.change is Change.WORSENING), None)


class _Course:
    """One participant's visits in order of time, read under one set of criteria."""

    def __init__(self, visits: Sequence[Visit], criteria: Criteria, relapses: Sequence[date] | None) -> None:
        for earlier, later in pairwise(visits):
            if earlier.on == later.on:
                raise InvalidValue(
                    f"two values on {later.on}", remedy="give one value for each date", given=str(later.on)
                )
        self.visits = visits
        self.values = [visit.value for visit in visits]
        self._criteria = criteria
        self._relapses = relapses

    def next_baseline(self, start: int) -> int | None:
        """Index of the first visit from ``start`` on that no relapse influences."""
        days = self._criteria.relapse_to_baseline_days
        return next((i for i in range(start, len(self.visits)) if not self._influenced(i, days)), None)

    def event_at(self, baseline: int, onset: int) -> tuple[ConfirmedChange, int, int] | None:
        """The confirmed change that begins at ``onset``, with the indices of confirmation and last held visit."""
        change = self._change_at(baseline, onset)
        confirmed = None if change is None else self._confirmation(change, baseline, onset)
        if change is None or confirmed is None:
            return None
        held_until = confirmed
        while held_until + 1 < len(self.visits) and self._shows(change, baseline, held_until + 1):
            held_until += 1
        event = ConfirmedChange(
            change=change,
            baseline_on=self.visits[baseline].on,
            onset_on=self.visits[onset].on,
            confirmed_on=self.visits[confirmed].on,
            sustained_until=self.visits[held_until].on,
            sustained_to_end=held_until == len(self.visits) - 1,
            relation=self._relation(onset, confirmed) if change is Change.WORSENING else None,
        )
        return event, confirmed, held_until

    def _shows(self, change: Change, baseline: int, index: int) -> bool:
        return self._criteria.reached(change, self.values[baseline], self.values[index])

    def _change_at(self, baseline: int, index: int) -> Change | None:
        return next((change for change in Change if self._shows(change, baseline, index)), None)

    def _confirmation(self, change: Change, baseline: int, onset: int) -> int | None:
        criteria = self._criteria
        first_day = criteria.confirm_after_days - criteria.early_days
        last_day = None if criteria.late_days is None else criteria.confirm_after_days + criteria.late_days
        for index in range(onset + 1, len(self.visits)):
            days = (self.visits[index].on - self.visits[onset].on).days
            if last_day is not None and days > last_day:
                return None
            if not self._shows(change, baseline, index):
                if criteria.hold_between:
                    return None
                continue
            influenced = self._influenced(index, criteria.relapse_to_confirmation_days)
            if days >= first_day and self.visits[index].confirms and not influenced:
                return index
        return None

    def _influenced(self, index: int, days: int) -> bool:
        on = self.visits[index].on
        return any(0 <= (on - relapse).days < days for relapse in self._relapses or ())

    def _relation(self, onset: int, confirmed: int) -> Relation | None:
        if self._relapses is None:
            return None
        criteria, began = self._criteria, self.visits[onset].on
        if any(0 <= (began - relapse).days <= criteria.raw_days for relapse in self._relapses):
            return Relation.RAW
        for checkpoint in (began, self.visits[confirmed].on):
            for relapse in self._relapses:
                if -criteria.pira_after_days <= (checkpoint - relapse).days <= criteria.pira_before_days:
                    return Relation.UNDETERMINED
        return Relation.PIRA

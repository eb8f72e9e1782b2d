"""One trial again: its data and figure, what every model makes of it, and the same by the full functions.

Its values can be pushed through the commands of a rehearsal: :func:`known_values` says what to enter,
:func:`from_record` analyses what then stands in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from trialwright.operating_characteristics.cases import Case
from trialwright.operating_characteristics.contracts import Data
from trialwright.operating_characteristics.courses import parts
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.figures import courses as drawn_courses
from trialwright.operating_characteristics.figures import event_curves
from trialwright.operating_characteristics.running import COMMON, Plan, prepared, simulated
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.timing import timing
from trialwright.protocol.folder import Study
from trialwright.statistics import CannotEstimate, Estimate


@dataclass(frozen=True)
class Row:
    """One participant in the data of one endpoint; None where a value is missing."""

    participant: int
    group: int
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Replayed:
    """One model of one trial.

    Attributes:
        model, endpoint: ids.
        rows: the data, a value for each visit of the endpoint (baseline first, where it has one); of a time to an
            event the months and whether it happened.
        visits: the encounter of each value; none for a time to an event.
        groups: arm or sequence of groups 0 and 1.
        fast, full: the estimate by the fast kernel and by the full function; None where there is none.
    """

    model: str
    endpoint: str
    rows: tuple[Row, ...]
    visits: tuple[str, ...]
    groups: tuple[str, str]
    fast: Estimate | None
    full: Estimate | None

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "model": self.model,
            "endpoint": self.endpoint,
            "fast": _plain(self.fast),
            "full": _plain(self.full),
            "visits": self.visits,
            "groups": self.groups,
            "rows": [asdict(row) for row in self.rows],
        }

    def figure(self, title: str) -> str:
        """The data as SVG."""
        of_group = {
            name: [row.values for row in self.rows if row.group == group] for group, name in enumerate(self.groups)
        }
        if not self.visits:
            return event_curves(
                title, {name: [(t or 0.0, bool(e)) for t, e in rows] for name, rows in of_group.items()}
            )
        return drawn_courses(title, self.visits, of_group)


@dataclass(frozen=True)
class KnownValues:
    """What a rehearsal of the trial would have to enter.

    Attributes:
        labels: arm or sequence of each participant, in the order of randomisation.
        values: (place, ``form.item``, encounter) → value, None where it is missing.
        left_out: endpoints whose values no form would find after randomisation.
    """

    labels: tuple[str, ...]
    values: Mapping[tuple[int, str, str], float | None]
    left_out: tuple[str, ...]


def replay(plan: Plan, setting: int, trial: int) -> tuple[Replayed, ...]:
    """Every model of one trial.

    Args:
        plan: the simulation.
        setting: place of the setting in the plan.
        trial: its number, from 0; it need not be below the number of trials that were simulated.

    Raises:
        CannotSimulate: a trial below 0.
    """
    return tuple(_one(case, data, trial % BLOCK) for case, data in _trial(plan, setting, trial))


def known_values(study: Study, plan: Plan, setting: int, trial: int) -> KnownValues:
    """What to enter, so that the record holds this trial.

    The value of a sum is shared out among its items as they are expected to be, given the sum; the last item takes
    what rounding leaves. Where two endpoints read one item, the first decides.

    Raises:
        CannotSimulate: as :func:`replay`, or no endpoint can be entered.
    """
    when = timing(study)
    values: dict[tuple[int, str, str], float | None] = {}
    labels: tuple[str, ...] = ()
    left_out: dict[str, None] = {}
    for case, data in _trial(plan, setting, trial):
        rows = data.rows(trial % BLOCK)
        labels = tuple(case.groups[group] for group, _ in rows)
        if not case.visits or any(when.months[visit] < when.randomised for visit in case.visits):
            left_out[case.endpoint] = None
            continue
        for place, (_, seen) in enumerate(rows):
            for visit, value in zip(case.visits, seen, strict=True):
                for item, part in parts(study, case.item, value).items():
                    values.setdefault((place, item, visit), part)
    if not values:
        raise CannotSimulate(
            "no endpoint of this trial is entered in a form after randomisation",
            remedy="use `trialwright rehearse` without it",
        )
    return KnownValues(labels, values, tuple(left_out))


def from_record(
    plan: Plan, setting: int, trial: int, read: Callable[[int, str, str], float | None]
) -> dict[str, Estimate | None]:
    """Model → estimate by the full function from what stands in the record; None where it cannot be estimated.

    Args:
        plan, setting, trial: as for :func:`replay`.
        read: (place, ``form.item``, encounter) → the recorded value.
    """
    found: dict[str, Estimate | None] = {}
    for case, data in _trial(plan, setting, trial):
        if not case.visits:
            continue
        people = len(data.rows(trial % BLOCK))
        recorded = [[read(place, case.item, visit) for visit in case.visits] for place in range(people)]
        found[case.model] = _full(case, data.again(trial % BLOCK, recorded), 0)
    return found


def _trial(plan: Plan, setting: int, trial: int) -> Sequence[tuple[Case, Data]]:
    if not 0 <= trial < 2**62:
        raise CannotSimulate(f"there is no trial {trial}", remedy="trials are numbered from 0")
    found, _, _ = prepared(plan.canonical, plan.settings[setting], plan.seed)
    streams = Streams(plan.seed, COMMON, trial // BLOCK, compiled=plan.compiled)
    return list(simulated(found, streams))


def _full(case: Case, data: Data, place: int) -> Estimate | None:
    try:
        return case.analysis.reference(data, place)
    except CannotEstimate:
        return None


def _one(case: Case, data: Data, place: int) -> Replayed:
    rows = tuple(Row(i + 1, group, values) for i, (group, values) in enumerate(data.rows(place)))
    fast = case.analysis.analyse(data).one(place)
    full = _full(case, data, place)
    estimate = None if fast.value != fast.value else fast
    return Replayed(case.model, case.endpoint, rows, case.visits, case.groups, estimate, full)


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    low, high = estimate.confidence_interval()
    return {**asdict(estimate), "p_value": estimate.p_value, "low": low, "high": high}

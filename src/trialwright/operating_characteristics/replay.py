"""One trial again: its data, what every model makes of it, and the same by the full functions of the statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from trialwright.operating_characteristics.cases import Case, Data
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.running import COMMON, Plan, prepared
from trialwright.operating_characteristics.streams import BLOCK, Streams
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
        rows: the data, a value for each visit of the endpoint (baseline first, where it has one).
        fast, full: the estimate by the fast kernel and by the full function; None where there is none.
    """

    model: str
    endpoint: str
    rows: tuple[Row, ...]
    fast: Estimate | None
    full: Estimate | None

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "model": self.model,
            "endpoint": self.endpoint,
            "fast": _plain(self.fast),
            "full": _plain(self.full),
            "rows": [asdict(row) for row in self.rows],
        }


def replay(plan: Plan, setting: int, trial: int) -> tuple[Replayed, ...]:
    """Every model of one trial.

    Args:
        plan: the simulation.
        setting: place of the setting in the plan.
        trial: its number, from 0; it need not be below the number of trials that were simulated.

    Raises:
        CannotSimulate: a trial below 0.
    """
    if not 0 <= trial < 2**62:
        raise CannotSimulate(f"there is no trial {trial}", remedy="trials are numbered from 0")
    found, _, _ = prepared(plan.canonical, plan.settings[setting], plan.seed)
    streams = Streams(plan.seed, COMMON, trial // BLOCK, compiled=plan.compiled)
    return tuple(_one(case, data, trial % BLOCK) for case, data in _data(found, streams))


def _data(found: list[Case], streams: Streams) -> Iterator[tuple[Case, Data]]:
    for endpoint in dict.fromkeys(case.endpoint for case in found):
        members = [case for case in found if case.endpoint == endpoint]
        data = members[0].world.simulate(streams)
        for case in members:
            yield case, data


def _one(case: Case, data: Data, place: int) -> Replayed:
    rows = tuple(Row(i + 1, group, values) for i, (group, values) in enumerate(data.rows(place)))
    fast = case.analysis.analyse(data).one(place)
    try:
        full = case.analysis.reference(data, place)
    except CannotEstimate:
        full = None
    return Replayed(case.model, case.endpoint, rows, None if fast.value != fast.value else fast, full)


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    low, high = estimate.confidence_interval()
    return {**asdict(estimate), "p_value": estimate.p_value, "low": low, "high": high}

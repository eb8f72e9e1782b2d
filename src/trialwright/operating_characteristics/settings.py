"""Points of the grid: a scenario with every number that may differ from the study's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any, Literal

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.protocol.folder import Study
from trialwright.protocol.simulation import MOST_PARTICIPANTS, Grid, Misrating, Scenario


@dataclass(frozen=True)
class Setting:
    """One world to be simulated.

    Attributes:
        scenario: id in ``simulation.yaml``.
        participants: randomised.
        effect, spread, accrual: multiples of what the file says.
        dropout_per_year, missed_visit, carry_over, manufacture_failure: probabilities and shares, as in the file.
        misrated, misrated_by: share of values recorded too high or too low, and by how much.
        models: ids of the models that are asked for; all where empty.
        differs: what differs from the scenario as the file has it.
        looks: whether looks at accumulating data are tried, too.
    """

    scenario: str
    participants: int
    effect: float
    spread: float
    covariance: Literal["compound_symmetry", "autoregressive"]
    dropout_per_year: float
    missed_visit: float
    carry_over: float
    manufacture_failure: float
    misrated: float
    misrated_by: float
    accrual: float
    models: tuple[str, ...] = ()
    differs: tuple[tuple[str, str], ...] = ()
    looks: bool = True

    def __post_init__(self) -> None:
        if not 2 <= self.participants <= MOST_PARTICIPANTS:
            raise CannotSimulate(f"{self.participants} participants", remedy=f"give 2 to {MOST_PARTICIPANTS}")

    @property
    def id(self) -> str:
        """The scenario, and what was asked to differ: unique within a study's grids."""
        return ", ".join((self.scenario, *(f"{name} {value}" for name, value in self.differs)))


def settings(
    study: Study, *, scenarios: tuple[str, ...] = (), participants: int | None = None, grids: bool = True
) -> tuple[Setting, ...]:
    """All points of the study's grids, in the order of the file; the same point is simulated once.

    Args:
        study: with ``simulation.yaml``.
        scenarios: only these, where any are named.
        participants: instead of every number in the file.
        grids: whether the grids of the file count; else each scenario as it stands.

    Raises:
        CannotSimulate: a scenario that the study does not have, or an impossible number of participants.
    """
    known = {scenario.id: scenario for scenario in study.simulation.scenarios}
    for wanted in scenarios:
        if wanted not in known:
            raise CannotSimulate(
                f"the study has no scenario {wanted!r}", remedy=f"use one of {', '.join(known)}", given=wanted
            )
    found: dict[Setting, None] = {}
    for grid in (study.simulation.grids if grids else ()) or (Grid(),):
        for name in grid.scenarios or tuple(known):
            if name not in known:
                raise CannotSimulate(f"a grid names the scenario {name!r}", remedy=f"use one of {', '.join(known)}")
            if not scenarios or name in scenarios:
                points = _product(study, known[name], grid, participants)
                # A point with all its models needs no second time with some of them.
                found |= dict.fromkeys(point for point in points if replace(point, models=()) not in found)
    return tuple(found)


def _product(study: Study, scenario: Scenario, grid: Grid, participants: int | None) -> list[Setting]:
    own = _own(study, scenario)
    numbers = (participants,) if participants is not None else grid.participants
    axes: dict[str, tuple[object, ...]] = {
        "participants": numbers,
        "effect": tuple(map(_number, grid.effect)),
        "spread": tuple(map(_number, grid.spread)),
        "covariance": grid.covariance,
        "dropout_per_year": tuple(map(_number, grid.dropout_per_year)),
        "missed_visit": tuple(map(_number, grid.missed_visit)),
        "carry_over": tuple(map(_number, grid.carry_over)),
        "manufacture_failure": tuple(map(_number, grid.manufacture_failure)),
        "misrating": grid.misrating,
        "accrual": tuple(map(_number, grid.accrual)),
    }
    given = {name: values for name, values in axes.items() if values}
    return [_moved(own, dict(zip(given, point, strict=True)), grid.models) for point in product(*given.values())]


def _own(study: Study, scenario: Scenario) -> Setting:
    """The scenario as the file has it."""
    simulation = study.simulation
    return Setting(
        scenario=scenario.id,
        participants=study.identity.planned_participants,
        effect=1.0,
        spread=1.0,
        covariance="compound_symmetry",
        dropout_per_year=_number(simulation.dropout_per_year),
        missed_visit=_number(simulation.missed_visit),
        carry_over=_number(scenario.carry_over),
        manufacture_failure=_number(simulation.manufacture_failure),
        misrated=0.0,
        misrated_by=0.0,
        accrual=1.0,
    )


def _moved(own: Setting, point: dict[str, object], models: tuple[str, ...]) -> Setting:
    misrating = point.pop("misrating", None)
    if isinstance(misrating, Misrating):
        point |= {"misrated": _number(misrating.share), "misrated_by": _number(misrating.by)}
    differs = tuple((name, _shown(value)) for name, value in point.items() if value != getattr(own, name))
    changed: dict[str, Any] = {**point, "models": models, "differs": differs}
    return replace(own, **changed)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(text: str) -> float:
    return float(Fraction(text))

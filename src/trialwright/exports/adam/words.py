"""How words of the plan are called in the data sets: populations, parameters, strata, visits, periods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from trialwright.exports.adam.errors import PlanNotMapped
from trialwright.protocol import Study
from trialwright.protocol.analysis import Endpoint, Estimand
from trialwright.protocol.mapping import Target, target_of
from trialwright.protocol.schedule import Encounter

POPULATIONS: Mapping[str, str] = {
    "full_analysis": "FASFL",
    "intention_to_treat": "ITTFL",
    "per_protocol": "PPROTFL",
    "safety_set": "SAFFL",
    "safety": "SAFFL",
    "randomised": "RANDFL",
}
"""Names that ADaM has for populations (ADaMIG 1.3, table 3.2.6); others are made from the plan's name."""

RESERVED = frozenset({"ENRLFL", "DTHFL", "TRTEMFL", "ABLFL", "ANL01FL"})
ALL_VALUES = "ANL01FL"
"""Flag of what is analysed whatever happened to a participant."""


@dataclass(frozen=True)
class Parameter:
    """What ADEFF or ADTTE calls a parameter.

    Attributes:
        code: PARAMCD, unique in the package.
        label: PARAM, with its unit.
        item: ``form.item`` of the study.
        target: where the item stands in the tabulation data sets.
        visits: encounters that some endpoint looks at.
        baseline: encounter of the baseline, or None.
        survival: whether it is a time to an event.
        variable: where the date of the event stands, if it is written when it happens and not asked at visits.
    """

    code: str
    label: str
    item: str
    target: Target
    visits: tuple[str, ...]
    baseline: str | None
    survival: bool
    variable: str | None = None


@dataclass(frozen=True)
class LeftOutAfter:
    """An intercurrent event after whose first day values are not analysed.

    Attributes:
        item: ``form.item`` of its date.
        label: of the event.
        strategy: as the plan names it.
        target: where the date stands in the tabulation data sets.
    """

    item: str
    label: str
    strategy: str
    target: Target


class PlanWords:
    """Names of the data sets' variables and values for words of a plan.

    Args:
        study: the study as last approved.
        language: of labels.

    Raises:
        PlanNotMapped: when asked for an endpoint whose item has no place in the tabulation data sets.
    """

    def __init__(self, study: Study, language: str = "en") -> None:
        self._study = study
        self._language = language

    def text(self, words: Mapping[str, str]) -> str:
        """A text in the language, or in the study's first."""
        return words.get(self._language) or next(iter(words.values()))

    @cached_property
    def populations(self) -> Mapping[str, str]:
        """Population of the plan → its flag in ADSL."""
        flags: dict[str, str] = {}
        for population in self._study.analysis.populations:
            flag = POPULATIONS.get(population.id) or f"{_short(population.id, 6)}FL"
            flags[population.id] = _apart(flag, {*flags.values(), *RESERVED}, suffix="FL")
        return flags

    @cached_property
    def strata(self) -> Mapping[str, str]:
        """Randomisation factor → its variable in ADSL."""
        found: dict[str, str] = {}
        for stratum in self._study.randomisation.strata:
            found[stratum.id] = _apart(_short(stratum.id, 8), set(found.values()))
        return found

    @cached_property
    def encounters(self) -> Mapping[str, Encounter]:
        """Encounter by id."""
        return {encounter.id: encounter for encounter in self._study.schedule.encounters}

    @cached_property
    def visit_numbers(self) -> Mapping[str, int]:
        """Encounter → AVISITN, the number that the tabulation data sets give the visit."""
        return {name: number for number, name in enumerate(self.encounters, start=1)}

    @cached_property
    def periods(self) -> Mapping[str, int]:
        """Period → APERIOD, from 1; a parallel study has none."""
        return {period.id: number for number, period in enumerate(self._study.identity.periods, start=1)}

    def period_of(self, encounter: str) -> int | None:
        """APERIOD of an encounter, None outside periods."""
        planned = self.encounters.get(encounter)
        return self.periods.get(planned.period) if planned is not None and planned.period else None

    def parameter(self, endpoint: Endpoint) -> Parameter:
        """The parameter that an endpoint looks at."""
        survival = endpoint.measure == "time_to_event"
        return self.parameters[endpoint.item, survival]

    @cached_property
    def left_out(self) -> Mapping[str, tuple[LeftOutAfter, ...]]:
        """Analysis flag → events after which it is not set. The first, for no such event, is :data:`ALL_VALUES`."""
        found: dict[str, tuple[LeftOutAfter, ...]] = {ALL_VALUES: ()}
        for estimand in self._study.analysis.estimands:
            events = self._events(estimand)
            if events not in found.values():
                found[f"ANL{len(found) + 1:02}FL"] = events
        return found

    def flag(self, estimand: Estimand) -> str:
        """The flag of the values that an estimand analyses."""
        events = self._events(estimand)
        return next(flag for flag, known in self.left_out.items() if known == events)

    def _events(self, estimand: Estimand) -> tuple[LeftOutAfter, ...]:
        """In one order, so that estimands with the same events share a flag."""
        found = {
            (event.begins, event.strategy): LeftOutAfter(
                event.begins, self.text(event.label), event.strategy, self._date(event.begins)
            )
            for event in estimand.intercurrent
            if event.leaves_out and event.begins is not None
        }
        return tuple(found[key] for key in sorted(found))

    def _date(self, name: str) -> Target:
        form_id, _, item_id = name.partition(".")
        form = self._study.forms.get(form_id)
        item = next((one for one in form.items() if one.id == item_id), None) if form is not None else None
        target = target_of(form, item) if form is not None and item is not None else None
        if target is None or target.supplemental:
            raise PlanNotMapped(
                f"an intercurrent event begins at {name}, which stands in no tabulated record",
                remedy="give the item an `sdtm:` mapping to a date of the event",
                item=name,
            )
        return target

    @cached_property
    def parameters(self) -> Mapping[tuple[str, bool], Parameter]:
        """(item, whether a time to an event) → parameter, in the order of the plan."""
        found: dict[tuple[str, bool], Parameter] = {}
        for endpoint in self._study.analysis.endpoints:
            key = (endpoint.item, endpoint.measure == "time_to_event")
            known = found.get(key)
            visits = dict.fromkeys((*(known.visits if known else ()), *endpoint.at))
            if known is not None and endpoint.baseline not in (None, known.baseline) and known.baseline is not None:
                raise PlanNotMapped(
                    f"{endpoint.item} has two baselines in the plan: {known.baseline} and {endpoint.baseline}",
                    remedy="count all endpoints of one item from one baseline",
                    item=endpoint.item,
                )
            target, label = self._target(endpoint)
            occurs = key[1] and endpoint.item.partition(".")[0] in self._study.schedule.log_forms
            if occurs:
                label = self.text(endpoint.label)
            named = endpoint.id if occurs else target.test or target.variable
            taken = {parameter.code for other, parameter in found.items() if other != key}
            found[key] = Parameter(
                code=known.code if known else _apart(_short(named, 8), taken),
                label=label,
                item=endpoint.item,
                target=target,
                visits=tuple(visits),
                baseline=endpoint.baseline or (known.baseline if known else None),
                survival=key[1],
                variable=target.variable if occurs else None,
            )
        return found

    def _target(self, endpoint: Endpoint) -> tuple[Target, str]:
        form_id, _, item_id = endpoint.item.partition(".")
        form = self._study.forms.get(form_id)
        item = next((one for one in form.items() if one.id == item_id), None) if form is not None else None
        target = target_of(form, item) if form is not None and item is not None else None
        if item is None or target is None or not (target.is_result or endpoint.measure == "time_to_event"):
            raise PlanNotMapped(
                f"the endpoint {endpoint.id} looks at {endpoint.item}, which is no tabulated result",
                remedy="give the item an `sdtm:` mapping with a test",
                endpoint=endpoint.id,
            )
        name = self.text(item.label)
        unit = f" ({item.units[0]})" if item.units and item.units[0] not in name else ""
        return target, f"{name}{unit}"


def _short(name: str, length: int) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())[:length] or "X"


def _apart(name: str, taken: set[str], suffix: str = "") -> str:
    """The name, or one with a number that nobody has yet."""
    stem = name.removesuffix(suffix)
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        room = 8 - len(suffix) - len(str(number))
        candidate = f"{stem[:room]}{number}{suffix}"
    return candidate

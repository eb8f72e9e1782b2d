"""What the simulation says: each number with its Monte-Carlo standard error, and in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from trialwright.operating_characteristics.cases import Case, Measure, NotSimulated
from trialwright.operating_characteristics.looks import Looks
from trialwright.operating_characteristics.running import CONDUCT, Plan, Results, looks_key, prepared
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.tallies import Tally, mean_and_error, share_and_error, spread_and_error
from trialwright.protocol.folder import Study

Number = tuple[float, float]
"""(value, Monte-Carlo standard error)."""


@dataclass(frozen=True)
class Answer:
    """What one model shows in one setting.

    Attributes:
        setting: the point of the grid.
        kind: of its scenario: null, expected, …
        model: id in ``analysis.yaml``.
        trials: simulated.
        truth: the difference that the treatment makes when everybody gets it.
        significant: share of trials with p below alpha: power, or type-I error where the truth is 0.
        bias: mean of estimate − truth.
        coverage: share of confidence intervals that hold the truth, of the trials with an estimate.
        half_width: mean half-width of the confidence interval.
        standard_error: mean of the estimated standard errors.
        empirical_error: standard deviation of the estimates.
        not_estimated: share of trials without an estimate; they count as trials that showed nothing.
        notes: where the simulation is simpler than the plan.
        measure: what truth, bias and half-width are of.
        primary: whether it is the main model of the primary estimand.
    """

    setting: Setting
    kind: str
    model: str
    trials: int
    truth: float
    significant: Number
    bias: Number | None
    coverage: Number | None
    half_width: Number | None
    standard_error: Number | None
    empirical_error: Number | None
    not_estimated: Number
    notes: tuple[str, ...]
    measure: Measure
    primary: bool

    @property
    def question(self) -> str:
        """``power`` or ``type_1_error``."""
        return "type_1_error" if self.truth == 0 else "power"

    def sentence(self) -> str:
        """The answer for people who do not read tables."""
        share, error = self.significant
        found = f"in {_of_100(share)} of 100 trials"
        precisely = f"({self.model}: {100 * share:.1f} ± {196 * error:.1f} %)"
        people = f"With {self.setting.participants} participants this design"
        if self.truth == 0:
            return f"{people} finds a difference that is not there {found} {precisely}."
        return f"{people} finds {self.difference()} {found} {precisely}."

    def difference(self) -> str:
        """The true difference in words."""
        if self.measure == "difference":
            return f"a difference of {_signed(self.truth)}"
        kind = "rate" if self.measure == "log_rate_ratio" else "hazard"
        return f"a {kind} ratio of {math.exp(self.truth):.3g}"


@dataclass(frozen=True)
class LooksAnswer:
    """What looks at accumulating data bring in one setting.

    Attributes:
        setting, kind, truth: as in :class:`Answer`.
        looks: id in ``simulation.yaml``.
        model: fitted at each look.
        participants: how many have their outcome at each look.
        bounds: critical value of \\|Z\\| at each look.
        stopped: share of trials that stop at each look.
        significant: share of trials that stop at any.
        needed: mean number of participants with an outcome when a trial ends.
    """

    setting: Setting
    kind: str
    truth: float
    looks: str
    model: str
    participants: tuple[int, ...]
    bounds: tuple[float, ...]
    stopped: tuple[Number, ...]
    significant: Number
    needed: Number | None

    def sentence(self) -> str:
        """The answer for people who do not read tables."""
        share, error = self.significant
        early = sum(stop for stop, _ in self.stopped[:-1])
        needed = "" if self.needed is None else f", after {self.needed[0]:.1f} participants on average"
        what = "a difference that is not there" if self.truth == 0 else "the difference"
        return (
            f"With looks at {', '.join(map(str, self.participants))} participants this design finds {what} in "
            f"{_of_100(share)} of 100 trials ({self.looks}: {100 * share:.1f} ± {196 * error:.1f} %), "
            f"{_of_100(early)} of them before the end{needed}."
        )


@dataclass(frozen=True)
class ConductAnswer:
    """How the trial goes in one setting; None where the file says nothing about it.

    Attributes:
        accrual_months: until the last participant is randomised.
        duration_months: until the last participant's last visit.
        failed_products: number of attempts to make a product that fail.
        cancelled_slots: number of administrations that are called off, because every attempt failed.
        without: participants who miss at least one administration for want of product.
        some_without: probability that there is any such participant.
        too_few_places: probability that the laboratory is ever asked for more products at once than it has places.
    """

    setting: Setting
    accrual_months: Number | None
    duration_months: Number | None
    failed_products: Number | None
    cancelled_slots: Number | None
    without: Number | None
    some_without: Number | None
    too_few_places: Number | None


@dataclass(frozen=True)
class Report:
    """All answers of a simulation."""

    study: str
    seed: int
    alpha: float
    answers: tuple[Answer, ...]
    looks: tuple[LooksAnswer, ...]
    conduct: tuple[ConductAnswer, ...]
    left_out: tuple[NotSimulated, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "study": self.study,
            "seed": self.seed,
            "alpha": self.alpha,
            "answers": [
                {
                    "setting": each.setting.id,
                    "question": each.question,
                    **{name: value for name, value in asdict(each).items() if name != "setting"},
                    "participants": each.setting.participants,
                    "scenario": each.setting.scenario,
                    "sentence": each.sentence(),
                }
                for each in self.answers
            ],
            "looks": [
                {
                    "setting": each.setting.id,
                    **{name: value for name, value in asdict(each).items() if name != "setting"},
                    "sentence": each.sentence(),
                }
                for each in self.looks
            ],
            "conduct": [
                {"setting": each.setting.id, **{n: v for n, v in asdict(each).items() if n != "setting"}}
                for each in self.conduct
            ],
            "not_simulated": [asdict(each) for each in self.left_out],
        }


def report(study: Study, plan: Plan, results: Sequence[Results]) -> Report:
    """The answers of finished simulations."""
    kinds = {scenario.id: scenario.kind for scenario in study.simulation.scenarios}
    primary = _primary(study)
    answers: list[Answer] = []
    looks: list[LooksAnswer] = []
    going: list[ConductAnswer] = []
    left_out: dict[NotSimulated, None] = {}
    for setting, sums in zip(plan.settings, results, strict=True):
        found, lacking, _ = prepared(plan.canonical, setting, plan.seed)
        left_out |= dict.fromkeys(lacking)
        going.append(_conduct(setting, sums[CONDUCT]))
        kind = kinds[setting.scenario]
        answers += [_answer(setting, kind, case, sums[case.model], case.model in primary) for case in found]
        looks += [
            _looks(setting, kind, case, name, each, sums[looks_key(name)])
            for case in found
            for name, each in case.looks
        ]
    alpha = float(study.analysis.alpha)
    return Report(study.identity.id, plan.seed, alpha, tuple(answers), tuple(looks), tuple(going), tuple(left_out))


def _primary(study: Study) -> set[str]:
    """The main models of the primary estimand."""
    estimands = {estimand.id for estimand in study.analysis.estimands if estimand.kind == "primary"}
    return {m.id for m in study.analysis.models if m.estimand in estimands and m.role == "main"}


def _answer(setting: Setting, kind: str, case: Case, sums: Tally, primary: bool) -> Answer:
    trials, estimated = sums["trials"], sums["estimated"]
    return Answer(
        setting=setting,
        kind=kind,
        model=case.model,
        trials=int(trials),
        truth=case.truth,
        significant=_certain(share_and_error(sums["significant"], trials)),
        bias=mean_and_error(sums, "off", "estimated"),
        coverage=share_and_error(sums["covered"], estimated),
        half_width=mean_and_error(sums, "half_width", "estimated"),
        standard_error=mean_and_error(sums, "error", "estimated"),
        empirical_error=spread_and_error(sums, "off", "estimated"),
        not_estimated=_certain(share_and_error(trials - estimated, trials)),
        notes=case.notes,
        measure=case.measure,
        primary=primary,
    )


def _conduct(setting: Setting, sums: Mapping[str, float]) -> ConductAnswer:
    return ConductAnswer(
        setting=setting,
        accrual_months=mean_and_error(sums, "accrual", "accrual_count"),
        duration_months=mean_and_error(sums, "duration", "duration_count"),
        failed_products=mean_and_error(sums, "failed_products", "failed_products_count"),
        cancelled_slots=mean_and_error(sums, "cancelled_slots", "cancelled_slots_count"),
        without=mean_and_error(sums, "without", "without_count"),
        some_without=_share_of(sums, "some_without"),
        too_few_places=_share_of(sums, "too_few_places"),
    )


def _share_of(sums: Mapping[str, float], name: str) -> Number | None:
    return share_and_error(sums[name], sums["trials"]) if name in sums else None


def _looks(setting: Setting, kind: str, case: Case, name: str, looks: Looks, sums: Tally) -> LooksAnswer:
    trials = sums["trials"]
    stops = [sums[f"stopped_{k}"] for k in range(1, len(looks.participants) + 1)]
    return LooksAnswer(
        setting=setting,
        kind=kind,
        truth=case.truth,
        looks=name,
        model=case.model,
        participants=looks.participants,
        bounds=tuple(float(bound) for bound in looks.bounds),
        stopped=tuple(_certain(share_and_error(stop, trials)) for stop in stops),
        significant=_certain(share_and_error(sum(stops), trials)),
        needed=mean_and_error(sums, "participants", "participants_count"),
    )


def _signed(number: float) -> str:
    return f"{number:.4g}".replace("-", "−")


def _of_100(share: float) -> str:
    """A whole number of trials; a rare one with a decimal, so that 0.4 of 100 is not said to be 0."""
    return f"{100 * share:.0f}" if share == 0 or 100 * share >= 9.5 else f"{100 * share:.1f}"


def _certain(found: Number | None) -> Number:
    assert found is not None, "every setting has trials"
    return found

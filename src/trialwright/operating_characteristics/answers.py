"""What the simulation says: each number with its Monte-Carlo standard error, and in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from trialwright.operating_characteristics.cases import Case, Measure, NotSimulated
from trialwright.operating_characteristics.running import CONDUCT, Plan, Results, prepared
from trialwright.operating_characteristics.settings import Setting
from trialwright.operating_characteristics.tallies import Tally, mean_and_error, share_and_error
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
    empirical_error: float | None
    not_estimated: Number
    notes: tuple[str, ...]
    measure: Measure

    @property
    def question(self) -> str:
        """``power`` or ``type_1_error``."""
        return "type_1_error" if self.truth == 0 else "power"

    def sentence(self) -> str:
        """The answer for people who do not read tables."""
        share, error = self.significant
        found = f"in {100 * share:.1f} of 100 trials (±{196 * error:.1f})"
        people = f"{self.setting.participants} participants"
        if self.truth == 0:
            return f"With {people} and no difference at all, {self.model} finds one by mistake {found}."
        if self.measure == "log_rate_ratio":
            return f"With {people}, {self.model} finds a rate ratio of {math.exp(self.truth):.3g} {found}."
        return f"With {people}, {self.model} finds a difference of {self.truth:g} {found}."


@dataclass(frozen=True)
class ConductAnswer:
    """How the trial goes in one setting; None where the file says nothing about it.

    Attributes:
        accrual_months: until the last participant is randomised.
        duration_months: until the last participant's last visit.
        failed_products: number of products that fail.
        without: participants who miss at least one injection for want of product.
        some_without: probability that there is any such participant.
    """

    setting: Setting
    accrual_months: Number | None
    duration_months: Number | None
    failed_products: Number | None
    without: Number | None
    some_without: Number | None


@dataclass(frozen=True)
class Report:
    """All answers of a simulation."""

    study: str
    seed: int
    answers: tuple[Answer, ...]
    conduct: tuple[ConductAnswer, ...]
    left_out: tuple[NotSimulated, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "study": self.study,
            "seed": self.seed,
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
            "conduct": [
                {"setting": each.setting.id, **{n: v for n, v in asdict(each).items() if n != "setting"}}
                for each in self.conduct
            ],
            "not_simulated": [asdict(each) for each in self.left_out],
        }


def report(study: Study, plan: Plan, results: Sequence[Results]) -> Report:
    """The answers of finished simulations."""
    kinds = {scenario.id: scenario.kind for scenario in study.simulation.scenarios}
    answers: list[Answer] = []
    going: list[ConductAnswer] = []
    left_out: dict[NotSimulated, None] = {}
    for setting, sums in zip(plan.settings, results, strict=True):
        found, lacking, _ = prepared(plan.canonical, setting, plan.seed)
        left_out |= dict.fromkeys(lacking)
        going.append(_conduct(setting, sums[CONDUCT]))
        answers += [_answer(setting, kinds[setting.scenario], case, sums[case.model]) for case in found]
    return Report(study.identity.id, plan.seed, tuple(answers), tuple(going), tuple(left_out))


def _answer(setting: Setting, kind: str, case: Case, sums: Tally) -> Answer:
    trials, estimated = sums["trials"], sums["estimated"]
    off = mean_and_error(sums, "off", "estimated")
    return Answer(
        setting=setting,
        kind=kind,
        model=case.model,
        trials=int(trials),
        truth=case.truth,
        significant=_certain(share_and_error(sums["significant"], trials)),
        bias=off,
        coverage=share_and_error(sums["covered"], estimated),
        half_width=mean_and_error(sums, "half_width", "estimated"),
        standard_error=mean_and_error(sums, "error", "estimated"),
        empirical_error=None if off is None else off[1] * estimated**0.5,
        not_estimated=_certain(share_and_error(trials - estimated, trials)),
        notes=case.notes,
        measure=case.measure,
    )


def _conduct(setting: Setting, sums: Mapping[str, float]) -> ConductAnswer:
    return ConductAnswer(
        setting=setting,
        accrual_months=mean_and_error(sums, "accrual", "accrual_count"),
        duration_months=mean_and_error(sums, "duration", "duration_count"),
        failed_products=mean_and_error(sums, "failed_products", "failed_products_count"),
        without=mean_and_error(sums, "without", "without_count"),
        some_without=share_and_error(sums["some_without"], sums["trials"]) if "some_without" in sums else None,
    )


def _certain(found: Number | None) -> Number:
    assert found is not None, "every setting has trials"
    return found

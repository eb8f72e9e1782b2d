"""Gate criteria over the case book, release criteria over the laboratory's values, and the dose by the rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from trialwright.build import Build, ItemReference, ItemValue, value_of
from trialwright.expressions import Value, Verdict
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity
from trialwright.protocol.custody import Dose
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.custody.events import CriterionResult, MeasuredValue


def gate_results(build: Build, casebook: CaseBook, before: str, encounter: str) -> tuple[CriterionResult, ...]:
    """Every gate criterion for this kind of act, from the data of the encounter.

    Args:
        before: collection or administration.
        encounter: where the gate's forms were filled.
    """
    found = []
    for name, gate in build.gates.items():
        if before in gate.gate.before:
            row = casebook.row(build, gate.condition.references, encounter)
            found.append(_result(name, gate.verdict(row)))
    return tuple(found)


def release_results(build: Build, values: Mapping[str, MeasuredValue]) -> tuple[CriterionResult, ...]:
    """Every release criterion, from the laboratory's values."""
    row: dict[str, Value] = {
        name: value_of(build.measurements[name], ItemValue(text=value.text, unit=value.unit))
        for name, value in values.items()
        if name in build.measurements
    }
    return tuple(_result(name, criterion.verdict(row)) for name, criterion in build.release.items())


def unmet(results: Iterable[CriterionResult]) -> str:
    """The criteria that do not hold, in words; empty when all do."""
    return "; ".join(
        f"{r.criterion} is {r.verdict}" + (f" (missing: {', '.join(r.missing)})" if r.missing else "")
        for r in results
        if r.verdict != "yes"
    )


def planned_dose(build: Build, dose: Dose, casebook: CaseBook, encounter: str) -> Fraction | None:
    """The dose by the rule, in the rule's unit; None while there is no weight on record.

    The weight is converted to kilograms exactly; the cap is :attr:`Dose.maximum`.
    """
    form, _, item = dose.weight.partition(".")
    weight = casebook.row(build, (ItemReference(dose.weight, form, item),), encounter).get(dose.weight)
    if isinstance(weight, Quantity):
        kilograms = weight.to("kg")
    elif isinstance(weight, Decimal):
        kilograms = Fraction(weight)
    else:
        return None
    return min(kilograms * Fraction(dose.per_kg), Fraction(dose.maximum))


def dose_text(dose: Fraction) -> str:
    """A computed dose as decimal text, three places at most."""
    exact = Decimal(dose.numerator) / dose.denominator
    text = f"{exact.quantize(Decimal('0.001'), rounding=ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")


def _result(criterion: str, verdict: Verdict) -> CriterionResult:
    missing = tuple(reason.about for reason in verdict.reasons if isinstance(reason.why, MissingReason))
    return CriterionResult(criterion=criterion, verdict=verdict.truth.value, missing=missing)

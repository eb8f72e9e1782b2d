"""Relapse: when reported symptoms are one, and when an examination confirms it.

Sources: definition (24 hours, 30 days apart, no fever or infection): Thompson et al., Lancet Neurol
2018;17:162–173. Confirmation by EDSS or functional systems: as in Kappos et al., N Engl J Med
2010;362:387–401.
"""

from __future__ import annotations

from trialwright.foundation.truth import Truth, all_of, any_of
from trialwright.instruments.exact import Number, between, exact, grade


def is_relapse(
    duration_hours: Number | None,
    days_since_previous: Number | None,
    fever_or_infection: bool | None,
    least_hours: Number = 24,
    least_days: Number = 30,
) -> Truth:
    """Whether symptoms meet the definition of a relapse. A missing fact leaves it unknown, unless another decides.

    Args:
        duration_hours: how long the symptoms lasted.
        days_since_previous: days from the onset of the previous relapse to this onset; give a large number
            when there is no previous one.
        fever_or_infection: whether either was present.
        least_hours, least_days: limits, both included.

    Raises:
        InvalidValue: a negative number or no number.
    """
    return all_of(
        (
            _at_least(duration_hours, least_hours, "duration_hours"),
            _at_least(days_since_previous, least_days, "days_since_previous"),
            ~Truth.of(fever_or_infection),
        )
    )


def confirmed_by_examination(
    edss_before: Number | None,
    edss_at: Number | None,
    largest_system_increase: Number | None,
    systems_increased: Number | None,
    least_edss: Number = "0.5",
) -> Truth:
    """Whether an examination confirms a relapse: EDSS up by half a step, one system by two, or two by one.

    Args:
        edss_before, edss_at: steps before and at the relapse.
        largest_system_increase: the largest increase of one functional system, bowel/bladder and cerebral left
            out.
        systems_increased: how many of those systems increased by one or more.
        least_edss: smallest increase of the EDSS that confirms.

    Raises:
        InvalidValue: an EDSS outside 0–10, or a count outside its range.
    """
    steps = Truth.UNKNOWN
    if edss_before is not None and edss_at is not None:
        increase = between(edss_at, 0, 10, name="edss_at") - between(edss_before, 0, 10, name="edss_before")
        steps = Truth.of(increase >= exact(least_edss, name="least_edss"))
    largest = _count_at_least(largest_system_increase, 2, 6, "largest_system_increase")
    several = _count_at_least(systems_increased, 2, 5, "systems_increased")
    return any_of((steps, largest, several))


def _at_least(value: Number | None, limit: Number, name: str) -> Truth:
    if value is None:
        return Truth.UNKNOWN
    return Truth.of(between(value, 0, "1e9", name=name) >= exact(limit, name="limit"))


def _count_at_least(value: Number | None, limit: int, highest: int, name: str) -> Truth:
    return Truth.UNKNOWN if value is None else Truth.of(grade(value, 0, highest, name=name) >= limit)

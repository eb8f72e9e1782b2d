"""Laws of the instruments over random ratings and courses."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.instruments import edss, msfc, nhpt, t25fw
from trialwright.instruments.progression import (
    Change,
    Criteria,
    EdssSteps,
    Points,
    Relative,
    Smallest,
    Visit,
    confirmed_changes,
    first_worsening,
)

HIGHEST = {
    "visual": 6,
    "brainstem": 5,
    "pyramidal": 6,
    "cerebellar": 5,
    "sensory": 6,
    "bowel_bladder": 6,
    "cerebral": 5,
}
RATINGS = st.fixed_dictionaries({name: st.integers(0, high) for name, high in HIGHEST.items()})
SCALES = st.sampled_from([("neurostatus16", 16), ("kurtzke12", 12)])


@settings(deadline=None)
@given(RATINGS, SCALES, st.data())
def test_a_worse_grade_never_lowers_the_edss(ratings, scale, data):
    name, longest = scale
    walk = data.draw(st.integers(0, longest))
    worse = {system: data.draw(st.integers(grade, HIGHEST[system])) for system, grade in ratings.items()}
    worse_walk = data.draw(st.integers(walk, longest))
    before = edss.score(**ratings, ambulation=walk, scale=name)
    assert before <= edss.score(**worse, ambulation=walk, scale=name)
    assert before <= edss.score(**ratings, ambulation=worse_walk, scale=name)


SECONDS = st.decimals("0.1", "400", places=1)


@settings(deadline=None)
@given(SECONDS, SECONDS)
def test_a_mean_of_two_trials_lies_between_them_and_under_the_cap(one, two):
    for score, cap in ((t25fw.score(one, two), 180), (nhpt.hand_mean(one, two), 300)):
        assert min(one, two, cap) <= score <= min(max(one, two), cap)
        assert score * 2 == min(one, cap) + min(two, cap)


@settings(deadline=None)
@given(SECONDS, SECONDS, SECONDS, st.integers(0, 60))
def test_the_composite_falls_when_any_part_gets_worse(walk, right, left, mind):
    reference = {
        "t25fw_mean": "9.5",
        "t25fw_sd": "11.4",
        "nhpt_reciprocal_mean": "0.0439",
        "nhpt_reciprocal_sd": "0.0101",
        "cognition_mean": "45",
        "cognition_sd": "12",
    }

    def composite(**changes):
        values = {
            "t25fw_seconds": walk,
            "nhpt_dominant_seconds": right,
            "nhpt_non_dominant_seconds": left,
            "cognition": mind + 1,
        }
        return msfc.score(**{**values, **changes}, **reference)

    assert composite(t25fw_seconds=walk + 1) < composite()
    assert composite(nhpt_dominant_seconds=right + 1) < composite()
    assert composite(cognition=mind) < composite()


START = date(2024, 1, 1)
EDSS_VALUES = st.sampled_from(edss.STEPS)


@st.composite
def courses(draw):
    gaps = draw(st.lists(st.integers(10, 150), min_size=1, max_size=9))
    days = [sum(gaps[:n]) for n in range(len(gaps) + 1)]
    return [Visit(START + timedelta(days=d), draw(EDSS_VALUES), draw(st.booleans())) for d in days]


RELAPSES = st.lists(st.integers(0, 900).map(lambda d: START + timedelta(days=d)), max_size=3)
CRITERIA = st.builds(
    Criteria,
    threshold=st.sampled_from(
        [
            EdssSteps(),
            EdssSteps(half_step_from=Decimal("5.0")),
            Relative(Decimal("0.2")),
            Smallest((Points(Decimal(1)), Relative(Decimal("0.2")))),
        ]
    ),
    higher_is_worse=st.booleans(),
    confirm_after_days=st.sampled_from([84, 168]),
    early_days=st.sampled_from([0, 7, 30]),
    late_days=st.sampled_from([0, 30, 730, None]),
    hold_between=st.booleans(),
    baseline=st.sampled_from(["fixed", "roving"]),
)


def obvious(visits, criteria, relapses):
    """First confirmed event by trying every pair of visits against the first clean one: slow and plain."""
    clean = [v for v in visits if not any(0 <= (v.on - r).days < 30 for r in relapses)]
    if not clean:
        return None
    baseline = clean[0]

    def least(value):
        return criteria.threshold.least_change(value)

    for n, onset in enumerate(visits):
        if onset.on <= baseline.on:
            continue
        signed = onset.value - baseline.value
        if signed == 0 or abs(signed) < least(baseline.value):
            continue
        sign = 1 if signed > 0 else -1
        shows = [sign * (v.value - baseline.value) for v in visits]
        held = [s > 0 and s >= least(baseline.value) for s in shows]
        for m in range(n + 1, len(visits)):
            days = (visits[m].on - onset.on).days
            late = criteria.late_days
            inside = days >= criteria.confirm_after_days - criteria.early_days and (
                late is None or days <= criteria.confirm_after_days + late
            )
            between = all(held[n : m + 1]) if criteria.hold_between else held[m]
            if inside and between and visits[m].confirms and visits[m] in clean:
                worse = (sign > 0) == criteria.higher_is_worse
                return (Change.WORSENING if worse else Change.IMPROVEMENT), onset.on, visits[m].on
    return None


@settings(deadline=None)
@given(courses(), CRITERIA, RELAPSES)
def test_the_first_event_agrees_with_trying_every_pair_of_visits(visits, criteria, relapses):
    events = confirmed_changes(visits, criteria, relapses)
    first = (events[0].change, events[0].onset_on, events[0].confirmed_on) if events else None
    assert first == obvious(visits, criteria, relapses)


@settings(deadline=None)
@given(courses(), CRITERIA, RELAPSES, st.randoms())
def test_the_order_of_entry_does_not_matter(visits, criteria, relapses, chance):
    mixed = list(visits)
    chance.shuffle(mixed)
    assert confirmed_changes(mixed, criteria, relapses) == confirmed_changes(visits, criteria, relapses)


@settings(deadline=None)
@given(courses(), CRITERIA, RELAPSES)
def test_events_follow_each_other_in_time(visits, criteria, relapses):
    events = confirmed_changes(visits, criteria, relapses)
    for event in events:
        assert event.baseline_on < event.onset_on < event.confirmed_on <= event.sustained_until
        assert (event.relation is None) == (event.change is Change.IMPROVEMENT)
        assert event.sustained_to_end == (event.sustained_until == visits[-1].on)
    for earlier, later in pairwise(events):
        assert earlier.confirmed_on < later.onset_on


@settings(deadline=None)
@given(courses(), CRITERIA, RELAPSES, st.integers(1, 3000))
def test_only_distances_between_dates_matter(visits, criteria, relapses, days):
    move = timedelta(days=days)
    moved = [Visit(v.on + move, v.value, v.confirms) for v in visits]
    here = first_worsening(visits, criteria, relapses)
    there = first_worsening(moved, criteria, [r + move for r in relapses])
    assert (here is None) == (there is None)
    if here is not None:
        assert here.onset_on + move == there.onset_on
        assert here.relation is there.relation

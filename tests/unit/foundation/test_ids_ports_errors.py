"""Names, ports and the error tree."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.foundation.ids import slug, study_id
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.ports import DerivedEntropy, SettableClock


@pytest.mark.parametrize("name", ["a", "week_4", "t25fw", "x" * 60])
def test_a_plain_name_is_a_name(name: str) -> None:
    assert slug(name) == name


@pytest.mark.parametrize("name", ["", "A", "4week", "_x", "x_", "x__y", "x-y", "x y", "x\n", "é", "x" * 61, 'x"; --'])
def test_a_name_that_is_not_safe_everywhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        slug(name)


@pytest.mark.parametrize("name", ["", "Smart", "smart_ms", "-ms", "ms-", "a--b", "x" * 41, "ms\n"])
def test_a_study_name_has_hyphens_only(name: str) -> None:
    assert study_id("smart-ms") == "smart-ms"
    with pytest.raises(InvalidValue):
        study_id(name)


def test_derived_entropy_is_repeatable_and_depends_on_every_part_of_the_address() -> None:
    def draw(seed: int = 1, purpose: str = "salt", stream: str = "s", position: int = 0) -> bytes:
        return DerivedEntropy(seed).bytes(16, purpose=purpose, stream=stream, position=position)

    assert draw() == draw()
    assert len({draw(), draw(seed=2), draw(purpose="key"), draw(stream="t"), draw(position=1)}) == 5


def test_more_derived_entropy_continues_the_same_bytes() -> None:
    entropy = DerivedEntropy("seed")
    short, long = (entropy.bytes(n, purpose="p", stream="s", position=0) for n in (10, 4096))
    assert long[:10] == short
    assert len(long) == 4096


@pytest.mark.parametrize("count", [0, -1, 4097])
def test_entropy_comes_in_reasonable_amounts(count: int) -> None:
    with pytest.raises(InvalidValue):
        DerivedEntropy(1).bytes(count, purpose="p", stream="s", position=0)


def test_a_settable_clock_stands_still_until_it_is_set_and_speaks_utc() -> None:
    oslo = timezone(timedelta(hours=2))
    clock = SettableClock(datetime(2025, 6, 1, 12, tzinfo=oslo))
    assert clock.now() == clock.now() == datetime(2025, 6, 1, 10, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    clock.set(datetime(2025, 5, 1, tzinfo=UTC))
    assert clock.now() == datetime(2025, 5, 1, tzinfo=UTC)


def test_a_clock_is_not_set_to_a_time_without_zone() -> None:
    with pytest.raises(InvalidValue):
        SettableClock(datetime(2025, 6, 1))  # noqa: DTZ001


def test_an_error_carries_its_code_message_remedy_and_what_was_given() -> None:
    error = TrialwrightError("it broke", remedy="mend it", count=3, path=("a",))
    assert str(error) == "it broke → mend it"
    assert error.as_dict() == {
        "error": "trialwright.error",
        "message": "it broke",
        "remedy": "mend it",
        "given": {"count": 3, "path": "('a',)"},
    }
    assert issubclass(Refusal, TrialwrightError)


class _Counted(TrialwrightError):
    """Makes its message from other arguments."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} of them", remedy="take fewer", count=count)
        self.count = count


@pytest.mark.parametrize("error", [InvalidValue("it broke", remedy="mend it", given="x"), _Counted(3)])
def test_an_error_reaches_another_process_as_it_is(error: TrialwrightError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert (str(again), vars(again), again.args) == (str(error), vars(error), error.args)


def test_every_missing_reason_has_a_wording_and_survives_its_code() -> None:
    for reason in MissingReason:
        assert reason.label
        assert MissingReason(reason.value) is reason

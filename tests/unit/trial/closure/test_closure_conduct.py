"""Deviations, serious breaches, urgent safety measures."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.trial.closure.commands import (
    ClassifyClosedDeviation,
    ClassifyDeviation,
    OpenDeviation,
    RecordBreachNotification,
    RecordSeriousBreach,
    RecordUrgentSafetyMeasure,
)
from trialwright.trial.closure.events import (
    ClosedDeviationClassified,
    DeviationClassified,
    DeviationOpened,
    SeriousBreachNotified,
    SeriousBreachRecorded,
    UrgentSafetyMeasureTaken,
)
from trialwright.trial.closure.refusals import AlreadyClassified, TextMissing
from trialwright.trial.closure.state import Deviations
from trialwright.trial.closure.views import BREACH, CLOSED_DEVIATION, DEVIATION, MEASURE
from trialwright.trial.command import NotFound, NotYet
from trialwright.trial.event import Space
from trialwright.trial.permission import NotPermitted, OtherSite


@pytest.fixture
def participant(trial_world: Any) -> str:
    code: str = trial_world.screened()
    return code


def opened(participant: str, **changes: Any) -> OpenDeviation:
    given = {"participant": participant, "kind": "fasting", "about": "blood was taken after breakfast"}
    return OpenDeviation(**{**given, **changes})


def judged(participant: str, deviation: str = "fasting.reported", **changes: Any) -> ClassifyDeviation:
    given: dict[str, Any] = {
        "participant": participant,
        "deviation": deviation,
        "important": False,
        "assessment": "no influence on the primary outcome",
        "action": "site reminded",
    }
    return ClassifyDeviation(**{**given, **changes})


def test_a_person_opens_a_deviation_and_a_second_one_of_its_kind(trial_world: Any, participant: str) -> None:
    first = trial_world.give(opened(participant), "nurse").event(DeviationOpened)
    second = trial_world.give(opened(participant), "monitor").event(DeviationOpened)
    assert [first.deviation, second.deviation] == ["fasting.reported", "fasting.reported.2"]


@pytest.mark.parametrize("wrong", [{"about": "  "}, {"kind": "Much Too Late"}, {"kind": ""}, {"about": "x" * 4001}])
def test_a_deviation_without_words_or_kind_is_refused(
    trial_world: Any, participant: str, wrong: dict[str, str]
) -> None:
    trial_world.refuses(TextMissing, opened(participant, **wrong), "nurse")


def test_a_deviation_of_nobody_or_elsewhere_is_refused(trial_world: Any, participant: str) -> None:
    trial_world.refuses(NotFound, opened("NO-01-999"), "monitor")
    trial_world.refuses(OtherSite, opened(participant), "nurse@02")
    trial_world.refuses(NotPermitted, opened(participant), "laboratory")


def test_a_deviation_is_judged_once(trial_world: Any, participant: str) -> None:
    trial_world.give(opened(participant), "nurse")
    event = trial_world.give(judged(participant, important=True), "medic").event(DeviationClassified)
    assert event.important is True
    trial_world.refuses(AlreadyClassified, judged(participant), "medic")
    assert trial_world.trial.state().of(Deviations, participant).waiting() == ()


def test_judging_needs_a_deviation_and_words(trial_world: Any, participant: str) -> None:
    trial_world.refuses(NotFound, judged(participant), "monitor")
    trial_world.give(opened(participant), "nurse")
    trial_world.refuses(TextMissing, judged(participant, action=""), "monitor")
    trial_world.refuses(NotPermitted, judged(participant), "nurse")


def test_a_deviation_of_the_closed_space_is_judged_there(trial_world: Any) -> None:
    from trialwright.trial.custody.commands import CollectProduct, ReceiveProduct

    participant = trial_world.randomised()
    label = "S-NO-01-001-1"
    trial_world.give(
        CollectProduct(participant=participant, slot="slot_1", label=label, volume_ml="30"), "investigator"
    )
    trial_world.give(
        ReceiveProduct(participant=participant, label=label, wristband="NO-01-9", condition="warm"), "laboratory"
    )
    command = ClassifyClosedDeviation(
        participant=participant,
        deviation=f"product.identifier_mismatch.{label}",
        important=True,
        assessment="wristband of another participant",
        action="identity confirmed by the site",
    )
    before = trial_world.heads()[Space.OPEN]
    assert trial_world.give(command, "unblinded_monitor").event(ClosedDeviationClassified).important
    assert trial_world.heads()[Space.OPEN] == before
    trial_world.refuses(AlreadyClassified, command, "qp")
    trial_world.refuses(NotPermitted, command, "monitor")
    (row,) = trial_world.trial.stores[Space.CLOSED].rows.where(CLOSED_DEVIATION, participant=participant)
    assert (row["important"], row["action"]) == (1, "identity confirmed by the site")


def test_a_serious_breach_is_due_seven_days_after_awareness(trial_world: Any) -> None:
    command = RecordSeriousBreach(what="consent forms were lost", site="02")
    event = trial_world.give(command, "sponsor", observed_at="2025-03-01T10:00:00+01:00").event(SeriousBreachRecorded)
    assert (event.breach, event.site, event.aware, event.due) == ("breach_1", "02", "2025-03-01", "2025-03-08")


@pytest.mark.parametrize(("days", "flags"), [(7, ()), (8, ("late",))])
def test_a_notification_is_late_after_the_seventh_day(trial_world: Any, days: int, flags: tuple[str, ...]) -> None:
    trial_world.give(RecordSeriousBreach(what="consent forms were lost"), "sponsor")
    trial_world.later(days=days)
    command = RecordBreachNotification(breach="breach_1", reference="CTIS-1")
    assert trial_world.give(command, "sponsor").event(SeriousBreachNotified).flags == flags
    trial_world.refuses(NotFound, command, "sponsor")
    row = trial_world.trial.stores[Space.OPEN].rows.get(BREACH, ("breach_1",))
    assert (row["reference"], row["late"]) == ("CTIS-1", len(flags))


def test_breaches_have_a_known_site_words_and_a_past(trial_world: Any) -> None:
    trial_world.refuses(NotFound, RecordSeriousBreach(what="lost", site="77"), "sponsor")
    trial_world.refuses(TextMissing, RecordSeriousBreach(what=""), "sponsor")
    trial_world.refuses(NotYet, RecordSeriousBreach(what="x"), "sponsor", observed_at="2026-01-01T00:00:00+01:00")
    trial_world.refuses(NotPermitted, RecordSeriousBreach(what="lost"), "nurse")


def test_an_urgent_safety_measure_is_recorded_at_once_by_an_investigator(trial_world: Any) -> None:
    command = RecordUrgentSafetyMeasure(what="no injections until the syringes are replaced", site="01")
    event = trial_world.give(command, "investigator").event(UrgentSafetyMeasureTaken)
    assert (event.measure, event.site, event.due) == ("measure_1", "01", "2025-03-10")
    assert trial_world.trial.stores[Space.OPEN].rows.get(MEASURE, ("measure_1",))["date"] == "2025-03-03"
    elsewhere = RecordUrgentSafetyMeasure(what="x", site="02")
    trial_world.refuses(OtherSite, elsewhere, "investigator")


def test_the_list_of_deviations_shows_what_was_done(trial_world: Any, participant: str) -> None:
    trial_world.give(opened(participant), "nurse")
    trial_world.give(judged(participant), "monitor")
    (row,) = trial_world.trial.stores[Space.OPEN].rows.where(DEVIATION, participant=participant)
    assert (row["kind"], row["opened_by"], row["classified_by"]) == ("fasting", "nurse-01", "monitor")
    assert (row["important"], row["action"]) == (0, "site reminded")

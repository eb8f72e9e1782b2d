"""The audit trail: old and new values, who and why; and nothing that a role may not see."""

from __future__ import annotations

from typing import Any

import pytest

from trialwright.build import Build
from trialwright.protocol.roles import ALWAYS_BLINDED, Role
from trialwright.trial.audit import SEALED, AuditRow, TrailNotAllowed, audit_trail
from trialwright.trial.capture.commands import VoidForm
from trialwright.trial.capture.events import Entered
from trialwright.trial.custody.commands import CollectProduct, ReceiveProduct
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.safety.commands import FollowUpAdverseEvent, ReportAdverseEvent

BLINDED = sorted(ALWAYS_BLINDED | {Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INSPECTOR}, key=str)


def trail(world: Any, role: Role = Role.MONITOR, **how: Any) -> list[AuditRow]:
    return list(audit_trail(world.trial, role=role, **how))


def changes(rows: list[AuditRow], field: str) -> list[tuple[str | None, str | None]]:
    return [(row.old, row.new) for row in rows if row.field == field]


def test_a_corrected_value_is_shown_with_old_value_new_value_who_and_why(trial_world: Any) -> None:
    participant = trial_world.examined(age="53")
    trial_world.later(days=1)
    trial_world.save(
        participant, "screening", "screening", {"age": Entered(text="35", unit="a")}, "nurse", reason="digits swapped"
    )
    rows = trail(trial_world, participant=participant)
    assert changes(rows, "age") == [(None, "53 a"), ("53 a", "35 a")]
    (row,) = (row for row in rows if row.new == "35 a")
    assert (row.actor, row.role, row.organisation) == ("nurse-01", "study_nurse", "hospital-01")
    assert (row.reason, row.what) == ("digits swapped", "form saved")
    assert row.about == f"participant {participant}, encounter screening, form screening, repeat 1"
    assert row.at == "2025-03-04T08:00:00.000000Z"
    assert (row.local, row.zone) == ("2025-03-04T09:00:00+01:00", "Europe/Oslo")


def test_the_newest_values_of_the_trail_are_the_case_book(trial_world: Any) -> None:
    from trialwright.trial.capture.state import CaseBook

    participant = trial_world.examined(sex="M")
    for n, age in enumerate(("41", "42", "43")):
        values = {"age": Entered(text=age, unit="a"), "sex": Entered(text="FM"[n % 2])}
        trial_world.save(participant, "screening", "screening", values, "nurse", reason="again")
    newest = {row.field: row.new for row in trail(trial_world, participant=participant) if "form" in row.about}
    record = trial_world.trial.state().of(CaseBook, participant).peek(("screening", "screening", 1))
    for name, value in record.values.items():
        shown = f"{value.text} {value.unit}" if value.unit else value.text
        assert newest[name] == (shown if value.missing is None else f"missing: {value.missing.value}")


def test_a_voided_form_shows_every_value_it_loses(trial_world: Any) -> None:
    participant = trial_world.examined()
    void = VoidForm(participant=participant, encounter="screening", form="screening")
    trial_world.give(void, "nurse", reason="entered for the wrong participant")
    rows = [row for row in trail(trial_world, participant=participant) if row.what == "form voided"]
    assert {(row.field, row.old, row.new) for row in rows} == {
        ("age", "34 a", None),
        ("sex", "F", None),
        ("pregnant", "false", None),
        ("status", "saved", "voided"),
    }
    assert {row.reason for row in rows} == {"entered for the wrong participant"}


def test_a_follow_up_of_an_adverse_event_shows_what_was_said_before(trial_world: Any) -> None:
    participant = trial_world.consented()
    report = ReportAdverseEvent(participant=participant, term="fall", onset="2025-03-01", grade=1)
    trial_world.give(report, "investigator")
    follow = FollowUpAdverseEvent(participant=participant, adverse_event="ae_1", grade=2)
    trial_world.give(follow, "investigator", reason="seen again")
    rows = trail(trial_world, participant=participant)
    assert changes(rows, "grade") == [(None, "1"), ("1", "2")]


def test_a_reported_time_stands_beside_the_time_of_recording(trial_world: Any) -> None:
    participant = trial_world.consented()
    report = ReportAdverseEvent(participant=participant, term="fall", onset="2025-03-01", grade=1)
    trial_world.give(report, "investigator", observed_at="2025-03-02T07:00:00+01:00")
    row = next(row for row in trail(trial_world, participant=participant) if row.field == "term")
    assert (row.happened, row.at) == ("2025-03-02T07:00:00+01:00", "2025-03-03T08:00:00.000000Z")


def test_every_fact_of_the_open_ledger_has_a_row(trial_world: Any) -> None:
    trial_world.randomised()
    requests = {row.request_id for row in trail(trial_world)}
    assert requests == {fact.request_id for fact in trial_world.trial.facts()}


def test_the_trail_is_in_order_of_time_over_both_spaces(trial_world: Any) -> None:
    _received(trial_world)
    rows = trail(trial_world, Role.UNBLINDED_MONITOR)
    assert {row.space for row in rows} == {"open", "closed"}
    assert [row.at for row in rows] == sorted(row.at for row in rows)


@pytest.mark.parametrize("role", BLINDED)
def test_a_blinded_role_never_sees_a_fact_of_the_closed_space(trial_world: Any, role: Role) -> None:
    participant = _received(trial_world)
    how: dict[str, Any] = {"participant": participant, "site": "01"}
    rows = trail(trial_world, role, **how)
    assert rows
    assert {row.space for row in rows} == {"open"}
    assert not any("product received" in row.what for row in rows)


def test_a_blinded_role_sees_no_closed_fact_even_where_both_spaces_are_one(
    trial_worlds: Any, small_build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trial, "_check_spaces", lambda trial, build: None)  # the door does not let it come to this
    world = trial_worlds(small_build, one_space=True)
    _received(world)
    assert {row.space for row in trail(world, Role.MONITOR)} == {"open"}
    assert {row.space for row in trail(world, Role.UNBLINDED_MONITOR)} == {"open", "closed"}


def test_an_unblinded_role_in_a_blinded_process_sees_what_the_process_holds(trial_world: Any) -> None:
    _received(trial_world)
    trial_world.trial.ledgers.pop(Space.CLOSED)
    assert {row.space for row in trail(trial_world, Role.UNBLINDED_MONITOR)} == {"open"}


def test_neither_arms_nor_sequences_stand_in_an_open_trail(trial_world: Any) -> None:
    trial_world.randomised()
    text = repr(trail(trial_world))
    assert "cells_first" not in text
    assert "saline" not in text


def test_site_staff_read_their_own_site(trial_world: Any) -> None:
    here, there = trial_world.screened(site="01"), trial_world.screened(site="02")
    abouts = " ".join(row.about for row in trail(trial_world, Role.STUDY_NURSE, site="01"))
    assert here in abouts
    assert there not in abouts
    assert "site 02" not in abouts


def test_a_trail_is_refused_to_whom_it_does_not_belong(trial_world: Any) -> None:
    there = trial_world.screened(site="02")
    with pytest.raises(TrailNotAllowed):
        trail(trial_world, Role.INVESTIGATOR)
    with pytest.raises(TrailNotAllowed):
        trail(trial_world, Role.INVESTIGATOR, site="01", participant=there)
    with pytest.raises(TrailNotAllowed):
        trail(trial_world, Role.PARTICIPANT)


def test_a_participant_reads_their_own_stream_only(trial_world: Any) -> None:
    one, other = trial_world.consented(), trial_world.consented()
    rows = trail(trial_world, Role.PARTICIPANT, participant=one)
    assert rows
    assert other not in repr(rows)


def test_identifying_items_are_shown_at_the_site_only(trial_worlds: Any, small_study: Any) -> None:
    from trialwright.build.compile import compiled

    form = small_study.forms["screening"]
    items = tuple(
        item.model_copy(update={"privacy": "identifying"}) if item.id == "age" else item
        for item in form.groups[0].items
    )
    group = form.groups[0].model_copy(update={"items": items})
    forms = {**small_study.forms, "screening": form.model_copy(update={"groups": (group,)})}
    world = trial_worlds(compiled(small_study.model_copy(update={"forms": forms})))
    participant = world.examined()
    assert changes(trail(world, Role.MONITOR, participant=participant), "age") == [(None, SEALED)]
    assert changes(trail(world, Role.STUDY_NURSE, site="01", participant=participant), "age") == [(None, "34 a")]


def test_sealed_lists_and_crossings_are_counted_not_spelled_out(trial_world: Any) -> None:
    participant = _received(trial_world)
    rows = trail(trial_world, Role.INDEPENDENT_STATISTICIAN)
    sealed = [row for row in rows if row.what == "rows sealed"]
    assert sealed
    assert all(row.field == "rows" and (row.new or "").isdigit() for row in sealed)
    assert participant in repr(rows)


def _received(world: Any) -> str:
    participant: str = world.randomised()
    label = "S-NO-01-001-1"
    collect = CollectProduct(participant=participant, slot="slot_1", label=label, volume_ml="30")
    world.give(collect, "investigator")
    receive = ReceiveProduct(participant=participant, label=label, wristband=participant, condition="cold")
    world.give(receive, "laboratory")
    return participant

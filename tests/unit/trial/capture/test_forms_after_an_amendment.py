"""What an amendment changes or takes away stands in nobody's way: not of entry, not of signing, not of the freeze."""

from __future__ import annotations

from typing import Any

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.protocol import Study
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.setup.commands import ActivateAmendment, ApproveBuild
from trialwright.trial.setup.events import Approval


def with_screening_forms(study: Study, *forms: str, version: str) -> Build:
    encounters = list(study.schedule.encounters)
    encounters[0] = encounters[0].model_copy(update={"forms": forms})
    schedule = study.schedule.model_copy(update={"encounters": tuple(encounters)})
    identity = study.identity.model_copy(update={"version": version})
    return compiled(study.model_copy(update={"schedule": schedule, "identity": identity}))


def activate(world: Any, build: Build) -> None:
    world.give(ApproveBuild(build=build.id, evidence="e", summary="s"), "sponsor")
    approvals = (Approval(kind="ethics", reference="2", date="2025-01-15"),)
    world.give(ActivateAmendment(site="01", build=build.id, approvals=approvals, reconsent=False), "sponsor")


def test_a_form_that_an_amendment_took_from_the_visit_is_no_longer_waited_for(trial_worlds: Any, small_study: Study):
    before = with_screening_forms(small_study, "screening", "walk", version="1.0")
    after = with_screening_forms(small_study, "screening", version="2.0")
    world = trial_worlds(before, after)
    participant = world.examined()
    book = world.trial.state().of(CaseBook, participant)
    assert list(book.unfilled(world.trial.builds, before)) == [("screening", "walk", 1)]
    activate(world, after)
    assert list(book.unfilled(world.trial.builds, after)) == []


def test_an_amendment_asks_no_more_of_a_visit_that_was_held_before(trial_worlds: Any, small_study: Study):
    before = with_screening_forms(small_study, "screening", version="1.0")
    after = with_screening_forms(small_study, "screening", "walk", version="2.0")
    world = trial_worlds(before, after)
    participant = world.examined()
    activate(world, after)
    assert list(world.trial.state().of(CaseBook, participant).unfilled(world.trial.builds, after)) == []


def test_a_form_with_values_of_a_former_type_is_saved_as_any_other(
    trial_worlds: Any, small_study: Study, small_build: Build
):
    medication = small_study.forms["medication"]
    raw = medication.model_dump(by_alias=True)
    name = raw["groups"][0]["items"][0]
    name.update(type="integer", range={"low": 1, "high": 5})
    forms = {**small_study.forms, "medication": type(medication).model_validate(raw)}
    identity = small_study.identity.model_copy(update={"version": "2.0"})
    after = compiled(small_study.model_copy(update={"forms": forms, "identity": identity}))
    world = trial_worlds(small_build, after)
    participant = world.consented()
    world.save(participant, "log", "medication", {"name": Entered(text="aspirin")}, "nurse")
    activate(world, after)
    world.save(participant, "log", "medication", {"started": Entered(text="2025-03")}, "nurse")
    values = world.trial.state().of(CaseBook, participant).forms[("log", "medication", 1)].values
    assert {item: value.text for item, value in values.items()} == {"name": "aspirin", "started": "2025-03"}

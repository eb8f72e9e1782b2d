"""The autologous product: from marrow to injection, by everybody who touches it.

Laboratory acts differ between the arms (frozen or handed over), so they run as processes of their own: nothing in
the open space may shift by them, not even by a minute.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from trialwright.build import Build, Field, parse_item_value, value_of
from trialwright.foundation.truth import Truth
from trialwright.protocol.roles import Role
from trialwright.rehearsal import visits
from trialwright.rehearsal.agenda import Deciding, Process
from trialwright.rehearsal.draws import Draws
from trialwright.rehearsal.values import VirtualPerson
from trialwright.rehearsal.world import World
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.custody.commands import (
    AdministerProduct,
    AuthoriseAdministration,
    CertifyBatch,
    CollectProduct,
    FailManufacture,
    HandOver,
    PassSafetyGate,
    ReceiveProduct,
    RecordManufactureStep,
    RecordMeasurements,
    ReleaseProduct,
    StoreProduct,
)
from trialwright.trial.custody.events import MeasuredValue
from trialwright.trial.custody.judging import dose_text, planned_dose
from trialwright.trial.custody.labels import sample_identifier
from trialwright.trial.custody.state import Laboratory, Slots

Before = Literal["collection", "administration"]


def pass_gate(world: World, person: VirtualPerson, site: str, slot: str, before: Before) -> Deciding:
    """Pass the safety gate; where it stays closed, measure again some days later, twice at most. Returns success."""
    nurse = world.cast.at(site, Role.STUDY_NURSE)
    encounter = _encounter(world, slot, before)
    for again in range(3):
        gate = PassSafetyGate(participant=person.code, slot=slot, before=before)
        if world.attempt(gate, nurse, topic=f"{slot}.{before}") is not None:
            return True
        if again < 2:
            yield world.after(days=3)
            for form in _gate_forms(world, site, before, encounter):
                page = visits.Page(encounter, form, again=again + 1)
                visits.fill(world, person, site, page, world.today(site))
                yield world.after(minutes=20)
    return False


def _encounter(world: World, slot: str, before: Before) -> str:
    custody = world.population.build.study.custody
    assert custody is not None
    return next(s.collection if before == "collection" else s.administration for s in custody.slots if s.id == slot)


def _gate_forms(world: World, site: str, before: Before, encounter: str) -> list[str]:
    build = world.build_at(site)
    forms = {
        reference.form
        for gate in build.gates.values()
        if before in gate.gate.before
        for reference in gate.condition.references
    }
    return [form for form in build.study.encounters[encounter].forms if form in forms]


def collect(world: World, person: VirtualPerson, site: str, slot: str) -> Process:
    """Gate, aspiration, label; then the laboratory begins."""
    nurse = world.cast.at(site, Role.STUDY_NURSE)
    attempt = world.state().of(Slots, person.code).peek(slot).collections + 1
    if not (yield from pass_gate(world, person, site, slot, "collection")):
        world.told["collections called off at the gate"] += 1
        return
    yield world.after(minutes=40)
    build = world.build_at(site)
    label = new_label(build, world.draws, person.code, slot, attempt)
    volume = f"{world.draws.whole(40, 60, person.code, slot, attempt, 'volume')}"
    world.act(
        CollectProduct(participant=person.code, slot=slot, label=label, volume_ml=volume),
        nurse,
        topic=f"{slot}.{attempt}",
    )
    world.agenda.start(_manufacture(world, person, site, slot, label, attempt), world.after(hours=5))


def _manufacture(world: World, person: VirtualPerson, site: str, slot: str, label: str, attempt: int) -> Process:
    build = world.build_at(site)
    custody = build.study.custody
    assert custody is not None
    laboratory = world.cast.central(Role.CELL_LABORATORY)
    world.act(
        ReceiveProduct(participant=person.code, label=label, wristband=person.code, condition="intact, 6 °C"),
        laboratory,
        topic=label,
    )
    for number in range(1, 4):
        yield world.after(days=custody.manufacture_days / 4)
        step = RecordManufactureStep(
            participant=person.code, label=label, step=f"passage {number}", details="confluent"
        )
        world.act(step, laboratory, topic=label)
    yield world.after(days=custody.manufacture_days / 4)
    fails = fails_manufacture(world, person.code, slot, attempt)
    values = good_measurements(build, world.draws, person.code, slot, attempt)
    world.act(RecordMeasurements(participant=person.code, label=label, values=values), laboratory, topic=label)
    if fails:
        yield world.after(hours=2)
        world.told["failed manufactures"] += 1
        world.act(
            FailManufacture(participant=person.code, label=label),
            laboratory,
            reason="cells stopped growing",
            topic=label,
        )


def manufactured(world: World, participant: str, label: str) -> bool:
    """Whether the laboratory has finished measuring the product; its decision can be taken."""
    product = world.state().of(Laboratory, participant).peek(label)
    return bool(product.values) and not product.failed


def fails_manufacture(world: World, participant: str, slot: str, attempt: int) -> bool:
    """Whether this attempt fails. The second person's first attempt always does, so that every rehearsal has one."""
    if world.known is not None:
        return False
    chosen = len(world.randomised) > 1 and participant == world.randomised[1]
    first_slot = world.population.build.study.custody and world.population.build.study.custody.slots[0].id
    if chosen and slot == first_slot and attempt == 1:
        return True
    rate = float(world.population.build.study.simulation.manufacture_failure)
    return world.draws.chance(rate, participant, slot, attempt, "manufacture")


def inject(world: World, person: VirtualPerson, site: str, slot: str, period: str | None) -> Deciding:
    """Gate, release and certificate, hand-over, authorisation, injection: all within the expiry.

    Returns:
        Whether it was injected.
    """
    if not (yield from pass_gate(world, person, site, slot, "administration")):
        world.told["injections called off at the gate"] += 1
        return False
    build = world.build_at(site)
    label = world.state().of(Slots, person.code).peek(slot).label
    laboratory = world.cast.central(Role.CELL_LABORATORY)
    qualified = world.cast.central(Role.QUALIFIED_PERSON)
    injector = world.cast.at(site, Role.INJECTING_PHYSICIAN)
    record = hashlib.sha256(f"batch record {label}".encode()).hexdigest()
    yield world.after(minutes=20)
    world.act(ReleaseProduct(participant=person.code, label=label), qualified, shown=record, topic=label)
    yield world.after(minutes=10)
    certify = CertifyBatch(participant=person.code, label=label, batch_record=record)
    world.act(certify, qualified, shown=record, topic=label)
    yield world.after(minutes=20)
    allocations = world.trial.allocations
    assert allocations is not None, "a rehearsal holds the closed space"
    arm = allocations.arm(person.code, period)
    assert build.study.custody is not None
    content = build.study.custody.given_in[arm]
    hand_over = HandOver(
        participant=person.code,
        slot=slot,
        label=label,
        wristband=person.code,
        to=injector.person,
        comparator_lot="NACL-0001" if content == "comparator" else None,
    )
    world.act(hand_over, laboratory, topic=label)
    yield world.after(minutes=15)
    world.act(AuthoriseAdministration(participant=person.code, slot=slot), injector, topic=slot)
    yield world.after(minutes=25)
    administer = AdministerProduct(
        participant=person.code,
        slot=slot,
        label=label,
        wristband=person.code,
        content=content,
        volume_ml="5",
        dose=_dose(world, build, person.code, slot) if content == "product" else None,
    )
    world.act(administer, injector, topic=slot)
    if world.responses:
        person.given(arm, world.today(site))
    if content == "comparator":
        world.agenda.start(_freeze(world, person, label), world.after(hours=3))
    return True


def _freeze(world: World, person: VirtualPerson, label: str) -> Process:
    store = StoreProduct(participant=person.code, label=label, place="liquid nitrogen, tank 1", quantity="1 bag")
    world.act(store, world.cast.central(Role.CELL_LABORATORY), topic=label)
    return
    yield  # a process that acts once


def new_label(build: Build, draws: Draws, participant: str, slot: str, attempt: int) -> str:
    """An identifier that matches the study's pattern."""
    assert build.study.custody is not None
    return sample(build.study.custody.identifier, draws, participant, slot, attempt, "label")


def sample(pattern: str, draws: Draws, *address: object) -> str:
    """A text that a simple pattern matches, drawn at this address.

    Raises:
        ValueError: the pattern says more than letters, sets and counts.
    """
    return sample_identifier(pattern, lambda place, letters: draws.whole(0, letters - 1, *address, place))


def good_measurements(build: Build, draws: Draws, *address: object) -> dict[str, MeasuredValue]:
    """One value a measurement, inside what release asks for."""
    found: dict[str, MeasuredValue] = {}
    for name, field in build.measurements.items():
        for candidate in _candidates(field, draws, (*address, name)):
            found[name] = candidate
            if _meets(build, name, found):
                break
    return found


def _candidates(field: Field, draws: Draws, address: tuple[object, ...]) -> list[MeasuredValue]:
    item = field.item
    unit = item.units[0] if item.units else None
    if item.type == "boolean":
        return [MeasuredValue(text="true"), MeasuredValue(text="false")]
    if item.type == "code":
        return [MeasuredValue(text=code) for code in field.codes]
    low = float(item.possible.low or 0) if item.possible else 0.0
    high = float(item.possible.high or low + 100) if item.possible else low + 100
    shares = [0.97, 0.2, 0.001, 0.5, 0.05, 0.9]
    jitter = draws.uniform(*address)
    whole = item.type == "integer"
    return [
        MeasuredValue(text=f"{low + (high - low) * share * (1 - 0.02 * jitter):.{0 if whole else 2}f}", unit=unit)
        for share in shares
    ]


def _meets(build: Build, name: str, found: dict[str, MeasuredValue]) -> bool:
    fields = build.measurements
    row = {
        key: value_of(fields[key], parse_item_value(fields[key], value.text, value.unit))
        for key, value in found.items()
    }
    relevant = [r for r in build.release.values() if name in {ref.item for ref in r.condition.references}]
    return all(release.verdict(row).truth is not Truth.NO for release in relevant)


def _dose(world: World, build: Build, participant: str, slot: str) -> str | None:
    custody = build.study.custody
    assert custody is not None
    encounter = next(s.administration for s in custody.slots if s.id == slot)
    planned = planned_dose(build, custody.dose, world.state().of(CaseBook, participant), encounter)
    return dose_text(planned) if planned is not None else None

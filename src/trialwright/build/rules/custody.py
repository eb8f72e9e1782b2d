"""Rules about ``custody.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.foundation.units import UnknownUnit, commensurable
from trialwright.protocol.findings import Severity
from trialwright.protocol.schedule import Encounter
from trialwright.schedule import PlannedEncounter

_FILE = "custody.yaml"
_MASS, _TEMPERATURE = "kg", "Cel"


@rule(
    "TW100",
    "Acts with a product name a slot that exists",
    why="A collection or administration without a slot belongs to no product and would break the chain of identity.",
    bad="acts: [{act: collection, slot: slot_3}]   # custody.yaml has slot_1 and slot_2",
    good="acts: [{act: collection, slot: slot_2}]",
)
def slots_exist(context: StudyContext) -> Iterator[Problem]:
    """Acts of the schedule against the slots; other acts have none."""
    slots = [slot.id for slot in context.study.custody.slots] if context.study.custody else []
    for path, encounter in context.encounters():
        for n, act in enumerate(encounter.acts):
            where = (*path, "acts", n)
            if act.act in ("collection", "administration", "safety_gate"):
                if act.slot is None:
                    if slots or act.act == "collection":
                        yield Problem("schedule.yaml", where, f"{act.act} names no slot", "add slot")
                elif act.slot not in slots:
                    yield unknown("schedule.yaml", (*where, "slot"), "slot", act.slot, slots)
            elif act.slot is not None:
                yield Problem("schedule.yaml", (*where, "slot"), f"{act.act} has no slot", "remove it")


@rule(
    "TW101",
    "A slot's encounters carry out its acts",
    why="A product that is collected at an encounter without the act collection is never collected in the system.",
    bad="# custody.yaml: {id: slot_1, collection: marrow_1, …}\n- {id: marrow_1, acts: []}",
    good="- {id: marrow_1, acts: [{act: collection, slot: slot_1}]}",
)
def slots_carried_out(context: StudyContext) -> Iterator[Problem]:
    """Collection and administration of each slot, at its encounters and nowhere else."""
    if context.study.custody is None:
        return
    for n, slot in enumerate(context.study.custody.slots):
        for act in ("collection", "administration"):
            given = getattr(slot, act)
            declared = context.study.encounters.get(given)
            path = ("slots", n, act)
            if declared is None:
                yield unknown(_FILE, path, "encounter", given, context.study.encounters)
            elif not _has(declared, act, slot.id):
                message = f"at {given} there is no {act} for {slot.id}"
                yield Problem(_FILE, path, message, f"add {{act: {act}, slot: {slot.id}}} to it in schedule.yaml")


@rule(
    "TW102",
    "A safety gate stands before every collection and administration",
    why="Platelets, infection and pregnancy are looked at on the day, before anybody is punctured.",
    bad="acts: [{act: collection, slot: slot_1}]",
    good="acts: [{act: safety_gate, slot: slot_1}, {act: collection, slot: slot_1}]",
)
def gates_stand(context: StudyContext) -> Iterator[Problem]:
    """Order of acts at each encounter."""
    for path, encounter in context.encounters():
        gated: set[str | None] = set()
        for n, act in enumerate(encounter.acts):
            if act.act == "safety_gate":
                gated.add(act.slot)
            elif act.act in ("collection", "administration") and act.slot not in gated:
                message = f"{act.act} at {encounter.id} has no safety gate before it"
                remedy = f"put {{act: safety_gate, slot: {act.slot}}} before it"
                yield Problem("schedule.yaml", (*path, "acts", n), message, remedy)


@rule(
    "TW103",
    "A product can be ready when it is to be given",
    why="If the administration may be due before manufacture can end, every participant waits or deviates.",
    bad="manufacture_days: 28\n# administration 3 weeks after the collection",
    good="manufacture_days: 28\n# administration 5 weeks after the collection, window 7 days before",
)
def ready_in_time(context: StudyContext) -> Iterator[Problem]:
    """Earliest administration counted from the collection, along the anchors between them."""
    custody = context.study.custody
    if custody is None:
        return
    for n, slot in enumerate(custody.slots):
        if slot.collection not in context.comes_after(slot.administration):
            if slot.collection in context.study.encounters and slot.administration in context.study.encounters:
                message = f"{slot.administration} need not come after {slot.collection}"
                yield Problem(_FILE, ("slots", n), message, "let the administration follow the collection (after)")
            continue
        days = _earliest_days(context, slot.collection, slot.administration)
        if days is not None and days < custody.manufacture_days:
            message = (
                f"{slot.id} may be due {days} days after collection, manufacture takes {custody.manufacture_days}"
            )
            yield Problem(_FILE, ("slots", n), message, "move the administration, or narrow its window")


def _earliest_days(context: StudyContext, start: str, end: str) -> int | None:
    """Fewest days from one encounter to another that is anchored to it, directly or through others on time."""
    plan = {encounter.id: encounter for encounter in context.plan}
    chain: list[PlannedEncounter] = []
    here = end
    while here != start:
        encounter = plan.get(here)
        if encounter is None or encounter.anchor is None or encounter.anchor == here or len(chain) > len(plan):
            return None
        chain.append(encounter)
        here = encounter.anchor
    fewest: int | None = None
    for shift in range(366):
        begin = day = date(2023, 1, 1) + timedelta(days=shift)
        for encounter in reversed(chain):
            day = encounter.window(day)[1]
        fewest = (day - begin).days if fewest is None else min(fewest, (day - begin).days)
    return fewest


@rule(
    "TW104",
    "The dosing weight is measured where the product is given",
    why="A dose per kilogram needs the weight of that day, as a weight, on a form of that encounter.",
    bad="dose: {weight: demographics.height, …}",
    good="dose: {weight: safety_gate.dosing_weight, …}",
)
def weight_at_hand(context: StudyContext) -> Iterator[Problem]:
    """``dose.weight`` exists, is a mass, and is on the administration's forms."""
    custody = context.study.custody
    if custody is None:
        return
    path, given = ("dose", "weight"), custody.dose.weight
    item = context.study.items.get(given)
    if item is None:
        yield unknown(_FILE, path, "item", given, context.study.items)
        return
    if not item.units or not _measures(item.units[0], _MASS):
        yield Problem(_FILE, path, f"{given} is no weight", "name an item that is measured in kg")
    form = given.split(".")[0]
    for slot in custody.slots:
        declared = context.study.encounters.get(slot.administration)
        if declared is not None and form not in declared.forms:
            yield Problem(_FILE, path, f"{form} is not filled at {slot.administration}", f"add {form} to its forms")


@rule(
    "TW105",
    "Every arm says what is given in it",
    why="The dispensing side must know for each arm whether the product or the comparator leaves its hands.",
    bad="given_in: {cells: product}",
    good="given_in: {cells: product, saline: comparator}",
)
def arms_given(context: StudyContext) -> Iterator[Problem]:
    """``given_in`` against the arms; somebody gets the product."""
    custody = context.study.custody
    if custody is None:
        return
    arms = [arm.id for arm in context.study.identity.arms]
    for arm in custody.given_in:
        if arm not in arms:
            yield unknown(_FILE, ("given_in", arm), "arm", arm, arms)
    lacking = [arm for arm in arms if arm not in custody.given_in]
    if lacking:
        yield Problem(_FILE, ("given_in",), f"nothing says what is given in {', '.join(lacking)}", "add them")
    elif "product" not in custody.given_in.values():
        yield Problem(_FILE, ("given_in",), "the product is given in no arm", "write product for one arm")


@rule(
    "TW106",
    "The pattern of identifiers can be scanned",
    why="A pattern that matches nothing stops every hand-over; one that matches an empty label lets every one pass.",
    bad='identifier: ".*"',
    good='identifier: "SMS-[0-9]{2}-[0-9]{3}"',
)
def identifier_scans(context: StudyContext) -> Iterator[Problem]:
    """A regular expression, not empty, without nested repeats that could take for ever."""
    custody = context.study.custody
    if custody is None:
        return
    path, given = ("identifier",), custody.identifier
    try:
        pattern = re.compile(given)
    except (re.error, RecursionError, OverflowError) as error:
        yield Problem(_FILE, path, f"the pattern cannot be read: {error}", "write a regular expression")
        return
    if pattern.fullmatch(""):
        yield Problem(_FILE, path, "the pattern matches an empty label", "ask for at least one character")
    if len(given) > 200 or re.search(r"[+*}]\)?[+*{]", given):
        yield Problem(_FILE, path, "the pattern repeats what repeats", "write it without nested + * { }")


@rule(
    "TW107",
    "Transport temperatures are temperatures, the lower first",
    why="Between limits that are exchanged, or in the wrong unit, every transport is an excursion.",
    bad="transport: {low: 8, high: 2, unit: Cel}",
    good="transport: {low: 2, high: 8, unit: Cel}",
)
def temperatures_ordered(context: StudyContext) -> Iterator[Problem]:
    """Order and unit."""
    custody = context.study.custody
    if custody is None:
        return
    transport = custody.transport
    if Fraction(transport.low) >= Fraction(transport.high):
        yield Problem(_FILE, ("transport",), "the lower limit is not below the upper", "exchange low and high")
    if not _measures(transport.unit, _TEMPERATURE):
        yield Problem(_FILE, ("transport", "unit"), f"{transport.unit} is no temperature", "write Cel")


@rule(
    "TW108",
    "Every measurement decides something about release",
    why="A laboratory value that no criterion looks at is measured, reported, and ignored.",
    bad="measurements: [{id: viability, …}, {id: colour, …}]\nrelease: [{expression: viability >= 80 '%', …}]",
    good="measurements: [{id: viability, …}]\nrelease: [{expression: viability >= 80 '%', …}]",
    severity=Severity.WARNING,
)
def measurements_used(context: StudyContext) -> Iterator[Problem]:
    """Measurements in release criteria."""
    custody = context.study.custody
    if custody is None:
        return
    used: set[str] = set()
    for site in context.sites_for("release"):
        if site.compiled is None:
            return  # what does not compile may mention anything
        used |= {reference.item for reference in site.compiled.references}
    for n, measurement in enumerate(custody.measurements):
        if measurement.id not in used:
            message = f"no release criterion looks at {measurement.id}"
            yield Problem(_FILE, ("measurements", n), message, "add a criterion, or remove it")


@rule(
    "TW109",
    "A measurement has the parts that its type needs",
    why="A quantity without a unit or a code without a list cannot be compared with a limit.",
    bad="- {id: viability, type: quantity}",
    good='- {id: viability, type: quantity, unit: "%"}',
)
def measurements_complete(context: StudyContext) -> Iterator[Problem]:
    """``unit`` for quantities only, ``codelist`` for codes only."""
    for n, measurement in enumerate(context.study.custody.measurements if context.study.custody else ()):
        path = ("measurements", n)
        if (measurement.type == "quantity") != (measurement.unit is not None):
            remedy = "add unit" if measurement.unit is None else "remove unit, or write type: quantity"
            yield Problem(_FILE, path, f"{measurement.id} ({measurement.type}): unit does not fit the type", remedy)
        if (measurement.type == "code") != (measurement.codelist is not None):
            remedy = "add codelist" if measurement.codelist is None else "remove codelist, or write type: code"
            yield Problem(_FILE, path, f"{measurement.id} ({measurement.type}): codelist does not fit", remedy)


@rule(
    "TW110",
    "Each period has the slot in which something is given",
    why="In a crossover everybody is treated in every period; a period without a slot has no product to give.",
    bad="periods: [{id: first, …}, {id: second, …}]\nslots: [{id: one, period: first, …}]",
    good="slots: [{id: one, period: first, …}, {id: two, period: second, …}]",
)
def periods_have_slots(context: StudyContext) -> Iterator[Problem]:
    """Slots against periods, and a slot's period against that of its administration."""
    custody = context.study.custody
    if custody is None:
        return
    periods = [period.id for period in context.study.identity.periods]
    for n, slot in enumerate(custody.slots):
        declared = context.study.encounters.get(slot.administration)
        if slot.period is not None and slot.period not in periods:
            yield unknown(_FILE, ("slots", n, "period"), "period", slot.period, periods)
        elif declared is not None and declared.period != slot.period:
            message = (
                f"{slot.id} is of {slot.period or 'no period'}, {declared.id} of {declared.period or 'no period'}"
            )
            yield Problem(_FILE, ("slots", n, "period"), message, "make them agree")
    filled = {slot.period for slot in custody.slots}
    lacking = [period for period in periods if period not in filled]
    if lacking and all(slot.period is None or slot.period in periods for slot in custody.slots):
        yield Problem(_FILE, ("slots",), f"nothing is given in {', '.join(lacking)}", "add a slot for each period")


@rule(
    "TW111",
    "The dose rule gives a dose",
    why="A dose of zero, or a maximum below the dose of one kilogram, gives nobody what the protocol says.",
    bad='dose: {per_kg: "0", maximum: "100", …}',
    good='dose: {per_kg: "1", maximum: "100", …}',
)
def dose_positive(context: StudyContext) -> Iterator[Problem]:
    """Signs and order."""
    custody = context.study.custody
    if custody is None:
        return
    per_kg, maximum = Fraction(custody.dose.per_kg), Fraction(custody.dose.maximum)
    if per_kg <= 0:
        yield Problem(_FILE, ("dose", "per_kg"), f"the dose per kilogram is {custody.dose.per_kg}", "give it above 0")
    elif maximum < per_kg:
        yield Problem(_FILE, ("dose", "maximum"), "the maximum is below the dose of one kilogram", "raise it")


def _has(encounter: Encounter, act: str, slot: str) -> bool:
    return any(found.act == act and found.slot == slot for found in encounter.acts)


def _measures(code: str, what: str) -> bool:
    try:
        return commensurable(code, what)
    except UnknownUnit:  # TW062 says so
        return True

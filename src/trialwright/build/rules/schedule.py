"""Rules about ``schedule.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.findings import Severity
from trialwright.protocol.positions import KeyPath
from trialwright.protocol.schedule import Encounter
from trialwright.schedule import Fault, FaultKind, Overlap, PlannedEncounter, impossible, overlaps

_FILE = "schedule.yaml"
_LOG = "log"


@rule(
    "TW040",
    "The schedule names forms that exist",
    why="An encounter with a form that nobody can open is never complete.",
    bad="forms: [vital_sings]",
    good="forms: [vital_signs]",
)
def forms_exist(context: StudyContext) -> Iterator[Problem]:
    """Encounters, unscheduled and log forms."""
    schedule, forms = context.study.schedule, context.study.forms
    for path, encounter in context.encounters():
        for n, form in enumerate(encounter.forms):
            if form not in forms:
                yield unknown(_FILE, (*path, "forms", n), "form", form, forms)
    for key in ("unscheduled_forms", "log_forms"):
        for n, form in enumerate(getattr(schedule, key)):
            if form not in forms:
                yield unknown(_FILE, (key, n), "form", form, forms)


@rule(
    "TW041",
    "Encounters, epochs and periods that are named exist",
    why="A window counted from an encounter that does not exist never opens.",
    bad="- {id: week_4, anchor: injektion_1, …}",
    good="- {id: week_4, anchor: injection_1, …}",
)
def names_exist(context: StudyContext) -> Iterator[Problem]:
    """``anchor``, ``after``, ``epoch``, ``period``."""
    identity, encounters = context.study.identity, context.study.encounters
    epochs, periods = [e.id for e in identity.epochs], [p.id for p in identity.periods]
    for path, encounter in context.encounters():
        for key, kind, known in (
            ("anchor", "encounter", encounters),
            ("after", "encounter", encounters),
            ("epoch", "epoch", epochs),
            ("period", "period", periods),
        ):
            given = getattr(encounter, key)
            if given is not None and given not in known:
                yield unknown(_FILE, (*path, key), kind, given, known)


@rule(
    "TW042",
    "Windows of neighbours do not overlap",
    why="A visit on a day that lies in two windows could be either; staff and system will choose differently.",
    bad="- {id: week_4, offset: {weeks: 4}, window: {before: 7, after: 20}, …}\n"
    "- {id: week_6, offset: {weeks: 6}, window: {before: 7, after: 7}, …}",
    good="- {id: week_4, offset: {weeks: 4}, window: {before: 6, after: 6}, …}\n"
    "- {id: week_6, offset: {weeks: 6}, window: {before: 7, after: 7}, …}",
)
def windows_apart(context: StudyContext) -> Iterator[Problem]:
    """Windows that count from the same encounter; pairs that are declared to follow each other may share a day."""
    order = context.encounter_index
    for overlap in _overlaps(context.plan):
        same_day = _offset_days(context, overlap.first) == _offset_days(context, overlap.second)
        if overlap.ordered and same_day:
            continue
        message = f"the windows of {overlap.first} and {overlap.second} share {overlap.days} days"
        path = ("encounters", order[overlap.second], "window")
        yield Problem(_FILE, path, message, "narrow one of them")


def _offset_days(context: StudyContext, encounter: str) -> tuple[int | None, int | None, int | None]:
    offset = context.study.encounters[encounter].offset
    return (offset.days, offset.weeks, offset.months) if offset else (0, None, None)


_FAULTS = {
    FaultKind.CYCLE: ("the encounters wait for each other: {other}", "let one of them come first"),
    FaultKind.TARGET_BEFORE_PREDECESSOR: ("is planned before {other}, which must come first", "change the offset"),
    FaultKind.WINDOW_BEFORE_PREDECESSOR: ("closes before the window of {other} opens", "move or widen the window"),
    FaultKind.NEGATIVE_WINDOW: ("has a window that closes before it opens", "give days before and after"),
}


@rule(
    "TW043",
    "Every window can be met",
    why="An encounter that must follow another but is planned before it can never take place in time; every "
    "participant would be a deviation.",
    bad="- {id: week_4, offset: {weeks: 4}, after: week_8, …}",
    good="- {id: week_8, offset: {weeks: 8}, after: week_4, …}",
)
def windows_possible(context: StudyContext) -> Iterator[Problem]:
    """Faults of the schedule engine; unknown names are TW041's, ids used twice TW004's."""
    if not _names_known(context):
        return
    for fault in _faults(context.plan):
        if fault.kind in _FAULTS:
            message, remedy = _FAULTS[fault.kind]
            shown = message.format(other=fault.other)
            text = shown if fault.kind is FaultKind.CYCLE else f"{fault.encounter} {shown}"
            yield Problem(_FILE, ("encounters", context.encounter_index[fault.encounter]), text, remedy)


def _names_known(context: StudyContext) -> bool:
    known = context.study.encounters
    return all(n is None or n in known for e in known.values() for n in (e.anchor, e.after))


@lru_cache(maxsize=4)
def _faults(plan: tuple[PlannedEncounter, ...]) -> tuple[Fault, ...]:
    """Kept, because it tries every day of a leap cycle and most edits of a study leave the schedule alone."""
    try:
        return impossible(plan)
    except InvalidValue:  # beyond any calendar: TW044
        return ()


@lru_cache(maxsize=4)
def _overlaps(plan: tuple[PlannedEncounter, ...]) -> tuple[Overlap, ...]:
    try:
        return overlaps(plan)
    except InvalidValue:
        return ()


@rule(
    "TW044",
    "An encounter says when it is",
    why="Only the first encounter has no anchor. All others need an anchor, a distance and a window, or nobody knows "
    "when they are due.",
    bad="- {id: week_4, anchor: baseline, window: {before: 3, after: 3}, …}",
    good="- {id: week_4, anchor: baseline, offset: {weeks: 4}, window: {before: 3, after: 3}, …}",
)
def timed(context: StudyContext) -> Iterator[Problem]:
    """Anchor, offset and window together."""
    for path, encounter in context.encounters():
        first = context.encounter_index[encounter.id] == 0
        if encounter.anchor is None and not first:
            yield Problem(_FILE, path, f"{encounter.id} has no anchor", "name the encounter it is counted from")
        if encounter.anchor is not None and (encounter.offset is None or encounter.window is None):
            lacking = "offset" if encounter.offset is None else "window"
            yield Problem(_FILE, path, f"{encounter.id} has an anchor but no {lacking}", f"add {lacking}")
        if encounter.anchor is None and encounter.offset is not None:
            yield Problem(_FILE, (*path, "offset"), f"{encounter.id} has an offset from nothing", "add an anchor")
    if not context.plan:
        message = "an offset or window is longer than a century"
        yield Problem(_FILE, ("encounters",), message, "give the distance between anchor and encounter")


@rule(
    "TW045",
    "Consent, eligibility and randomisation happen once, in this order",
    why="Nothing of a study may happen before consent, and nobody may be randomised before somebody has signed that "
    "they fit.",
    bad="- {id: screening, acts: [{act: randomise}, {act: eligibility}, {act: consent}], …}",
    good="- {id: screening, acts: [{act: consent}, {act: eligibility}], …}\n"
    "- {id: baseline, acts: [{act: randomise}], …}",
)
def order_of_acts(context: StudyContext) -> Iterator[Problem]:
    """Places of the three acts in the schedule."""
    at: dict[str, list[tuple[int, int]]] = {"consent": [], "eligibility": [], "randomise": []}
    for n, encounter in enumerate(context.study.schedule.encounters):
        for k, act in enumerate(encounter.acts):
            if act.act in at:
                at[act.act].append((n, k))
    for name, places in at.items():
        if len(places) != 1:
            words = "nowhere" if not places else f"at {len(places)} encounters"
            path: KeyPath = ("encounters", places[1][0], "acts", places[1][1]) if len(places) > 1 else ("encounters",)
            yield Problem(_FILE, path, f"{name} happens {words}", "let it happen at one encounter")
    if all(len(places) == 1 for places in at.values()):
        order = [places[0] for places in at.values()]
        if order != sorted(order):
            path = ("encounters", order[2][0], "acts")
            message = "consent, eligibility and randomisation are in the wrong order"
            yield Problem(_FILE, path, message, "put consent first, then eligibility, then randomise")


@rule(
    "TW046",
    "Every form is filled somewhere",
    why="A form that no encounter carries is never filled, and its items are missing in every export.",
    bad="# forms/edss.yaml exists, no encounter lists edss",
    good="- {id: baseline, forms: [edss], …}",
)
def forms_scheduled(context: StudyContext) -> Iterator[Problem]:
    """Encounters, unscheduled visits, log."""
    schedule = context.study.schedule
    used = {f for e in schedule.encounters for f in e.forms} | {*schedule.unscheduled_forms, *schedule.log_forms}
    for form in context.study.forms:
        if form not in used:
            remedy = "list it at an encounter, or under unscheduled_forms or log_forms"
            yield Problem(f"forms/{form}.yaml", ("id",), f"the form {form} is never filled", remedy)


@rule(
    "TW047",
    "An encounter lists a form once",
    why="A form listed twice asks staff to fill it twice; a form that really repeats says so itself.",
    bad="forms: [vital_signs, edss, vital_signs]",
    good="forms: [vital_signs, edss]",
)
def forms_once(context: StudyContext) -> Iterator[Problem]:
    """Repeats within one list."""
    for path, encounter in context.encounters():
        for n, form in enumerate(encounter.forms):
            if form in encounter.forms[:n]:
                message = f"{encounter.id} lists {form} twice"
                yield Problem(_FILE, (*path, "forms", n), message, "remove one, or write repeats: true in the form")


@rule(
    "TW048",
    "Something is done at every encounter",
    why="A visit without forms and acts is a journey for nothing.",
    bad="- {id: week_2, forms: [], acts: [], …}",
    good="- {id: week_2, forms: [vital_signs], …}",
    severity=Severity.WARNING,
)
def something_done(context: StudyContext) -> Iterator[Problem]:
    """Neither forms nor acts."""
    for path, encounter in context.encounters():
        if not encounter.forms and not encounter.acts:
            yield Problem(_FILE, path, f"nothing is done at {encounter.id}", "add a form or act, or remove it")


@rule(
    "TW049",
    "What needs hands is not done by telephone",
    why="Nobody can take marrow or give an injection remotely; either the encounter or the word remote is wrong.",
    bad="- {id: injection, remote: true, acts: [{act: administration, slot: one}], …}",
    good="- {id: injection, acts: [{act: administration, slot: one}], …}",
)
def hands_present(context: StudyContext) -> Iterator[Problem]:
    """Acts and hands-on forms at remote encounters."""
    kinds = ("vital_signs", "laboratory", "procedure", "imaging", "electrophysiology")
    for path, encounter in context.encounters():
        if not encounter.remote:
            continue
        for n, act in enumerate(encounter.acts):
            if act.act in ("collection", "administration", "safety_gate"):
                yield Problem(_FILE, (*path, "acts", n), f"{act.act} is remote", "remove remote, or move the act")
        for n, name in enumerate(encounter.forms):
            form = context.study.forms.get(name)
            if form is not None and form.kind in kinds:
                message = f"{name} ({form.kind}) is filled at the remote encounter {encounter.id}"
                yield Problem(_FILE, (*path, "forms", n), message, "remove remote, or move the form")


@rule(
    "TW050",
    "The primary endpoint is assessed before anything of the next period",
    why="Once marrow is taken or a product given for the next period, the primary value is not that of this one.",
    bad="- {id: month_6, …}\n- {id: marrow_2, after: month_3, acts: [{act: collection, slot: two}], …}",
    good="- {id: month_6, …}\n- {id: marrow_2, after: month_6, acts: [{act: collection, slot: two}], …}",
)
def primary_first(context: StudyContext) -> Iterator[Problem]:
    """Collections and administrations for later periods come after primary encounters of earlier ones."""
    periods = [period.id for period in context.study.identity.periods]
    slots = {s.id: s.period for s in context.study.custody.slots} if context.study.custody else {}
    for path, encounter in context.encounters():
        for n, act in enumerate(encounter.acts):
            period = slots.get(act.slot or "")
            if act.act not in ("collection", "administration") or period not in periods:
                continue
            before = context.comes_after(encounter.id)
            for primary in _primary_of_earlier(context, periods[: periods.index(period)]):
                if primary not in before:
                    message = f"{encounter.id} ({act.act} for {period}) need not come after {primary}"
                    yield Problem(
                        _FILE, (*path, "acts", n), message, f"add after: {primary}, or a visit that follows it"
                    )


def _primary_of_earlier(context: StudyContext, periods: list[str]) -> Iterator[str]:
    for encounter in sorted(context.primary_encounters):
        declared: Encounter | None = context.study.encounters.get(encounter)
        if declared is not None and declared.period in periods:
            yield encounter


@rule(
    "TW051",
    "In a crossover, every treatment encounter belongs to a period",
    why="Data of an encounter without a period cannot be assigned to what was given.",
    bad="- {id: week_4, epoch: treatment, …}",
    good="- {id: week_4, epoch: treatment, period: first, …}",
)
def periods_given(context: StudyContext) -> Iterator[Problem]:
    """Encounters of treatment epochs."""
    if context.study.identity.design != "crossover":
        return
    treatment = {epoch.id for epoch in context.study.identity.epochs if epoch.kind == "treatment"}
    for path, encounter in context.encounters():
        if encounter.epoch in treatment and encounter.period is None:
            yield Problem(_FILE, path, f"{encounter.id} belongs to no period", "add period")


@rule(
    "TW052",
    "Every epoch has an encounter",
    why="An empty epoch appears in every export and register as a part of the study that nobody enters.",
    bad="epochs: [{id: washout, …}]   # no encounter has epoch: washout",
    good="- {id: week_10, epoch: washout, …}",
    severity=Severity.WARNING,
)
def epochs_used(context: StudyContext) -> Iterator[Problem]:
    """Epochs of ``study.yaml`` against the schedule."""
    used = {encounter.epoch for encounter in context.study.schedule.encounters}
    for n, epoch in enumerate(context.study.identity.epochs):
        if epoch.id not in used:
            yield Problem("study.yaml", ("epochs", n), f"no encounter is in the epoch {epoch.id}", "use or remove it")


@rule(
    "TW053",
    "No encounter is called log",
    why="The running log of a participant (adverse events, medication) has this name in the record, in exports and "
    "in addresses. An encounter of the same name would be taken for it.",
    bad="- {id: log, epoch: treatment, …}",
    good="- {id: log_review, epoch: treatment, …}",
)
def log_is_taken(context: StudyContext) -> Iterator[Problem]:
    """Names of encounters."""
    for path, encounter in context.encounters():
        if encounter.id == _LOG:
            yield Problem(_FILE, path, f"{_LOG} is the name of the running log", "call the encounter something else")

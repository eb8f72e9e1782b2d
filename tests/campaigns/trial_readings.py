"""What must hold of any trial, read from the bytes of its ledgers by somebody who knows no decision of the library.

The readers here share no code with the decisions, folds and views that they judge: they walk through plain JSON,
count days themselves and keep their own notes. Where the library has a judge of its own (``verify_ledger``,
``verify_allocations``) it is asked as well.
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from random_study import LABELS
from random_trial import SITE_KEY, RandomTrial

from trialwright.foundation.errors import TrialwrightError
from trialwright.ledger import verify_ledger
from trialwright.protocol.schedule import Encounter
from trialwright.trial.allocation.proof import open_lists, verify_allocations
from trialwright.trial.event import Space
from trialwright.trial.rooms import SLICES
from trialwright.trial.view import Projector

Body = dict[str, Any]
Problems = Iterator[str]

AFTER_LOCK = frozenset({
    "setup.person_appointed", "setup.appointment_ended", "setup.delegation_revoked", "consent.withdrawn",
    "allocation.mistaken_randomisation_recorded", "allocation.emergency_unblinded", "allocation.disclosed",
    "allocation.accidental_unblinding_recorded", "allocation.joined", "custody.mix_up_recorded",
    "custody.excursion_recorded", "custody.late_result_recorded", "custody.late_result_reported",
    "custody.product_stored", "custody.product_destroyed", "closure.deviation_opened",
    "closure.closed_deviation_opened", "closure.closed_deviation_classified", "closure.serious_breach_recorded",
    "closure.serious_breach_notified", "closure.urgent_safety_measure_taken", "closure.data_cut_made",
    "closure.second_person_asked", "closure.study_unlocked", "closure.analysis_plan_signed",
    "closure.analysis_code_frozen", "closure.allocations_disclosed", "closure.study_unblinded",
    "closure.study_closed", "closure.study_archived", "crossing.facts_crossed", "safety.adverse_event_reported",
    "safety.submission_recorded", "safety.sponsor_became_aware", "safety.clock_started", "safety.term_coded",
})  # fmt: skip
"""What may still be written when the study is locked: the way to the end, and facts that nobody may hold back."""

RANDOMISED = "allocation.participant_randomised"
SPELT = {"randomised_by_mistake": "by_mistake", "accidentally_unblinded": "accidental"}
"""Flags whose deviation is called otherwise."""


def bodies(trial: RandomTrial, space: Space) -> list[Body]:
    """The ledger of a space as plain data."""
    return [json.loads(entry.body) for entry in trial.trial.ledgers[space].read()]


def problems(trial: RandomTrial) -> list[str]:
    """Everything that is wrong with a trial that was played."""
    opened = bodies(trial, Space.OPEN)
    closed = bodies(trial, Space.CLOSED) if trial.blinded else []
    readers: tuple[Callable[[], Problems], ...] = (
        lambda: gates(trial, opened),
        lambda: order_of_the_list(trial, opened, closed or opened),
        lambda: flags(opened, [*opened, *closed]),
        lambda: visits_out_of_order(trial, opened),
        lambda: injections_out_of_order(trial, opened, closed or opened),
        lambda: after_the_lock(trial, opened, closed),
        lambda: crossings(opened, closed),
        lambda: streams(opened),
        lambda: streams(closed),
        lambda: arms_in_the_open(trial, opened),
        lambda: tables(trial, opened),
        lambda: replays(trial),
        lambda: folds(trial),
        lambda: checkpoints(trial),
        lambda: attempts(trial),
    )
    return [*trial.problems, *(problem for reader in readers for problem in _read(reader))]


def _read(reader: Callable[[], Problems]) -> list[str]:
    try:
        return list(reader())
    except Exception as error:
        # A record that cannot even be read as it should be is not as it should be.
        return [f"a reader fell over: {error!r}"]


# --- gates and lists ------------------------------------------------------------------------------------------------


def gates(trial: RandomTrial, opened: list[Body]) -> Problems:
    """Nobody is randomised without consent and sign-off in force, at a closed site, twice, or after leaving."""
    facts = {key.rpartition(".")[2] for key in trial.build.facts}
    limit = trial.study.randomisation.within_days_of_sign_off
    people: dict[str, Body] = defaultdict(lambda: {"items": {}})
    recruiting: dict[str, bool] = {}
    in_force: dict[str, str] = {}
    fresh: dict[str, set[str]] = {}
    frozen = False
    for body in opened:
        kind, data, day = body["type"], body["data"], date.fromisoformat(body["local"][:10])
        person = people[data.get("participant", "")]
        match kind:
            case "setup.site_activated":
                recruiting[data["site"]] = True
                in_force[data["site"]] = data["active_build"]
                fresh[data["site"]] = {data["active_build"]}
            case "setup.amendment_activated":
                in_force[data["site"]] = data["active_build"]
                still = set() if data["reconsent"] else fresh[data["site"]]
                fresh[data["site"]] = still | {data["active_build"]}
            case "setup.recruitment_resumed":
                recruiting[data["site"]] = True
            case "setup.recruitment_paused":
                recruiting[data["site"]] = False
            case "closure.study_frozen":
                frozen = True
            case "closure.study_unlocked":
                frozen = False
            case "enrolment.participant_screened":
                person["site"] = data["site"]
                if not recruiting.get(data["site"]) or frozen:
                    yield f"{data['participant']} was screened at a site that did not recruit"
            case "consent.given":
                person["consent"], person["not treated"] = body["build"], False
            case "consent.withdrawn":
                person["consent"] = None if "visits" in data["scopes"] else person.get("consent")
                person["not treated"] = person.get("not treated") or "treatment" in data["scopes"]
            case "capture.form_saved" | "capture.form_marked_not_done" | "capture.form_voided":
                if (data["encounter"], data["form"]) == ("screening", "screening"):
                    _enter(person["items"], kind, data, facts)
            case "enrolment.criteria_assessed":
                if person.get("consent") not in fresh[person["site"]]:
                    yield f"{data['participant']} was assessed without consent"
                person |= {"assessed": (data["eligible"], dict(person["items"]), body["build"]), "signed off": None}
            case "enrolment.eligibility_signed_off":
                now = ("yes", person["items"], in_force[person["site"]])
                if person.get("consent") not in fresh[person["site"]] or person.get("assessed") != now:
                    yield f"{data['participant']} was signed off without consent, or not as assessed"
                person["signed off"] = day
            case "enrolment.screening_failed" | "enrolment.participation_ended":
                person["over"] = True
            case "allocation.participant_randomised":
                as_assessed = person.get("assessed") == ("yes", person["items"], in_force[person["site"]])
                wrong = [
                    *([] if person.get("consent") in fresh[person["site"]] else ["without consent in force"]),
                    *(["after treatment was withdrawn"] if person.get("not treated") else []),
                    *(["after participation was over"] if person.get("over") else []),
                    *([] if person.get("signed off") else ["without a sign-off in force"]),
                    *([] if recruiting.get(person["site"]) and not frozen else ["at a site that did not recruit"]),
                    *([] if as_assessed else ["with other data than assessed"]),
                    *(["twice"] if person.get("randomised") else []),
                ]
                if limit is not None and person.get("signed off") and (day - person["signed off"]).days > limit:
                    wrong.append("with a sign-off that was too old")
                person["randomised"] = True
                for what in wrong:
                    yield f"{data['participant']} was randomised {what}"


def _enter(items: dict[str, Any], kind: str, data: Body, facts: set[str]) -> None:
    if kind != "capture.form_saved":
        items.clear()
        return
    for name, value in {**data["items"], **data["derived"]}.items():
        items.pop(name, None)
        if name in facts and value.get("text") is not None:
            items[name] = (value["text"], value.get("unit"))


def order_of_the_list(trial: RandomTrial, opened: list[Body], closed: list[Body]) -> Problems:
    """Everybody has the next row of their stratum, in the statistician's own order, opened with the other key; the
    unblinding discloses just that."""
    taken: Counter[str] = Counter()
    given: dict[str, str] = {}
    made = trial.statisticians_list()
    state = trial.trial.state()
    lists = open_lists(state, trial.unblinding)
    committed = sum(body["type"] == "allocation.list_committed" for body in opened)
    if len(lists) != committed or len(trial.prepared) != committed:
        yield f"{committed} lists are committed to, {len(lists)} open, {len(trial.prepared)} were made"
        return
    for body in opened:
        data = body["data"]
        if body["type"] == "allocation.position_taken":
            stratum = data["stratum"]
            if data["position"] != taken[stratum]:
                yield f"{data['participant']} took {data['position']} of {stratum!r}, the next was {taken[stratum]}"
            if _stratum(trial, opened, data["participant"]) != data["factors"]:
                yield f"{data['participant']} has the factors {data['factors']}"
            if made is not None and data["position"] < len(made.get(stratum, ())):
                given[data["participant"]] = made[stratum][data["position"]]
            taken[stratum] += 1
    try:
        proven = verify_allocations(trial.trial.facts(), lists, trial.trial.builds, commit=trial.sealer.commit)
    except TrialwrightError as error:
        yield f"the lists' use: {error}"
        return
    if made is not None and proven != given:
        yield "the opened list is not the one that the statistician made"
    for body in closed:
        if body["type"] == "closure.allocations_disclosed":
            disclosed = {said["participant"]: said["label"] for said in body["data"]["allocations"]}
            if disclosed != proven:
                yield "the unblinding disclosed something else than the list"
    allocations = trial.process().allocations
    assert allocations is not None
    for gateway, who in ((allocations, "a new process"), (trial.trial.allocations, "the process")):
        for participant, label in proven.items():
            if gateway is None or gateway.label(participant) != label:
                yield f"{participant} has {label} by the list and something else by {who}"


def _stratum(trial: RandomTrial, opened: list[Body], participant: str) -> dict[str, str]:
    """A participant's factor levels by the values at the moment of randomisation."""
    values: dict[str, Any] = {}
    site = participant.split("-")[1]
    for body in opened:
        data = body["data"]
        if data.get("participant") != participant:
            continue
        if body["type"] == "allocation.position_taken":
            break
        if body["type"].startswith("capture.form_") and (data["encounter"], data["form"]) == ("screening",) * 2:
            if body["type"] == "capture.form_saved":
                values |= {name: value.get("text") for name, value in data["items"].items()}
            elif body["type"] in ("capture.form_voided", "capture.form_marked_not_done"):
                values.clear()
    levels = {"site": site} if trial.study.randomisation.by_site else {}
    for stratum in trial.study.randomisation.strata:
        if stratum.id == "sex":
            levels["sex"] = {"F": "female", "M": "male"}.get(values.get("sex"), "?")
        else:
            levels["age"] = "young" if int(values.get("age") or 0) < 40 else "old"
    return levels


# --- facts out of order ---------------------------------------------------------------------------------------------


def flags(opened: list[Body], everything: list[Body]) -> Problems:
    """No flagged fact without a deviation, opened by the same act, in the space where it is flagged."""
    opened_by: dict[tuple[str, str], list[str]] = defaultdict(list)
    open_flags: dict[str, list[str]] = defaultdict(list)
    for body in everything:
        if body["type"] in ("closure.deviation_opened", "closure.closed_deviation_opened"):
            opened_by[body["request_id"], body["data"]["participant"]].append(body["data"]["deviation"])
        if body["type"] == "custody.injection_given":
            open_flags[body["request_id"]] = body["data"]["flags"]
    for body in everything:
        data = body["data"]
        for flag in data.get("flags", ()):
            if "participant" not in data:
                continue  # a breach notified late: the study's, not a participant's
            found = opened_by[body["request_id"], data["participant"]]
            if not any(SPELT.get(flag, flag) in name.split(".") for name in found):
                yield f"{body['type']} of {data['participant']} is flagged {flag}, and no deviation was opened"
        missed = body["type"] == "capture.encounter_missed"
        if missed and not any(
            n.startswith("missed_visit.") for n in opened_by[body["request_id"], data["participant"]]
        ):
            yield f"{data['participant']} missed {data['encounter']}, and no deviation was opened"


def visits_out_of_order(trial: RandomTrial, opened: list[Body]) -> Problems:
    """A visit outside its window, or after withdrawal or end, is flagged; one that is not is not."""
    held: dict[str, dict[str, date]] = defaultdict(dict)
    stopped: dict[str, str] = {}
    ended: dict[str, str] = {}
    for body in opened:
        kind, data = body["type"], body["data"]
        participant = data.get("participant", "")
        match kind:
            case "consent.given":
                stopped.pop(participant, None)
            case "consent.withdrawn" if "visits" in data["scopes"]:
                stopped.setdefault(participant, data["date"])
            case "enrolment.participation_ended" | "enrolment.screening_failed":
                if kind == "enrolment.participation_ended":
                    ended[participant] = data["date"]
            case "capture.encounter_held":
                day = date.fromisoformat(data["date"])
                late = (participant in stopped and data["date"] >= stopped[participant]) or (
                    participant in ended and data["date"] > ended[participant]
                )
                encounters = trial.trial.builds[body["build"]].study.encounters
                planned = encounters.get(data["encounter"])
                out = 0 if planned is None else _days_out(planned, day, held[participant])
                held[participant][data["encounter"]] = day
                expected = {*(["visit_window"] if out else []), *(["after_withdrawal"] if late else [])}
                if set(data["flags"]) != expected or data["days_out"] != out:
                    yield (
                        f"{participant}: {data['encounter']} on {day} is flagged {data['flags']} ({data['days_out']} "
                        f"days out), it is {sorted(expected)} ({out})"
                    )


def _days_out(encounter: Encounter, day: date, held: dict[str, date]) -> int:
    if encounter.anchor is None or encounter.offset is None or encounter.window is None:
        return 0
    anchor = held.get(encounter.anchor)
    if anchor is None:
        return 0
    offset = encounter.offset
    target = _months_later(anchor, offset.months or 0) + timedelta(days=(offset.days or 0) + 7 * (offset.weeks or 0))
    earliest = target - timedelta(days=encounter.window.before)
    latest = target + timedelta(days=encounter.window.after)
    return min((day - earliest).days, 0) or max((day - latest).days, 0)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def injections_out_of_order(trial: RandomTrial, opened: list[Body], closed: list[Body]) -> Problems:
    """An injection before its release, without gate, authorisation, consent or allocation is flagged; so is a wrong
    product."""
    rules = trial.study.custody
    if rules is None:
        return
    slots: dict[tuple[str, str], Body] = defaultdict(lambda: {"gates": set(), "decision": ("", "")})
    people: dict[str, Body] = defaultdict(dict)
    for body in opened:
        kind, data = body["type"], body["data"]
        person = people[data.get("participant", "")]
        slot = slots[data.get("participant", ""), data.get("slot", "")]
        match kind:
            case "custody.safety_gate_passed":
                slot["gates"].add(data["before"])
            case "custody.product_collected":
                slot |= {"decision": ("", ""), "label": data["label"]}
                slot["gates"].discard("collection")
            case "custody.product_decided":
                slot["decision"] = (data["decision"], body["at"])
            case "custody.administration_authorised":
                slot["authorised"] = True
            case "allocation.participant_randomised":
                person["randomised"] = True
            case "consent.given":
                person |= {"consent": True, "stopped": None}
            case "consent.withdrawn" if {"treatment", "visits"} & set(data["scopes"]):
                person["stopped"] = person.get("stopped") or (data["date"], body["at"])
            case "enrolment.participation_ended":
                person["ended"] = data["date"]
            case "custody.injection_given":
                happened = _instant(body["observed_at"] or body["at"])
                decision, decided = slot["decision"]
                expected = set()
                if "administration" not in slot["gates"]:
                    expected.add("gate_not_passed")
                if decision != "ready" or happened < _instant(decided):
                    expected.add("not_ready")
                elif happened > _instant(decided) + timedelta(hours=rules.expiry_hours):
                    expected.add("expired")
                if not slot.get("authorised"):
                    expected.add("not_authorised")
                if not person.get("randomised"):
                    expected.add("not_randomised")
                if slot.get("given"):
                    expected.add("already_given")
                if not person.get("consent"):
                    expected.add("without_consent")
                slot["given"] = True
                found = set(data["flags"]) - {"product", "conflicting_role", "after_withdrawal"}
                if found != expected:
                    told = f"flagged {sorted(found)}, it is {sorted(expected)}"
                    yield f"the injection of {data['participant']} is {told}"
                late = person.get("ended") and data["date"] > person["ended"]
                if person.get("consent") and person.get("stopped"):
                    late = late or data["date"] > person["stopped"][0]
                if late and not {"after_withdrawal", "without_consent"} & set(data["flags"]):
                    yield f"the injection of {data['participant']} came after withdrawal, and is not flagged so"
    yield from _wrong_products(trial, opened, closed)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _wrong_products(trial: RandomTrial, opened: list[Body], closed: list[Body]) -> Problems:
    rules, allocations = trial.study.custody, trial.trial.allocations
    assert rules is not None and allocations is not None
    randomised = {
        b["data"]["participant"]: b["at"] for b in opened if b["type"] == "allocation.participant_randomised"
    }
    periods = {slot.id: slot.period for slot in rules.slots}
    places = {(b["request_id"], b["type"]): place for place, b in enumerate(opened)}
    for body in closed:
        data = body["data"]
        if body["type"] != "custody.product_administered":
            continue
        participant = data["participant"]
        given = places[body["request_id"], "custody.injection_given"]
        before = {
            b["data"]["participant"] for b in opened[:given] if b["type"] == "allocation.participant_randomised"
        }
        if participant not in randomised or participant not in before:
            expected = "allocation_unknown"
        else:
            arm = allocations.arm(participant, periods[data["slot"]])
            expected = "" if rules.given_in[arm] == data["content"] else "wrong_product"
        found = {"allocation_unknown", "wrong_product"} & set(data["flags"])
        if found != ({expected} if expected else set()):
            yield f"what {participant} got is flagged {sorted(found)}, it is {expected or 'right'}"
        if (data["wristband"] != participant) > ("identifier_mismatch" in data["flags"]):
            yield f"{participant} got somebody else's syringe, and it is not flagged"


def after_the_lock(trial: RandomTrial, opened: list[Body], closed: list[Body]) -> Problems:
    """Between a lock and its undoing only the way to the end, and facts that nobody may hold back."""
    ledgers = {Space.OPEN: opened, **({Space.CLOSED: closed} if closed else {})}
    moments = [*trial.moments]
    locked = sum(body["type"] == "closure.study_locked" for body in opened)
    if locked != sum(moment.what == "locked" for moment in moments):
        yield f"the study was locked {locked} times, and who locked it saw something else"
    for here, following in pairwise([*moments, None]):
        if here is None or here.what != "locked":
            continue
        for space, ledger in ledgers.items():
            until = following.sizes[space] if following else len(ledger)
            for body in ledger[here.sizes[space] : until]:
                if body["type"] not in AFTER_LOCK or (
                    body["type"] == "closure.deviation_opened" and body["data"]["deviation"].endswith(".reported")
                ):
                    yield f"{body['type']} was written when the study was locked"


# --- the record itself ----------------------------------------------------------------------------------------------


def crossings(opened: list[Body], closed: list[Body]) -> Problems:
    """What a closed act says to the open space stands there, once and as it was said."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for body in opened:
        found[body["request_id"]].append((body["type"], json.dumps(body["data"], sort_keys=True)))
    for body in closed:
        if body["type"] == "crossing.facts_crossed":
            said = [(p["type"], json.dumps(json.loads(p["data"]), sort_keys=True)) for p in body["data"]["parts"]]
            if found[body["request_id"]] != said:
                yield f"what {body['request_id']} says to the open space does not stand there"


def streams(ledger: list[Body]) -> Problems:
    """Each stream is counted from 1 without a gap; what one request wrote stands together."""
    counted: Counter[str] = Counter()
    seen: set[str] = set()
    last = ""
    for body in ledger:
        counted[body["stream"]] += 1
        if body["stream_seq"] != counted[body["stream"]]:
            yield f"{body['stream']} has a gap at {body['stream_seq']}"
        if body["request_id"] != last:
            if body["request_id"] in seen:
                yield f"{body['request_id']} wrote twice"
            last = body["request_id"]
            seen.add(last)


def arms_in_the_open(trial: RandomTrial, opened: list[Body]) -> Problems:
    """In a blinded study no arm is named in the open space but by the study itself."""
    if not trial.blinded:
        return
    said = {body["type"] + " " + body["stream"]: json.dumps(body) for body in opened}
    said |= {f"table {name}": rows for name, rows in _dumped(trial, Space.OPEN).items() if name != "build"}
    security = trial.stores[Space.OPEN].ledger(f"{trial.study.identity.id}/security-open")
    said["the security log"] = " ".join(entry.body.decode() for entry in security.read())
    for where, words in said.items():
        if not where.startswith("setup.build_approved") and any(label in words for label in LABELS):
            yield f"an arm is named in the open space: {where}"


def tables(trial: RandomTrial, opened: list[Body]) -> Problems:
    """Where everybody stands, what the forms hold and which deviations there are: by a plain fold of one's own."""
    people: dict[str, Body] = {}
    items: dict[tuple[Any, ...], Any] = {}
    deviations: dict[tuple[str, str], bool] = {}
    visits: dict[tuple[str, str], Any] = {}
    for body in opened:
        kind, data = body["type"], body["data"]
        match kind:
            case "enrolment.participant_screened":
                people[data["participant"]] = {"status": "screening", "ended_on": None, "ended_how": None}
            case "consent.refused" if people[data["participant"]]["status"] == "screening":
                people[data["participant"]]["status"] = "consent_refused"
            case "enrolment.screening_failed":
                people[data["participant"]] |= {"status": "screen_failure", "ended_on": data["date"]}
            case "allocation.participant_randomised":
                people[data["participant"]]["status"] = "randomised"
            case "enrolment.participation_ended":
                ending = {"status": data["how"], "ended_on": data["date"], "ended_how": data["how"]}
                people[data["participant"]] |= ending
            case "closure.deviation_opened":
                deviations[data["participant"], data["deviation"]] = False
            case "closure.deviation_classified":
                deviations[data["participant"], data["deviation"]] = True
            case "capture.encounter_held":
                visits[data["participant"], data["encounter"]] = ("held", data["date"])
            case "capture.encounter_missed":
                before = visits.get((data["participant"], data["encounter"]), ("", None))
                visits[data["participant"], data["encounter"]] = ("missed", before[1])
            case "capture.form_saved" | "capture.form_voided" | "capture.form_marked_not_done":
                key = (data["participant"], data["encounter"], data["form"], data["repeat"])
                if kind != "capture.form_saved":
                    items = {place: value for place, value in items.items() if place[:4] != key}
                else:
                    for name, value in {**data["items"], **data["derived"]}.items():
                        items[*key, name] = tuple(value.get(n) for n in ("text", "unit", "outcome", "missing"))
    for what, ours, theirs in (
        ("disposition", people, _rows(trial, "disposition", ("participant",), ("status", "ended_on", "ended_how"))),
        ("visit", visits, _rows(trial, "visit", ("participant", "encounter"), None, ("status", "date"))),
        (
            "deviation",
            deviations,
            {
                key: row["classified_at"] is not None
                for key, row in _rows(trial, "deviation", ("participant", "deviation"), ("classified_at",)).items()
            },
        ),
        (
            "item",
            items,
            _rows(
                trial,
                "item",
                ("participant", "encounter", "form", "repeat", "item"),
                None,
                ("value", "unit", "outcome", "missing"),
            ),
        ),
    ):
        if ours != theirs:
            differing = [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)]
            at = sorted(map(str, differing))[0]
            yield f"the view {what} is not what the ledger says, for example at {at}"


def _rows(
    trial: RandomTrial,
    name: str,
    key: tuple[str, ...],
    columns: tuple[str, ...] | None,
    plain: tuple[str, ...] = (),
) -> dict[Any, Any]:
    """Rows of an open table by key: as a dict of columns, or as a tuple of the plain ones."""
    projector = trial.trial.projectors[Space.OPEN]
    table = next(table for table in projector.tables if table.name == name)
    found: dict[Any, Any] = {}
    for row in trial.trial.stores[Space.OPEN].rows.where(table):
        where = tuple(row[column] for column in key)
        value = {c: row[c] for c in columns} if columns else tuple(row[c] for c in plain)
        found[where if len(where) > 1 else where[0]] = value
    return found


def replays(trial: RandomTrial) -> Problems:
    """The views are what a replay of the ledger makes, byte for byte."""
    for space in (Space.OPEN, Space.CLOSED) if trial.blinded else (Space.OPEN,):
        before = _dumped(trial, space)
        trial.trial.rebuild_views(space)
        after = _dumped(trial, space)
        for name, rows in before.items():
            if after[name] != rows:
                yield f"the {space.value} view {name} is not what a replay makes"


def _dumped(trial: RandomTrial, space: Space) -> dict[str, str]:
    if not trial.trial.ledgers[space].size():
        return {}  # nothing was written there, so nothing was projected
    projector: Projector = trial.trial.projectors[space]
    rows = trial.trial.stores[space].rows
    return {table.name: json.dumps([list(row.values()) for row in rows.where(table)]) for table in projector.tables}


def folds(trial: RandomTrial) -> Problems:
    """What the process remembers is what a new process reads."""
    old, new = trial.trial.state(), trial.process().state()
    streams_of = {space: ledger.streams() for space, ledger in trial.trial.ledgers.items()}
    for kind in SLICES:
        prefix, _, keyed = kind.STREAM.partition("/")
        for stream in streams_of[kind.SPACE]:
            if stream.partition("/")[0] == prefix:
                key = stream.partition("/")[2] if keyed else ""
                if old.of(kind, key) != new.of(kind, key):
                    yield f"the process remembers {kind.__name__} of {stream} otherwise than it is read"


def checkpoints(trial: RandomTrial) -> Problems:
    """Every ledger verifies with what a site holds, up to its last entry."""
    for space, held in trial.checkpoints.items():
        ledger = trial.trial.ledgers[space]
        report = verify_ledger(ledger, outside=held, keys=[SITE_KEY.verifier])
        if report.fault is not None or report.covered != ledger.size():
            yield f"the {space.value} ledger does not verify: {report}"


def attempts(trial: RandomTrial) -> Problems:
    """Each refusal stands in a security log, and nothing else does."""
    name = trial.study.identity.id
    logged = sum(store.ledger(f"{name}/security-{space.value}").size() for space, store in trial.stores.items())
    if logged != trial.told["logged"]:
        yield f"{trial.told['logged']} attempts were refused, {logged} stand in the security logs"

"""Whatever people try in whatever order: what the ledger then holds never breaks a gate.

The commands run through dispatch, refusals and all; afterwards a plain reader, which shares no code with the
decisions, walks through the open ledger and checks what must have come before each randomisation.
"""

from __future__ import annotations

import json
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialwright.foundation.errors import Refusal
from trialwright.foundation.truth import Truth
from trialwright.trial.allocation.commands import RandomiseParticipant
from trialwright.trial.capture.events import Entered
from trialwright.trial.consent.commands import RefuseConsent, WithdrawConsent
from trialwright.trial.enrolment.commands import EndParticipation, FailScreening, RescreenParticipant
from trialwright.trial.event import Space
from trialwright.trial.setup.commands import PauseRecruitment, ResumeRecruitment

CODES = ("NO-01-001", "NO-01-002", "NO-01-003")


def age(world, code, years):
    items = {"age": Entered(text=years, unit="a"), "sex": Entered(text="M")}
    return world.save(code, "screening", "screening", items, "nurse", reason="again")


ACTS = {
    "screen": lambda w, c: w.screened(),
    "sign": lambda w, c: w.sign_consent(c),
    "countersign": lambda w, c: w.countersign(c),
    "examine": lambda w, c: w.examined(c, sex="M"),
    "older": lambda w, c: age(w, c, "61"),
    "younger": lambda w, c: age(w, c, "40"),
    "assess": lambda w, c: w.assessed(c),
    "assess as unfit": lambda w, c: w.assessed(c, fit=Truth.NO),
    "sign off": lambda w, c: w.signed_off(c),
    "randomise": lambda w, c: w.give(RandomiseParticipant(participant=c), "investigator"),
    "decline": lambda w, c: w.give(RefuseConsent(participant=c), "nurse"),
    "withdraw": lambda w, c: w.give(WithdrawConsent(participant=c), "nurse"),
    "fail": lambda w, c: w.give(FailScreening(participant=c, criteria=("fit",)), "nurse"),
    "rescreen": lambda w, c: w.give(RescreenParticipant(participant=c), "nurse"),
    "end": lambda w, c: w.give(EndParticipation(participant=c, date=w.today, how="died"), "nurse", reason="r"),
    "pause": lambda w, c: w.give(PauseRecruitment(site="01"), "sponsor"),
    "resume": lambda w, c: w.give(ResumeRecruitment(site="01"), "sponsor"),
    "wait": lambda w, c: w.later(days=10),
}
WAY = ("sign", "countersign", "examine", "assess", "sign off", "randomise")


@st.composite
def attempts(draw):
    """Mostly the way to randomisation, with anything in between."""
    planned = [("screen", CODES[0]), ("screen", CODES[1])]
    for code in CODES[:2]:
        for act in WAY:
            disturbed = draw(st.integers(0, 3)) == 0
            if disturbed:
                planned.append((draw(st.sampled_from(sorted(ACTS))), draw(st.sampled_from(CODES))))
            if draw(st.integers(0, 9)):
                planned.append((act, code))
    return planned


def test_nothing_in_the_ledger_breaks_a_gate(trial_worlds):
    seen = {"randomised": 0, "refused": 0}

    @given(attempts())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def any_order(planned):
        world = trial_worlds()
        for act, code in planned:
            before = world.heads()
            try:
                ACTS[act](world, code)
            except (Refusal, AssertionError, KeyError):
                # The world's own helpers assert that there is something to sign; the ledger decides below.
                seen["refused"] += 1
                if act in ("randomise", "sign off", "fail", "rescreen", "end", "withdraw", "decline"):
                    assert world.heads() == before
        seen["randomised"] += walk(world)

    any_order()
    assert seen["randomised"] >= 20, seen
    assert seen["refused"] >= 50, seen


def walk(world):
    """Read the open ledger as plain JSON; how many were randomised, each rightly."""
    people, recruiting, positions, count = {}, {}, {}, 0
    for entry in world.trial.ledgers[Space.OPEN].read():
        body = json.loads(entry.body)
        kind, data, day = body["type"], body["data"], date.fromisoformat(body["local"][:10])
        person = people.setdefault(data.get("participant"), {"consent": False, "values": {}})
        match kind:
            case "setup.site_activated" | "setup.recruitment_resumed":
                recruiting[data["site"]] = True
            case "setup.recruitment_paused":
                recruiting[data["site"]] = False
            case "enrolment.participant_screened":
                assert recruiting[data["site"]]
                person["site"] = data["site"]
            case "consent.signed_by_participant":
                person["signed"] = data["text"]
            case "consent.refused":
                person["signed"] = None
            case "consent.given":
                assert person["signed"] == data["text"]
                person["consent"] = True
            case "consent.withdrawn":
                person["consent"] = False
            case "capture.form_saved":
                person["values"] = {**person["values"], **{k: v["text"] for k, v in data["items"].items()}}
            case "enrolment.criteria_assessed":
                assert person["consent"]
                person |= {"assessed": (data["eligible"], dict(person["values"])), "signed_off": None}
            case "enrolment.eligibility_signed_off":
                assert person["assessed"] == ("yes", person["values"])
                assert person["consent"]
                person["signed_off"] = day
            case "enrolment.screening_failed" | "enrolment.participation_ended":
                person["over"] = True
            case "allocation.position_taken":
                assert data["position"] == positions.get(data["stratum"], 0)
                assert data["stratum"] == "sex=male"
                positions[data["stratum"]] = data["position"] + 1
            case "allocation.participant_randomised":
                count += 1
                assert "randomised" not in person
                assert person["consent"]
                assert not person.get("over")
                assert recruiting[person["site"]]
                assert timedelta(0) <= day - person["signed_off"] <= timedelta(days=28)
                assert person["assessed"] == ("yes", person["values"])
                assert person["values"]["age"] != "61"
                person["randomised"] = True
    return count

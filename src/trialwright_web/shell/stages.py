"""How far the injection of a slot has come: collection, manufacture, release, hand-over, injection.

From the open slot alone it is what everybody may see; with the laboratory's row of its product it says more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from trialwright.foundation.tables import Row
from trialwright.protocol.custody import Custody
from trialwright_web.shell.words import Words

State = Literal["done", "now", "ahead", "stopped"]
NAMES: Mapping[str, Words] = {
    "collection": _("Collection"),
    "manufacture": _("Manufacture"),
    "release": _("Release"),
    "hand_over": _("Hand-over"),
    "injection": _("Injection"),
}

STATUS: Mapping[str, Words] = {
    "": _("not begun"),
    "gate_passed": _("safety gate passed"),
    "collected": _("collected"),
    "ready": _("released"),
    "ask_physician": _("the physician is asked"),
    "repeat_collection": _("collection to be repeated"),
    "slot_cancelled": _("cancelled"),
    "participant_discontinued": _("participant discontinued"),
    "handed_over": _("handed over"),
    "authorised": _("authorised"),
    "injected": _("injected"),
}
"""Status of a slot in words."""

OVER = frozenset({"slot_cancelled", "participant_discontinued"})


@dataclass(frozen=True)
class Stage:
    """One of the five stages of a slot."""

    name: Words
    state: State
    when: str = ""
    """Instant (UTC) or local date on which it was done."""
    words: Words = ""

    @property
    def icon(self) -> str:
        return {"done": "check", "now": "half", "ahead": "ring", "stopped": "deviation"}[self.state]


def stages(slot: Row, product: Row | None = None) -> tuple[Stage, ...]:
    """The five stages.

    Args:
        slot: row of ``injection_slot``; an empty one where nothing happened yet.
        product: the laboratory's row, for eyes that may see it.
    """
    decision = str(slot.get("decision") or "")
    collected = bool(slot.get("label")) and decision != "repeat_collection"
    done = (
        collected,
        decision in ("ready", "ask_physician") or decision in OVER or bool(product and product.get("released_at")),
        decision == "ready",
        bool(slot.get("handed_over_at")),
        bool(slot.get("injected_on")),
    )
    when = (
        _text(slot, "collected_on") if collected else "",
        _text(slot, "decided_at"),
        _text(slot, "decided_at"),
        _text(slot, "handed_over_at"),
        _text(slot, "injected_on"),
    )
    words = ("", _in_laboratory(product) if product and not done[1] else "", _decision(decision), "", "")
    first = next((index for index, one in enumerate(done) if not one), len(done))
    over = decision in OVER
    return tuple(
        Stage(name, _state(done[i], i == first, over), when[i] if done[i] else "", words[i])
        for i, name in enumerate(NAMES.values())
    )


def status_words(slot: Row) -> Words:
    """How the slot stands."""
    status = str(slot.get("status") or "")
    return STATUS.get(status, status)


def expires(slot: Row, custody: Custody) -> datetime | None:
    """Until when a released injection may be given (UTC); None where it is not released, or given."""
    if slot.get("decision") != "ready" or slot.get("injected_on"):
        return None
    return datetime.fromisoformat(str(slot["decided_at"])) + timedelta(hours=custody.expiry_hours)


def empty_slot(participant: str, slot: str) -> Row:
    """A slot in which nothing happened yet."""
    return {"participant": participant, "slot": slot, "collections": 0}


def _state(done: bool, is_first: bool, over: bool) -> State:
    if done:
        return "done"
    if over:
        return "stopped"
    return "now" if is_first else "ahead"


def _decision(decision: str) -> Words:
    return STATUS[decision] if decision in ("ask_physician", "repeat_collection", *OVER) else ""


def _in_laboratory(product: Row) -> Words:
    return LABORATORY.get(str(product.get("status") or ""), str(product.get("status") or ""))


LABORATORY: Mapping[str, Words] = {
    "": _("not received"),
    "received": _("received"),
    "in_manufacture": _("in manufacture"),
    "out_of_specification": _("out of specification"),
    "released": _("released"),
    "certified": _("certified"),
    "failed": _("failed"),
    "handed_over": _("handed over"),
    "given": _("given"),
    "stored": _("stored"),
    "destroyed": _("destroyed"),
}
"""Status of a product in the laboratory, in words."""


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name) or "")

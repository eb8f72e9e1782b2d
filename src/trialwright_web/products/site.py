"""What the site does for an injection: gate, collection, request, authorisation; each a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.http import Http404, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.protocol.custody import Slot
from trialwright.protocol.roles import Role
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.command import Command
from trialwright.trial.custody.commands import (
    AuthoriseAdministration,
    CollectProduct,
    PassSafetyGate,
    RequestExceptionalRelease,
)
from trialwright.trial.custody.events import ASK_PHYSICIAN, READY, REPEAT_COLLECTION
from trialwright.trial.custody.judging import gate_results
from trialwright.trial.custody.views import SLOT
from trialwright.trial.tasks import UNDER_WAY
from trialwright_web.shell.acts import Act, Field, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.record_words import visit_words
from trialwright_web.shell.stages import empty_slot, status_words
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.words import Words

VERDICTS: Mapping[str, Words] = {"yes": _("holds"), "no": _("does not hold"), "unknown": _("not known yet")}


@dataclass(frozen=True)
class Offer:
    """An act that the desk may do now; ``expected`` where it is what comes next."""

    title: Words
    address: str
    expected: bool


@dataclass(frozen=True)
class Place:
    """A slot of a participant, where an act takes place."""

    desk: Desk
    participant: str
    site: str
    slot: Slot
    row: Row
    build: Build

    @property
    def back(self) -> str:
        return reverse("products:slot", args=(self.desk.study, self.participant, self.slot.id))

    @property
    def facts(self) -> tuple[tuple[Words, Words], ...]:
        """Who and what; the head of every act's page."""
        return (
            (_("Participant"), self.participant),
            (_("Injection"), in_language(self.slot.label)),
            (_("Status"), status_words(self.row)),
        )


def offers(desk: Desk, person: Row, row: Row) -> tuple[Offer, ...]:
    """What the desk may do for a slot, what is expected first."""
    # Of somebody who has left nothing more is expected; what happened all the same can still be recorded.
    expected = expected_act(row) if person["status"] in UNDER_WAY else None
    sensible = _sensible(person, row)
    found = []
    for name, (title, command, _page) in ACTS.items():
        if name in sensible and may_act(desk, command):
            address = reverse("products:act", args=(desk.study, row["participant"], row["slot"], name))
            found.append(Offer(title, address, name == expected))
    return tuple(sorted(found, key=lambda offer: not offer.expected))


def _sensible(person: Row, row: Row) -> frozenset[str]:
    """Acts that are not sure to be refused, by the open record alone. A collection is a fact and never is."""
    found = {"collect"} if person["status"] != "screen_failure" else set()
    if person["status"] in UNDER_WAY and not row.get("injected_on"):
        found |= {"gate-collection", "gate-administration"}
        if row.get("decision") == ASK_PHYSICIAN:
            found.add("request")
        if row.get("decision") == READY and row.get("gate_administration_at") is not None:
            found.add("authorise")
    return frozenset(found)


def expected_act(row: Row) -> str | None:
    """What the site does next, by the open record alone; None while it waits for somebody else or is done."""
    decision = row.get("decision")
    if row.get("injected_on"):
        return None
    if not row.get("label") or decision == REPEAT_COLLECTION:
        passed = row.get("status") == "gate_passed"
        return "collect" if passed else "gate-collection"
    if decision == ASK_PHYSICIAN:
        return None if row.get("requested_by") else "request"
    if decision == READY and row.get("gate_administration_at") is None:
        return "gate-administration"
    if decision == READY and row.get("handed_over_at") and row.get("authorised_at") is None:
        return "authorise"
    if decision is None and row.get("gate_administration_at") is None:
        return "gate-administration" if row.get("label") else None
    return None


@at_desk(Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INJECTING_PHYSICIAN)
@require_http_methods(["GET", "POST"])
def act(request: Request, desk: Desk, participant: str, slot: str, act: str) -> HttpResponse:
    """One act of the site for a slot."""
    if act not in ACTS:
        raise Http404
    return act_page(request, desk, ACTS[act][2](_place(desk, participant, slot)))


def _place(desk: Desk, participant: str, slot: str) -> Place:
    person = desk.participant(participant)
    build = desk.build_at(str(person["site"]))
    custody = build.study.custody
    planned = next((one for one in custody.slots if one.id == slot), None) if custody else None
    if planned is None:
        raise Http404
    row = desk.rows.get(SLOT, (participant, slot)) or empty_slot(participant, slot)
    return Place(desk, participant, str(person["site"]), planned, row, build)


def _gated(place: Place, before: str, act: Act) -> Act:
    """An act behind a gate: every criterion with its verdict from the data as they stand; where one does not hold,
    what is offered is the visit whose forms say so."""
    encounter = place.slot.collection if before == "collection" else place.slot.administration
    book = place.desk.state.of(CaseBook, place.participant)
    results = gate_results(place.build, book, before, encounter)
    head = (_("Criterion"), _("Verdict"), _("What is missing"))
    rows = [
        (in_language(place.build.gates[r.criterion].gate.text), VERDICTS[r.verdict], _missing(place, r.missing))
        for r in results
    ]
    act = replace(act, rows=(head, *rows))
    if all(result.verdict == "yes" for result in results):
        return act
    return replace(
        act,
        warning=_("The gate stays closed: not every criterion holds."),
        first=(visit_words(place.build, encounter), _visit(place, encounter)),
    )


def _missing(place: Place, names: tuple[str, ...]) -> str:
    """What nobody entered yet, as the forms call it."""
    items = place.build.study.items
    return ", ".join(in_language(items[name].label) if name in items else name for name in names)


def _visit(place: Place, encounter: str) -> str:
    try:
        return reverse("capture:visit", args=(place.desk.study, place.participant, encounter))
    except NoReverseMatch:
        return place.back


def _pass_collection(place: Place) -> Act:
    return _pass(place, "collection", _("Pass the safety gate before the collection"))


def _pass_administration(place: Place) -> Act:
    return _pass(place, "administration", _("Pass the safety gate before the injection"))


def _pass(place: Place, before: str, title: Words) -> Act:
    act = Act(
        title=title,
        command=PassSafetyGate,
        make=lambda answers: PassSafetyGate(participant=place.participant, slot=place.slot.id, before=before),
        back=place.back,
        facts=place.facts,
        intro=_("Every criterion must hold with the data of this visit. Nothing is passed that is not known."),
        button=_("Pass the gate"),
        done=_("The gate is passed."),
    )
    return _gated(place, before, act)


def _collect(place: Place) -> Act:
    return Act(
        title=_("Report the collection"),
        command=CollectProduct,
        make=lambda answers: CollectProduct(
            participant=place.participant,
            slot=place.slot.id,
            label=answers.text("label").upper(),
            volume_ml=answers.decimal("volume_ml"),
        ),
        back=place.back,
        facts=place.facts,
        fields=(
            Field("label", _("Scan the label on the container"), "scan"),
            Field("volume_ml", _("Volume"), "number", unit="mL"),
        ),
        happened=_("Taken at (local time)"),
        intro=_("A collection is a fact: it is recorded also where something was out of order, and then flagged."),
        button=_("Record the collection"),
        done=_("The collection is recorded. The laboratory expects the container."),
    )


def _request(place: Place) -> Act:
    return Act(
        title=_("Ask for the product although it is out of specification"),
        command=RequestExceptionalRelease,
        make=lambda answers: RequestExceptionalRelease(participant=place.participant, slot=place.slot.id),
        back=place.back,
        facts=place.facts,
        warning=_(
            "The laboratory reports that the product does not meet every release criterion. As treating physician "
            "you may ask for it nevertheless; the Qualified Person decides."
        ),
        button=_("Sign the request"),
        done=_("The Qualified Person sees your request."),
    )


def _authorise(place: Place) -> Act:
    act = Act(
        title=_("Authorise the injection"),
        command=AuthoriseAdministration,
        make=lambda answers: AuthoriseAdministration(participant=place.participant, slot=place.slot.id),
        back=place.back,
        facts=place.facts,
        button=_("Authorise the injection"),
        done=_("The injection is authorised."),
    )
    return _gated(place, "administration", act)


ACTS: Mapping[str, tuple[Words, type[Command], Callable[[Place], Act]]] = {
    "gate-collection": (_("Safety gate before the collection"), PassSafetyGate, _pass_collection),
    "collect": (_("Report the collection"), CollectProduct, _collect),
    "request": (_("Ask for the product out of specification"), RequestExceptionalRelease, _request),
    "gate-administration": (_("Safety gate before the injection"), PassSafetyGate, _pass_administration),
    "authorise": (_("Authorise the injection"), AuthoriseAdministration, _authorise),
}
"""Part of the address → what it is called in lists, its command, its page."""

"""The audit trail: what a role may see of the record, row by row, with old value, new value, who, when and why.

It reads the ledger and nothing else, so it cannot be switched off, edited or fall behind. Fields after EMA's
guideline on computerised systems (2023), section A1.2: previous and current value, field, user, role, organisation,
time, reason; a blinded role never sees a fact of the closed space.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trialwright.build import Build
from trialwright.foundation.errors import Refusal
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.allocation.events import AllocationRowsSealed
from trialwright.trial.capture.events import Entered, FormMarkedNotDone, FormSaved, FormVoided
from trialwright.trial.closure.state import Ending
from trialwright.trial.crossing.events import FactsCrossed
from trialwright.trial.dispatch import Trial
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Event, Fact, Space, encode
from trialwright.trial.safety.events import AdverseEventFollowedUp, AdverseEventReported
from trialwright.trial.setup.state import StudySetup
from trialwright.trial.state import State
from trialwright.trial.trail import AuditRow

SEALED = "(identifying, not shown)"
"""Stands for the content of an item that identifies somebody, where the role does not know identities."""

IDENTITY = (
    "participant", "site", "person", "role", "adverse_event", "agent", "by", "clock", "deviation", "slot", "label",
    "query", "encounter", "form", "repeat", "cut", "breach", "measure", "criterion", "population", "subject",
)  # fmt: skip
"""Fields that say what a fact is about; the others are what it says."""

SAME_THING: Mapping[type[Event], type[Event]] = {AdverseEventFollowedUp: AdverseEventReported}
"""Event types whose fields change what another type said first."""


COUNTED: Mapping[type[Event], str] = {FactsCrossed: "parts", AllocationRowsSealed: "rows"}
"""Event types of which only the number of parts is shown: sealed rows, and facts that stand in the trail anyway."""

FORM = "form"
LONGEST = 2000


class TrailNotAllowed(Refusal):
    """Site staff read the trail of their site, participants their own."""

    code = "audit.trail_not_allowed"


def audit_trail(
    trial: Trial, *, role: Role, site: str | None = None, participant: str | None = None
) -> Iterator[AuditRow]:
    """Every row of the trail that a role may see, in order of time.

    Args:
        trial: the running trial; a process without the closed space gives the open trail only.
        role: who reads.
        site: the reader's site, for site roles.
        participant: only this participant's stream; for the role participant it is their own code.

    Raises:
        TrailNotAllowed: a site role without a site, or a participant who asks for more than their own.
    """
    _check_reader(trial, role, site, participant)
    closed = sees_closed(trial, role)
    apart = closed and not trial.one_space and Space.CLOSED in trial.ledgers
    spaces = (Space.OPEN, Space.CLOSED) if apart else (Space.OPEN,)
    facts = heapq.merge(*(facts_of(trial, space, participant) for space in spaces), key=lambda fact: fact.at)
    rows, sites = _Rows(trial, role), _Sites(trial)
    for fact in facts:
        hidden = fact.event.SPACE is Space.CLOSED and not closed
        if not hidden and (role not in SITE_ROLES or sites.concern(fact, site)):
            yield from rows.of(fact)


def sees_closed(trial: Trial, role: Role, state: State | None = None) -> bool:
    """Whether the role may read facts of the closed space: everybody in an open study, unblinded roles in a blinded
    one, and inspectors once it is unblinded; as a state that was read has it, or as it stands now."""
    state = state or trial.state()
    build = trial.builds.get(state.of(StudySetup).build) or next(iter(trial.builds.values()))
    blinding = build.study.identity.blinding
    if blinding.kind == "open" or role in blinding.unblinded_roles:
        return True
    return role is Role.INSPECTOR and state.of(Ending).unblinded


def _check_reader(trial: Trial, role: Role, site: str | None, participant: str | None) -> None:
    if role in SITE_ROLES:
        if site is None:
            raise TrailNotAllowed(f"{role.value} reads the trail of a site", remedy="name the site", role=role.value)
        if participant is not None and trial.state().of(Enrolment, participant).site != site:
            raise TrailNotAllowed(
                f"{participant} is not of site {site}", remedy="ask for a participant of the site", site=site
            )
    if role is Role.PARTICIPANT and participant is None:
        raise TrailNotAllowed("participants read their own trail", remedy="name the participant", role=role.value)


def facts_of(trial: Trial, space: Space, participant: str | None = None) -> Iterator[Fact]:
    """The facts of a space in order; those of one participant where one is named."""
    if participant is None:
        return trial.facts(space)
    return trial.facts_of(participant, space)


@dataclass
class _Sites:
    """Which site a participant belongs to, looked up once."""

    trial: Trial
    known: dict[str, str] = field(default_factory=dict)

    def concern(self, fact: Fact, site: str | None) -> bool:
        """Facts about participants and sites are for their site, facts about the study and its people for all."""
        participant: str | None = getattr(fact.event, "participant", None)
        if participant is not None:
            if participant not in self.known:
                self.known[participant] = self.trial.state().of(Enrolment, participant).site
            return self.known[participant] == site
        where: str | None = getattr(fact.event, "site", None)
        return not where or where == site


@dataclass
class _Rows:
    """Turns facts into rows and remembers what each field said last."""

    trial: Trial
    role: Role
    last: dict[tuple[str, str, str], str | None] = field(default_factory=dict)

    def of(self, fact: Fact) -> Iterator[AuditRow]:
        about, values = _about(fact.event), list(self._values(fact))
        if not values:
            yield _row(fact, about, ("", None, None))
        for name, new in values:
            key = (_family(fact.event), about, name)
            old = self.last.get(key)
            if old != new:
                self.last[key] = new
                yield _row(fact, about, (name, old, new))

    def _values(self, fact: Fact) -> Iterable[tuple[str, str | None]]:
        event = fact.event
        if isinstance(event, FormSaved):
            return self._form(event, self.trial.builds.get(fact.build))
        if isinstance(event, FormVoided | FormMarkedNotDone):
            about = _about(event)
            emptied = [name for kind, where, name in self.last if kind == FORM and where == about]
            how = event.how if isinstance(event, FormMarkedNotDone) else "voided"
            return [*((name, None) for name in emptied if name != "status"), ("status", how)]
        counted = COUNTED.get(type(event))
        if counted is not None:
            return [(counted, str(len(getattr(event, counted))))]
        return _flat(encode(event), top=True)

    def _form(self, event: FormSaved, build: Build | None) -> Iterator[tuple[str, str | None]]:
        yield "status", "saved"
        for name, entered in (*event.items.items(), *event.derived.items()):
            yield name, SEALED if self._identifies(event.form, name, build) else _shown(entered)
            yield f"{name} source", entered.source
        for raised in event.raised:
            yield f"query {raised.query}", raised.message
        for query in event.resolved:
            yield f"query {query}", "settled"

    def _identifies(self, form: str, name: str, build: Build | None) -> bool:
        if self.role in SITE_ROLES or self.role is Role.PARTICIPANT:
            return False
        compiled = build.forms.get(form) if build is not None else None
        item = compiled.items.get(name.partition(".")[0]) if compiled is not None else None
        return item is None or item.item.privacy == "identifying"


def _row(fact: Fact, about: str, change: tuple[str, str | None, str | None]) -> AuditRow:
    name, old, new = change
    return AuditRow(
        at=fact.at,
        local=fact.local,
        zone=fact.zone,
        happened=fact.observed_at,
        actor=fact.actor,
        role=fact.role,
        organisation=fact.organisation,
        space=fact.event.SPACE.value,
        what=fact.event.TYPE.partition(".")[2].replace("_", " "),
        about=about or fact.stream,
        field=name,
        old=old,
        new=new,
        reason=fact.reason,
        build=fact.build,
        request_id=fact.request_id,
    )


def _family(event: Event) -> str:
    """Events of one family speak about the same fields."""
    if isinstance(event, FormSaved | FormVoided | FormMarkedNotDone):
        return FORM
    return SAME_THING.get(type(event), type(event)).TYPE


def _about(event: Event) -> str:
    """The identifying fields of an event, in one text."""
    found = ((name, getattr(event, name, None)) for name in IDENTITY)
    return ", ".join(f"{name} {value}" for name, value in found if value not in (None, ""))


def _flat(data: Mapping[str, Any], prefix: str = "", *, top: bool = False) -> Iterator[tuple[str, str | None]]:
    """Names and texts of all values of an event's data, without what says what it is about."""
    for name, value in data.items():
        if top and name in IDENTITY:
            continue
        yield from _values_of(f"{prefix}{name}", value)


def _values_of(name: str, value: Any) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, dict):
        yield from _flat(value, f"{name}.")
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for number, one in enumerate(value, start=1):
            yield from _flat(one, f"{name}.{_key(one, number)}.")
    elif isinstance(value, list):
        if value:
            yield name, ", ".join(str(one) for one in value)
    else:
        yield name, _text(value)


def _key(one: Mapping[str, Any], number: int) -> str:
    named = [str(one[key]) for key in IDENTITY if key in one]
    return " ".join(named) or str(number)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:100]} … ({len(text):,} characters)"


def _shown(entered: Entered) -> str:
    if entered.text is not None:
        return f"{entered.text} {entered.unit}" if entered.unit else entered.text
    return entered.outcome or f"missing: {entered.missing}"

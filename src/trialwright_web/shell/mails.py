"""Which facts somebody is told of by mail, and the only two mails there are: both say "sign in", neither says why.

A mail passes through servers that nobody validated. So it holds no study, no participant, no site and no kind of
event; whoever signs in finds what waits at their desk.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.mail import send_mail

from trialwright.protocol.roles import Role
from trialwright.trial.allocation.events import AccidentalUnblindingRecorded, EmergencyUnblinded
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Event, Fact, Space
from trialwright.trial.safety.events import AdverseEventReported, ClockStarted
from trialwright.trial.setup.views import PERSON

URGENT, WAITING = "urgent", "waiting"

_SAFETY = (Role.SAFETY_OFFICER, Role.MEDICAL_MONITOR, Role.SPONSOR)
TOLD: dict[type[Event], tuple[str, tuple[Role, ...]]] = {
    EmergencyUnblinded: (URGENT, _SAFETY),
    AccidentalUnblindingRecorded: (URGENT, (Role.SPONSOR,)),
    ClockStarted: (URGENT, _SAFETY),
    AdverseEventReported: (WAITING, (Role.SAFETY_OFFICER, Role.MEDICAL_MONITOR)),
}
"""Facts of the open space, how urgent they are, and the central roles that are told."""

_TEXTS = {
    URGENT: (
        "Trialwright: please sign in today",
        "Something that cannot wait is at your desk.\n\nNoko som ikkje kan vente, ligg på pulten din.\n\n"
        "Noe som ikke kan vente, ligger på pulten din.\n\n{staff}\n{closed}\n",
    ),
    WAITING: (
        "Trialwright: please sign in",
        "Something waits at your desk.\n\nNoko ventar på pulten din.\n\nNoe venter på pulten din.\n\n"
        "{staff}\n{closed}\n",
    ),
}


def told_of(trial: Trial, fact: Fact, seq: int) -> Iterator[tuple[str, str, str]]:
    """(person, kind of mail, cause) for everybody who is told of a fact."""
    kind, roles = TOLD.get(type(fact.event), (WAITING, ()))
    wanted = {role.value for role in roles}
    if wanted:
        for row in trial.stores[Space.OPEN].rows.where(PERSON):
            if row["role"] in wanted and row["until"] is None:
                yield str(row["person"]), kind, f"{trial.study} {seq}"


def send(address: str, kind: str) -> None:
    """Send one mail."""
    subject, body = _TEXTS[kind]
    text = body.format(staff=settings.ENVIRONMENT.staff_address, closed=settings.ENVIRONMENT.closed_address)
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])

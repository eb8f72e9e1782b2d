"""Commands are intents in the imperative. Each declares who may give it; its decision is a plain function.

``decide(command, state, context) -> Iterable[Event]`` reads state, raises one named refusal, or answers with the
events that the command amounts to. It never writes, and it never asks the machine for time or chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from trialwright.foundation.dates import local_date, parse_instant
from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import Entropy
from trialwright.protocol.roles import Role
from trialwright.trial.event import Event, Space

if TYPE_CHECKING:
    from trialwright.build import Build
    from trialwright.trial.state import State


@dataclass(frozen=True)
class Permission:
    """Who may give a command. Deny by default: a role that is not named may not.

    Args:
        roles: roles that may act.
        space: CLOSED commands run only in a process that holds the closed space.
        signs: the meaning of the signature the act needs, or None.
        after_lock: allowed when the study is locked.
        treats: the act is treatment or assessment of the participant, so role conflicts are checked.
        begins: the act begins the record; the only one possible before it, by a person nobody appointed.
        checkpoint: a checkpoint is made at once, as after every signature.
        reason_crosses: the reason of a closed act stands in the open space too; its decision refuses words that
            reveal the arm, wherever the actor may know it. Without this it stays where the act was: words of
            somebody who knows the arm do not cross, and neither does whether there were any.
    """

    roles: frozenset[Role]
    space: Space = Space.OPEN
    signs: str | None = None
    after_lock: bool = False
    treats: bool = False
    begins: bool = False
    checkpoint: bool = False
    reason_crosses: bool = False


def may(
    *roles: Role,
    space: Space = Space.OPEN,
    signs: str | None = None,
    after_lock: bool = False,
    treats: bool = False,
    begins: bool = False,
    checkpoint: bool = False,
    reason_crosses: bool = False,
) -> Permission:
    """Shorthand for a :class:`Permission`."""
    return Permission(frozenset(roles), space, signs, after_lock, treats, begins, checkpoint, reason_crosses)


@dataclass(frozen=True, kw_only=True)
class Command:
    """An intent. A command about a participant has a field ``participant``; about a site, ``site``."""

    PERMISSION: ClassVar[Permission]


@dataclass(frozen=True)
class Actor:
    """Who acts, in which role, for which organisation, at which site (None for central roles)."""

    person: str
    role: Role
    organisation: str
    site: str | None = None


@dataclass(frozen=True)
class Signature:
    """A signature given with re-authentication: by whom, meaning what, over the hash of what was shown."""

    person: str
    meaning: str
    shown: str


class Allocations(Protocol):
    """What the closed space can say about allocations; absent in a blinded process."""

    def label(self, participant: str) -> str:
        """The participant's arm or sequence, opened for this use only."""
        ...

    def arm(self, participant: str, period: str | None) -> str:
        """The arm in a period (of the only arm in a parallel design)."""
        ...


@dataclass(frozen=True)
class Context:
    """Everything a decision may know besides state."""

    now: datetime
    """UTC."""
    zone: str
    """IANA zone of the command's site."""
    today: str
    """Local date there, ISO."""
    observed_at: str | None
    actor: Actor
    reason: str | None
    signature: Signature | None
    build: Build
    """The build in force at the command's site."""
    builds: Mapping[str, Build]
    mode: str
    request_id: str
    entropy: Entropy
    allocations: Allocations | None
    open_head: Callable[[], tuple[int, str]]
    """Size and Merkle root (hex) of the open ledger as it stands; for locks and data cuts."""

    @property
    def happened(self) -> datetime:
        """When what is reported took place (UTC): the claimed time, or now.

        Raises:
            NotYet: the claimed time lies ahead.
            InvalidValue: the claimed time is not an instant with its offset.
        """
        if self.observed_at is None:
            return self.now
        instant = parse_instant(self.observed_at)
        if instant > self.now:
            raise NotYet(
                f"{self.observed_at} lies ahead of {self.now.isoformat()}",
                remedy="report what has happened; plans are not facts",
                observed_at=self.observed_at,
            )
        return instant

    @property
    def happened_on(self) -> str:
        """Local date of :attr:`happened` at the command's site, ISO."""
        return local_date(self.happened, self.zone).isoformat()


Decide = Callable[[Any, "State", Context], Iterable[Event]]


class NotYet(Refusal):
    """Something is reported as having happened at a time that is still to come."""

    code = "trial.not_yet"


class NotFound(Refusal):
    """The thing the command speaks about does not exist in this trial."""

    code = "trial.not_found"

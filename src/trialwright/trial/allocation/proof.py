"""After the final unblinding anybody can check the list, the order of its use, and what followed from it.

The statistician's opened list (:class:`OpenedList`, as JSON) and the open ledger are enough; no key is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialwright.build import Build
from trialwright.foundation.errors import RecordError
from trialwright.randomisation import Tally, minimise
from trialwright.sealing import (
    CommittedNumber,
    Kind,
    Opener,
    Place,
    Row,
    commitment_root,
    open_row,
    verify_commitment,
)
from trialwright.trial.allocation.events import (
    AllocationListCommitted,
    AllocationPositionTaken,
    ParticipantRandomised,
)
from trialwright.trial.allocation.preparation import MINIMISATION, minimisation_design
from trialwright.trial.allocation.state import PARAMETERS, Commitments, SealedRows
from trialwright.trial.event import Fact
from trialwright.trial.state import State

Commit = Callable[[Sequence[Row]], bytes]


class UseDiffers(RecordError):
    """The record does not follow the list: a position out of order, used twice, or another allocation given."""

    code = "allocation.use_differs"


@dataclass(frozen=True)
class OpenedList:
    """A list in the clear with its salts, as it is published after the final unblinding."""

    number: int
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data, rows in the order of the commitment."""
        first = self.rows[0].place
        return {
            "list": self.number,
            "sealed_for": first.ledger,
            "kind": first.kind.value,
            "rows": [[row.place.stratum, row.place.position, row.value, row.salt.hex()] for row in self.rows],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> OpenedList:
        """The inverse of :meth:`as_json`.

        Raises:
            UseDiffers: not such data.
        """
        try:
            name, kind = data["sealed_for"], Kind(data["kind"])
            rows = tuple(
                Row(Place(name, kind, stratum, position), value, bytes.fromhex(salt))
                for stratum, position, value, salt in data["rows"]
            )
            return cls(int(data["list"]), rows)
        except (KeyError, TypeError, ValueError) as error:
            raise UseDiffers(
                "this is not an opened list", remedy="ask the statistician for the file again"
            ) from error


def open_lists(state: State, opener: Opener) -> tuple[OpenedList, ...]:
    """Open every list of the study, for publication. Only after the final unblinding; needs the unblinding key.

    Args:
        state: a reader of both spaces.
        opener: with the key that custodians put together.

    Raises:
        SealingError: a row does not open.
    """
    by_list = state.of(SealedRows).by_list
    return tuple(
        OpenedList(number, tuple(open_row(sealed, opener) for sealed in by_list.get(number, ())))
        for number in range(1, state.of(Commitments).lists + 1)
    )


def verify_allocations(
    facts: Iterable[Fact],
    lists: Iterable[OpenedList],
    builds: Mapping[str, Build],
    *,
    commit: Commit = commitment_root,
) -> dict[str, str]:
    """Check opened lists against their commitments and the order of use; what the lists gave to whom.

    Args:
        facts: of the open ledger, in order.
        lists: all opened lists.
        builds: builds by id; say the method, and for minimisation its factors and weights.
        commit: the sealer's own way to commit (see :class:`trialwright.sealing.Sealer`).

    Returns:
        Participant → arm or sequence; compare it with what was disclosed and given.

    Raises:
        CommitmentMismatch: a list is not the one committed to.
        UseDiffers: a list is missing, was committed to after its use, or positions were not taken in order.
    """
    use = _Use(builds, {opened.number: opened for opened in lists}, commit)
    for fact in facts:
        use.follow(fact)
    return use.finished()


class _Use:
    """Walks through the open record with the lists at hand."""

    def __init__(self, builds: Mapping[str, Build], lists: Mapping[int, OpenedList], commit: Commit) -> None:
        self._builds = builds
        self._lists = lists
        self._commit = commit
        self._rows: dict[str, list[str]] = {}
        self._taken: dict[str, int] = {}
        self._labels: dict[str, str] = {}
        self._told: set[str] = set()
        self._history: list[tuple[dict[str, str], str]] = []
        self._tally: Tally | None = None
        """Of a minimisation, under the design of the newest list."""

    def follow(self, fact: Fact) -> None:
        """Check one fact."""
        match fact.event:
            case AllocationListCommitted() as e:
                self._committed(e)
                self._begin_tally(e, fact)
            case AllocationPositionTaken() as e:
                self._position(e)
            case ParticipantRandomised() as e:
                self._randomised(e)

    def finished(self) -> dict[str, str]:
        """What the lists gave, once every position has its participant."""
        if self._told != set(self._labels):
            raise _differs(f"positions without participants: {sorted(set(self._labels) ^ self._told)}")
        return self._labels

    def _committed(self, event: AllocationListCommitted) -> None:
        opened = self._lists.get(event.list)
        if opened is None:
            raise _differs(f"list {event.list} was committed to and is not among those opened")
        verify_commitment(opened.rows, bytes.fromhex(event.root), commit=self._commit)
        for row in opened.rows:
            self._rows.setdefault(row.place.stratum, []).append(row.value)
        for part in event.strata:
            if sum(row.place.stratum == part.stratum for row in opened.rows) != part.rows:
                raise _differs(f"list {event.list} has not the {part.rows} rows published for {part.stratum!r}")

    def _begin_tally(self, event: AllocationListCommitted, fact: Fact) -> None:
        if event.method == MINIMISATION:
            build, parameters = self._builds.get(fact.build), self._rows.get(PARAMETERS)
            if build is None or parameters is None:
                raise _differs(f"list {event.list} has no parameters, or its build {fact.build[:12]} is not given")
            self._tally = Tally(minimisation_design(build, json.loads(parameters[0])))
            for factors, label in self._history:
                self._tally.add(factors, label)

    def _position(self, event: AllocationPositionTaken) -> None:
        expected = self._taken.get(event.stratum, 0)
        rows = self._rows.get(event.stratum, [])
        if event.position != expected or expected >= len(rows) or event.participant in self._labels:
            raise _differs(
                f"{event.participant} took position {event.position} of stratum {event.stratum!r}, "
                f"the next was {expected} of {len(rows)}"
            )
        self._taken[event.stratum] = expected + 1
        self._labels[event.participant] = self._label(event, rows[expected])

    def _label(self, event: AllocationPositionTaken, value: str) -> str:
        if self._tally is None:
            return value
        label = minimise(self._tally.design, self._tally, event.factors, CommittedNumber(int(value))).label
        self._tally.add(event.factors, label)
        self._history.append((event.factors, label))
        return label

    def _randomised(self, event: ParticipantRandomised) -> None:
        if event.participant not in self._labels or event.position != self._taken.get(event.stratum, 0) - 1:
            raise _differs(f"{event.participant} was randomised without taking a position")
        self._told.add(event.participant)


def _differs(what: str) -> UseDiffers:
    return UseDiffers(
        f"the record does not follow the list: {what}",
        remedy="stop; compare the ledger with the sites' checkpoints",
    )

"""Minimisation has no list: its numbers are committed to, each draw is sealed, and all draws are replayed.

Before the first participant the numbers u_0, u_1, … are drawn from the seed, salted, committed to and sealed like a
list. Each draw uses the number at its position; what went in and came out is sealed to the unblinding key. After
unblinding anyone checks the numbers against the commitment and repeats every draw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from trialwright.foundation.ports import Entropy
from trialwright.sealing.commitment import Row, commitment_root, verify_commitment
from trialwright.sealing.draws import CommittedNumber, ExpandedDraws
from trialwright.sealing.errors import ReplayMismatch, SealBroken
from trialwright.sealing.lists import SealedList, seal_list
from trialwright.sealing.places import Kind, Place
from trialwright.sealing.sealers import Opener, Sealed, Sealer

Earlier = tuple[Mapping[str, str], str]


class Decision(Protocol):
    """What a minimisation procedure answers."""

    @property
    def label(self) -> str: ...

    @property
    def probability(self) -> Fraction: ...

    @property
    def totals(self) -> Mapping[str, tuple[int, ...]]: ...


Procedure = Callable[[Sequence[Earlier], Mapping[str, str], CommittedNumber], Decision]


@dataclass(frozen=True, kw_only=True)
class DrawRecord:
    """One minimised draw as it is sealed; shown to nobody before unblinding.

    Attributes:
        position: 0, 1, …, the place of its number in the stream.
        factors: factor → level of the participant.
        totals: factor → counts at that level, in the design's order of units.
        probability: of the label, exact, as text (``"4/5"``).
        number: the 53-bit integer used.
        label: the unit allocated.
    """

    position: int
    factors: Mapping[str, str]
    totals: Mapping[str, tuple[int, ...]] = field(repr=False)
    probability: str = field(repr=False)
    number: int = field(repr=False)
    label: str = field(repr=False)

    @classmethod
    def of(cls, decision: Decision, *, position: int, factors: Mapping[str, str], number: int) -> DrawRecord:
        """The record of a decision just taken."""
        return cls(
            position=position,
            factors=dict(factors),
            totals={name: tuple(counts) for name, counts in decision.totals.items()},
            probability=str(decision.probability),
            number=number,
            label=decision.label,
        )


def expand_numbers(seed: bytes, count: int, *, purpose: str = "minimisation") -> tuple[int, ...]:
    """The first ``count`` numbers of 53 bits from a 32-byte seed."""
    draws = ExpandedDraws(seed, purpose)
    return tuple(draws.number() for _ in range(count))


def seal_stream(
    numbers: Sequence[int], *, ledger: str, sealer: Sealer, entropy: Entropy, stratum: str = ""
) -> SealedList:
    """Commit to and seal the numbers of a minimisation; more of them than participants expected.

    Raises:
        InvalidList: no number.
    """
    rows = {stratum: [str(number) for number in numbers]}
    return seal_list(rows, ledger=ledger, sealer=sealer, entropy=entropy, kind=Kind.NUMBER)


def seal_draw(record: DrawRecord, *, ledger: str, sealer: Sealer, stratum: str = "") -> Sealed:
    """The record of a draw, sealed.

    Raises:
        ContentTooLong: a record of more than 4,094 bytes as JSON.
    """
    fields = {
        "position": record.position,
        "factors": dict(record.factors),
        "totals": {name: list(counts) for name, counts in record.totals.items()},
        "probability": record.probability,
        "number": record.number,
        "label": record.label,
    }
    content = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return sealer.seal(Place(ledger, Kind.DRAW, stratum, record.position), content)


def open_draw(sealed: Sealed, opener: Opener) -> DrawRecord:
    """The record in the clear.

    Raises:
        WrongKey: sealed to another key.
        SealBroken: altered, moved, or no record of a draw.
    """
    try:
        fields: dict[str, Any] = json.loads(opener.open(sealed).decode("utf-8"))
        fields["totals"] = {name: tuple(counts) for name, counts in fields["totals"].items()}
        record = DrawRecord(**fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        record = None
    if record is None or record.position != sealed.place.position:
        raise SealBroken("the seal does not hold the record of a draw", remedy="open sealed draws only")
    return record


def replay(
    records: Sequence[DrawRecord],
    numbers: Sequence[Row],
    root: bytes,
    procedure: Procedure,
    *,
    commit: Callable[[Sequence[Row]], bytes] = commitment_root,
) -> None:
    """Prove every draw after unblinding: the committed numbers, in order, give the recorded allocations.

    Args:
        records: all draws in their order.
        numbers: all rows of the stream in the clear.
        root: the commitment published before the first draw.
        procedure: (earlier participants, factors, number) → decision; ``partial(minimise, design)`` fits.
        commit: the sealer's own way to commit (see :class:`Sealer`).

    Raises:
        CommitmentMismatch: the numbers are not those committed to.
        ReplayMismatch: names the first draw that differs and in what.
    """
    verify_commitment(numbers, root, commit=commit)
    history: list[Earlier] = []
    for position, record in enumerate(records):
        if record.position != position or position >= len(numbers):
            raise _differs(position, "position")
        number = int(numbers[position].value)
        decision = procedure(history, record.factors, CommittedNumber(number))
        expected = DrawRecord.of(decision, position=position, factors=record.factors, number=number)
        for name in ("number", "totals", "probability", "label"):
            if getattr(expected, name) != getattr(record, name):
                raise _differs(position, name)
        history.append((record.factors, record.label))


def _differs(position: int, name: str) -> ReplayMismatch:
    return ReplayMismatch(
        f"draw {position} differs from its replay in its {name}",
        remedy="stop; compare this draw's event with the site's checkpoint, and the design with the one in force",
        position=position,
        field=name,
    )

"""Whether two spaces are of one moment; asked after a restore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trialwright.ledger.port import Ledger
from trialwright.stores import open_store
from trialwright.trial.crossing.events import FactsCrossed
from trialwright.trial.event import Space


def of_one_moment(addresses: Mapping[str, str]) -> str:
    """In which way the spaces of a study are not of one moment; nothing where they are.

    Args:
        addresses: ``STUDY.open`` and ``STUDY.closed`` → address.
    """
    for name, address in addresses.items():
        study, _, space = name.rpartition(".")
        if space != Space.CLOSED.value or f"{study}.open" not in addresses:
            continue
        with (
            open_store(addresses[f"{study}.open"], create=False) as opened,
            open_store(address, create=False) as shut,
        ):
            half = half_acts(opened.ledger(f"{study}/open"), shut.ledger(f"{study}/closed"))
        if half:
            return f"{len(half)} acts of {study} stand in the closed space only, the first is {half[0]}"
    return ""


def half_acts(opened: Ledger, closed: Ledger) -> tuple[str, ...]:
    """Requests of closed acts whose open half is absent, in order, but for the newest.

    The newest is completed by the next command; both ledgers stay locked until both have committed, so an earlier
    one can only be absent where the open space lies behind the closed one.
    """
    crossings = list(_crossings(closed))
    return tuple(request for request in crossings[:-1] if not opened.find_request(request))


def _crossings(closed: Ledger) -> Iterator[str]:
    for entry in closed.read_stream(FactsCrossed.STREAM):
        if entry.type == FactsCrossed.TYPE:
            yield entry.request_id

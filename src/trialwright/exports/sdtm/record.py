"""The package of a store: what must be read from the ledger beside the rows."""

from __future__ import annotations

import json

import trialwright
from trialwright.exports.sdtm.custody import Collection
from trialwright.exports.sdtm.package import SdtmExport, Snapshot, sdtm_package
from trialwright.ledger.port import Ledger, Store
from trialwright.trial.custody.events import ProductCollected
from trialwright.trial.setup.builds import builds_on_record


def sdtm_of_store(study: str, open_store: Store, closed_store: Store | None, *, language: str = "en") -> SdtmExport:
    """The SDTM package of a study as it stands.

    Args:
        study: id of the study.
        open_store: of its open space.
        closed_store: of its closed space, after the final unblinding; see :func:`sdtm_package`.
        language: of labels and texts.

    Raises:
        StillBlinded, InvalidValue, NotAStudy: see :func:`sdtm_package`.
    """
    ledger = open_store.ledger(f"{study}/open")
    builds = builds_on_record(ledger)
    has_custody = any(build.study.custody is not None for build in builds.values())
    return sdtm_package(
        open_store.rows,
        builds,
        snapshot_of(f"{study}/open", ledger),
        closed_rows=closed_store.rows if closed_store is not None else None,
        collections=_collections(ledger) if has_custody else (),
        language=language,
    )


def snapshot_of(ledger_id: str, ledger: Ledger) -> Snapshot:
    """Where a ledger stands now."""
    head = ledger.head()
    last = next(iter(ledger.read(after=head.size - 1)))
    return Snapshot(
        ledger=ledger_id,
        size=head.size,
        root=head.root.hex(),
        at=json.loads(last.body)["at"][:19] + "Z",
        software=trialwright.__version__,
    )


def _collections(ledger: Ledger) -> tuple[Collection, ...]:
    found = []
    for entry in ledger.read():
        if entry.type == ProductCollected.TYPE:
            data = json.loads(entry.body)["data"]
            found.append(
                Collection(data["participant"], data["label"], data["slot"], data["date"], data["volume_ml"])
            )
    return tuple(found)

"""The builds that a record names, read back from the record itself."""

from __future__ import annotations

import json

from trialwright.build import Build
from trialwright.ledger.port import Ledger
from trialwright.trial.setup.events import BuildApproved


def builds_on_record(ledger: Ledger) -> dict[str, Build]:
    """Every approved build by id, in the order of approval.

    Raises:
        NotAStudy, NotCompiled: the record is damaged, or a newer Trialwright wrote it.
    """
    found: dict[str, Build] = {}
    for entry in ledger.read_stream("study"):
        if entry.type == BuildApproved.TYPE:
            data = json.loads(entry.body)["data"]
            found[data["approved_build"]] = Build.from_canonical(data["source"].encode())
    return found

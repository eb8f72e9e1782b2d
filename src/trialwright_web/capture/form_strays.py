"""Files that lie there although no fact names them.

Their command was refused, or the machine stopped between keeping the file and writing the fact.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from trialwright.stores import losses_of
from trialwright.trial.attachments.events import FileAttached
from trialwright.trial.attachments.views import ATTACHMENT
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright_web.capture.form_blobs import STRAY_AFTER, Blobs


class StrayFiles:
    """Sweeps them away. Remembers which files the record names, so that it reads each fact once, and only then
    when something lies there that the views do not explain: a file that was withdrawn is still of the record.

    Args:
        folder: of the installation's attachments.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, int] = {}
        self._named: dict[str, set[str]] = {}

    def sweep(self, trial: Trial, now: datetime) -> int:
        """Destroy the strays of a study, with their keys. Returns how many."""
        blobs = Blobs(self._folder, trial)
        lying = blobs.lying(now - STRAY_AFTER)
        shown = {str(row["digest"]) for row in trial.stores[Space.OPEN].rows.where(ATTACHMENT)}
        if not lying.keys() - shown:
            return 0
        strays = lying.keys() - shown - self._named_in(trial)
        if strays and losses_of(trial.stores[Space.OPEN]):
            return 0  # the record came back behind: what it does not name may belong to what was lost
        for digest in strays:
            blobs.forget(digest)
            for path in lying[digest]:
                path.unlink(missing_ok=True)
        return len(strays)

    def _named_in(self, trial: Trial) -> set[str]:
        named, read = self._named.setdefault(trial.study, set()), self._read.get(trial.study, 0)
        for fact in trial.facts(after=read):
            read += 1
            if isinstance(fact.event, FileAttached):
                named.add(fact.event.digest)
        self._read[trial.study] = read
        return named

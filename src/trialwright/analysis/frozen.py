"""Whether the programs that make a report are those that were fixed before anybody knew the arms."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.analysis.words import Words
from trialwright.foundation.tables import Rows
from trialwright.trial.closure.views import MILESTONE


@dataclass(frozen=True)
class FrozenCode:
    """What the record says about the programs of the analysis, beside those that run.

    Attributes:
        recorded: the beginning of the digest that was frozen last; None where none was.
        running: digest (SHA-256, hex) of the programs that run.
        rehearsed: whether the record is of a rehearsal, which freezes a stand-in.
    """

    recorded: str | None
    running: str
    rehearsed: bool

    @property
    def differs(self) -> bool:
        """Whether other programs run than were frozen; a rehearsal froze none."""
        return self.recorded is not None and not self.same and not self.rehearsed

    @property
    def same(self) -> bool:
        """Whether the programs that were frozen run."""
        return self.recorded is not None and self.running.startswith(self.recorded)

    @property
    def state(self) -> str:
        """``same``, ``differs``, ``not_frozen`` or ``rehearsed``, for machines."""
        if self.recorded is None:
            return "not_frozen"
        return "same" if self.same else "rehearsed" if self.rehearsed else "differs"

    def sentence(self, words: Words) -> str:
        """The same for people."""
        match self.state:
            case "not_frozen":
                return words("No programs had been frozen in the record at this snapshot.")
            case "same":
                return words("These are the programs that the record froze ({code}).", code=self.recorded)
            case "rehearsed":
                return words("A rehearsal freezes a stand-in ({code}), no real programs.", code=self.recorded)
            case _:
                return words(
                    "THE PROGRAMS DIFFER: the record froze {code} before the unblinding, these numbers were made by "
                    "{running}.",
                    code=self.recorded,
                    running=self.running[:12],
                )


def frozen_code(rows: Rows, running: str, *, rehearsed: bool) -> FrozenCode:
    """What the record froze last, beside what runs.

    Args:
        rows: views of the open space.
        running: digest of the programs that run.
        rehearsed: whether the record is of a rehearsal.
    """
    frozen = [row for row in rows.where(MILESTONE) if row["what"] == "analysis_code_frozen"]
    last = max(frozen, key=lambda row: int(str(row["step"])), default=None)
    return FrozenCode(str(last["details"]) if last is not None else None, running, rehearsed)

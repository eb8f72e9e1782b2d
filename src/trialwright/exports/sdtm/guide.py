"""The reviewer's guide: what a reader of the package must know, each kind by name; nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from trialwright.exports.datasets import Package


class Kind(Enum):
    """What kind of thing a reviewer is told. The value is a sentence about all of the kind."""

    UNIT_MISSING = "A result that needs a unit has none; it is exported without one."
    DATE_PARTIAL = "A date is partial where a full one is needed; nothing is imputed, what follows from it is empty."
    NO_REFERENCE_DATE = "A participant has no reference start date; study days are empty."
    TWO_BASELINES = "Several results of a day could be the baseline; the last in the order of the schedule is marked."
    ITEM_UNMAPPED = "The study does not say where an item goes; its values are in the supplemental qualifiers."
    ITEM_NOWHERE = "An item has no domain that its values could stand beside; they are listed here and nowhere else."
    ITEM_NOT_SUBMITTED = "The study says that an item is not submitted, and why."
    ITEM_UNKNOWN = "A value belongs to an item that no build of the record declares; it is not exported."
    NOT_APPLICABLE = "An item was not asked because its condition did not hold; there is no record."
    EMPTY = "An item has neither a value nor a reason; there is no record."
    RECORD_WITHOUT_TOPIC = "Qualifiers were collected without the term or treatment they belong to."
    TERM_ADDED = "A term was added to a code list of CDISC that may be extended."
    TERM_NOT_ALLOWED = "A value is not a term of its code list."
    DUMMY_ALLOCATION = "The allocation in this package is a dummy; arms, treatments and doses are not the real ones."
    CLOSED_SPACE_LEFT_OUT = "The laboratory's own custody records are not in this package, because the blind holds."
    ADVERSE_EVENT_UNMATCHED = "Details of an adverse event fit no reported event; they make a record of their own."
    ADVERSE_EVENT_UNCODED = "An adverse event is not coded; AEDECOD is UNCODED."
    VALUE_SPLIT = "A text is longer than 200 characters; the rest stands in the supplemental qualifiers."
    DISPOSITION_DIFFERS = "The form and the record of the participation's end disagree; the form is exported."
    EXPOSURE_DIFFERS = "A form and the custody disagree about an injection; EX follows the custody, EC the form."
    FORMAT_CHANGED = "The file format could not hold something as it was."
    NO_ARM_TREATMENT = "An arm does not declare what is given (exposure); EX cannot be made for it."


@dataclass(frozen=True)
class Note:
    """One line of the guide.

    Attributes:
        kind: what kind of thing.
        about: where, or of whom: a form and item, a participant, a variable.
        what: the particulars.
        count: how many values or records it is about.
    """

    kind: Kind
    about: str
    what: str
    count: int = 1


class Guide:
    """Collects notes while the package is made; notes that differ only in their count are one."""

    def __init__(self) -> None:
        self._notes: dict[tuple[Kind, str, str], int] = {}

    def note(self, kind: Kind, about: str, what: str = "", count: int = 1) -> None:
        """Add a note."""
        key = (kind, about, what)
        self._notes[key] = self._notes.get(key, 0) + count

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes, by kind, then by what they are about."""
        order = list(Kind)
        found = [Note(kind, about, what, count) for (kind, about, what), count in self._notes.items()]
        return tuple(sorted(found, key=lambda note: (order.index(note.kind), note.about, note.what)))


def guide_page(package: Package, notes: Iterable[Note]) -> str:
    """The guide as Markdown: what was read, then the notes by kind."""
    found = list(notes)
    lines = [f"# Reviewer's guide, {package.study}", "", f"{package.title}. Data as of {package.created}.", ""]
    if package.watermark:
        lines += [f"**{package.watermark}**", ""]
    lines += [f"- {name}: `{value}`" for name, value in package.source.items()]
    lines += ["", *(f"- {dataset.name}: {len(dataset.rows)} records" for dataset in package.datasets), ""]
    if not found:
        lines += ["Nothing to tell.", ""]
    for kind in Kind:
        of_kind = [note for note in found if note.kind is kind]
        if of_kind:
            lines += [f"## {kind.name.replace('_', ' ').capitalize()}", "", kind.value, ""]
            lines += ["| about | what | times |", "|---|---|---|"]
            lines += [f"| {_cell(note.about)} | {_cell(note.what)} | {note.count} |" for note in of_kind]
            lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

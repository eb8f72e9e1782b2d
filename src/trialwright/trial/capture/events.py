"""Facts about visits and forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trialwright.trial.event import Event, Space


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What stands in a field: a text (with unit), a declared outcome, or a missing reason. Exactly one of them."""

    text: str | None = None
    unit: str | None = None
    outcome: str | None = None
    missing: str | None = None
    source: str | None = None
    """Where it was seen first: paper, device, ehr or direct; absent where it is what the item declares."""


@dataclass(frozen=True, kw_only=True)
class RaisedQuery:
    """A question that a check asks; it lives in the event of the save that raised it."""

    query: str
    """``<encounter>.<form>.<repeat>.<check>``, with ``.<row>`` from the second row of a table on."""
    item: str
    check: str
    message: str
    """In the study's reference language."""


@dataclass(frozen=True, kw_only=True)
class EncounterHeld(Event):
    """A visit took place on a local date, planned or not; a second one for the same encounter corrects the date."""

    TYPE: ClassVar[str] = "capture.encounter_held"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    date: str
    unscheduled: bool = False
    days_out: int = 0
    """Days outside the window: negative too early, positive too late."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EncounterMissed(Event):
    """A planned visit will not take place any more."""

    TYPE: ClassVar[str] = "capture.encounter_missed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str


@dataclass(frozen=True, kw_only=True)
class FormSaved(Event):
    """One save: the values that changed, what was derived, what the checks asked and what they let go."""

    TYPE: ClassVar[str] = "capture.form_saved"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    items: dict[str, Entered]
    """Changed items as entered; rows of a repeating group are ``item.2``, ``item.3`` …"""
    derived: dict[str, Entered]
    """What was computed and changed: derived items, items no longer asked (``not_applicable``) or asked again
    (``not_asked``)."""
    raised: tuple[RaisedQuery, ...]
    resolved: tuple[str, ...]
    """Queries of checks that no longer ask."""
    complete: bool
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClosedFormSaved(FormSaved):
    """A save of a form that belongs to the closed space."""

    TYPE: ClassVar[str] = "capture.closed_form_saved"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class ChecksRepeated(Event):
    """Checks of this form were run again because a form that they read was saved, marked or voided."""

    TYPE: ClassVar[str] = "capture.checks_repeated"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    raised: tuple[RaisedQuery, ...]
    resolved: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FormMarkedNotDone(Event):
    """The whole form was not done, or is intentionally left blank; the envelope has the reason."""

    TYPE: ClassVar[str] = "capture.form_marked_not_done"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    how: str
    """not_done or intentionally_blank."""


@dataclass(frozen=True, kw_only=True)
class ClosedFormMarkedNotDone(FormMarkedNotDone):
    """The same of a form that belongs to the closed space."""

    TYPE: ClassVar[str] = "capture.closed_form_marked_not_done"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class FormVoided(Event):
    """The form was entered for the wrong participant or visit; it stays in the record and counts nowhere."""

    TYPE: ClassVar[str] = "capture.form_voided"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    resolved: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClosedFormVoided(FormVoided):
    """The same of a form that belongs to the closed space."""

    TYPE: ClassVar[str] = "capture.closed_form_voided"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class ItemsVerified(Event):
    """A monitor compared these items with their source."""

    TYPE: ClassVar[str] = "capture.items_verified"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ClosedItemsVerified(ItemsVerified):
    """An unblinded monitor compared items of a form of the closed space with their source."""

    TYPE: ClassVar[str] = "capture.closed_items_verified"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class FormSigned(Event):
    """Signed over the hash of exactly what was shown; falls visibly when the data change."""

    TYPE: ClassVar[str] = "capture.form_signed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    encounter: str
    form: str
    repeat: int
    shown: str


@dataclass(frozen=True, kw_only=True)
class ClosedFormSigned(FormSigned):
    """The same of a form that belongs to the closed space."""

    TYPE: ClassVar[str] = "capture.closed_form_signed"
    SPACE: ClassVar[Space] = Space.CLOSED


@dataclass(frozen=True, kw_only=True)
class CaseBookSigned(Event):
    """The investigator signed the whole case book of a participant."""

    TYPE: ClassVar[str] = "capture.case_book_signed"
    STREAM: ClassVar[str] = "participant/{participant}"
    participant: str
    shown: str


EVENTS: tuple[type[Event], ...] = (
    EncounterHeld, EncounterMissed, FormSaved, ClosedFormSaved, ChecksRepeated, FormMarkedNotDone,
    ClosedFormMarkedNotDone, FormVoided, ClosedFormVoided, ItemsVerified, ClosedItemsVerified, FormSigned,
    ClosedFormSigned, CaseBookSigned,
)  # fmt: skip

"""Where in the record people write freely about a participant. What stands there is sealed, entry by entry.

Every text field of an event about a participant is either named here, or is a code, a date, a number or an identifier
that the system or the study gives; a test goes through all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from trialwright.build import Build
from trialwright.trial.allocation.events import AccidentalUnblindingRecorded, MistakenRandomisationRecorded
from trialwright.trial.attachments.events import FileAttached
from trialwright.trial.capture.events import ClosedFormSaved, FormSaved
from trialwright.trial.closure.events import (
    ClosedDeviationClassified,
    ClosedDeviationOpened,
    DeviationClassified,
    DeviationOpened,
)
from trialwright.trial.crossing.events import FactsCrossed
from trialwright.trial.custody.events import (
    ManufactureStepRecorded,
    MixUpRecorded,
    ProductDestroyed,
    ProductReceived,
    ProductStored,
)
from trialwright.trial.enrolment.events import CriteriaAssessed
from trialwright.trial.erasure.events import ErasureProposed, ParticipantKeysDestroyed
from trialwright.trial.event import Event
from trialwright.trial.queries.events import (
    ClosedItemCommented,
    ClosedQueryAnswered,
    ClosedQueryOpened,
    ClosedQueryReopened,
    ItemCommented,
    QueryAnswered,
    QueryOpened,
    QueryReopened,
)
from trialwright.trial.safety.events import (
    AdverseEventFollowedUp,
    AdverseEventReported,
    ExpeditedReportRecorded,
    SubmissionRecorded,
)

TEXT, IDENTITY = "text", "identity"
"""Classes of data; each has a key of its own."""

Path = tuple[str | int, ...]
"""Where a text stands in the body of an entry."""

Pattern = tuple[str, ...]

FIELDS: Mapping[type[Event], tuple[Pattern, ...]] = {
    QueryOpened: (("text",),),
    QueryAnswered: (("text",),),
    QueryReopened: (("text",),),
    ItemCommented: (("text",),),
    ClosedQueryOpened: (("text",),),
    ClosedQueryAnswered: (("text",),),
    ClosedQueryReopened: (("text",),),
    ClosedItemCommented: (("text",),),
    FileAttached: (("text",),),
    CriteriaAssessed: (("verdicts", "*", "why"), ("facts", "*"), ("stated", "*")),
    MistakenRandomisationRecorded: (("what",),),
    AccidentalUnblindingRecorded: (("learned_by",), ("how",)),
    ProductReceived: (("condition",),),
    ManufactureStepRecorded: (("details",),),
    MixUpRecorded: (("what",),),
    ProductStored: (("place",),),
    ProductDestroyed: (("how",),),
    AdverseEventReported: (("term",),),
    AdverseEventFollowedUp: (("term",),),
    SubmissionRecorded: (("reference",),),
    ExpeditedReportRecorded: (("reference",),),
    DeviationOpened: (("about",),),
    ClosedDeviationOpened: (("about",),),
    DeviationClassified: (("assessment",), ("action",)),
    ClosedDeviationClassified: (("assessment",), ("action",)),
    # What crosses is noted in the closed ledger with its texts; the open ledger seals it again.
    FactsCrossed: (("parts", "*", "data"), ("reason",)),
}
"""Event type → its fields of free text. Forms come beside: which of their items are, the study says."""

OPENLY: tuple[type[Event], ...] = (ErasureProposed, ParticipantKeysDestroyed)
"""Their reason stays readable: it says why the rest is not."""


def holder_of(event: Event) -> str | None:
    """The participant whose keys seal what was written freely in an event; None where it is about nobody alone."""
    if isinstance(event, FactsCrossed):
        # All parts belong to one act, and an act is about one participant at most.
        found = (json.loads(part.data).get("participant") for part in event.parts)
        return next((name for name in found if isinstance(name, str)), None)
    name = getattr(event, "participant", None)
    return name if isinstance(name, str) else None


def places(event: Event, body: Mapping[str, Any], build: Build | None) -> Iterator[tuple[str, Path]]:
    """Class and place of every free text in the body of an entry."""
    if body["reason"] is not None and not isinstance(event, OPENLY):
        yield TEXT, ("reason",)
    for pattern in FIELDS.get(type(event), ()):
        for path in _found(body["data"], pattern):
            yield TEXT, ("data", *path)
    if isinstance(event, FormSaved | ClosedFormSaved):
        yield from _of_form(event, build)


def _of_form(event: FormSaved, build: Build | None) -> Iterator[tuple[str, Path]]:
    compiled = build.forms.get(event.form) if build is not None else None
    for part, entered in (("items", event.items), ("derived", event.derived)):
        for name, value in entered.items():
            if value.text is None:
                continue
            found = compiled.items.get(name.partition(".")[0]) if compiled is not None else None
            # What no build explains is treated as what it could be at worst.
            if found is None or found.item.privacy == "identifying":
                yield IDENTITY, ("data", part, name, "text")
            elif found.item.privacy == "free_text" or found.item.type == "text":
                yield TEXT, ("data", part, name, "text")


def _found(data: Any, pattern: Pattern) -> Iterator[Path]:
    """The paths to texts that fit the pattern, in the order of the data."""
    if not pattern:
        if isinstance(data, str):
            yield ()
        return
    name, rest = pattern[0], pattern[1:]
    if name != "*":
        if isinstance(data, dict) and name in data:
            yield from ((name, *path) for path in _found(data[name], rest))
    elif isinstance(data, dict):
        for key in sorted(data):
            yield from ((key, *path) for path in _found(data[key], rest))
    elif isinstance(data, list):
        for number, one in enumerate(data):
            yield from ((number, *path) for path in _found(one, rest))

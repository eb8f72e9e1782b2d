"""Which files are attached to which form."""

from __future__ import annotations

from trialwright.foundation.tables import Column, Rows, Table
from trialwright.trial.attachments.events import FileAttached, FileWithdrawn
from trialwright.trial.event import Fact
from trialwright.trial.view import View

ATTACHMENT = Table(
    "attachment",
    key=(Column("participant"), Column("digest")),
    columns=(
        Column("encounter"),
        Column("form"),
        Column("repeat", "integer"),
        Column("size", "integer"),
        Column("media_type"),
        Column("text"),
        Column("attached_by"),
        Column("attached_at"),
    ),
)


def _attached(event: FileAttached, fact: Fact, rows: Rows) -> None:
    rows.put(
        ATTACHMENT,
        {
            "participant": event.participant,
            "digest": event.digest,
            "encounter": event.encounter,
            "form": event.form,
            "repeat": event.repeat,
            "size": event.size,
            "media_type": event.media_type,
            "text": event.text,
            "attached_by": fact.actor,
            "attached_at": fact.at,
        },
    )


def _withdrawn(event: FileWithdrawn, fact: Fact, rows: Rows) -> None:
    rows.delete(ATTACHMENT, (event.participant, event.digest))


VIEWS = (View("attachments", (ATTACHMENT,), {FileAttached: _attached, FileWithdrawn: _withdrawn}),)

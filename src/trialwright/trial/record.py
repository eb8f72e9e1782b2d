"""The envelope: how an event becomes the bytes of a ledger entry, and back.

Bytes of old versions stay as they were written; :data:`UPCASTS` lifts their data to the current version when
they are read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from trialwright import __version__
from trialwright.foundation.errors import RecordError
from trialwright.foundation.ports import Entropy
from trialwright.ledger import Entry, NewEntry, canonical
from trialwright.trial.command import Actor
from trialwright.trial.event import Event, Fact, decode, encode
from trialwright.trial.sealed_text import Numbers, SealedTexts

ENVELOPE = 1
"""Version of the envelope."""

Upcast = Callable[[Mapping[str, Any]], Mapping[str, Any]]
UPCASTS: dict[tuple[str, int], Upcast] = {}
"""(type, version) → pure function to the next version's data. Empty until a released event changes."""


@dataclass(frozen=True)
class Circumstances:
    """What the envelope says besides the event: when, who, why, under which build."""

    now: datetime
    observed_at: str | None
    actor: Actor
    zone: str
    reason: str | None
    build: str
    request_id: str
    asked: str = ""
    """Digest of what the request asks for; noted beside the ledger, not in the envelope."""


class Recorder:
    """Writes and reads envelopes.

    Args:
        events: every event class of every room.
        entropy: supplies the salt that keeps neighbouring leaves from being guessed.
        texts: seals what was written freely about a participant; without it nothing is sealed, and nothing opened.
    """

    def __init__(self, events: Iterable[type[Event]], entropy: Entropy, texts: SealedTexts | None = None) -> None:
        self._types = {event.TYPE: event for event in events}
        self._entropy = entropy
        self._texts = texts or SealedTexts({}, {}, entropy)
        self._zones: dict[str, ZoneInfo] = {}

    def write(
        self,
        ledger_id: str,
        event: Event,
        stream_seq: int,
        about: Circumstances,
        number: Numbers = lambda participant: 0,
    ) -> NewEntry:
        """The entry for ``event`` as the ``stream_seq``-th of its stream; ``number`` names the keys in use."""
        stream = event.stream
        salt = self._entropy.bytes(16, purpose=f"salt {ledger_id}", stream=stream, position=stream_seq)
        body: dict[str, Any] = {
            "v": ENVELOPE,
            "stream": stream,
            "stream_seq": stream_seq,
            "type": event.TYPE,
            "type_version": event.VERSION,
            "at": utc_text(about.now),
            "observed_at": about.observed_at,
            "local": about.now.astimezone(self._zone(about.zone)).isoformat(timespec="seconds"),
            "zone": about.zone,
            "actor": about.actor.person,
            "role": about.actor.role.value,
            "organisation": about.actor.organisation,
            "site": about.actor.site,
            "reason": about.reason,
            "build": about.build,
            "software": __version__,
            "request_id": about.request_id,
            "salt": base64.b64encode(salt).decode(),
            "data": encode(event),
            "sealed": [],
        }
        self._texts.seal(ledger_id, event, body, number)
        return NewEntry(
            stream=stream, stream_seq=stream_seq, type=event.TYPE, request_id=about.request_id, body=canonical(body)
        )

    def read(self, entry: Entry, erased_below: int = 0) -> Fact:
        """The fact that an entry holds.

        Args:
            entry: as the ledger gave it.
            erased_below: see :meth:`SealedTexts.open`.

        Raises:
            RecordError: unknown type or version, data that do not fit, or texts whose key is missing.
        """
        body = json.loads(entry.body.decode())
        if body.get("sealed"):
            self._texts.open(body, erased_below)
        return Fact(
            event=self.event(body["type"], body["data"], body["type_version"]),
            stream=body["stream"],
            stream_seq=body["stream_seq"],
            at=body["at"],
            observed_at=body["observed_at"],
            local=body["local"],
            zone=body["zone"],
            actor=body["actor"],
            role=body["role"],
            organisation=body["organisation"],
            site=body["site"],
            reason=body["reason"],
            build=body["build"],
            request_id=body["request_id"],
        )

    def refresh(self) -> None:
        """Notice keys that other processes destroyed."""
        self._texts.refresh()

    def event(self, type_name: str, data: Mapping[str, Any], version: int | None = None) -> Event:
        """The event of a type, from data of ``version`` (the current one by default).

        Raises:
            RecordError: unknown type, or data that do not fit.
        """
        kind = self._types.get(type_name)
        if kind is None:
            raise RecordError(
                f"the ledger holds an event of the unknown type {type_name!r}",
                remedy="a newer Trialwright wrote it: upgrade before reading this ledger",
                type=type_name,
            )
        version = kind.VERSION if version is None else version
        while version < kind.VERSION:
            data, version = UPCASTS[(kind.TYPE, version)](data), version + 1
        return decode(kind, data)

    def _zone(self, name: str) -> ZoneInfo:
        zone = self._zones.get(name)
        if zone is None:
            zone = self._zones[name] = ZoneInfo(name)
        return zone


def utc_text(instant: datetime) -> str:
    """An aware UTC instant as the record writes it; sorts as text."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Events are facts in the past tense, frozen, versioned; this module also turns them into record data and back.

An event class is a frozen, keyword-only dataclass whose fields are plain: ``str``, ``int``, ``bool``, ``None``,
tuples, ``dict[str, …]`` and nested frozen dataclasses. Dates and instants are ISO texts, decimals are texts as
entered: the record never rounds.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, cast

from trialwright.foundation.errors import RecordError


class Space(Enum):
    """OPEN is what blinded people may see; CLOSED holds what depends on the arm."""

    OPEN = "open"
    CLOSED = "closed"

    # Spaces key what every command looks up; the members are singletons, so their address will do.
    __hash__ = object.__hash__


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact. Subclasses set the class variables; ``STREAM`` is filled from the event's own fields."""

    TYPE: ClassVar[str]
    """``room.name_in_past_tense``; never changed once released."""
    VERSION: ClassVar[int] = 1
    SPACE: ClassVar[Space] = Space.OPEN
    STREAM: ClassVar[str]
    """``study``, ``site/{site}`` or ``participant/{participant}``."""

    @property
    def stream(self) -> str:
        """The stream this event belongs to."""
        return self.STREAM.format_map(self.__dict__)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with what the record says about it: who, when, why, under which build."""

    event: Event
    stream: str
    stream_seq: int
    at: str
    """UTC, ``YYYY-MM-DDTHH:MM:SS.ffffffZ``; sorts as text."""
    observed_at: str | None
    """When it is said to have happened, with offset; absent where the act itself is the event."""
    local: str
    """``at`` in the site's zone, with offset."""
    zone: str
    actor: str
    role: str
    organisation: str
    site: str | None
    reason: str | None
    build: str
    request_id: str

    @property
    def happened(self) -> str:
        """The claimed time if there is one, else the time of recording."""
        return self.observed_at or self.at


def encode(event: Event) -> dict[str, Any]:
    """The event's fields as record data; absent optional fields are left out, so that old bytes stay valid."""
    return {
        field.name: _plain(value)
        for field in _fields(type(event))
        if (value := getattr(event, field.name)) is not None
    }


def decode(kind: type[Event], data: Mapping[str, Any]) -> Event:
    """Build the event back from record data of the current version.

    Raises:
        RecordError: the data do not fit the event type (an altered record, or a newer Trialwright wrote it).
    """
    maker = _MAKERS.get(kind)
    if maker is None:
        maker = _MAKERS[kind] = _maker(kind)
    try:
        return cast(Event, maker(data))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(
            f"an entry of type {kind.TYPE} does not have the fields of that event: {error}",
            remedy="verify the ledger; if it is intact, a newer Trialwright wrote it: upgrade",
            type=kind.TYPE,
        ) from error


_Reader = Callable[[Any], Any]
_FIELDS: dict[Any, tuple[dataclasses.Field[Any], ...]] = {}
_MAKERS: dict[Any, _Reader] = {}


def _fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    known = _FIELDS.get(kind)
    if known is None:
        known = _FIELDS[kind] = dataclasses.fields(kind)
    return known


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str or value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if kind in _FIELDS or dataclasses.is_dataclass(kind):
        return {f.name: _plain(v) for f in _fields(kind) if (v := getattr(value, f.name)) is not None}
    raise TypeError(f"{type(value).__name__} cannot stand in an event")


def _maker(kind: Any) -> _Reader:
    """Makes an instance of a dataclass from its data."""
    hints = typing.get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in _fields(kind)}
    # Most fields hold what they declare as it is; a call for each would take most of the time of a replay.
    plain = {name: _optional(hints[name]) for name in readers}
    names = frozenset(readers)
    absent = {f.name: f.default for f in _fields(kind) if f.default is not dataclasses.MISSING}

    def make(data: Mapping[str, Any]) -> Any:
        values = {n: value if type(value) is plain.get(n) else readers[n](value) for n, value in data.items()}
        if values.keys() | absent.keys() != names:
            return kind(**values)  # which says what is missing, or makes what has a default factory
        # As the constructor would, without its one call for each field: a replay makes little else.
        instance = object.__new__(kind)
        instance.__dict__.update(absent, **values)
        return instance

    # A class that checks itself, or keeps its fields elsewhere, is made by its own constructor.
    ordinary = not hasattr(kind, "__post_init__") and not hasattr(kind, "__slots__")
    return make if ordinary else lambda data: kind(**{n: readers[n](value) for n, value in data.items()})


def _optional(hint: Any) -> Any:
    """``str`` of ``str | None``; other hints as they are."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (inner,) = (a for a in typing.get_args(hint) if a is not type(None))
        return inner
    return hint


def _reader(hint: Any) -> _Reader:
    hint = _optional(hint)
    origin = typing.get_origin(hint)
    if origin is tuple:
        item = _reader(typing.get_args(hint)[0])
        return lambda value: tuple(item(v) for v in value)
    if origin is dict:
        item = _reader(typing.get_args(hint)[1])
        return lambda value: {k: item(v) for k, v in value.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _maker(hint)
    if hint in (str, int, bool):
        return lambda value: value if type(value) is hint else _refuse(hint, value)
    raise TypeError(f"{hint} cannot stand in an event")


def _refuse(hint: type, value: Any) -> Any:
    raise TypeError(f"expected {hint.__name__}, found {type(value).__name__}")

"""Makes the examples of ``golden/`` for event types that have none yet. What is there is never written again.

    python tests/repository/golden.py

Each file holds the data of one event type in one version, as the record holds them: once with every field, once with
the fields only that must be there. Look at a new file before it is committed: from then on its bytes are the promise
that every later Trialwright reads what this one wrote. (An event that no release has written may still change: remove
its file and run this again.)
"""

from __future__ import annotations

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any

from trialwright.ledger import canonical
from trialwright.trial.event import Event, encode
from trialwright.trial.rooms import EVENTS

FOLDER = Path(__file__).parent / "golden"


def path_of(kind: type[Event]) -> Path:
    """Where the example of an event type stands."""
    return FOLDER / f"{kind.TYPE}.v{kind.VERSION}.json"


def example(kind: type[Event]) -> bytes:
    """Canonical bytes of ``{"full": …, "least": …}``."""
    return canonical({"full": encode(full(kind)), "least": encode(least(kind))}) + b"\n"


def full(kind: Any) -> Any:
    """An instance with every field."""
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: _value(field.name, hints[field.name]) for field in dataclasses.fields(kind)})


def least(kind: Any) -> Any:
    """An instance with the fields that have no default."""
    hints = typing.get_type_hints(kind)
    needed = (f for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING)
    return kind(**{field.name: _value(field.name, hints[field.name]) for field in needed})


def _value(name: str, hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (a for a in typing.get_args(hint) if a is not type(None))
        return _value(name, inner)
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return (_value(f"{name} 1", inner), _value(f"{name} 2", inner)) if inner is str else (_value(name, inner),)
    if origin is dict:
        return {"one": _value(f"{name} one", typing.get_args(hint)[1])}
    if dataclasses.is_dataclass(hint):
        return full(hint)
    return {str: f"{name} – æøå", int: 7, bool: True}[hint]


def main() -> None:
    """Write what is missing."""
    FOLDER.mkdir(exist_ok=True)
    for kind in EVENTS:
        path = path_of(kind)
        if not path.exists():
            path.write_bytes(example(kind))
            print(path)


if __name__ == "__main__":
    main()

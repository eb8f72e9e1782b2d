"""JSON Schema of each file of the folder, for completion and hover text in editors."""

from __future__ import annotations

from typing import Any

from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.declared import Declared
from trialwright.protocol.documents import ConsentHead, PublicHead
from trialwright.protocol.findings import did_you_mean
from trialwright.protocol.loader import FILES, FOLDERS

KINDS: dict[str, type[Declared]] = {
    **{name.removesuffix(".yaml"): model for name, (_, model) in FILES.items()},
    "form": FOLDERS["forms"][1],
    "terminology": FOLDERS["terminology"][1],
    "consent_head": ConsentHead,
    "public_head": PublicHead,
}
"""Kind of file → what it declares."""

SCHEMA_KINDS: tuple[str, ...] = tuple(KINDS)
"""What :func:`json_schema` knows: one kind per file, ``form``, ``terminology`` and the heads of texts."""


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one kind of file.

    Args:
        kind: one of :data:`SCHEMA_KINDS`.

    Raises:
        InvalidValue: another kind.
    """
    if kind not in KINDS:
        raise InvalidValue(
            f"{kind!r} is no kind of file",
            remedy=did_you_mean(kind, SCHEMA_KINDS) or f"use one of {', '.join(SCHEMA_KINDS)}",
            given=kind,
        )
    schema = KINDS[kind].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_closed(schema)}


def _closed(schema: Any) -> Any:
    """Maps whose keys must match a pattern admit no others; the generator leaves that open."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    if "patternProperties" in closed:
        closed["additionalProperties"] = False
    return closed

"""One document, one sequence of bytes: a profile of RFC 8785 (JSON Canonicalization Scheme).

The profile leaves out what makes JSON ambiguous: keys are ``[a-z][a-z0-9_.]*``, so that sorting by code point
is sorting by UTF-16 unit; there are no floats (decimals are text, as entered); integers stay within 2^53 - 1,
which every JSON reader holds exactly. Inside it the standard library's encoder *is* RFC 8785.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from trialwright.ledger.errors import NotCanonical

MAX_DEPTH = 12
MAX_INTEGER = 2**53 - 1

_KEY = re.compile(r"[a-z][a-z0-9_.]*\Z")
_SEEN_KEYS: set[object] = set()
_encode: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


class _Offence(Exception):
    """Carries the first rule broken up to the top, collecting the path on its way."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        self.path: list[str] = []


def canonical(document: Mapping[str, object]) -> bytes:
    """The canonical bytes of a document.

    Args:
        document: a ``dict`` of strings, integers, booleans, nulls, lists (or tuples) and dicts, at most 12 deep.

    Returns:
        UTF-8 JSON without spaces, keys sorted; it holds no byte below 0x20.

    Raises:
        NotCanonical: a float, another type, a key outside ``[a-z][a-z0-9_.]*``, an integer beyond 2^53 - 1,
            a lone surrogate, or more than 12 levels; the message names the path.

    Source: RFC 8785, section 3.2.
    """
    try:
        if type(document) is not dict:
            raise _Offence(f"a document cannot be a {type(document).__name__}", "give a dict")
        _check_object(document, 1)
        return _encode(document).encode()
    except _Offence as offence:
        where = ".".join(reversed(offence.path)) or "the document"
        raise NotCanonical(f"{where}: {offence.problem}", remedy=offence.remedy, path=where) from None
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        raise NotCanonical(
            f"a text holds half a character (lone surrogate U+{ord(bad):04X})",
            remedy="enter the text again; it was cut in the middle of a character",
        ) from None


def _is_key(key: object) -> bool:
    if type(key) is not str or len(key) > 100 or not _KEY.match(key):
        return False
    # Few keys, written millions of times. The bound only guards against a caller that invents keys.
    if len(_SEEN_KEYS) < 100_000:
        _SEEN_KEYS.add(key)
    return True


def _check_object(members: Mapping[str, object], depth: int) -> None:
    for key, value in members.items():
        if key not in _SEEN_KEYS and not _is_key(key):
            raise _Offence(
                f"the key {str(key)[:80]!a} is not allowed",
                "use lower-case letters, digits, _ and ., starting with a letter, at most 100 characters",
            )
        kind = type(value)
        if kind is str or value is None or kind is bool:
            continue
        try:
            _check_other(value, depth)
        except _Offence as offence:
            offence.path.append(key)
            raise


def _check_array(items: list[object] | tuple[object, ...], depth: int) -> None:
    for position, value in enumerate(items):
        if type(value) is str:
            continue
        try:
            _check_other(value, depth)
        except _Offence as offence:
            offence.path.append(str(position))
            raise


def _check_other(value: object, depth: int) -> None:
    kind = type(value)
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:  # type: ignore[operator]  # kind is int
            raise _Offence("an integer is beyond 2^53 - 1", "write it as text")
    elif kind is dict or kind is list or kind is tuple:
        if depth >= MAX_DEPTH:
            raise _Offence(f"nested more than {MAX_DEPTH} deep", "flatten the document")
        if kind is dict:
            _check_object(value, depth + 1)  # type: ignore[arg-type]  # kind is dict
        else:
            _check_array(value, depth + 1)  # type: ignore[arg-type]  # kind is list or tuple
    elif kind is float:
        raise _Offence(f"{value!r} is a float", "write decimals as text, as entered")
    elif value is not None and kind is not bool and kind is not str:
        raise _Offence(f"a {kind.__name__} cannot be recorded", "use text, integers, booleans, null")

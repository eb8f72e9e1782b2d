"""Canonical bytes against RFC 8785 written out slowly, for random documents."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from trialwright.ledger import NotCanonical, canonical

KEYS = st.from_regex(r"[a-z][a-z0-9_.]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        st.none() | st.booleans() | WHOLE | TEXTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def textbook(value):
    """RFC 8785, section 3.2, character by character."""
    if value is None:
        return "null"
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        inner = (ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value)
        return '"' + "".join(inner) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(textbook, value)) + "]"
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
    return "{" + ",".join(textbook(key) + ":" + textbook(inner) for key, inner in members) + "}"


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(DOCUMENTS)
def test_the_bytes_are_those_of_the_standard_and_read_back_the_same(document):
    if depth(document) > 12:
        return
    written = canonical(document)
    assert written == textbook(document).encode()
    assert json.loads(written) == document
    assert all(byte >= 0x20 for byte in written)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(object()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


@given(ANYTHING)
def test_anything_else_is_bytes_or_a_named_refusal(document):
    try:
        written = canonical(document)
    except NotCanonical as refusal:
        assert refusal.message
        assert refusal.remedy
    else:
        assert canonical(json.loads(written)) == written

"""Canonical bytes: RFC 8785 where it applies, a named refusal everywhere else."""

from __future__ import annotations

import enum
from decimal import Decimal

import pytest

from trialwright.ledger import NotCanonical, canonical


def nested(levels):
    document = {"a": 1}
    for _ in range(levels - 1):
        document = {"a": document}
    return document


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, b"{}"),
        ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
        ({"a": [True, False, None, -1, "x"]}, b'{"a":[true,false,null,-1,"x"]}'),
        ({"a": (1, [2], {"b": ()})}, b'{"a":[1,[2],{"b":[]}]}'),
        ({"a.b": 1, "a_b": 2, "ab": 3, "a1": 4}, b'{"a.b":1,"a1":4,"a_b":2,"ab":3}'),
        ({"a": 2**53 - 1, "b": -(2**53) + 1}, b'{"a":9007199254740991,"b":-9007199254740991}'),
        # RFC 8785, section 3.2.2.2: the two-character escapes, lower-case hex for other controls, the rest raw.
        ({"a": '\b\t\n\f\r"\\/'}, b'{"a":"\\b\\t\\n\\f\\r\\"\\\\/"}'),
        ({"a": "\x00\x1f\x7f"}, b'{"a":"\\u0000\\u001f\x7f"}'),
        ({"a": "€ø😀\u2028"}, '{"a":"€ø😀\u2028"}'.encode()),
    ],
)
def test_a_document_has_the_bytes_of_the_standard(document, expected):
    assert canonical(document) == expected


def test_the_string_example_of_the_standard_has_its_bytes():
    """RFC 8785, section 3.2.2 and 3.2.3: the sample's string and literals (its numbers are outside the profile)."""
    sample = {"string": '€$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
    assert canonical(sample) == '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()


def test_twelve_levels_are_kept_and_thirteen_refused():
    assert canonical(nested(12))
    with pytest.raises(NotCanonical, match="12"):
        canonical(nested(13))
    with pytest.raises(NotCanonical, match="12"):
        canonical({"a": [[[[[[[[[[[[1]]]]]]]]]]]]})


def test_endless_nesting_is_refused_by_name():
    circle: dict = {}
    circle["again"] = circle
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for document in (circle, {"a": deep}):
        with pytest.raises(NotCanonical):
            canonical(document)


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        float("inf"),
        Decimal(1),
        2**53,
        -(2**53),
        10**400,
        b"bytes",
        {1, 2},
        pytest.param(object(), id="object"),
        Colour.RED,
        "half \ud83d",
        ["\udc00"],
        {"": 1},
        {"A": 1},
        {"é": 1},
        {"1a": 1},
        {"a b": 1},
        {"a\n": 1},
        {"a" * 101: 1},
        {1: 1},
        {None: 1},
        {("a",): 1},
        {"\ud800": 1},
    ],
    ids=repr,
)
def test_what_the_record_cannot_hold_is_refused_by_name(value):
    for document in ({"data": value}, {"data": [[value]]}, {"data": {"deep": {"deeper": value}}}):
        with pytest.raises(NotCanonical) as caught:
            canonical(document)
        assert caught.value.remedy


def test_the_refusal_names_the_place():
    with pytest.raises(NotCanonical) as caught:
        canonical({"data": {"items": [1, {"weight": 1.5}]}})
    assert caught.value.given["path"] == "data.items.1.weight"


@pytest.mark.parametrize("document", [[], "text", None, 1, (("a", 1),)])
def test_a_document_is_a_dict(document):
    with pytest.raises(NotCanonical):
        canonical(document)


def test_a_key_once_refused_stays_refused():
    for _ in range(3):
        with pytest.raises(NotCanonical):
            canonical({"Bad": 1})
        assert canonical({"good": 1}) == b'{"good":1}'

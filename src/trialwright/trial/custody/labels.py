"""Identifiers for the labels of containers, after the study's pattern."""

from __future__ import annotations

import re
from collections.abc import Callable

_PART = re.compile(r"(?P<set>\[[^\]]+\])(?:\{(?P<count>\d+)\})?|\\?(?P<letter>.)")


def sample_identifier(pattern: str, choose: Callable[[int, int], int]) -> str:
    """A text that a simple pattern matches: letters, ``[sets]`` and ``{counts}``.

    Args:
        pattern: ``identifier`` of ``custody.yaml``.
        choose: (number of characters so far, number of letters) → which of the letters, from 0.

    Raises:
        ValueError: the pattern says more than that.
    """
    out: list[str] = []
    for part in _PART.finditer(pattern):
        if part["set"] is None:
            out.append(part["letter"])
            continue
        letters = _letters(part["set"][1:-1])
        for _ in range(int(part["count"] or 1)):
            out.append(letters[choose(len(out), len(letters))])
    text = "".join(out)
    if not re.fullmatch(pattern, text):
        raise ValueError(f"no identifier can be made for the pattern {pattern!r}")
    return text


def _letters(text: str) -> str:
    spread = re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), text)
    return "".join(dict.fromkeys(spread))

"""Names that must be declared somewhere: the words of a finding about one that is not."""

from __future__ import annotations

from collections.abc import Iterable

from trialwright.build.rules.rule import Problem
from trialwright.protocol.findings import did_you_mean
from trialwright.protocol.positions import KeyPath


def unknown(file: str, path: KeyPath, kind: str, given: str, known: Iterable[str]) -> Problem:
    """There is no such ``kind``: with what was meant, or what there is."""
    names = list(known)
    shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    remedy = did_you_mean(given, names) or (f"declared are {shown}" if names else f"declare the {kind} first")
    return Problem(file, path, f"there is no {kind} {given!r}", remedy)

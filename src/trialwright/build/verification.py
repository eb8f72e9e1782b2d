"""Which values are verified against their source: every critical one, and the study's sample of the others."""

from __future__ import annotations

from hashlib import sha256

from trialwright.build.compile import Build

Place = tuple[str, str, int]
"""(encounter, form, repeat)."""


def to_verify(build: Build, participant: str, place: Place, item: str) -> bool:
    """Whether a monitor compares a value with its source.

    Decided by where the value stands and by nothing else: not by the value, by who asks or when, nor by anything that
    differs between the arms.

    Args:
        build: says what is critical and how large the sample is.
        place: the form.
        item: an item of it; a row of a repeating group is ``item.2``.
    """
    form = build.forms.get(place[1])
    compiled = form.items.get(item.partition(".")[0]) if form is not None else None
    if compiled is None:
        return False
    percent = build.study.identity.source_verification.others_percent
    if compiled.item.critical or compiled.derive is not None or percent == 0:
        return compiled.item.critical
    address = "\x00".join((build.study.identity.id, participant, place[0], place[1], str(place[2]), item))
    return int.from_bytes(sha256(address.encode()).digest()[:4], "big") % 100 < percent

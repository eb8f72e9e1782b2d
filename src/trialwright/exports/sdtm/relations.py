"""RELREC: data sets whose records belong together, by the variable that links them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trialwright.exports.sdtm.drafts import Draft

_LINKS = (("ECEX", ("EC", "ECLNKID", "ONE"), ("EX", "EXLNKID", "ONE")),)
"""Relation id, then its two sides: domain, linking variable, and whether one or many records share a value.

Specimens are related by RELSPEC and their REFID.
"""


def related_records(drafts: Iterable[Draft]) -> Iterator[Draft]:
    """RELREC, two records a relation between data sets that both exist."""
    linked = {(draft.domain, name) for draft in drafts for name in draft.values}
    for id_, *sides in _LINKS:
        if all((domain, variable) in linked for domain, variable, _ in sides):
            for domain, variable, kind in sides:
                yield Draft("RELREC", values={"RDOMAIN": domain, "IDVAR": variable, "RELTYPE": kind, "RELID": id_})

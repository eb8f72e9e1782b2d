"""Which exports there are, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright_web.shell.rights import DATA, RECORD


@dataclass(frozen=True)
class Kind:
    """An export that can be asked for.

    Args:
        name: as the job names it.
        label, about: for people.
        roles: who may ask.
        formats: to choose from.
    """

    name: str
    label: str | Promise
    about: str | Promise
    roles: tuple[Role, ...]
    formats: tuple[str, ...]


WHOLE = tuple(role for role in DATA if role not in SITE_ROLES)
"""Who reads the data of all sites: these files cannot be made of one site alone."""

KINDS = (
    Kind(
        "items",
        _("Item values"),
        _("Every value as it stands, one row each, with labels, units and whether it was verified."),
        DATA,
        ("csv", "parquet"),
    ),
    Kind(
        "views",
        _("Tables of the trial"),
        _("Participants, visits, forms, queries, adverse events, deviations and all other tables, one file each."),
        DATA,
        ("csv", "parquet"),
    ),
    Kind(
        "odm",
        _("CDISC ODM"),
        _("The open record as CDISC ODM: the study's metadata with the data as they stand, and with every change."),
        WHOLE,
        ("1.3.2", "2.0"),
    ),
    Kind(
        "sdtm",
        _("CDISC SDTM with define.xml"),
        _("Data sets with define.xml and the reviewer's guide, from the open record; arms stay blinded."),
        WHOLE,
        ("dataset-json", "xpt"),
    ),
    Kind(
        "codebook",
        _("Annotated forms"),
        _("The code book: every form with its items, codes, units and where they stand in the data sets."),
        DATA,
        ("pdf",),
    ),
    Kind(
        "archive",
        _("Readable archive"),
        _("The open record, its proofs and the history of every participant as pages that open without Trialwright."),
        (Role.INSPECTOR,),
        ("zip",),
    ),
    Kind(
        "ledger",
        _("Copy of the record"),
        _("The entries about your site with the hashes of all others, to be verified by the verify.py inside."),
        RECORD,
        ("zip",),
    ),
)


def kinds_for(role: Role) -> tuple[Kind, ...]:
    """What a role may ask for."""
    return tuple(kind for kind in KINDS if role in kind.roles)

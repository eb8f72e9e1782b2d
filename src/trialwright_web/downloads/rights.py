"""Which exports there are, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from trialwright.protocol.roles import Role
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

"""Who reads data across forms, and how much of them: a site its own, the sponsor's people no identities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.audit import SEALED
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright_web.shell.desk import Desk

DATA = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.MONITOR, Role.UNBLINDED_MONITOR, Role.DATA_MANAGER,
    Role.MEDICAL_MONITOR, Role.SAFETY_OFFICER, Role.INDEPENDENT_STATISTICIAN, Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip
"""Who reads data across forms. Raters, readers of images and the injecting team judge unprompted: not they."""

RECORD = (Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INSPECTOR)
"""Who gets the record itself: a site the entries about its people, an inspector all. The sponsor has receipts."""


class Reader:
    """What somebody at a desk sees of the rows of an export."""

    def __init__(self, desk: Desk) -> None:
        self._site = desk.site
        self._sealed = desk.role not in SITE_ROLES
        self._builds = desk.builds
        self._people = (
            {row["participant"] for row in desk.rows.where(DISPOSITION, site=desk.site)} if desk.site else set()
        )

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows about the reader's site and about the study as a whole."""
        return (row for row in rows if self._concerns(row))

    def items(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same of item values, without what identifies somebody where the reader does not know identities."""
        for row in self.rows(rows):
            yield {**row, **_blank(row)} if self._sealed and _identifies(self._builds, row) else row

    def _concerns(self, row: Row) -> bool:
        if self._site is None:
            return True
        if row.get("site"):
            return row["site"] == self._site
        return row.get("participant") is None or row["participant"] in self._people


def _blank(row: Row) -> Row:
    return {name: SEALED for name in ("value", "value_label", "standard_value") if row.get(name) is not None}


def _identifies(builds: Mapping[str, Build], row: Row) -> bool:
    """Whether any build says so; an item that no build knows counts as identifying."""
    name = str(row["item"]).partition(".")[0]
    found = [
        form.items[name].item.privacy == "identifying"
        for build in builds.values()
        if (form := build.forms.get(str(row["form"]))) is not None and name in form.items
    ]
    return any(found) or not found

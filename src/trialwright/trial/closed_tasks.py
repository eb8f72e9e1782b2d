"""What waits about forms of the closed space, for those who may know the arm: beside :mod:`trialwright.trial.tasks`.

It reads the views of both spaces: what it says is shown in a process that holds both, and to unblinded roles alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trialwright.build import Build, to_verify
from trialwright.foundation.tables import Row, Rows
from trialwright.protocol.roles import Role
from trialwright.trial.capture.commands import SaveClosedForm, SignClosedForm, VerifyClosedItems
from trialwright.trial.capture.state import FormKey
from trialwright.trial.capture.views import CLOSED_FORM, CLOSED_ITEM, VISIT
from trialwright.trial.command import Command
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.queries.commands import AnswerClosedQuery, CloseClosedQuery
from trialwright.trial.queries.views import CLOSED_QUERY
from trialwright.trial.setup.views import SITE
from trialwright.trial.tasks import Kind, Task


def closed_tasks(
    rows: Rows, closed: Rows, builds: Mapping[str, Build], *, role: Role, site: str | None = None
) -> tuple[Task, ...]:
    """Closed forms to complete and to sign, queries on them to answer and to settle, items of them to verify.

    Args:
        rows, closed: the views of the open and of the closed space.
        builds: builds by id, every one that a visit was held under.
        role: what this role may do only.
        site: of one site only.
    """
    sites = {str(row["site"]): builds[str(row["build"])] for row in rows.where(SITE)}
    found: list[Task] = []
    for person in rows.where(DISPOSITION, **({"site": site} if site is not None else {})):
        desk = _Desk(rows, closed, builds, sites[str(person["site"])], person)
        found += desk.tasks()
    return tuple(task for task in found if role in task.roles)


@dataclass
class _Desk:
    """What lies on the desk about one participant."""

    rows: Rows
    closed: Rows
    builds: Mapping[str, Build]
    build: Build
    person: Row

    @property
    def participant(self) -> str:
        return str(self.person["participant"])

    def tasks(self) -> Iterator[Task]:
        forms = {_key(row): row for row in self.closed.where(CLOSED_FORM, participant=self.participant)}
        queries = list(self.closed.where(CLOSED_QUERY, participant=self.participant))
        asked = {_key(row) for row in queries if row["status"] == "open"}
        for key in dict.fromkeys((*self._planned(), *forms)):
            yield from self._form(key, forms.get(key), key in asked)
        for row in queries:
            if row["status"] == "open":
                compiled = self.build.forms.get(str(row["form"]))
                fillers = compiled.form.filled_by if compiled is not None else ()
                yield self._task(Kind.ANSWER_QUERY, AnswerClosedQuery, str(row["query"]), fillers)
            elif row["status"] == "answered":
                yield self._task(Kind.SETTLE_QUERY, CloseClosedQuery, str(row["query"]))
        for key in dict.fromkeys(self._to_verify()):
            yield self._task(Kind.VERIFY_ITEMS, VerifyClosedItems, _name(key))

    def _planned(self) -> Iterator[FormKey]:
        """Closed forms of the visits held, as planned when each was and still there."""
        for visit in self.rows.where(VISIT, participant=self.participant):
            encounter = str(visit["encounter"])
            then = self.builds.get(str(visit["build"])) if visit["status"] == "held" else None
            planned = then.study.encounters.get(encounter) if then is not None else None
            still = self.build.study.encounters.get(encounter)
            if planned is None or still is None:
                continue
            for form in planned.forms:
                if form in still.forms and self.build.forms[form].form.space == "closed":
                    yield encounter, form, 1

    def _form(self, key: FormKey, row: Row | None, asked: bool) -> Iterator[Task]:
        compiled = self.build.forms.get(key[1])
        if compiled is None:
            return  # an amendment took the form away
        form = compiled.form
        if row is None or row["status"] == "voided" or not row["complete"]:
            yield self._task(Kind.COMPLETE_FORM, SaveClosedForm, _name(key), form.filled_by)
        elif form.signed_by is not None and row["status"] == "saved" and not row["signed"] and not asked:
            yield self._task(Kind.SIGN_FORM, SignClosedForm, _name(key), (form.signed_by,))

    def _to_verify(self) -> Iterator[FormKey]:
        for row in self.closed.where(CLOSED_ITEM, participant=self.participant):
            waits = row["value"] is not None and not row["verified"]
            if waits and to_verify(self.build, self.participant, _key(row), str(row["item"])):
                yield _key(row)

    def _task(self, kind: Kind, command: type[Command], about: str, only: Iterable[Role] | None = None) -> Task:
        roles = command.PERMISSION.roles
        return Task(
            kind=kind,
            command=command,
            roles=roles if only is None else roles & frozenset(only),
            site=str(self.person["site"]),
            participant=self.participant,
            about=about,
        )


def _key(row: Row) -> FormKey:
    return str(row["encounter"]), str(row["form"]), int(row["repeat"] or 1)


def _name(key: FormKey) -> str:
    encounter, form, repeat = key
    return f"{encounter}.{form}.{repeat}"

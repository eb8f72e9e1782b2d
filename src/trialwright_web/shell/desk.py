"""The desk at which somebody sits: one study, one role, one site. Whatever a screen reads or writes goes over it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from trialwright.build import Build
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.foundation.tables import Row, Rows
from trialwright.protocol.roles import Role
from trialwright.trial.audit import sees_closed
from trialwright.trial.command import Actor, Command, Signature
from trialwright.trial.dispatch import Receipt, Trial
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.event import Space
from trialwright.trial.setup.state import SiteSetup, StudySetup
from trialwright.trial.setup.views import PERSON
from trialwright.trial.state import State
from trialwright_web.shell.studies import installation

SESSION = "desks"

P = ParamSpec("P")
View = Callable[Concatenate["Request", "Desk", P], HttpResponse]


class Request(HttpRequest):
    """A request of somebody who sits at a desk."""

    desk: Desk
    csp_nonce: str


@dataclass(frozen=True)
class Place:
    """A desk that a person may take.

    Args:
        study: id.
        role: what the person does there.
        site: where, or empty for a role of the whole study.
        organisation: for whom.
    """

    study: str
    role: Role
    site: str
    organisation: str

    @property
    def key(self) -> str:
        """As the session and the choice form name it."""
        return f"{self.role.value}@{self.site}"


@dataclass(frozen=True)
class Desk:
    """A person at a place, with the trial in front of them."""

    place: Place
    person: str
    account: int
    trial: Trial
    language: str

    @property
    def study(self) -> str:
        return self.place.study

    @property
    def role(self) -> Role:
        return self.place.role

    @property
    def site(self) -> str | None:
        """The person's own site; None for a role of the whole study."""
        return self.place.site or None

    @property
    def actor(self) -> Actor:
        """Who acts, as commands want to know it."""
        return Actor(self.person, self.role, self.place.organisation, self.site)

    @property
    def mode(self) -> str:
        return self.trial.mode

    @property
    def rows(self) -> Rows:
        """The views of the open space."""
        return self.trial.stores[Space.OPEN].rows

    @property
    def closed_rows(self) -> Rows:
        """The views of the closed space.

        Raises:
            Http404: this process does not hold it, or the role is blinded.
        """
        if Space.CLOSED not in self.trial.stores or not self.is_unblinded:
            raise Http404
        return self.trial.stores[Space.CLOSED].rows

    @property
    def holds_closed(self) -> bool:
        """Whether :attr:`closed_rows` would answer."""
        return Space.CLOSED in self.trial.stores and self.is_unblinded

    @functools.cached_property
    def is_unblinded(self) -> bool:
        """Whether the role may know what depends on the arm."""
        return sees_closed(self.trial, self.role, self.state)

    @functools.cached_property
    def state(self) -> State:
        """What the request reads of the streams: read once, and again after it has given a command."""
        return self.trial.state()

    @functools.cached_property
    def build(self) -> Build:
        """The build in force: of the person's site, else of the study, else of the folder."""
        active = self._build_of(self.site) if self.site is not None else ""
        active = active or self.state.of(StudySetup).build
        return self.builds.get(active) or installation().folder_build(self.study)

    def _build_of(self, site: str) -> str:
        return self.state.of(SiteSetup, site).build

    @property
    def builds(self) -> dict[str, Build]:
        """Every build on record, by id."""
        return self.trial.builds

    def build_at(self, site: str) -> Build:
        """The build in force at a site."""
        active = self._build_of(site)
        return self.builds[active] if active else self.build

    def zone(self, site: str | None = None) -> ZoneInfo:
        """The time zone of a site (of the person's own by default); of the coordinating site for a central role."""
        sites = self.build.study.sites
        coordinating = next((name for name, one in sites.items() if one.coordinating), next(iter(sites)))
        return ZoneInfo(sites[site or self.site or coordinating].timezone)

    @property
    def now(self) -> datetime:
        """The instant, in the desk's time zone."""
        return self.trial.clock.now().astimezone(self.zone())

    @property
    def today(self) -> date:
        """The local date at the desk."""
        return self.now.date()

    def may(self, command: type[Command]) -> bool:
        """Whether the role may give a command, as far as its permission says; the door decides."""
        return self.role in command.PERMISSION.roles

    def participants(self, site: str | None = None) -> Iterator[Row]:
        """Dispositions of the participants the desk may see: of the own site, or all, or of one site."""
        where = self.site or site
        return self.rows.where(DISPOSITION, **({"site": where} if where else {}))

    def participant(self, code: str) -> Row:
        """The disposition of one participant.

        Raises:
            Http404: no such participant, or one of another site; the two look alike on purpose.
        """
        row = self.rows.get(DISPOSITION, (code,))
        if row is None or (self.site is not None and row["site"] != self.site):
            raise Http404
        return row

    def site_of(self, code: str) -> str:
        """The site of one participant.

        Raises:
            Http404: as :meth:`participant`.
        """
        site = self.state.of(Enrolment, code).site
        if not site or self.site not in (None, site):
            raise Http404
        return site

    def may_see(self, code: str) -> bool:
        """Whether :meth:`participant` would answer."""
        site = self.state.of(Enrolment, code).site
        return bool(site) and self.site in (None, site)

    def dispatch(
        self,
        command: Command,
        *,
        request_id: str,
        observed_at: str | None = None,
        reason: str | None = None,
        signature: Signature | None = None,
    ) -> Receipt:
        """Give a command through the one door; see :meth:`trialwright.trial.dispatch.Trial.dispatch`.

        Args:
            request_id: of the page that was sent (:func:`new_request_id` when it was drawn), so that sending it
                twice does one thing.
        """
        try:
            return self.trial.dispatch(
                command,
                by=self.actor,
                request_id=request_id,
                observed_at=observed_at,
                reason=reason or None,
                signature=signature,
                state=vars(self).get("state"),
            )
        finally:
            for name in ("state", "build"):
                vars(self).pop(name, None)


def new_request_id() -> str:
    """An id for an act that a page offers; stands in the page, so that a page sent twice acts once."""
    return "web." + SystemEntropy().bytes(16, purpose="request id", stream="web", position=0).hex()


def places_of(person: str) -> tuple[Place, ...]:
    """Every desk a person may take in this process, by study, role and site."""
    return tuple(place for study in sorted(installation().studies) for place in _places_in(_trial(study), person))


def _trial(study: str) -> Trial:
    return installation().trial(study)


def _places_in(trial: Trial, person: str, state: State | None = None) -> Iterator[Place]:
    state = state or trial.state()
    today = trial.clock.now().date().isoformat()
    for row in trial.stores[Space.OPEN].rows.where(PERSON, person=person):
        role = Role(str(row["role"]))
        in_force = str(row["since"]) <= today and (row["until"] is None or today <= str(row["until"]))
        if in_force and _serves(trial, role, state):
            yield Place(trial.study, role, str(row["site"]), str(row["organisation"]))


def _serves(trial: Trial, role: Role, state: State) -> bool:
    """Whether this process has desks for the role: what may know the arm works in the closed process.

    An investigator, blinded, comes to the closed process to unblind in an emergency; a safety officer for a suspected
    unexpected serious reaction. Views there say for whom they are.
    """
    if role is Role.PARTICIPANT:
        return False
    closed = settings.ENVIRONMENT.process == "closed"
    if trial.one_space:
        return not closed
    unblinded = sees_closed(trial, role, state)
    return unblinded or role in VISITORS if closed else not unblinded


VISITORS = frozenset({Role.INVESTIGATOR, Role.SAFETY_OFFICER})
"""Blinded roles with business in the closed process."""


def desk_of(account: Any, study: str, key: str, language: str = "en") -> Desk | None:
    """The desk of an account without a browser (a token, a job), while the person holds the role; else None."""
    if study not in installation().studies:
        return None
    place = next((place for place in _places_in(_trial(study), account.person) if place.key == key), None)
    return Desk(place, account.person, account.pk, _trial(study), language) if place else None


def take(request: HttpRequest, place: Place) -> None:
    """Sit down at a desk of a study; stays so until another is taken."""
    request.session[SESSION] = {**request.session.get(SESSION, {}), place.study: place.key}


def at_desk(*roles: Role, visitors: bool = False) -> Callable[[View[P]], Callable[..., HttpResponse]]:
    """Make a view that only people in these roles reach: ``view(request, desk, …)`` at ``/<study>/…``.

    Without a desk in the study the person is sent to choose one; in another role the answer is 403. What each route
    declares here is what the table of access lists.

    Args:
        roles: who; none means every role that has desks in the process.
        visitors: whether blinded roles of :data:`VISITORS` reach it in the closed process, too.
    """
    allowed = frozenset(roles) or frozenset(Role) - {Role.PARTICIPANT}

    def decorate(view: View[P]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        @login_required
        def reached(request: Any, study: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if study not in installation().studies:
                raise Http404
            state = _trial(study).state()
            places = {place.key: place for place in _places_in(_trial(study), request.user.person, state)}
            chosen = request.session.get(SESSION, {}).get(study)
            if len(places) == 1:
                chosen = next(iter(places))
            if chosen not in places:
                return (
                    redirect(f"{reverse('desks')}?next={request.get_full_path()}") if places else _forbidden(request)
                )
            desk = _sit(request, places[chosen], state)
            request.desk = desk
            visiting = settings.ENVIRONMENT.process == "closed" and not desk.is_unblinded
            if desk.role not in allowed or (visiting and not visitors):
                return _forbidden(request)
            return view(request, desk, *args, **kwargs)

        reached.roles = allowed  # type: ignore[attr-defined]  # read by the table of access
        reached.visitors = visitors  # type: ignore[attr-defined]
        return reached

    return decorate


def open_to_all(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Declare that a route needs no desk: sign-in, choice of desk, public pages, health."""
    view.roles = None  # type: ignore[attr-defined]
    return view


def _sit(request: HttpRequest, place: Place, state: State) -> Desk:
    from django.utils.translation import get_language

    account: Any = request.user
    desk = Desk(place, account.person, account.pk, _trial(place.study), get_language() or "en")
    vars(desk)["state"] = state  # what showed that the person may sit here is what the page reads
    return desk


def _forbidden(request: HttpRequest) -> HttpResponse:
    from trialwright_web.shell.pages import render_page

    return render_page(request, "shell/forbidden.html", status=403)

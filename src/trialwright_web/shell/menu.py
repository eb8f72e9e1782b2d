"""The menu of a desk: the routes that its role reaches, in the order of a working day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.translation import gettext_lazy as _

from trialwright_web.shell.words import Words

if TYPE_CHECKING:
    from trialwright_web.shell.desk import Desk

ENTRIES = (
    ("capture:home", _("My tasks"), "tasks"),
    ("capture:matrix", _("Participants"), "people"),
    ("consents:home", _("Consent"), "list"),
    ("consents:contacts", _("Contacts"), "people"),
    ("capture:calendar", _("Calendar"), "calendar"),
    ("capture:enrolment", _("Enrolment"), "chart"),
    ("monitor:queries", _("Queries"), "query"),
    ("monitor:verification", _("Source verification"), "check"),
    ("safety:board", _("Safety"), "safety"),
    ("monitor:deviations", _("Deviations"), "deviation"),
    ("monitor:sites", _("Sites"), "site"),
    ("monitor:screening", _("Screening log"), "list"),
    ("capture:imports", _("Imports"), "import"),
    ("products:board", _("Injections"), "vial"),
    ("laboratory:board", _("Laboratory"), "vial"),
    ("laboratory:deviations", _("Closed deviations"), "deviation"),
    ("laboratory:allocations", _("Allocations"), "unblinded"),
    ("laboratory:unblinding", _("Final unblinding"), "unblinded"),
    ("products:emergency", _("Emergency unblinding"), "emergency"),
    ("laboratory:emergency", _("Emergency unblinding"), "emergency"),
    ("monitor:closure", _("Freeze and lock"), "lock"),
    ("downloads:home", _("Downloads"), "download"),
    ("api:tokens", _("Tokens for programs"), "list"),
    ("capture:people", _("People"), "people"),
    ("capture:setup", _("Sites and builds"), "site"),
)
"""Route name, label, icon. A route that does not exist in this process, or is not the role's, is left out."""


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    label: str
    address: str
    icon: str
    current: bool


def menu(desk: Desk, path: str) -> tuple[Entry, ...]:
    """The lines for a desk."""
    found = []
    for name, label, icon in ENTRIES:
        address, view = reached(desk, name)
        if view is not None:
            words = getattr(view, "called_in_open_studies", label) if desk.trial.one_space else label
            found.append(Entry(str(words), address, icon, _is_current(name, address, path)))
    return tuple(found)


def reached(desk: Desk, name: str, *about: str) -> tuple[str, Callable[..., Any] | None]:
    """Address and view of a study's route; no view where the process has no such route, or it is not the role's.

    Args:
        about: what the route names after the study.
    """
    try:
        address = reverse(name, args=(desk.study, *about))
    except NoReverseMatch:
        return "", None
    view = resolve(address).func
    roles = getattr(view, "roles", None) or ()
    visitor = not desk.is_unblinded and _closed() and not getattr(view, "visitors", False)
    offered = getattr(view, "offered", None)
    reaches = desk.role in roles and not visitor and (offered is None or offered(desk))
    return address, view if reaches else None


def offered_where(
    says: Callable[[Desk], bool],
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Declare of a view at which desks the menu offers it, of those that reach it; goes above ``at_desk``."""

    def declare(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        view.offered = says  # type: ignore[attr-defined]  # read by reached
        return view

    return declare


def called_in_open_studies(
    words: Words,
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Declare of a view what the menu calls it where nothing is blinded; goes above ``at_desk``."""

    def declare(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        view.called_in_open_studies = words  # type: ignore[attr-defined]  # read by menu
        return view

    return declare


def _is_current(name: str, address: str, path: str) -> bool:
    """Whether a page belongs to the entry. Everything lies below the home, and only the home is its own page."""
    return path == address or (name != "capture:home" and path.startswith(address.rstrip("/") + "/"))


def _closed() -> bool:
    from django.conf import settings

    return bool(settings.ENVIRONMENT.process == "closed")

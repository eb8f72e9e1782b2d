"""What waits on the boards of other screens, as the home of a desk lists it. Each board says it of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.http import HttpResponse

from trialwright_web.shell.desk import Desk
from trialwright_web.shell.menu import ENTRIES, reached

BOARDS = (
    "capture:setup",
    "laboratory:allocations",
    "consents:home",
    "laboratory:board",
    "products:board",
    "laboratory:deviations",
)
"""Routes of boards, in the order in which a day begins. What the role does not reach says nothing."""


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for a desk.

    Args:
        words: what is done next.
        address: where.
        participant: about whom; empty where it is about nobody.
        about: about what: a label, an injection.
        due: instant (ISO, UTC) until which, where something says so.
    """

    words: str
    address: str
    participant: str = ""
    about: str = ""
    due: str | None = None


@dataclass(frozen=True)
class Board:
    """A board with what waits there for a desk."""

    name: str
    label: str
    icon: str
    address: str
    lines: tuple[Waiting, ...]


def says_what_waits(
    lines: Callable[[Desk], Iterable[Waiting]],
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Declare of a board's view what waits there for a desk; goes above ``at_desk``."""

    def declare(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        view.waiting = lines  # type: ignore[attr-defined]  # read by boards_waiting
        return view

    return declare


def boards_waiting(desk: Desk) -> tuple[Board, ...]:
    """The boards on which something waits for the desk."""
    named = {name: (str(label), icon) for name, label, icon in ENTRIES}
    found = []
    for name in BOARDS:
        address, view = reached(desk, name)
        lines = getattr(view, "waiting", None)
        waiting = tuple(lines(desk)) if lines is not None else ()
        if waiting:
            found.append(Board(name.replace(":", "-"), *named[name], address, waiting))
    return tuple(found)

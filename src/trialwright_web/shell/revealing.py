"""Showing an allocation, once, on the page that answers the recorded look at it; nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from trialwright.build import Build
from trialwright.foundation.errors import Refusal
from trialwright.trial.allocation.gateway import SealedAllocations, reveal
from trialwright.trial.dispatch import Receipt
from trialwright_web.shell.desk import Desk, Request
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.words import Words


class CannotReveal(Refusal):
    """This process does not reach the dispensing service; the look is recorded all the same."""

    code = "web.cannot_reveal"


class AlreadyShown(Refusal):
    """The page was sent before, and what it revealed was shown then."""

    code = "web.already_shown"


@dataclass(frozen=True)
class Given:
    """What is given in one period, or in the only one."""

    period: str
    arm: str
    description: str


def labels_of(desk: Desk, receipt: Receipt) -> Mapping[str, str]:
    """Participant → label, for those whose disclosure the receipt records.

    Raises:
        CannotReveal: the process holds no dispensing key.
        SealingError: a sealed row does not open.
    """
    return reveal(receipt.facts, gateway(desk))


def gateway(desk: Desk) -> SealedAllocations:
    """What opens allocations.

    Raises:
        CannotReveal: the process holds no dispensing key.
    """
    allocations = desk.trial.allocations
    if not isinstance(allocations, SealedAllocations):
        raise CannotReveal(
            _("the dispensing service is not reached"),
            remedy=_("open the sealed envelope of the participant, and record that you did"),
        )
    return allocations


def in_words(build: Build, label: str) -> tuple[Given, ...]:
    """An arm or a sequence, period by period, in the reader's language."""
    identity = build.study.identity
    arms = {arm.id: arm for arm in identity.arms}
    for sequence in identity.sequences:
        if sequence.id == label:
            return tuple(
                Given(
                    in_language(period.label),
                    in_language(arms[sequence.arms[period.id]].label),
                    in_language(arms[sequence.arms[period.id]].description),
                )
                for period in identity.periods
            )
    return (Given("", in_language(arms[label].label), in_language(arms[label].description)),)


def revealed(
    request: Request, desk: Desk, *, title: Words, next_steps: tuple[Words, ...], back: str, again: bool = False
) -> Callable[[Receipt], HttpResponse]:
    """What an act does then: the page with the allocation of the one participant looked at.

    Args:
        next_steps: what the reader has to do or to leave.
        again: whether sending the page again shows it again, because an answer may have been lost on its way in an
            emergency; otherwise it is refused.
    """

    def then(receipt: Receipt) -> HttpResponse:
        if receipt.repeated and not again:
            raise AlreadyShown(
                _("this look was recorded before, and its answer shown then"),
                remedy=_("look again with a new page, if you still need to know"),
            )
        ((participant, label),) = labels_of(desk, receipt).items()
        site = str(desk.participant(participant)["site"])
        context: dict[str, Any] = {
            "title": title,
            "participant": participant,
            "given": in_words(desk.build_at(site), label),
            "next_steps": next_steps,
            "back": back,
            "recorded_at": receipt.facts[0].at,
            "zone": desk.zone(site),
        }
        answer = render_page(request, "shell/revealed.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    return then

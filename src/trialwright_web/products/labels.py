"""A fresh label for a collection, to be stuck on the container before it leaves the room."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.protocol.roles import Role
from trialwright.trial.custody.labels import sample_identifier
from trialwright.trial.custody.state import LabelUse
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.labels import Label, label_pdf
from trialwright_web.shell.templatetags.shell import in_language


@at_desk(Role.INVESTIGATOR, Role.STUDY_NURSE, Role.INJECTING_PHYSICIAN)
@require_GET
def new_labels(request: Request, desk: Desk, participant: str, slot: str) -> HttpResponse:
    """Two copies of a label that is not in use; it is taken when the collection is reported with it."""
    person = desk.participant(participant)
    custody = desk.build_at(str(person["site"])).study.custody
    planned = next((one for one in custody.slots if one.id == slot), None) if custody else None
    if custody is None or planned is None:
        raise Http404
    label = Label(
        identifier=_unused(desk, custody.identifier),
        participant=participant,
        lines=(
            f"{desk.build.study.identity.acronym} · {in_language(planned.label)}",
            _("For clinical trial use only"),
        ),
    )
    return label_pdf((label, label), desk.language)


def _unused(desk: Desk, pattern: str) -> str:
    """An identifier of the study's pattern that no container carries."""
    state, tries = desk.trial.state(), 0
    while True:
        drawn = SystemEntropy().bytes(64, purpose="label", stream=desk.study, position=tries)
        # The small bias of a remainder does no harm: labels need to differ, not to be secret.
        label = sample_identifier(pattern, lambda place, letters: drawn[place] % letters)  # noqa: B023 - used at once
        if not state.of(LabelUse, label).participant:
            return label
        tries += 1

"""What is kept about a participant beside the record, deleted."""

from __future__ import annotations

from trialwright_web.participant.contacts import forget_contact
from trialwright_web.participant.models import ConsentQuestion, Contact, Invitation, Kept

TABLES = (Kept, ConsentQuestion, Invitation, Contact)
"""Where rows are about one participant."""


def forget_pages(study: str, participant: str) -> int:
    """Delete what the participant typed and did not send. In the database of the process that is asked."""
    return Kept.objects.filter(study=study, participant=participant).delete()[0]


def forget_texts(study: str, participant: str) -> int:
    """Delete questions with their answers."""
    return ConsentQuestion.objects.filter(study=study, participant=participant).delete()[0]


def forget_person(study: str, participant: str) -> int:
    """Delete access and contact: nothing says any more who it was, and nobody signs in as them."""
    invitations = Invitation.objects.filter(study=study, participant=participant).delete()[0]
    return invitations + forget_contact(study, participant)

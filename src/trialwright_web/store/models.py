"""Drafts: what somebody typed and did not save yet, encrypted, outside the record."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Draft(models.Model):
    """One form as far as one person typed it.

    ``place`` names the form (study, participant, encounter, form, repeat), ``version`` the version of the
    participant's stream that the page was made from: a draft over an older version is shown as a conflict, never
    merged by itself.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    place = models.CharField(max_length=300)
    version = models.PositiveBigIntegerField()
    sealed = models.BinaryField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "place"], name="one_draft_a_place")]

"""What the application keeps beside the record: drafts, work to do, mail to send, tokens of the API.

None of it is the truth about the trial; each of these tables may be emptied, and only comfort is lost."""

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


class Job(models.Model):
    """Work for the worker, asked for at a desk. ``process`` is whose worker does it: what the closed process is asked
    for, the staff's worker never sees."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    process = models.CharField(max_length=10)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    account_id: int
    study = models.CharField(max_length=60)
    place = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict)
    request_id = models.CharField(max_length=60, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=80, blank=True)
    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["process", "state", "id"], name="next_job")]


class Mail(models.Model):
    """A mail to send. What it says follows from ``kind`` alone, so that no data can be in it."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    kind = models.CharField(max_length=40)
    cause = models.CharField(max_length=120)
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "cause"], name="one_mail_a_cause")]


class Followed(models.Model):
    """How far a worker has read a ledger: to see what somebody must be told, or who is to be forgotten."""

    ledger = models.CharField(max_length=80, primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)


class ApiToken(models.Model):
    """A token of the API: one account at one desk. Only its digest is kept."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    study = models.CharField(max_length=60)
    place = models.CharField(max_length=60)
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

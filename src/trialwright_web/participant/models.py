"""Access, questions and drafts of participants. Access and questions lie in the identity database."""

from __future__ import annotations

from django.db import models


class Invitation(models.Model):
    """How one participant signs in: a code from a letter at first, then a password of their own.

    Who the participant is does not stand here; the code of the trial is all that is known.
    """

    study = models.CharField(max_length=40)
    participant = models.CharField(max_length=40)
    site = models.CharField(max_length=10)
    language = models.CharField(max_length=3, default="en")
    letter = models.CharField(max_length=200, blank=True)
    """Hash of the code in the letter; empty once it was used."""
    password = models.CharField(max_length=200, blank=True)
    """Hash of the participant's own password; empty before it was chosen."""
    invited_at = models.DateTimeField()
    invited_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "participant"], name="one_access_a_participant")]


class ConsentQuestion(models.Model):
    """Something a participant asks the staff before signing, and the answer. Both are encrypted."""

    study = models.CharField(max_length=40)
    participant = models.CharField(max_length=40)
    site = models.CharField(max_length=10)
    question = models.BinaryField()
    asked_at = models.DateTimeField()
    answer = models.BinaryField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [models.Index(fields=["study", "site"]), models.Index(fields=["study", "participant"])]


class Enquiry(models.Model):
    """Somebody who asks a site about joining. Encrypted; deleted when the site has answered."""

    study = models.CharField(max_length=40)
    site = models.CharField(max_length=10)
    text = models.BinaryField()
    sent_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["study", "site"])]


class Kept(models.Model):
    """What a participant typed and did not send yet, encrypted: reading place, answers, a questionnaire half done."""

    study = models.CharField(max_length=40)
    participant = models.CharField(max_length=40)
    place = models.CharField(max_length=200)
    sealed = models.BinaryField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "participant", "place"], name="one_kept_a_place")]


class SiteKey(models.Model):
    """The key of a site: the public half writes contacts; the passphrase opens the wrapped private half."""

    study = models.CharField(max_length=40)
    site = models.CharField(max_length=10)
    public = models.CharField(max_length=140)
    wrapped = models.BinaryField()
    """The key file: the private half under scrypt of the passphrase and AES-256-GCM."""
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    taken_at = models.DateTimeField(null=True)
    """When the key file was fetched for safe keeping; once."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "site"], name="one_key_a_site")]


class Contact(models.Model):
    """Name and addresses of a person, sealed to the site's key under a random id; first without a participant."""

    id = models.CharField(max_length=32, primary_key=True)
    study = models.CharField(max_length=40)
    site = models.CharField(max_length=10)
    participant = models.CharField(max_length=40, null=True)
    sealed = models.BinaryField()
    revision = models.PositiveIntegerField(default=1)
    entered_at = models.DateTimeField()
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "site", "participant"], name="one_contact_a_person")]

"""The account of a person. The user name is the person's id in the record; it never changes."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class Account(AbstractUser):
    """Signs in. ``is_staff`` and ``is_superuser`` mean nothing here: there is no administration site, and no account
    can act or sign for another person."""

    @property
    def person(self) -> str:
        """The person's id in the record."""
        return self.username

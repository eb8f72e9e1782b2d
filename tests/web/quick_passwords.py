"""The application as it is, but for :mod:`quick_hashes`."""

from django.contrib.auth.hashers import Argon2PasswordHasher
from quick_hashes import quicken

from trialwright_web.config.wsgi import application

quicken(Argon2PasswordHasher)

__all__ = ["application"]

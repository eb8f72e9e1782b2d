"""From an address to Django's settings of mail."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from trialwright_web.config.environment import SettingInvalid


def mail(address: str, staff_address: str) -> dict[str, Any]:
    """Django's settings for ``smtp://USER:PASSWORD@HOST:PORT`` (STARTTLS), ``smtps://…`` (TLS) or ``file:///FOLDER``.

    Mail that has nowhere to go stays in the queue of the worker: with no address, sending is refused.

    Raises:
        SettingInvalid: another kind of address.
    """
    parts = urlsplit(address)
    sender = {"DEFAULT_FROM_EMAIL": f"Trialwright <no-reply@{urlsplit(staff_address).hostname or 'localhost'}>"}
    if not address:
        return {**sender, "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    if parts.scheme == "file" and len(parts.path) > 1:
        backend = "django.core.mail.backends.filebased.EmailBackend"
        return {**sender, "EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": unquote(parts.path)}
    if parts.scheme in ("smtp", "smtps") and parts.hostname:
        return {
            **sender,
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_TLS": parts.scheme == "smtp",
            "EMAIL_USE_SSL": parts.scheme == "smtps",
            "EMAIL_TIMEOUT": 20,
        }
    # What has an @ may hold a password; it is not repeated.
    raise SettingInvalid("TRIALWRIGHT_MAIL is no address of mail → smtp://USER:PASSWORD@HOST:PORT or file:///FOLDER")

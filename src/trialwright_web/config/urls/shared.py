"""Routes that the staff's two processes share, and how a screen's routes are found."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from trialwright_web.shell import views
from trialwright_web.shell.metrics import metrics

handler404 = "trialwright_web.shell.views.not_found"
handler500 = "trialwright_web.shell.views.failed"

SIGN_IN: list[URLPattern | URLResolver] = [
    path("", views.desks, name="desks"),
    path("language", views.choose_language, name="language"),
    path("health", views.health, name="health"),
    path("metrics", metrics, name="metrics"),
    path("accounts/", include("trialwright_web.accounts.urls")),
]


def screens(*names: str) -> list[URLPattern | URLResolver]:
    """The routes of screens, each under ``/<study>/``."""
    return [
        path("<slug:study>/", include(f"trialwright_web.{name}.urls"))
        for name in names
        if find_spec(f"trialwright_web.{name}") and find_spec(f"trialwright_web.{name}.urls")
    ]

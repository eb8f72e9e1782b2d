"""Routes of the public process: trial pages and participants. Nothing of the staff is reachable here."""

from importlib.util import find_spec

from django.urls import include, path

from trialwright_web.shell import views
from trialwright_web.shell.metrics import metrics

handler404 = "trialwright_web.shell.views.not_found"
handler500 = "trialwright_web.shell.views.failed"

urlpatterns = [
    path("language", views.choose_language, name="language"),
    path("health", views.health, name="health"),
    path("metrics", metrics, name="metrics"),
    *(
        path(prefix, include(f"trialwright_web.{name}.urls"))
        for name, prefix in (("participant", "me/"), ("public", ""))
        if find_spec(f"trialwright_web.{name}") and find_spec(f"trialwright_web.{name}.urls")
    ),
]

"""Routes of the staff process: the open space."""

from django.urls import include, path

from trialwright_web.config.urls.shared import SIGN_IN, handler404, handler500, screens

__all__ = ["handler404", "handler500", "urlpatterns"]

urlpatterns = [
    *SIGN_IN,
    *screens("capture", "randomise", "products", "monitor", "safety", "downloads", "api"),
    path("<slug:study>/", include("trialwright_web.participant.staff_urls")),
    path("<slug:study>/", include("trialwright_web.laboratory.open_urls")),
]

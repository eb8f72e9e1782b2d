"""Routes of randomise, under ``/<study>/``."""

from django.urls import path

from trialwright_web.randomise import incidents, page, treatment

app_name = "randomise"
urlpatterns = [
    path("randomise/<slug:participant>/", page.randomise, name="participant"),
    path("randomise/<slug:participant>/treatment/", treatment.treatment, name="treatment"),
    path("randomise/<slug:participant>/by-mistake/", incidents.mistaken, name="mistaken"),
    path("randomise/<slug:participant>/accidental-unblinding/", incidents.accidental, name="accidental"),
]

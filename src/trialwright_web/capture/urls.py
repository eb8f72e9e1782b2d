"""Routes of capture, under ``/<study>/``."""

from django.urls import path

from trialwright_web.capture import home

app_name = "capture"
urlpatterns = [
    path("", home.home, name="home"),
]

"""The application ``capture``."""

from django.apps import AppConfig


class CaptureConfig(AppConfig):
    name = "trialwright_web.capture"
    label = "capture"

"""The application ``monitor``."""

from django.apps import AppConfig


class MonitorConfig(AppConfig):
    name = "trialwright_web.monitor"
    label = "monitor"

"""The application ``safety``."""

from django.apps import AppConfig


class SafetyConfig(AppConfig):
    name = "trialwright_web.safety"
    label = "safety"

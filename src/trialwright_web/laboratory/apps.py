"""The application ``laboratory``."""

from django.apps import AppConfig


class LaboratoryConfig(AppConfig):
    name = "trialwright_web.laboratory"
    label = "laboratory"

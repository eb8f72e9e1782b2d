"""The application ``participant``."""

from django.apps import AppConfig


class ParticipantConfig(AppConfig):
    name = "trialwright_web.participant"
    label = "participant"

"""The application ``randomise``."""

from django.apps import AppConfig


class RandomiseConfig(AppConfig):
    name = "trialwright_web.randomise"
    label = "randomise"

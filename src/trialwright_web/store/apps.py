"""The application ``store``."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "trialwright_web.store"
    label = "store"

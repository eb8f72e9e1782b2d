"""The application ``store``."""

from django.apps import AppConfig
from django.core.signals import request_started


class StoreConfig(AppConfig):
    name = "trialwright_web.store"
    label = "store"

    def ready(self) -> None:
        from trialwright_web.store.connections import drop_ended

        request_started.connect(drop_ended)

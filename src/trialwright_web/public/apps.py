"""The application ``public``."""

from django.apps import AppConfig


class PublicConfig(AppConfig):
    name = "trialwright_web.public"
    label = "public"

"""The application ``api``."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "trialwright_web.api"
    label = "api"

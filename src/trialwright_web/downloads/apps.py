"""The application ``downloads``."""

from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    name = "trialwright_web.downloads"
    label = "downloads"

"""The application ``shell``."""

from django.apps import AppConfig


class ShellConfig(AppConfig):
    name = "trialwright_web.shell"
    label = "shell"

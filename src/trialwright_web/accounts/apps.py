"""The application ``accounts``."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "trialwright_web.accounts"
    label = "accounts"

"""The application ``products``."""

from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "trialwright_web.products"
    label = "products"

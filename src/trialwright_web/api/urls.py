"""Routes of the API and of its tokens, under ``/<study>/``."""

from django.urls import path

from trialwright_web.api import tokens
from trialwright_web.api.service import api

app_name = "api"
urlpatterns = [
    path("api/tokens/", tokens.page, name="tokens"),
    path("api/v1/", api.urls),
]

"""allauth's rules for this application."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitedOnly(DefaultAccountAdapter):
    """Nobody signs up; people are invited and choose their own password."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

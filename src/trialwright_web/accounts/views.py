"""Accepting an invitation; the answer of routes that are not offered."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django.contrib.auth import login
from django.contrib.auth.forms import SetPasswordForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from trialwright_web.accounts.invitations import invited


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """Choose one's own password, then set up the second factor."""
    account = invited(number, token)
    if account is None:
        return render(request, "accounts/invitation_ended.html", status=410)
    form: Any = SetPasswordForm(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        login(request, account)
        reauthenticate_by_password(request)
        return redirect("mfa_activate_totp")
    return render(request, "accounts/invitation.html", {"form": form, "person": account.username})


def not_offered(request: HttpRequest, **_: str) -> HttpResponse:
    """Signing up, e-mail addresses and mailed passwords are not offered; the names exist because allauth asks."""
    raise Http404


accept.roles = None  # type: ignore[attr-defined]  # needs no desk; read by the table of access
not_offered.roles = None  # type: ignore[attr-defined]

"""The site home: what waits for this desk, the most urgent first."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trialwright.trial.tasks import tasks
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page


@at_desk()
@require_GET
def home(request: Request, desk: Desk) -> HttpResponse:
    """The task list of the desk."""
    waiting = tasks(desk.rows, desk.builds, desk.today, site=desk.site, role=desk.role)
    return render_page(request, "capture/home.html", {"waiting": waiting})

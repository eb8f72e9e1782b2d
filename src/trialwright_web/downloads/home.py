"""What can be downloaded at this desk, what was asked for, and the finished files."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.foundation.errors import InvalidValue
from trialwright_web.downloads.rights import KINDS, kinds_for
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.jobs import Job, ask, mine, result_of
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.rights import DATA

_LABELS = {kind.name: kind.label for kind in KINDS}


@at_desk(*DATA)
@require_http_methods(["GET", "POST"])
def home(request: Request, desk: Desk) -> HttpResponse:
    """Choose an export; the worker makes it, the page says when it is there."""
    if request.method == "POST":
        _ask(desk, request)
        return redirect(reverse("downloads:home", args=(desk.study,)))
    jobs = mine(desk)
    context: dict[str, Any] = {
        "kinds": kinds_for(desk.role),
        "jobs": [(job, _LABELS.get(job.kind, job.kind)) for job in jobs],
        "unfinished": any(job.state in (Job.State.WAITING, Job.State.RUNNING) for job in jobs),
        "request_id": new_request_id(),
        "possible": settings.ENVIRONMENT.files is not None,
    }
    return render_page(request, "downloads/home.html", context)


def _ask(desk: Desk, request: Request) -> None:
    name, _, format_ = request.POST.get("wanted", "").partition(".")
    kind = next((kind for kind in kinds_for(desk.role) if kind.name == name), None)
    if kind is None or format_ not in kind.formats or settings.ENVIRONMENT.files is None:
        raise InvalidValue(f"{name[:40]!a} cannot be downloaded here", remedy="choose one of those on the page")
    request_id = request.POST.get("request_id", "")
    if not request_id.startswith("web.") or len(request_id) > 60:
        raise InvalidValue("the page has no request id", remedy="load the page again")
    ask(desk, name, {"format": format_, "language": desk.language}, request_id)


@at_desk(*DATA)
@require_GET
def file(request: Request, desk: Desk, number: int) -> Any:
    """A finished file, for the one who asked, at the desk where they asked; for all others there is none."""
    job = next((job for job in mine(desk) if job.pk == number and job.state == Job.State.DONE), None)
    if job is None or job.kind not in {kind.name for kind in kinds_for(desk.role)}:
        raise Http404
    path = result_of(job)
    if not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{desk.study}-{job.kind}-{job.pk}.zip")

"""Files attached to forms: taken in, sealed, listed, handed out to whoever may read the form."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from trialwright.foundation.errors import InvalidValue, Refusal
from trialwright.foundation.tables import Row
from trialwright.trial.attachments.commands import ATTACHERS, LARGEST, AttachFile, FileNotAcceptable, WithdrawFile
from trialwright.trial.attachments.views import ATTACHMENT
from trialwright_web.capture.form_blobs import Blobs
from trialwright_web.capture.form_place import FormPlace, find_form
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_error

_BEGINNINGS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "text/plain": "txt"}
_NAMES = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "text/plain": (".txt", ".csv", ".tsv", ".log", ".xml", ".json"),
}
"""Kind → how a name may end."""


def files_of(place: FormPlace) -> list[Row]:
    """The files attached to the form."""
    if place.is_closed:
        return []
    rows = place.desk.rows.where(ATTACHMENT, participant=place.participant)
    return [row for row in rows if (row["encounter"], row["form"], row["repeat"]) == place.key]


@at_desk(*ATTACHERS)
@require_POST
def attach(request: Request, desk: Desk, participant: str, encounter: str, form: str, repeat: int) -> HttpResponse:
    """Take in a file, or withdraw one."""
    from django.shortcuts import redirect

    place = find_form(desk, participant, encounter, form, repeat)
    request_id = request.POST.get("request_id", "")
    try:
        digest = request.POST.get("withdraw", "")
        if digest:
            withdraw = WithdrawFile(participant=participant, digest=digest)
            desk.dispatch(withdraw, request_id=request_id, reason=request.POST.get("reason", ""))
            return redirect(place.address(done="withdrawn"))
        desk.dispatch(_taken_in(request, place), request_id=request_id)
    except (Refusal, InvalidValue) as error:
        return render_error(request, error)
    return redirect(place.address(done="attached"))


def _taken_in(request: Request, place: FormPlace) -> AttachFile:
    sent = request.FILES.get("file")
    if sent is None or not 0 < (sent.size or 0) <= LARGEST:
        raise FileNotAcceptable(
            _("there is no file, or it is too large"),
            remedy=_("choose a file of at most %(size)d MiB") % {"size": LARGEST >> 20},
        )
    content = sent.read()
    encounter, form, repeat = place.key
    kind = media_type(content)
    if kind is None:
        raise FileNotAcceptable(_("this kind of file is not kept"), remedy=_("use PDF, JPEG, PNG or plain text"))
    if not fits_its_name(sent.name or "", kind):
        raise FileNotAcceptable(
            _("the name of the file does not fit what is in it"),
            remedy=_("a file like this ends in %(endings)s; choose the right file, or save it again as what it is")
            % {"endings": ", ".join(_NAMES[kind])},
        )
    return AttachFile(
        participant=place.participant,
        encounter=encounter,
        form=form,
        repeat=repeat,
        digest=Blobs(settings.ENVIRONMENT.attachments, place.desk.trial).put(content),
        size=len(content),
        media_type=kind,
        text=request.POST.get("text", ""),
    )


@at_desk()
@require_GET
def attachment(
    request: Request, desk: Desk, participant: str, encounter: str, form: str, repeat: int, digest: str
) -> HttpResponse:
    """Hand out a file, to be kept, never to be shown by the browser as a page of this site."""
    place = find_form(desk, participant, encounter, form, repeat)
    row = next((row for row in files_of(place) if row["digest"] == digest), None)
    if row is None:
        raise Http404
    content = Blobs(settings.ENVIRONMENT.attachments, desk.trial).get(digest)
    kind = str(row["media_type"])
    response = HttpResponse(content, content_type=kind)
    name = f"{participant}-{encounter}-{form}-{digest[:8]}.{_ENDINGS[kind]}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def fits_its_name(name: str, kind: str) -> bool:
    """Whether a file's name ends as its kind does."""
    return name.lower().endswith(_NAMES[kind])


def media_type(content: bytes) -> str | None:
    """What the bytes are, by their beginning, whatever their name says; None for a kind that is not kept."""
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "text/plain" if "\x00" not in text and not text.lstrip().startswith("<") else None

"""The participant's copy of what was signed, as PDF/UA, at once."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_safe

from trialwright.finder import blocks
from trialwright.foundation.tables import Row
from trialwright.protocol.documents import ConsentText
from trialwright.trial.consent.text import text_hash
from trialwright_web.participant.access import Person, as_participant
from trialwright_web.participant.standing import Standing
from trialwright_web.shell.desk import Request


@as_participant
@require_safe
def copy(request: Request, person: Person, number: int) -> HttpResponse:
    """The text as signed, with both signatures as far as they are there."""
    standing = Standing(person.desk, person.code)
    row = next((row for row in standing.log if row["what"] == "signed" and row["number"] == number), None)
    text = standing.signed_text(row) if row is not None else None
    if row is None or text is None:
        raise Http404
    response = HttpResponse(consent_pdf(standing, row, text), content_type="application/pdf")
    name = f"{person.study}-consent-{row['version']}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def consent_pdf(standing: Standing, row: Row, text: ConsentText) -> bytes:
    """The copy of one signature.

    Args:
        standing: of the participant.
        row: the line of the consent log with the signature.
        text: what was signed.
    """
    # WeasyPrint takes a second to import; only processes that make copies pay for it.
    from weasyprint import HTML

    later = [line for line in standing.log if int(str(line["number"])) > int(str(row["number"]))]
    second = later[0] if later and later[0]["what"] == "countersigned" else None
    language = str(row["language"])
    # The words around the text are in its language, whoever fetches the copy.
    with translation.override(language if language in dict(settings.LANGUAGES) else "en"):
        page = _page(standing, row, text, second)
    return bytes(HTML(string=page).write_pdf(pdf_variant="pdf/ua-1"))


def _page(standing: Standing, row: Row, text: ConsentText, second: Row | None) -> str:
    return render_to_string(
        "participant/copy.html",
        {
            "standing": standing,
            "identity": standing.build.study.identity,
            "site": standing.build.study.sites[standing.site],
            "text": text,
            "language": row["language"],
            "sections": [{"heading": s.heading, "blocks": blocks(s.text)} for s in text.sections],
            "signed": row,
            "countersigned": second,
            "digest": text_hash(text),
            "mode": standing.desk.mode,
        },
    )

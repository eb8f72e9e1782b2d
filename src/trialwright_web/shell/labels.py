"""Labels for containers and syringes as PDF: two identifiers, plain and as barcodes; nothing tells the arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string

from trialwright_web.shell.barcodes import code128

WIDTH_MM, HEIGHT_MM = 70, 37
"""Of one label; a common size of label printers and of sheets of 24."""


@dataclass(frozen=True)
class Label:
    """What stands on one label.

    Args:
        identifier: of the container.
        participant: code.
        lines: study, injection, what it is for.
    """

    identifier: str
    participant: str
    lines: tuple[str, ...]

    @property
    def bars(self) -> Any:
        return code128(self.identifier)

    @property
    def participant_bars(self) -> Any:
        return code128(self.participant)


def label_pdf(labels: Sequence[Label], language: str) -> HttpResponse:
    """One page a label."""
    from weasyprint import HTML  # loads fonts, which no server needs before somebody prints

    text = render_to_string(
        "shell/labels.html", {"labels": labels, "width": WIDTH_MM, "height": HEIGHT_MM, "page_language": language}
    )
    pdf = HTML(string=text, url_fetcher=_nothing_from_elsewhere).write_pdf()
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{labels[0].identifier}.pdf"'
    answer["Cache-Control"] = "no-store"
    return answer


def _nothing_from_elsewhere(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    raise ValueError(f"a label asks for {url[:80]}")

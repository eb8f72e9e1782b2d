"""The report as one HTML page that stands alone, and as PDF/UA with running heads and page numbers."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from trialwright.analysis.content import LeftOut, ReportFigure
from trialwright.analysis.report import Report


def as_html(report: Report) -> str:
    """One page: no scripts, nothing fetched from elsewhere; prints well."""
    environment = Environment(
        loader=PackageLoader("trialwright.analysis", "."),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html.jinja")
    style = files("trialwright.analysis").joinpath("report.css").read_text(encoding="utf-8")
    return template.render(style=style, **_context(report))


def as_pdf(html: str) -> bytes:
    """The page as PDF/UA-1, A4.

    Args:
        html: of :func:`as_html`.
    """
    from weasyprint import HTML  # loads fonts, which only this needs

    return bytes(HTML(string=html).write_pdf(pdf_variant="pdf/ua-1"))


def _context(report: Report) -> dict[str, Any]:
    material, words = report.material, report.material.words
    source = material.source
    head = f"{source['root'][:16]}…"
    origin = f"{words('snapshot {root}', root=head)} · Trialwright {source['software']} ({source['code'][:12]})"
    return {
        "report": report,
        "say": words,
        "lang": report.language,
        "study": material.package.study,
        "study_title": material.package.title,
        "mark": material.mark,
        "headline": report.headline(),
        "other_code": material.frozen_code.sentence(words) if material.frozen_code.differs else "",
        "origin": origin,
        "running": f"{material.package.study} · {origin}",
        "facts": _facts(report),
        "image": _image,
        "is_figure": lambda content: isinstance(content, ReportFigure),
        "is_left_out": lambda content: isinstance(content, LeftOut),
    }


def _facts(report: Report) -> list[tuple[str, str]]:
    words, source = report.material.words, report.material.source
    shown = [
        (words("Snapshot"), f"{source['ledger']} {source['root']}"),
        (words("Entries"), source["entries"]),
        (words("Data until"), report.material.package.created),
        (words("Build"), source["build"]),
        (words("Code"), f"Trialwright {source['software']}, {source['code']}"),
        (words("Frozen code"), report.material.frozen_code.sentence(words)),
    ]
    return [*shown, (words("Data cut"), source["data_cut"])] if "data_cut" in source else shown


def _image(figure: ReportFigure) -> str:
    """The figure as an address that holds it, so that an alternative text can stand for the whole."""
    return "data:image/svg+xml;base64," + base64.b64encode(figure.svg.encode()).decode()

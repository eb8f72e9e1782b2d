"""The report as files in a folder."""

from __future__ import annotations

from pathlib import Path

from trialwright.analysis.content import ReportFigure
from trialwright.analysis.pages import as_html, as_pdf
from trialwright.analysis.report import Report
from trialwright.analysis.results_file import results_json
from trialwright.analysis.tables_docx import as_docx


def write_report(report: Report, folder: Path, *, pdf: bool = True) -> tuple[str, ...]:
    """Write ``report.html``, ``report.pdf``, ``tables.docx``, ``results.json`` and ``figures/*.svg``.

    Args:
        report: made by :func:`~trialwright.analysis.report.report_of`.
        folder: exists.
        pdf: whether to write the PDF, which takes longest.

    Returns:
        The files, relative to the folder.
    """
    html = as_html(report)
    parts: dict[str, bytes] = {
        "report.html": html.encode(),
        "results.json": results_json(report).encode(),
        "tables.docx": as_docx(report),
    }
    if pdf:
        parts["report.pdf"] = as_pdf(html)
    figures = [piece.content for piece in report.pieces if isinstance(piece.content, ReportFigure)]
    parts |= {f"figures/{figure.id}.svg": figure.svg.encode() for figure in figures}
    if figures:
        (folder / "figures").mkdir(exist_ok=True)
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    return tuple(sorted(parts))

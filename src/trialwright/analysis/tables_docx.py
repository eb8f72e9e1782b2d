"""The tables and listings as DOCX, for manuscripts and study reports."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from trialwright.analysis.content import Line, ReportTable
from trialwright.analysis.report import Piece, Report

_EPOCH = (1980, 1, 1, 0, 0, 0)


def as_docx(report: Report) -> bytes:
    """One document; each table with its number, notes and origin, the mark in the head of every page."""
    from docx import Document
    from docx.enum.section import WD_ORIENT

    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    material, source = report.material, report.material.source
    section.header.paragraphs[0].text = "   ".join(filter(None, (material.package.study, material.mark)))
    origin = f"{source['root'][:16]}… · Trialwright {source['software']} ({source['code'][:12]})"
    section.footer.paragraphs[0].text = f"{material.package.study} · {origin}"
    properties = document.core_properties
    properties.title, properties.author = f"{material.package.study}: {report.title}", "Trialwright"
    properties.language = report.language
    document.add_heading(f"{material.package.study}: {report.title}", level=1)
    for piece in report.pieces:
        if isinstance(piece.content, ReportTable):
            _add(document, piece, piece.content, origin)
    out = io.BytesIO()
    document.save(out)
    return _timeless(out.getvalue())


def _add(document: Any, piece: Piece, table: ReportTable, origin: str) -> None:
    document.add_heading(f"{piece.number}. {table.title}", level=2)
    made = document.add_table(rows=1, cols=len(table.columns))
    made.style = "Light List"
    for cell, text in zip(made.rows[0].cells, table.columns, strict=True):
        cell.text = text
    _repeat(made.rows[0])
    for line in table.lines:
        _fill(made.add_row(), line)
    for number, note in enumerate(table.notes, start=1):
        document.add_paragraph(f"{number}. {note}").style = "Caption"
    asked = ", ".join((table.id, *piece.models)) if piece.planned else ", ".join(piece.models)
    document.add_paragraph(" · ".join(filter(None, (asked, origin)))).style = "Caption"


def _fill(row: Any, line: Line) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    first = row.cells[0]
    if line.is_heading:
        first = first.merge(row.cells[-1])
    first.text = "\u2003" * line.level + line.label
    for run in first.paragraphs[0].runs:
        run.bold = line.is_heading
    for cell, text in zip(row.cells[1:], line.cells, strict=False):
        cell.text = text
        cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _repeat(row: Any) -> None:
    """Mark the row as the head, which is repeated on each page and read out with each cell."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)


def _timeless(document: bytes) -> bytes:
    """The same archive without the times at which its parts were written."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _EPOCH), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()

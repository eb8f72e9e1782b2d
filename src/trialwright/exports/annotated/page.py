"""The pages: one HTML text that stands alone, and the same as PDF with bookmarks and a destination for each item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from trialwright.build import Build
from trialwright.exports.annotated.annotation import sdtm_annotations
from trialwright.exports.sdtm.standard import domain
from trialwright.protocol import Study
from trialwright.protocol.forms import Form, Item, Range
from trialwright.protocol.mapping import target_of

HTML_NAME = "acrf.html"
PDF_NAME = "acrf.pdf"
COLOURS = 6
"""Colours that tell the domains of a form apart, after the Metadata Submission Guidelines."""
_MOST_CODES = 12


@dataclass(frozen=True)
class _Question:
    """One item as the page shows it. ``anchor`` is what Define-XML refers to."""

    anchor: str
    label: str
    help: str | None
    answer: tuple[str, ...]
    remarks: tuple[str, ...]
    notes: tuple[str, ...]
    colour: int | None


@dataclass(frozen=True)
class _Section:
    title: str | None
    repeats: bool
    questions: tuple[_Question, ...]


@dataclass(frozen=True)
class _Page:
    id: str
    title: str
    about: tuple[str, ...]
    domains: tuple[tuple[str, str, int], ...]
    visits: tuple[str, ...]
    sections: tuple[_Section, ...]


def write_form_pages(build: Build, folder: Path, *, language: str | None = None) -> tuple[Path, Path]:
    """Write ``acrf.html`` and ``acrf.pdf``; returns where.

    Args:
        build: whose forms.
        folder: made when absent.
        language: of the texts; the study's first by default, also where a text has no other.
    """
    from weasyprint import HTML  # loads fonts, which nothing else here needs

    folder.mkdir(parents=True, exist_ok=True)
    page = form_pages(build, language=language)
    html, pdf = folder / HTML_NAME, folder / PDF_NAME
    html.write_text(page, encoding="utf-8")
    HTML(string=page, url_fetcher=_nothing_from_outside).write_pdf(pdf, pdf_variant="pdf/ua-1")
    return html, pdf


def form_pages(build: Build, *, language: str | None = None) -> str:
    """The annotated forms as one HTML document without script or anything from outside.

    Every item has the id ``form.item``, which the origins in Define-XML name as destinations.

    Args:
        build: whose forms.
        language: of the texts; the study's first by default, also where a text has no other.
    """
    study = build.study
    chosen = language or study.identity.languages[0]
    words = _Words(study, chosen)
    rendered: str = _template().render(
        language=chosen,
        title=words.text(study.identity.title),
        acronym=study.identity.acronym,
        version=study.identity.version,
        build=build.id,
        pages=[words.page(form) for form in study.forms.values()],
    )
    return rendered


def _nothing_from_outside(url: str) -> Any:
    raise ValueError(f"the page refers to {url}, which it must not")


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    source = files(__package__).joinpath("forms.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )


class _Words:
    """What the page says about a study, in one language."""

    def __init__(self, study: Study, language: str) -> None:
        self._study = study
        self._language = language

    def text(self, words: Mapping[str, str]) -> str:
        """A text in the language, or in the first it has."""
        return words.get(self._language) or next(iter(words.values()))

    def page(self, form: Form) -> _Page:
        domains = list(dict.fromkeys(found.domain for item in form.items() if (found := target_of(form, item))))
        colours = {name: number % COLOURS for number, name in enumerate(domains)}
        sections = (
            _Section(
                self.text(group.title) if group.title else None,
                group.repeats,
                tuple(self._question(form, item, colours) for item in group.items),
            )
            for group in form.groups
        )
        return _Page(
            id=form.id,
            title=self.text(form.title),
            about=tuple(_about(form)),
            domains=tuple((name, domain(name).label, colour) for name, colour in colours.items()),
            visits=tuple(self._visits(form)),
            sections=tuple(sections),
        )

    def _visits(self, form: Form) -> Iterator[str]:
        schedule = self._study.schedule
        yield from (self.text(visit.label) for visit in schedule.encounters if form.id in visit.forms)
        if form.id in schedule.unscheduled_forms:
            yield "Unscheduled visits"
        if form.id in schedule.log_forms:
            yield "Running log"

    def _question(self, form: Form, item: Item, colours: Mapping[str, int]) -> _Question:
        target = target_of(form, item)
        return _Question(
            anchor=f"{form.id}.{item.id}",
            label=self.text(item.label),
            help=self.text(item.help) if item.help else None,
            answer=tuple(self._answer(item)),
            remarks=tuple(self._remarks(form, item)),
            notes=sdtm_annotations(form, item),
            colour=colours[target.domain] if target else None,
        )

    def _answer(self, item: Item) -> Iterator[str]:
        codelist = self._study.terminology.get(item.codelist or "")
        if codelist is not None:
            codes = codelist.codes[:_MOST_CODES]
            yield from (f"{self.text(code.label)} ({code.code})" for code in codes)
            if len(codelist.codes) > len(codes):
                yield f"… {len(codelist.codes) - len(codes)} more of the code list {codelist.id}"
        else:
            yield _ANSWERS[item.type]
        if item.type == "quantity":
            yield f"Unit: {' or '.join(item.units or ('1',))}"
        yield from (f"{self.text(outcome.label)} (outcome {outcome.code})" for outcome in item.outcomes)

    def _remarks(self, form: Form, item: Item) -> Iterator[str]:
        if item.derive is not None:
            yield f"Computed: {item.derive.expression or item.derive.instrument}"
        elif not item.required:
            yield "May be left empty"
        if item.when is not None:
            yield f"Asked only where {item.when}"
        for name, bounds in (("Expected", item.range), ("Possible", item.possible)):
            if bounds is not None:
                yield f"{name}: {_bounds(bounds)}"
        yield from (f"Check: {check.expression}" for check in form.checks if check.items[0] == item.id)


_ANSWERS = {
    "text": "Text", "integer": "Whole number", "decimal": "Number", "boolean": "Yes or no", "code": "Code",
    "date": "Date", "partial_date": "Date, day or month may be unknown", "time": "Time",
    "quantity": "Number with unit", "scale": "Number on a scale",
}  # fmt: skip


def _about(form: Form) -> Iterator[str]:
    yield f"Filled by {' or '.join(role.value.replace('_', ' ') for role in form.filled_by)}"
    if form.signed_by is not None:
        yield f"signed by {form.signed_by.value.replace('_', ' ')}"
    if form.repeats:
        yield "may be filled several times"
    if form.space == "closed":
        yield "closed space"


def _bounds(bounds: Range) -> str:
    if bounds.low is None:
        return f"at most {bounds.high}"
    return f"at least {bounds.low}" if bounds.high is None else f"{bounds.low} to {bounds.high}"

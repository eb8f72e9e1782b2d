"""Two people at one form: what is recorded now beside what was typed, field by field, and nobody's work is lost.

A draft over an older version is never merged by itself: somebody looks at every field that both changed and chooses.
The choice becomes a draft over the newest version, which is then looked at and saved like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from trialwright_web.capture import form_drafts
from trialwright_web.capture.form_drafts import FormDraft
from trialwright_web.capture.form_entry import Typed, recorded
from trialwright_web.capture.form_history import fields_at, last_saved
from trialwright_web.capture.form_margin import label_of
from trialwright_web.capture.form_model import FieldModel, form_model, rows_of
from trialwright_web.capture.form_place import FormPlace, find_form
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.record_words import STATUS

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Line:
    """One field that changed since the page was drawn.

    ``by`` is both, mine or theirs. Texts are to be read; ``chosen`` is what is offered first.
    """

    name: str
    label: str
    by: str
    before: str
    theirs: str
    mine: str

    @property
    def chosen(self) -> str:
        """Where only one changed the field, that one; where both did, nobody decides beforehand."""
        return {"mine": MINE, "theirs": THEIRS}.get(self.by, "")


@at_desk()
@require_http_methods(["GET", "POST"])
def compare(request: Request, desk: Desk, participant: str, encounter: str, form: str, repeat: int) -> HttpResponse:
    """The conflict page."""
    place = find_form(desk, participant, encounter, form, repeat)
    draft = form_drafts.found(place)
    if draft is None or draft.version == place.record.saves or not place.may_fill:
        return redirect(place.address())
    lines = list(lines_of(place, draft))
    undecided: list[str] = []
    if request.method == "POST" and request.POST.get("version") == str(place.record.saves):
        choices = {line.name: request.POST.get(f"c.{line.name}", "") for line in lines}
        undecided = [line.name for line in lines if choices[line.name] not in (MINE, THEIRS)]
        if not undecided:
            form_drafts.keep(place, merged(draft, choices, place.record.saves))
            return redirect(place.address(done="merged"))
    moved = last_saved(place)
    context = {
        "place": place,
        "visit": place.visit,
        "forms": list(place.visit.forms()),
        "lines": lines,
        "undecided": undecided,
        "version": place.record.saves,
        "moved": moved,
        "moved_at": place.visit.local(moved.at) if moved else "",
        "status": STATUS[place.record.status],
    }
    return render_page(request, "capture/form_compare.html", context, status=422 if undecided else 200)


def lines_of(place: FormPlace, draft: FormDraft) -> Iterator[Line]:
    """Every field that differs from how the page found it, by whoever changed it; in the form's order."""
    before, now = fields_at(place, draft.version), recorded(place.compiled, place.record)
    typed = {**before, **draft.fields}
    models = _models(place, {**now, **draft.fields}, draft.rows)
    for name, field in models.items():
        base, theirs, mine = (fields.get(name, Typed()) for fields in (before, now, typed))
        if mine == theirs or (mine == base and theirs == base):
            continue
        by = MINE if theirs == base else THEIRS if name not in draft.fields else "both"
        texts = (field.text_of(one) for one in (base, theirs, mine))
        yield Line(name, label_of(place, name), by, *texts)


def merged(draft: FormDraft, choices: Mapping[str, str], version: int) -> FormDraft:
    """The draft with what was chosen from it, over the newest version."""
    kept = {name: typed for name, typed in draft.fields.items() if choices.get(name, MINE) == MINE}
    return replace(draft, fields=kept, version=version)


def _models(place: FormPlace, typed: Mapping[str, Typed], rows: Mapping[str, int]) -> dict[str, FieldModel]:
    model = form_model(
        place.build,
        place.visit.book,
        place.key,
        typed,
        rows=rows_of(place.compiled, list(typed), rows),
        today=place.desk.today,
    )
    return {field.name: field for field in model.fields}

"""Import of external data: choose what the file is, look at the dry run, save. Nothing is saved before that."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.foundation.errors import InvalidValue, Refusal, TrialwrightError
from trialwright.protocol.roles import Role
from trialwright.trial.capture.commands import ImportItems
from trialwright.trial.event import Space
from trialwright_web.capture.import_mapping import (
    PLAIN,
    ImportMapping,
    MappingInvalid,
    declared_mappings,
    plain_mapping,
)
from trialwright_web.capture.import_plan import FormPlan, Plan, make_plan
from trialwright_web.capture.import_reading import FileUnreadable, Result, read_file
from trialwright_web.shell.acts import AnswerMissing, PageMoved
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.drafts import clear_draft, find_draft, keep_draft
from trialwright_web.shell.forgettable import key_of_imports
from trialwright_web.shell.menu import offered_where
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.record_words import form_words, visit_words
from trialwright_web.shell.refusals import told
from trialwright_web.shell.studies import installation

IMPORTERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.CENTRAL_READER, Role.PHARMACIST,
    Role.INJECTING_PHYSICIAN, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.DATA_MANAGER,
)  # fmt: skip
"""Who fills forms, which of them each form says; and the data manager, for what central readers measured."""


@dataclass(frozen=True)
class Kept:
    """A file as far as it was read, between the dry run and the save."""

    mapping: ImportMapping
    name: str
    digest: str
    results: tuple[Result, ...]
    lines: int
    unused: tuple[str, ...]
    unknown_tests: tuple[str, ...]


def mappings(desk: Desk) -> tuple[ImportMapping, ...]:
    """Mappings that the desk may use: those declared, then one for each form that its role fills.

    Raises:
        MappingInvalid: a declared one does not fit.
    """
    build, fillable = desk.build, _fillable(desk)
    importable = fillable | _read_centrally(desk)
    declared = declared_mappings(installation().studies[desk.study].folder, build)
    return (
        *(one for one in declared if importable.intersection(one.forms())),
        *(plain_mapping(build.forms[name], build) for name in build.forms if name in fillable),
    )


def _fillable(desk: Desk) -> frozenset[str]:
    """Forms that the role fills, of the spaces that the desk holds."""
    spaces = {"open", *(("closed",) if Space.CLOSED in desk.trial.stores and desk.is_unblinded else ())}
    return frozenset(
        name
        for name, compiled in desk.build.forms.items()
        if desk.role in compiled.form.filled_by and compiled.form.space in spaces
    )


def _read_centrally(desk: Desk) -> frozenset[str]:
    """Forms of central readers, for who may add to them from a file whose kind the study declares."""
    if not desk.may(ImportItems):
        return frozenset()
    forms = desk.build.forms.items()
    return frozenset(
        name for name, one in forms if Role.CENTRAL_READER in one.form.filled_by and one.form.space == "open"
    )


def _imports_any(desk: Desk) -> bool:
    return bool(_fillable(desk) or _read_centrally(desk))


def _mapping(desk: Desk, name: str) -> ImportMapping:
    found = next((one for one in mappings(desk) if one.id == name), None)
    if found is None:
        raise Http404
    return found


@offered_where(_imports_any)
@at_desk(*IMPORTERS)
@require_http_methods(["GET", "POST"])
def imports(request: Request, desk: Desk) -> HttpResponse:
    """Choose a file and what it is; a post reads it and goes on to the dry run."""
    error: TrialwrightError | None = None
    known: tuple[ImportMapping, ...] = ()
    try:
        known = mappings(desk)
        if request.method == "POST":
            return _take(request, desk)
    except (Refusal, InvalidValue) as refusal:
        error = refusal
    context = {
        "declared": [(one, _fills(desk, one)) for one in known if not one.id.startswith(PLAIN)],
        "plain": [one for one in known if one.id.startswith(PLAIN)],
        "chosen": request.POST.get("mapping", ""),
        "error": error,
    }
    return render_page(request, "capture/imports.html", context, status=status_of(error) if error else 200)


def _fills(desk: Desk, mapping: ImportMapping) -> str:
    return ", ".join(form_words(desk.build, form) for form in mapping.forms())


def _take(request: Request, desk: Desk) -> HttpResponse:
    uploaded = request.FILES.get("file")
    if uploaded is None or not request.POST.get("mapping"):
        raise AnswerMissing(_("A file, and what it is, are needed"), remedy=_("choose both"))
    mapping = _mapping(desk, request.POST["mapping"])
    content = uploaded.read()
    read = read_file(content, mapping, desk.build, uploaded.name or "")
    if not read.results:
        raise FileUnreadable(
            _("the file holds no value that the mapping reads"), remedy=_("look at its columns and tests")
        )
    name = new_request_id().removeprefix("web.")
    fields: Mapping[str, Any] = {
        "mapping": mapping.id,
        "mapping_digest": mapping.digest,
        "name": (uploaded.name or "")[:120],
        "digest": hashlib.sha256(content).hexdigest(),
        "results": [one.as_list() for one in read.results],
        "lines": read.lines,
        "unused": read.unused,
        "unknown_tests": read.unknown_tests,
    }
    keep_draft(desk.account, _draft(desk, name), 0, fields, key_of_imports(desk.trial, make=True))
    return redirect("capture:import_check", desk.study, name)


def _draft(desk: Desk, name: str) -> str:
    return f"{desk.study}/import/{desk.place.key}/{name}"


def _kept(desk: Desk, name: str) -> Kept:
    draft = find_draft(desk.account, _draft(desk, name), key_of_imports(desk.trial))
    if draft is None:
        raise Http404
    fields = draft.fields
    mapping = _mapping(desk, fields["mapping"])
    if mapping.digest != fields["mapping_digest"]:
        raise MappingInvalid(
            _("the mapping was changed since the file was read"),
            remedy=_("choose the file again"),
            mapping=mapping.id,
        )
    results = tuple(Result(*one) for one in fields["results"])
    return Kept(
        mapping,
        fields["name"],
        fields["digest"],
        results,
        fields["lines"],
        tuple(fields["unused"]),
        tuple(fields["unknown_tests"]),
    )


@at_desk(*IMPORTERS)
@require_http_methods(["GET", "POST"])
def check(request: Request, desk: Desk, name: str) -> HttpResponse:
    """The dry run; a post saves what it showed, or throws the file away."""
    if request.method == "POST" and request.POST.get("act") == "discard":
        clear_draft(desk.account, _draft(desk, name))
        messages.success(request, _("The file is thrown away; nothing was saved."))
        return redirect("capture:imports", desk.study)
    kept = _kept(desk, name)
    plan = make_plan(desk, kept.mapping, kept.results)
    error: TrialwrightError | None = None
    if request.method == "POST":
        try:
            return _save(request, desk, name, kept, plan)
        except (Refusal, InvalidValue) as refusal:
            error = refusal
    context = {
        "kept": kept,
        "plan": plan,
        "forms": [(one, _where(desk, one)) for one in _in_order(plan)],
        "request_id": new_request_id(),
        "reason": request.POST.get("reason", ""),
        "error": error,
    }
    return render_page(request, "capture/import_check.html", context, status=status_of(error) if error else 200)


def _where(desk: Desk, one: FormPlan) -> str:
    """Visit and form, as people call them."""
    return f"{visit_words(desk.build, one.encounter)} · {form_words(desk.build, one.form, max(one.repeat, 1))}"


def _in_order(plan: Plan) -> list[FormPlan]:
    """What needs a look first."""
    order = ("problem", "change", "new", "same")
    return sorted(plan.forms, key=lambda one: (order.index(one.state), one.participant, one.encounter, one.form))


def _save(request: Request, desk: Desk, name: str, kept: Kept, plan: Plan) -> HttpResponse:
    if request.POST.get("shown") != plan.digest:
        raise PageMoved(
            _("the record has changed since this page was made"), remedy=_("look at what would be saved now")
        )
    typed = request.POST.get("reason", "").strip()
    if plan.changes and not typed:
        raise AnswerMissing(
            _("Values on record would change, and nothing says why"), remedy=_("give the reason of the change")
        )
    request_id = request.POST.get("request_id", "") or new_request_id()
    reason = f"{typed + '; ' if typed else ''}{provenance(kept)}"
    refused: list[tuple[FormPlan, TrialwrightError]] = []
    for number, one in enumerate(plan.to_save, start=1):
        try:
            desk.dispatch(one.command(kept.mapping), request_id=f"{request_id}.{number}", reason=reason)
        except (Refusal, InvalidValue) as refusal:
            refused.append((one, refusal))
    saved = len(plan.to_save) - len(refused)
    messages.success(
        request, ngettext("%(number)d form saved.", "%(number)d forms saved.", saved) % {"number": saved}
    )
    for one, why in refused[:20]:
        said = told(why)
        messages.error(request, f"{one.participant} {_where(desk, one)}: {said.message} {said.remedy}")
    if refused or plan.problems:
        # The file stays, so that what was left out can be seen and tried again.
        return redirect("capture:import_check", desk.study, name)
    clear_draft(desk.account, _draft(desk, name))
    return redirect("capture:imports", desk.study)


def provenance(kept: Kept) -> str:
    """From where a value came, for the record: file, its hash, the mapping, its hash."""
    return f"import {kept.name} sha256:{kept.digest[:16]} mapping {kept.mapping.id} sha256:{kept.mapping.digest[:16]}"


@at_desk(*IMPORTERS)
@require_GET
def template(request: Request, desk: Desk, form: str) -> HttpResponse:
    """An empty file with the columns that the form's own mapping reads."""
    found = _mapping(desk, f"{PLAIN}{form}")
    text = io.StringIO()
    csv.writer(text).writerow(found.header())
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{form}.csv"'
    return response

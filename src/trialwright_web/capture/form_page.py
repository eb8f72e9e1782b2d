"""One form of one participant: drawn with what is recorded and what was typed, and sent back with every act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trialwright.expressions import shown_unit
from trialwright.foundation.errors import InvalidValue
from trialwright.trial.capture.commands import LEFT_OUT
from trialwright_web.capture import form_drafts
from trialwright_web.capture.form_acts import Sent, Trouble, answer_trouble, carry_out
from trialwright_web.capture.form_drafts import FormDraft
from trialwright_web.capture.form_entry import recorded, shown_text, without_identity
from trialwright_web.capture.form_files import files_of
from trialwright_web.capture.form_margin import comment_rows, margin_of
from trialwright_web.capture.form_model import Circumstances, FormModel, form_model, outside_values, rows_of
from trialwright_web.capture.form_place import FormPlace, find_form
from trialwright_web.capture.form_preview import instruments
from trialwright_web.capture.form_ranges import FieldRange, flags_of, ranges_of
from trialwright_web.capture.form_words import SHORTHAND
from trialwright_web.shell.desk import Desk, Request, at_desk, new_request_id
from trialwright_web.shell.pages import render_page, status_of
from trialwright_web.shell.query_words import SIZES
from trialwright_web.shell.record_words import MISSING, SOURCES, STATUS
from trialwright_web.shell.templatetags.shell import in_language


@at_desk()
@require_http_methods(["GET", "POST"])
def form(request: Request, desk: Desk, participant: str, encounter: str, form: str, repeat: int) -> HttpResponse:
    """The form page."""
    place = find_form(desk, participant, encounter, form, repeat)
    if request.method == "POST":
        sent = Sent(request, place)
        answer = carry_out(sent)
        if isinstance(answer, HttpResponse):
            return answer
        return answer_trouble(answer) if sent.wants_json else _draw(request, place, sent.draft(), answer)
    draft = form_drafts.found(place) if place.may_fill else None
    if draft is not None and draft.version != place.record.saves:
        return redirect(place.address("capture:form_compare"))
    return _draw(request, place, draft)


def _draw(
    request: Request, place: FormPlace, draft: FormDraft | None, trouble: Trouble | None = None
) -> HttpResponse:
    typed = {**recorded(place.compiled, place.record), **(draft.fields if draft else {})}
    if not (place.knows_identity or place.may_fill):
        typed = without_identity(place.compiled, typed)
    focused = _focused(request, place)
    margin = margin_of(place, focused)
    ranges, ranges_error = _ranges(place)
    model = form_model(
        place.build,
        place.visit.book,
        place.key,
        typed,
        rows=rows_of(place.compiled, list(typed), draft.rows if draft else {}),
        today=place.desk.today,
        around=Circumstances(
            errors=trouble.fields if trouble else {},
            queries=margin.open_by_field,
            comments=Counter(str(row["item"]) for row in comment_rows(place)),
        ),
    )
    flags = flags_of(place, ranges, model.outcome.values)
    forms = list(place.visit.forms())
    context = {
        "place": place,
        "visit": place.visit,
        "model": model,
        "margin": margin,
        "focused": focused,
        "forms": forms,
        "files": files_of(place),
        "next_repeat": _next_repeat(place, forms),
        "draft": draft,
        "trouble": trouble,
        "error": trouble.error if trouble else None,
        "readonly": not place.may_fill,
        "request_id": new_request_id(),
        "version": place.record.saves if trouble is None else request.POST.get("version", place.record.saves),
        "done": _done_text(place, request.GET.get("done", "")),
        "sources": SOURCES,
        "status": STATUS[place.record.status],
        "needs_reason": place.record.status in LEFT_OUT or bool(place.record.values),
        "today": shown_text("date", place.desk.today.isoformat()),
        "flags": flags,
        "ranges_error": ranges_error,
        "config": {**_config(place, model), "ranges": _told(ranges)} if place.may_fill else {},
        "saved_at": place.visit.local(str(place.row["last_saved_at"])) if place.row else "",
        "signed_at": place.visit.local(str(place.row["signed_at"])) if place.row and place.row["signed_at"] else "",
    }
    status = 200 if trouble is None else status_of(trouble.error)
    return render_page(request, "capture/form.html", context, status=status)


def _ranges(place: FormPlace) -> tuple[dict[str, FieldRange], InvalidValue | None]:
    """Reference ranges flag and do no more: where they cannot be read the page says so and goes on."""
    try:
        return ranges_of(place), None
    except InvalidValue as error:
        return {}, error


def _told(ranges: Mapping[str, FieldRange]) -> dict[str, Any]:
    return {
        item: {"low": one.low, "high": one.high, "is_low": one.words("low"), "is_high": one.words("high")}
        for item, one in ranges.items()
    }


def _focused(request: Request, place: FormPlace) -> str:
    name = request.GET.get("field", "")
    return name if name.partition(".")[0] in place.compiled.items else ""


def _next_repeat(place: FormPlace, forms: list[FormPlace]) -> FormPlace | None:
    """The empty repeat after the last one, of a form that may stand there several times."""
    if not place.compiled.form.repeats or not place.may_fill:
        return None
    last = max(other.repeat for other in forms if other.id == place.id)
    following = place.visit.form(place.id, last + 1)
    return following if following is not None and following.record.status == "empty" else None


def _done_text(place: FormPlace, done: str) -> str:
    words = {
        "saved": _("Saved."),
        "unchanged": _("Nothing was changed."),
        "not_done": _("Marked as not done."),
        "intentionally_blank": _("Marked as intentionally left blank."),
        "voided": _("Voided."),
        "signed": _("Signed."),
        "attached": _("The file is attached."),
        "withdrawn": _("The file was withdrawn."),
        "merged": _("Your choices stand in the form. Look at them, then save."),
    }
    return words.get(done, "")


def _config(place: FormPlace, model: FormModel) -> Mapping[str, Any]:
    """What the page's script needs; texts in the reader's language."""
    before = recorded(place.compiled, place.record)
    return {
        "rules": reverse("capture:form_rules", args=(place.desk.study, place.build.id, place.id)),
        "address": place.address(),
        "login": f"{reverse('account_login')}?next={place.address()}",
        "token": reverse("capture:form_token", args=(place.desk.study,)),
        "today": place.desk.today.isoformat(),
        "outside": outside_values(place.build, place.visit.book, place.key),
        "instruments": instruments(place, model.outcome.values),
        "idle": settings.ENVIRONMENT.idle_minutes,
        "shorthand": SHORTHAND,
        "person": place.desk.person,
        "role": place.desk.place.key,
        "base": {name: typed.kept() for name, typed in before.items()},
        "recorded": list(before),
        "left_out": place.record.status in LEFT_OUT,
        "shown_units": {
            name: shown_unit(item.item.units[0]) for name, item in place.compiled.items.items() if item.item.units
        },
        "units": {name: item.item.units[0] for name, item in place.compiled.items.items() if item.item.units},
        "checks": {c.check.id: in_language(c.check.message) for c in place.compiled.checks},
        "sizes": {name: str(text) for name, text in SIZES.items()},
        "missing": {name: str(text) for name, text in MISSING.items()},
        "labels": {field.name: field.label for field in model.fields},
        "texts": {
            "yes": _("Yes"),
            "no": _("No"),
            "kept": _("Kept as a draft at {time}; not saved yet"),
            "keeping": _("Keeping a draft …"),
            "offline": _("No connection: nothing of the last moments is kept yet. Leave this page open."),
            "signed_out": _("You are signed out. Sign in in another window, then this page goes on."),
            "sign_in": _("Sign in"),
            "moved": _("{by} saved this form at {at}, after you opened it. What you typed is kept."),
            "compare": _("Compare"),
            "elsewhere": _(
                "You have this form open in another window, which kept a draft at {time}. Go on in one of them: the "
                "newer draft replaces the other."
            ),
            "saving": _("Saving …"),
            "not_saved": _("Not saved"),
            "to_do": _("What to do:"),
            "details": _("Details"),
            "not_readable": _("This cannot be read."),
            "calendar": _("Choose from a calendar"),
        },
    }

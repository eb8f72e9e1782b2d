"""Drafts of forms: what was typed and is not on record, kept encrypted on the server, never in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trialwright_web.capture.form_entry import Typed
from trialwright_web.capture.form_place import FormPlace
from trialwright_web.shell.drafts import clear_draft, find_draft, keep_draft
from trialwright_web.shell.forgettable import key_of_texts


@dataclass(frozen=True)
class FormDraft:
    """A form as far as it was typed.

    Args:
        fields: those that differ from what was recorded at ``version``.
        rows: repeating group → rows on the page.
        reason, source, visit_date: of the page's other fields.
        version: of the form, when the page was drawn.
        page: request id of the page that it was typed on.
        kept_at: local time, ``HH:MM:SS``, with the date where it was not today; of a draft that was found.
    """

    fields: Mapping[str, Typed] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    source: str = ""
    visit_date: str = ""
    version: int = 0
    page: str = ""
    kept_at: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing in it is worth keeping."""
        return not self.fields and not self.reason and not self.visit_date


def keep(place: FormPlace, draft: FormDraft, *, although_empty: bool = False) -> str:
    """Keep the draft, or forget the one before where nothing is left of it; answers the local time."""
    if draft.is_empty and not although_empty:
        forget(place)
        return ""
    content = {
        "fields": {name: typed.kept() for name, typed in draft.fields.items()},
        "rows": dict(draft.rows),
        "reason": draft.reason,
        "source": draft.source,
        "visit_date": draft.visit_date,
        "page": draft.page,
    }
    kept = keep_draft(place.desk.account, place.draft, draft.version, content, _key(place, make=True))
    return kept.astimezone(place.desk.zone()).strftime("%H:%M:%S")


def found(place: FormPlace) -> FormDraft | None:
    """The desk's draft of the form; fields that the form no longer has are left out."""
    kept = find_draft(place.desk.account, place.draft, _key(place))
    if kept is None:
        return None
    content = kept.fields
    known = place.compiled.items
    at = kept.saved_at.astimezone(place.desk.zone())
    return FormDraft(
        fields={name: Typed(**typed) for name, typed in content["fields"].items() if name.partition(".")[0] in known},
        rows=content["rows"],
        reason=content["reason"],
        source=content["source"],
        visit_date=content["visit_date"],
        version=kept.version,
        page=content.get("page", ""),
        kept_at=at.strftime("%H:%M:%S"),
    )


def forget(place: FormPlace) -> None:
    """Forget the draft."""
    clear_draft(place.desk.account, place.draft)


def _key(place: FormPlace, *, make: bool = False) -> bytes:
    return key_of_texts(place.desk.trial, place.participant, make=make)

"""What a signature covers: the hash of exactly what stood on the screen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from trialwright.ledger import canonical
from trialwright.trial.capture.state import CaseBook, FormKey, FormRecord


def shown_form(participant: str, key: FormKey, record: FormRecord) -> str:
    """SHA-256 (hex) over participant, form and every value, in canonical JSON."""
    return _digest({"participant": participant, **_form(key, record)})


def shown_case_book(participant: str, casebook: CaseBook) -> str:
    """SHA-256 (hex) over the visits, and every form that counts in order of encounter, form and repeat."""
    forms = [_form(key, record) for key, record in sorted(casebook.live(), key=lambda live: live[0])]
    missed = sorted(casebook.missed)
    return _digest({"participant": participant, "held": casebook.held, "missed": missed, "forms": forms})


def _form(key: FormKey, record: FormRecord) -> dict[str, Any]:
    encounter, form, repeat = key
    return {
        "encounter": encounter,
        "form": form,
        "repeat": repeat,
        "status": record.status,
        "values": {name: _value(record, name) for name in record.values},
        **({"sources": record.sources} if record.sources else {}),
    }


def _value(record: FormRecord, name: str) -> dict[str, str | None]:
    value = record.values[name]
    missing = value.missing.value if value.missing else None
    return {"text": value.text, "unit": value.unit, "outcome": value.outcome, "missing": missing}


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()

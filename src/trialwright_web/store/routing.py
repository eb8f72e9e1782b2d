"""Who a participant is stands in a database of its own."""

from __future__ import annotations

from typing import Any

IDENTITY = "identity"
_MODELS = frozenset({"identity", "invitation", "consentquestion", "enquiry", "sitekey", "contact"})


class IdentityApart:
    """Sends the models of identity to their database and keeps everything else out of it."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return IDENTITY if _is_identity(model._meta.app_label, model._meta.model_name) else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        return _is_identity(app_label, model_name) == (db == IDENTITY)


def _is_identity(app_label: str, model_name: str | None) -> bool:
    return app_label == "participant" and (model_name or "").lower() in _MODELS

"""Drafts, as screens use them."""

from trialwright_web.store.drafts import KeptDraft, clear_draft, find_draft, keep_draft

__all__ = ["KeptDraft", "clear_draft", "find_draft", "keep_draft"]

"""Annotated case-report forms: every form as it is asked, with what each item becomes in SDTM.

The pages need the extra ``trialwright[analysis]``.
"""

from trialwright.exports.annotated.annotation import NOT_SUBMITTED, sdtm_annotations
from trialwright.exports.annotated.page import form_pages, write_form_pages

__all__ = ["NOT_SUBMITTED", "form_pages", "sdtm_annotations", "write_form_pages"]

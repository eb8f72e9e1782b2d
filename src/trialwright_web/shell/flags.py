"""Words for the flags that facts carry."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

FLAGS = {
    "after_withdrawal": _("After consent to treatment was withdrawn, or participation ended."),
    "allocation_unknown": _("The allocation could not be looked up."),
    "already_given": _("The injection of this slot had been given already."),
    "conflicting_role": _("Done by somebody whose role for this participant excludes it."),
    "criterion_no_longer_met": _("A release criterion no longer holds."),
    "dose_above_rule": _("The dose is above the rule."),
    "dose_not_recorded": _("The dose is not recorded."),
    "expired": _("After the time allowed from the release decision."),
    "gate_not_passed": _("The safety gate was not passed before."),
    "identifier_mismatch": _("The identifiers do not belong to this participant and slot."),
    "late": _("Later than it was due."),
    "not_authorised": _("Nobody authorised the injection before."),
    "not_certified": _("Given without a certificate."),
    "not_planned": _("Collected where the study had not offered a collection."),
    "not_randomised": _("Given to somebody who is not randomised."),
    "not_ready": _("Before the release decision of the slot."),
    "not_released": _("Given without a release."),
    "outside_limits": _("The temperature was outside its limits."),
    "product": _("Something about the product is not as planned; the closed record says what."),
    "unusable": _("Given although it had been judged unusable."),
    "weight_unknown": _("There is no weight on record to judge the dose by."),
    "without_consent": _("Without consent to treatment."),
    "wrong_product": _("What was given is not what the allocation says."),
}


def flag_words(flag: str) -> str:
    """What a flag means; the flag itself where nobody wrote words for it."""
    return str(FLAGS.get(flag, flag))

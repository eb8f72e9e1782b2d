"""Refusals in the reader's language: what the library says in its own words, by its code.

The library answers in English, exactly, and names commands; here stands what the people who meet these refusals most
read instead, translated. What it said itself follows under "Details".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from trialwright.foundation.errors import TrialwrightError

_PLACES = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Told:
    """An error as a page shows it.

    Args:
        message, remedy: what was wrong and what to do, in the reader's language where there are words for it.
        details: what the library said, where the page says it in other words; else empty.
    """

    message: str
    remedy: str
    details: str = ""


def told(error: TrialwrightError) -> Told:
    """The words for an error; the library's own where nobody wrote others, or where a place in them stays empty."""
    for message, remedy in REFUSALS.get(error.code, ()):
        if all(name in error.given for name in _PLACES.findall(str(message))):
            said = {name: str(value)[:80] for name, value in error.given.items()}
            return Told(str(message) % said, str(remedy), str(error))
    return Told(error.message, error.remedy)


Words = tuple[Promise, Promise]

REFUSALS: dict[str, tuple[Words, ...]] = {
    "allocation.already_randomised": ((_("%(participant)s is randomised already."), _("There is nothing to do.")),),
    "allocation.list_exhausted": (
        (
            _("The allocation list has no row left in this stratum."),
            _("The independent statistician seals a list that continues it."),
        ),
    ),
    "allocation.list_not_committed": (
        (_("There is no sealed allocation list yet."), _("The independent statistician seals one.")),
    ),
    "allocation.list_not_fitting": (
        (
            _("The allocation list does not fit the approved study."),
            _("Make it again from the approved build; the method is not changed by an amendment."),
        ),
    ),
    "allocation.not_randomised": (
        (_("%(participant)s is not randomised."), _("Randomise first, or check the code.")),
    ),
    "allocation.not_signed_off": (
        (
            _("Eligibility of %(participant)s is not signed off."),
            _("The investigator assesses the criteria and signs."),
        ),
    ),
    "allocation.reason_missing": ((_("A reason is missing."), _("Say why in a few words.")),),
    "allocation.reveals_arm": (
        (
            _("Blinded people will read this, and it names an arm."),
            _("Say what happened without saying what was given."),
        ),
    ),
    "allocation.sign_off_outdated": (
        (
            _("Eligibility of %(participant)s was signed off %(days)s days ago, which is too long."),
            _("The investigator assesses and signs again."),
        ),
        (
            _("Data or criteria of %(participant)s changed since eligibility was signed off."),
            _("The investigator assesses and signs again."),
        ),
    ),
    "allocation.stratum_undecided": (
        (
            _("The data of %(participant)s do not say to which stratum they belong."),
            _("Complete the forms that the factors are taken from, assess and sign again."),
        ),
    ),
    "capture.already_recorded": ((_("This is recorded already."), _("Correct it instead.")),),
    "capture.date_not_possible": (
        (_("The visit cannot have taken place on this date."), _("Give the date on which the visit took place.")),
    ),
    "capture.form_changed": (
        (
            _("Somebody saved the form in between."),
            _("Compare both versions and save again; what you typed is still here."),
        ),
    ),
    "capture.form_not_yours": ((_("Another role fills or signs this form."), _("Ask one of those who do.")),),
    "capture.not_complete": (
        (
            _("Something is not complete, or a query is open."),
            _("Fill in or explain every item and answer the queries, then sign."),
        ),
    ),
    "capture.not_what_was_shown": (
        (_("The data changed after they were shown."), _("Look at them again, then sign.")),
    ),
    "capture.nothing_entered": ((_("Nothing was changed."), _("Change a value, or leave the page.")),),
    "capture.reason_missing": ((_("A reason is missing."), _("Say why in a few words.")),),
    "capture.study_frozen": ((_("Data entry has ended."), _("Two people can unlock the study.")),),
    "capture.visit_not_recorded": ((_("The visit has no date yet."), _("Enter the date on which it took place.")),),
    "closure.not_frozen": (
        (_("The study is not in the state that this needs."), _("Freeze, blind review and lock follow one another.")),
    ),
    "closure.not_ready": (
        (_("Something still stands in the way."), _("Settle it; the task lists name everything.")),
    ),
    "closure.plan_not_signed": (
        (
            _("The analysis plan is not signed, or its programs are not frozen."),
            _("Both come before anybody knows the arms."),
        ),
    ),
    "closure.second_person_missing": (
        (_("Two different people do this: one proposes, another confirms."), _("Ask the other person.")),
    ),
    "consent.already_consented": ((_("%(participant)s has consented already."), _("There is nothing to sign.")),),
    "consent.not_in_force": (
        (
            _("%(participant)s has not consented to the text approved for the site now."),
            _("The participant signs that text, then the interviewer countersigns."),
        ),
    ),
    "consent.nothing_to_countersign": (
        (_("%(participant)s has not signed yet."), _("The participant signs first.")),
    ),
    "consent.text_not_approved": (
        (
            _("The consent text is not approved in this language."),
            _("Have the text approved, or use another language."),
        ),
    ),
    "consent.text_not_in_force": (
        (
            _("This is not the consent text approved for the site."),
            _("Use the version and language approved for the site."),
        ),
    ),
    "custody.allocation_unavailable": (
        (_("The allocation could not be looked up."), _("Start the dispensing service, or use the sealed envelope.")),
    ),
    "custody.already_injected": ((_("This injection was given already."), _("Check which injection it is.")),),
    "custody.comparator_lot": (
        (
            _("The lot does not fit what the syringe holds."),
            _("Give the comparator's lot where the comparator is handed over, and only there."),
        ),
    ),
    "custody.expired": (
        (
            _("The time allowed since the release is over."),
            _("The Qualified Person releases again, or the injection is planned anew."),
        ),
    ),
    "custody.gate_not_passed": (
        (
            _("The safety gate is not passed."),
            _("Complete the forms of the visit. Where a criterion does not hold, postpone."),
        ),
    ),
    "custody.identifiers_do_not_match": (
        (
            _("Label and wristband are not those of this participant and injection."),
            _("Stop. Compare both with the case, and scan again. Report a mix-up."),
        ),
    ),
    "custody.label_not_usable": (
        (_("The label is not one of this study, or is in use."), _("Take a new label of the study.")),
    ),
    "custody.label_unknown": (
        (
            _("No collection of the participant carries this label."),
            _("Stop. Scan label and wristband again. Report a mix-up."),
        ),
    ),
    "custody.not_certified": ((_("%(label)s has no certificate."), _("The Qualified Person certifies it.")),),
    "custody.not_released": (
        (_("The product is not released."), _("Wait for the decision of the laboratory and the Qualified Person.")),
    ),
    "custody.product_unusable": ((_("%(label)s cannot be used."), _("Look at its chain of identity.")),),
    "custody.reason_missing": ((_("A reason is missing."), _("Say why in a few words.")),),
    "custody.release_criteria_not_met": (
        (
            _("%(label)s cannot be released: a criterion is not met, or a result is missing."),
            _("Record what is missing, report it out of specification, or report the failure."),
        ),
    ),
    "custody.same_person": (
        (_("Who asked for the product cannot release it."), _("Another Qualified Person releases it.")),
    ),
    "custody.slot_cancelled": ((_("This injection was cancelled."), _("The participant stays in follow-up.")),),
    "enrolment.already_randomised": (
        (_("%(participant)s is randomised."), _("Who was randomised stays so. If it was a mistake, record that.")),
    ),
    "enrolment.assessment_outdated": (
        (
            _("Data or criteria of %(participant)s changed since the assessment."),
            _("Assess again, and look at what changed."),
        ),
    ),
    "enrolment.machine_decides": (
        (_("This verdict follows from the data."), _("If the data are wrong, correct them on their form.")),
    ),
    "enrolment.not_assessed": (
        (_("The criteria of %(participant)s were not assessed."), _("Assess the criteria first.")),
    ),
    "enrolment.not_eligible": (
        (
            _("%(participant)s does not meet every criterion, or something is unknown."),
            _("Find out what is unknown and assess again. Where a criterion is not met, end the screening."),
        ),
    ),
    "enrolment.not_what_was_shown": (
        (_("The assessment changed after it was shown."), _("Look at it again, then sign.")),
    ),
    "enrolment.participation_over": (
        (
            _("%(participant)s no longer takes part."),
            _("Record what still has to be told as a fact, or screen again under a new code."),
        ),
    ),
    "enrolment.reason_missing": ((_("A reason is missing."), _("Say why in a few words.")),),
    "enrolment.rescreening_limit": (
        (
            _("The study does not allow %(participant)s to be screened again."),
            _("Keep the screen failure as it stands."),
        ),
    ),
    "enrolment.site_not_recruiting": (
        (_("The site is not recruiting."), _("The sponsor activates the site or resumes recruitment.")),
    ),
    "permission.closed_space": (
        (_("This is done in the closed process."), _("Ask the laboratory or the pharmacy.")),
    ),
    "permission.conflicting_role": (
        (
            _("You already acted for %(participant)s in a role that the study keeps apart from this one."),
            _("Somebody else does this."),
        ),
    ),
    "permission.not_appointed": (
        (
            _("You do not hold this role now, or your delegation or training is missing."),
            _("The principal investigator delegates and records training; the sponsor appoints central roles."),
        ),
    ),
    "permission.other_site": ((_("This concerns another site."), _("Somebody of that site does it.")),),
    "permission.revealing_words": (
        (
            _("Blinded people will read this, and it names an arm."),
            _("Say what happened without saying what was given."),
        ),
    ),
    "permission.role": ((_("Your role may not do this."), _("Ask somebody whose role may.")),),
    "permission.signature": ((_("Your signature is missing."), _("Sign with your own password.")),),
    "permission.study_locked": ((_("The study is locked."), _("Two people can unlock it.")),),
    "queries.not_in_that_state": ((_("Somebody else dealt with the query meanwhile."), _("Load the page again.")),),
    "queries.text_missing": ((_("The text is empty or too long."), _("Write a few sentences.")),),
    "safety.contradiction": (
        (_("Grade, outcome, seriousness and dates contradict each other."), _("Correct what is wrong.")),
    ),
    "safety.downgrade_refused": (
        (
            _("The investigator reported it as serious, and the sponsor does not take that back."),
            _("Keep it. Ask the investigator with a query if it seems wrong."),
        ),
    ),
    "safety.nothing_new": ((_("Nothing was changed."), _("Change a value, or leave the page.")),),
    "safety.reason_missing": ((_("A reason is missing."), _("Say why in a few words.")),),
    "safety.still_open": (
        (_("The follow-up cannot be finished now."), _("Record the outcome, or say why the follow-up ends.")),
    ),
    "setup.kept_apart": (
        (
            _("This person already has a role that the study keeps apart from this one."),
            _("Somebody else takes this role."),
        ),
    ),
    "setup.not_held": ((_("The person does not hold this role."), _("Look at the list of people.")),),
    "setup.not_what_was_shown": ((_("What the page showed has changed."), _("Look at it again, then sign.")),),
    "setup.role_unknown": (
        (
            _("This role cannot be given here."),
            _("The principal investigator delegates roles at a site; the sponsor appoints central ones."),
        ),
    ),
    "setup.site_not_active": ((_("The site is not in the state that this needs."), _("Look at the list of sites.")),),
    "trial.not_found": ((_("There is no such thing on record."), _("Check what you typed, or look at the list.")),),
    "trial.not_yet": ((_("This day or time has not come yet."), _("Correct it. Plans are not facts.")),),
    "trial.request_reused": (
        (
            _("This page was used before for something else."),
            _("Open the page again, and look at what was recorded."),
        ),
    ),
}
"""Code → what was wrong and what to do; of several the first whose places the error can fill."""

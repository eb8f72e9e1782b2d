"""What gates of every room ask of consent."""

from __future__ import annotations

from trialwright.foundation.errors import Refusal
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.setup.state import SiteSetup
from trialwright.trial.state import State


class ConsentNotInForce(Refusal):
    """No consent, not countersigned, withdrawn, or older than an amendment that needs a new one."""

    code = "consent.not_in_force"


def consent_gap(state: State, participant: str, *, treatment: bool = False) -> str | None:
    """Why consent does not allow a new act of the study, in words; None when it does.

    Args:
        state: as read by the decision.
        participant: the participant's code.
        treatment: the act is treatment, which can be withdrawn from alone.
    """
    consent = state.of(Consent, participant)
    if not consent.version:
        return "the interviewer has not countersigned" if consent.pending else "no consent was given"
    if not consent.in_force:
        return "consent for visits was withdrawn"
    if treatment and not consent.treatment_allowed:
        return "consent for treatment was withdrawn"
    site = state.of(SiteSetup, state.of(Enrolment, participant).site)
    if consent.build not in site.consent_builds:
        return "an amendment needs consent to be given again"
    return None


def require_consent(state: State, participant: str, *, treatment: bool = False) -> None:
    """Let the act pass only with consent in force.

    Raises:
        ConsentNotInForce: saying what is missing.
    """
    gap = consent_gap(state, participant, treatment=treatment)
    if gap is not None:
        raise ConsentNotInForce(
            f"{participant}: {gap}",
            remedy="the participant signs the version approved for the site, the interviewer countersigns",
            participant=participant,
        )

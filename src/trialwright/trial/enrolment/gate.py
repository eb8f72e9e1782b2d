"""What gates of every room ask of a participant."""

from __future__ import annotations

from trialwright.foundation.errors import Refusal
from trialwright.trial.command import NotFound
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.setup.state import SiteSetup, StudySetup
from trialwright.trial.state import State


class ParticipationOver(Refusal):
    """Screening failed or participation ended: no further act of the study."""

    code = "enrolment.participation_over"


class SiteNotRecruiting(Refusal):
    """The site is not active, has paused, or the study is frozen."""

    code = "enrolment.site_not_recruiting"


def recruiting(state: State, site: str) -> None:
    """Let the act pass only at a site that takes people in.

    Raises:
        SiteNotRecruiting: saying why not.
    """
    setup = state.of(SiteSetup, site)
    if not setup.active:
        why = f"site {site[:20]} is not active"
    elif not setup.recruiting:
        why = f"site {site} has paused recruitment"
    elif state.of(StudySetup).frozen:
        why = "the study is frozen"
    else:
        return
    raise SiteNotRecruiting(why, remedy="the sponsor activates the site or resumes recruitment", site=site[:20])


def existing(state: State, participant: str) -> Enrolment:
    """The participant, who may have left.

    Raises:
        NotFound: this code was never given out.
    """
    enrolment = state.of(Enrolment, participant)
    if not enrolment.exists:
        raise NotFound(
            f"there is no participant {participant[:40]!r}",
            remedy="look at the screening log of the site",
            participant=participant[:40],
        )
    return enrolment


def present(state: State, participant: str) -> Enrolment:
    """The participant, who is still taking part.

    Raises:
        NotFound: this code was never given out.
        ParticipationOver: screening failed or participation ended.
    """
    enrolment = existing(state, participant)
    if enrolment.failed or enrolment.ended_on:
        how = "failed screening" if enrolment.failed else f"left the study on {enrolment.ended_on}"
        raise ParticipationOver(
            f"{participant} {how}",
            remedy="rescreen under a new code, or record facts with the command for the fact",
            participant=participant,
        )
    return enrolment

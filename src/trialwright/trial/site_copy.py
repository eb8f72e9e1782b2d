"""Which streams of the record a site's own copy holds whole: the study's, its own, and those of its participants."""

from __future__ import annotations

from collections.abc import Callable

from trialwright.trial.dispatch import Trial
from trialwright.trial.enrolment.state import Enrolment

_PARTICIPANT, _SITE = "participant/", "site/"


def streams_of_site(trial: Trial, site: str) -> Callable[[str], bool]:
    """Whether the entries of a stream are the site's to keep.

    What another hospital recorded about its own people is not; a site's copy holds those entries as hashes, which
    is enough to verify it against any checkpoint.

    Args:
        trial: the running trial.
        site: its id.
    """
    known: dict[str, bool] = {}

    def shown(stream: str) -> bool:
        if stream.startswith(_SITE):
            return stream == f"{_SITE}{site}"
        if not stream.startswith(_PARTICIPANT):
            return True
        if stream not in known:
            known[stream] = trial.state().of(Enrolment, stream.removeprefix(_PARTICIPANT)).site == site
        return known[stream]

    return shown

"""The studies that may be shown, with their builds and what their records say; read again when a record has grown."""

from __future__ import annotations

from threading import Lock

from django.http import Http404

from trialwright.build import Build
from trialwright.finder import Catalogue, Listing, PreScreener, on_record
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.setup.state import StudySetup
from trialwright_web.shell.studies import installation

_lock = Lock()
_listings: dict[str, tuple[int, Listing]] = {}
_screeners: dict[str, PreScreener] = {}


def catalogue() -> Catalogue:
    """Every study that may be shown."""
    return Catalogue(_listing(study) for study in installation().studies)


def listing(study: str) -> Listing:
    """One study that may be shown.

    Raises:
        Http404: no such study, or one that may not be shown.
    """
    found = catalogue().find(study)
    if found is None:
        raise Http404
    return found


def screener(build: Build) -> PreScreener:
    """The pre-screener of a build, compiled once."""
    with _lock:
        if build.id not in _screeners:
            _screeners[build.id] = PreScreener(build)
        return _screeners[build.id]


def _listing(study: str) -> Listing:
    trial = installation().trial(study)
    size = trial.open_head()[0]
    with _lock:
        known = _listings.get(study)
    if known is not None and known[0] == size:
        return known[1]
    found = Listing(_build(study, trial), on_record(trial.stores[Space.OPEN].rows) if size else None)
    with _lock:
        _listings[study] = size, found
    return found


def _build(study: str, trial: Trial) -> Build:
    """The newest approved build; before there is one, the folder as it lies there."""
    approved = trial.state().of(StudySetup).build
    return trial.builds.get(approved) or installation().folder_build(study)

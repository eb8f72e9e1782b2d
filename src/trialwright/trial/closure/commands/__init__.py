"""Deviations, breaches, urgent measures; data cut, freeze, blind review, lock, unlock, unblinding, close, archive."""

from __future__ import annotations

from collections.abc import Mapping

from trialwright.trial.closure.commands import conduct, ending
from trialwright.trial.closure.commands.conduct import (
    ClassifyClosedDeviation,
    ClassifyDeviation,
    OpenDeviation,
    RecordBreachNotification,
    RecordSeriousBreach,
    RecordUrgentSafetyMeasure,
)
from trialwright.trial.closure.commands.ending import (
    ArchiveStudy,
    CloseStudy,
    FreezeAnalysisCode,
    FreezeStudy,
    LockStudy,
    MakeDataCut,
    ProposeUnblinding,
    ProposeUnlock,
    SignAnalysisPlan,
    SignBlindReview,
    UnblindStudy,
    UnlockStudy,
    shown_review,
)
from trialwright.trial.command import Command, Decide

__all__ = [
    "DECISIONS",
    "ArchiveStudy",
    "ClassifyClosedDeviation",
    "ClassifyDeviation",
    "CloseStudy",
    "FreezeAnalysisCode",
    "FreezeStudy",
    "LockStudy",
    "MakeDataCut",
    "OpenDeviation",
    "ProposeUnblinding",
    "ProposeUnlock",
    "RecordBreachNotification",
    "RecordSeriousBreach",
    "RecordUrgentSafetyMeasure",
    "SignAnalysisPlan",
    "SignBlindReview",
    "UnblindStudy",
    "UnlockStudy",
    "shown_review",
]

DECISIONS: Mapping[type[Command], Decide] = {**conduct.DECISIONS, **ending.DECISIONS}

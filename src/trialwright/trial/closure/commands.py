"""Deviations, breaches, urgent measures; data cut, freeze, blind review, lock, unlock, unblinding, close, archive."""

from __future__ import annotations

from collections.abc import Mapping

from trialwright.trial.closure import conduct_commands, ending_commands
from trialwright.trial.closure.conduct_commands import (
    ClassifyClosedDeviation,
    ClassifyDeviation,
    OpenDeviation,
    RecordBreachNotification,
    RecordSeriousBreach,
    RecordUrgentSafetyMeasure,
)
from trialwright.trial.closure.ending_commands import (
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

DECISIONS: Mapping[type[Command], Decide] = {**conduct_commands.DECISIONS, **ending_commands.DECISIONS}

"""Gate, collect, make, release or fail, certify, hand over, authorise, administer, and what comes to light later."""

from __future__ import annotations

from collections.abc import Mapping

from trialwright.trial.command import Command, Decide
from trialwright.trial.custody.commands import administration, laboratory, site
from trialwright.trial.custody.commands.administration import AdministerProduct, HandOver, RecordMixUp
from trialwright.trial.custody.commands.laboratory import (
    CertifyBatch,
    DestroyProduct,
    FailManufacture,
    ReceiveProduct,
    RecordExcursion,
    RecordLateResult,
    RecordManufactureStep,
    RecordMeasurements,
    ReleaseOutOfSpecification,
    ReleaseProduct,
    ReportOutOfSpecification,
    StoreProduct,
)
from trialwright.trial.custody.commands.site import (
    AuthoriseAdministration,
    CollectProduct,
    PassSafetyGate,
    RequestExceptionalRelease,
)

__all__ = [
    "DECISIONS",
    "AdministerProduct",
    "AuthoriseAdministration",
    "CertifyBatch",
    "CollectProduct",
    "DestroyProduct",
    "FailManufacture",
    "HandOver",
    "PassSafetyGate",
    "ReceiveProduct",
    "RecordExcursion",
    "RecordLateResult",
    "RecordManufactureStep",
    "RecordMeasurements",
    "RecordMixUp",
    "ReleaseOutOfSpecification",
    "ReleaseProduct",
    "ReportOutOfSpecification",
    "RequestExceptionalRelease",
    "StoreProduct",
]

DECISIONS: Mapping[type[Command], Decide] = {
    **site.DECISIONS,
    **laboratory.DECISIONS,
    **administration.DECISIONS,
}

"""The roles people have in a trial. The study says which of them are blinded; commands say which may act."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """Fixed list, so that permissions can be reviewed in one table."""

    INVESTIGATOR = "investigator"
    STUDY_NURSE = "study_nurse"
    BLINDED_RATER = "blinded_rater"
    INJECTING_PHYSICIAN = "injecting_physician"
    CELL_LABORATORY = "cell_laboratory"
    QUALIFIED_PERSON = "qualified_person"
    PHARMACIST = "pharmacist"
    MONITOR = "monitor"
    UNBLINDED_MONITOR = "unblinded_monitor"
    DATA_MANAGER = "data_manager"
    MEDICAL_MONITOR = "medical_monitor"
    SAFETY_OFFICER = "safety_officer"
    INDEPENDENT_STATISTICIAN = "independent_statistician"
    CENTRAL_READER = "central_reader"
    SPONSOR = "sponsor"
    INSPECTOR = "inspector"
    PARTICIPANT = "participant"


SITE_ROLES = frozenset(
    {Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.INJECTING_PHYSICIAN, Role.PHARMACIST}
)
"""Roles that exist at one site and need delegation and training there."""

ALWAYS_BLINDED = frozenset({Role.PARTICIPANT, Role.BLINDED_RATER, Role.SPONSOR, Role.MONITOR, Role.DATA_MANAGER})
"""Roles that no blinded study may declare unblinded; who needs the closed space has a role of its own."""

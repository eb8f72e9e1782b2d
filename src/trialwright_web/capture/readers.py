"""Who reads participants' pages: everybody whose work is the case book. The laboratory's work is the product."""

from __future__ import annotations

from trialwright.protocol.roles import Role

READERS = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.INJECTING_PHYSICIAN, Role.PHARMACIST, Role.MONITOR,
    Role.UNBLINDED_MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.SAFETY_OFFICER, Role.CENTRAL_READER,
    Role.SPONSOR, Role.INSPECTOR,
)  # fmt: skip

SITE_STAFF = (Role.INVESTIGATOR, Role.STUDY_NURSE)

"""When encounters are expected: windows from anchors, and what became of them. Knows dates, not trials.

Windows count local dates of the site, both ends included, so daylight saving cannot move them. Weeks and days
are exact; months are calendar months, clamped to the last day of a shorter month (31 January + 1 month is
28 or 29 February). Nothing here asks what day it is: whether an encounter is due or overdue is computed only
for a date that the caller gives.
"""

from trialwright.schedule.expectations import Expectation, Status, expectations
from trialwright.schedule.plan import NOT_DONE, Anchors, Happened, NotDone, Offset, PlannedEncounter, Unit
from trialwright.schedule.plan_checks import Fault, FaultKind, Overlap, impossible, overlaps
from trialwright.schedule.projection import projected

__all__ = [
    "NOT_DONE",
    "Anchors",
    "Expectation",
    "Fault",
    "FaultKind",
    "Happened",
    "NotDone",
    "Offset",
    "Overlap",
    "PlannedEncounter",
    "Status",
    "Unit",
    "expectations",
    "impossible",
    "overlaps",
    "projected",
]

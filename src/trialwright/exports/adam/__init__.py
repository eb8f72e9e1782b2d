"""Analysis data sets (CDISC ADaM 1.3) from the tabulation data sets and the plan of analysis.

ADSL (one row a participant), ADEFF (continuous and counted outcomes by visit), ADTTE (times to events) and ADAE.
Every row names the tabulation record it comes from; nothing is imputed.
"""

from trialwright.exports.adam.package import AdamExport, adam_package
from trialwright.exports.adam.words import PlanWords

__all__ = ["AdamExport", "PlanWords", "adam_package"]

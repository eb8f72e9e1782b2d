"""Analysis data sets (CDISC ADaM 1.3) from the tabulation data sets and the plan of analysis.

ADSL (one row a participant), ADEFF (continuous and counted outcomes by visit), ADTTE (times to events) and ADAE.
Every row names the tabulation record it comes from; nothing is imputed.
"""

from trialwright.exports.adam.doses import Dose, doses_of
from trialwright.exports.adam.package import AdamExport, adam_package
from trialwright.exports.adam.words import PlanWords

__all__ = ["AdamExport", "Dose", "PlanWords", "adam_package", "doses_of"]

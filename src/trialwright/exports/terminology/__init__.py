"""CDISC controlled terminology: the code lists our studies need, and a check of data sets against them.

Facts only — code, submission value, name, package date — of *CDISC SDTM Controlled Terminology*, which CDISC and the
NCI Thesaurus publish for anybody's use. Dictionaries that need a licence (MedDRA, WHODrug) are not here.
"""

from trialwright.exports.terminology.check import TermFinding, check_terms
from trialwright.exports.terminology.countries import ALPHA_3, country
from trialwright.exports.terminology.lists import PACKAGE_DATE, PublishedList, published_list, test_name
from trialwright.exports.terminology.units import submission_unit

__all__ = [
    "ALPHA_3",
    "PACKAGE_DATE",
    "PublishedList",
    "TermFinding",
    "check_terms",
    "country",
    "published_list",
    "submission_unit",
    "test_name",
]

"""ODM 1.3.2 and 2.0 (CDISC): metadata, data and audit trail of a study, out of a store and read back.

Needs the extra ``trialwright[standards]``.
"""

from trialwright.exports.odm.errors import OdmUnreadable
from trialwright.exports.odm.metadata import metadata_of, study_of_builds
from trialwright.exports.odm.model import (
    VERSIONS,
    OdmCheck,
    OdmCode,
    OdmCodeList,
    OdmDerivation,
    OdmEvent,
    OdmForm,
    OdmGroup,
    OdmItem,
    OdmLimit,
    OdmMetadata,
    OdmStudy,
    OdmValue,
)
from trialwright.exports.odm.read import read_odm
from trialwright.exports.odm.read_values import read_odm_values
from trialwright.exports.odm.references import dangling_references
from trialwright.exports.odm.write import SNAPSHOT, TRANSACTIONS, write_odm

__all__ = [
    "SNAPSHOT",
    "TRANSACTIONS",
    "VERSIONS",
    "OdmCheck",
    "OdmCode",
    "OdmCodeList",
    "OdmDerivation",
    "OdmEvent",
    "OdmForm",
    "OdmGroup",
    "OdmItem",
    "OdmLimit",
    "OdmMetadata",
    "OdmStudy",
    "OdmUnreadable",
    "OdmValue",
    "dangling_references",
    "metadata_of",
    "read_odm",
    "read_odm_values",
    "study_of_builds",
    "write_odm",
]

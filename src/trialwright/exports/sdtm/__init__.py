"""SDTM (SDTMIG 3.4) from the record: what the study declares at each item, and what the trial itself recorded."""

from trialwright.exports.sdtm.allocation import WATERMARK, Allocation, StillBlinded
from trialwright.exports.sdtm.custody import Collection
from trialwright.exports.sdtm.guide import Kind, Note, guide_page
from trialwright.exports.sdtm.package import SdtmExport, Snapshot, sdtm_package
from trialwright.exports.sdtm.record import sdtm_of_store, snapshot_of
from trialwright.exports.sdtm.standard import IG_VERSION, StandardDomain, StandardVariable

__all__ = [
    "IG_VERSION",
    "WATERMARK",
    "Allocation",
    "Collection",
    "Kind",
    "Note",
    "SdtmExport",
    "Snapshot",
    "StandardDomain",
    "StandardVariable",
    "StillBlinded",
    "guide_page",
    "sdtm_of_store",
    "sdtm_package",
    "snapshot_of",
]

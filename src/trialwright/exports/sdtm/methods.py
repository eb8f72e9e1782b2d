"""How derived variables are computed, in sentences for Define-XML."""

from __future__ import annotations

from trialwright.exports.datasets import Method
from trialwright.exports.sdtm.reading import Reading
from trialwright.protocol.forms import Form, Item

_BY_NAME = {
    "AGE": "Completed years from BRTHDTC to RFICDTC; empty where a partial date of birth leaves two answers.",
    "AGEU": "YEARS wherever AGE is not empty.",
    "RFSTDTC": "Date of the first administration of study treatment.",
    "RFENDTC": "Date of the end of participation of treated participants.",
    "RFXSTDTC": "Date of the first administration of study treatment.",
    "RFXENDTC": "Date of the last administration of study treatment.",
    "RFICDTC": "Local date of the first consent in force.",
    "RFPENDTC": "The end of participation, or a later date of a visit or an adverse event.",
    "EPOCH": (
        "Epoch of the last element that began on or before the start date; for records without a start date, the "
        "epoch of the visit."
    ),
    "SESTDTC": "Date of informed consent for the first element; else date of the first visit held in the epoch.",
    "SEENDTC": "Start of the next element; for the last one, RFPENDTC.",
}
_BY_SUFFIX = {
    "SEQ": "Number of the record among the participant's in the order of the sort key, from 1.",
    "STDY": "Start date minus RFSTDTC, plus 1 from RFSTDTC on; empty where either is not a full date.",
    "ENDY": "End date minus RFSTDTC, plus 1 from RFSTDTC on; empty where either is not a full date.",
    "DY": "Date minus RFSTDTC, plus 1 from RFSTDTC on; empty where either is not a full date.",
    "LOBXFL": (
        "Y for the last result of the participant and test dated before RFXSTDTC, or on it at the visit of the first "
        "administration or an earlier one."
    ),
    "STRESC": "The original result; numbers converted to the standard unit, texts of outcomes in capitals.",
    "STRESN": "The original result converted to the standard unit by exact arithmetic, at most six decimals.",
    "STRESU": "The first unit that the study declares for the item.",
    "ENTPT": "Date of the end of participation.",
}


def method_of(name: str, variable: str) -> Method | None:
    """The method of a derived variable; None where the variable is not derived."""
    if variable in _BY_NAME:
        return Method(f"MT.{variable}", variable, _BY_NAME[variable])
    suffix = variable.removeprefix(name)
    if variable.startswith(name) and suffix in _BY_SUFFIX:
        return Method(f"MT.{suffix}", f"--{suffix}", _BY_SUFFIX[suffix])
    return None


def derivation_method(reading: Reading, form: Form, item: Item) -> Method:
    """The method of an item that the build computes."""
    derive = item.derive
    assert derive is not None, "only derived items have one"
    id_ = f"MT.{form.id.upper()}.{item.id.upper()}"
    label = reading.text(item.label)
    if derive.instrument is not None:
        inputs = ", ".join(f"{argument} = {source}" for argument, source in derive.inputs.items())
        return Method(id_, label, f"Published instrument {derive.instrument} with {inputs}, on the same form.")
    return Method(id_, label, "Expression of the study over items of the form.", expression=derive.expression)

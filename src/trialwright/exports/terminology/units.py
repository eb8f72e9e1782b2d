"""UCUM code → unit as CDISC terminology writes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "10*9/L": "10^9/L",
        "10*6{cells}": "10^6 Therapeutic Cells",
        "[degF]": "F",
        "Cel": "C",
        "[iU]/mL": "IU/mL",
        "[iU]/L": "IU/L",
        "[lb_av]": "LB",
        "h": "HOURS",
        "mL/min/{1.73_m2}": "mL/min/1.73m2",
        "mm[Hg]": "mmHg",
        "{beats}/min": "beats/min",
    }
)


def submission_unit(ucum: str) -> str:
    """The unit as it stands in --ORRESU: CDISC's where it differs from UCUM's, else the UCUM code itself.

    Args:
        ucum: UCUM code.
    """
    return _UNITS.get(ucum, ucum)

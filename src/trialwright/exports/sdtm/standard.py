"""SDTMIG 3.4 as data: domains with their variables in order, labels, roles and code lists; sort keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

IG_VERSION = "3.4"
MODEL_VERSION = "2.0"


@dataclass(frozen=True)
class StandardVariable:
    """A variable of a domain.

    Attributes:
        number: its values are numbers.
        core: ``Req`` (never empty), ``Exp`` (always a column) or ``Perm``.
        lists: NCI codes of the code lists that its values may come from.
    """

    name: str
    label: str
    number: bool
    role: str
    core: str
    lists: tuple[str, ...]


@dataclass(frozen=True)
class StandardDomain:
    """A domain with its variables in order."""

    name: str
    label: str
    class_: str
    structure: str
    variables: tuple[StandardVariable, ...]

    def find(self, name: str) -> StandardVariable | None:
        """The variable of this name."""
        return next((variable for variable in self.variables if variable.name == name), None)


def domain(name: str) -> StandardDomain:
    """A domain by name; ``SUPPQUAL`` for every SUPP--."""
    return _domains()["SUPPQUAL" if name.startswith("SUPP") else name]


def keys(name: str) -> tuple[str, ...]:
    """The variables that a data set is sorted by and that together tell its rows apart."""
    if name.startswith("SUPP"):
        return ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")
    return ("STUDYID", *_KEYS[name])


_FINDING = "USUBJID {0}TESTCD {0}CAT {0}SCAT {0}LOC {0}LAT {0}METHOD {0}REPNUM VISITNUM {0}DTC {0}SEQ"
_EVENT = "USUBJID {0}TERM {0}STDTC {0}SEQ"
_INTERVENTION = "USUBJID {0}TRT {0}STDTC {0}SEQ"

_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "DM": ("USUBJID",),
        "CO": ("USUBJID", "COSEQ"),
        "SE": ("USUBJID", "SESTDTC", "SESEQ"),
        "SV": ("USUBJID", "VISITNUM"),
        "TA": ("ARMCD", "TAETORD"),
        "TE": ("ETCD",),
        "TI": ("IETESTCD", "TIVERS"),
        "TS": ("TSPARMCD", "TSSEQ"),
        "TV": ("VISITNUM",),
        "IE": ("USUBJID", "IETESTCD", "IESEQ"),
        "DV": ("USUBJID", "DVSTDTC", "DVTERM", "DVSEQ"),
        "BE": ("USUBJID", "BEREFID", "BESTDTC", "BETERM", "BESEQ"),
        "BS": ("USUBJID", "BSREFID", "BSTESTCD", "BSSEQ"),
        "RELREC": ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID"),
        "RELSPEC": ("USUBJID", "REFID"),
        **{name: tuple(_EVENT.format(name).split()) for name in ("AE", "CE", "DS", "MH")},
        **{name: tuple(_INTERVENTION.format(name).split()) for name in ("AG", "CM", "EC", "EX", "PR")},
        **{
            name: tuple(_FINDING.format(name).split())
            for name in ("FT", "IS", "LB", "MB", "NV", "OE", "PC", "PE", "QS", "RP", "RS", "SC", "VS")
        },
    }
)


@cache
def _domains() -> Mapping[str, StandardDomain]:
    document = json.loads(files(__package__).joinpath("standard.json").read_text(encoding="utf-8"))
    return MappingProxyType({name: _domain(name, written) for name, written in document.items()})


def _domain(name: str, written: dict[str, str | list[list[object]]]) -> StandardDomain:
    return StandardDomain(
        name=name,
        label=str(written["label"]),
        class_=str(written["class"]),
        structure=str(written["structure"]),
        variables=tuple(_variable(*variable) for variable in written["variables"]),
    )


def _variable(
    name: object, label: object, type_: object, role: object, core: object, lists: object = ()
) -> StandardVariable:
    assert isinstance(lists, list | tuple)
    return StandardVariable(
        str(name), str(label), type_ == "Num", str(role), str(core), tuple(str(code) for code in lists)
    )

"""Where collected items go in SDTM: what the study writes, and the defaults that follow from a form's kind."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trialwright.protocol.declared import Declared

if TYPE_CHECKING:
    from trialwright.protocol.forms import Form, Item

SdtmName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
"""Name of an SDTM variable or test: at most 8 capital letters and digits."""

INTERVENTIONS = frozenset({"AG", "CM", "EC", "EX", "PR"})
EVENTS = frozenset({"AE", "BE", "CE", "DS", "DV", "MH"})
FINDINGS = frozenset({"BS", "FT", "IS", "LB", "MB", "NV", "OE", "PC", "PE", "QS", "RP", "RS", "SC", "VS"})
"""Domains of SDTMIG 3.4 by class, as far as items are mapped to them."""

DOMAIN_OF_KIND: ReadOnly[str, str] = MappingProxyType(
    {
        "demography": "DM",
        "history": "MH",
        "medication": "CM",
        "vital_signs": "VS",
        "laboratory": "LB",
        "serology": "MB",
        "neurological": "PE",
        "functional_test": "FT",
        "questionnaire": "QS",
        "electrophysiology": "NV",
        "ophthalmology": "OE",
        "imaging": "NV",
        "biomarker": "LB",
        "relapse": "CE",
        "procedure": "PR",
        "exposure": "EC",
        "disposition": "DS",
        "contact": "CE",
    }
)
"""Kind of a form → domain of its items where they name none; kind ``other`` has no default."""


class Mapping(Declared):
    """Where an item goes in SDTM; what is absent follows from the form and its kind."""

    domain: str | None = Field(default=None, pattern=r"^[A-Z]{2}$|^SUPP[A-Z]{2}$")
    """Domain, or SUPP and a domain for a supplemental qualifier; absent: that of the form."""
    variable: SdtmName | None = None
    """Variable, or name of the supplemental qualifier; absent: --ORRES in a domain of findings."""
    test: SdtmName | None = None
    """--TESTCD for findings."""
    name: str | None = Field(default=None, max_length=40)
    """--TEST, or label of the supplemental qualifier; absent: CDISC's name of the test, else the item's label."""
    topic: str | None = Field(default=None, max_length=200)
    """--TERM or --TRT of a record that items share: `Malignant disease` for the question, its date and outcome."""
    fixed: dict[SdtmName, str] = Field(default_factory=dict)
    """Further variables of the record with the value they always have: `LBSPEC: SERUM`."""
    terms: dict[str, str | None] = Field(default_factory=dict)
    """Value as entered → submission value, where the code list does not say it; null leaves the variable empty."""
    not_submitted: str | None = None
    """Why the item is in no data set; the reviewer's guide lists it."""


class FormMapping(Declared):
    """What all items of a form share in SDTM."""

    domain: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    topic: str | None = Field(default=None, max_length=200)
    fixed: dict[SdtmName, str] = Field(default_factory=dict)
    """Applies to the items of the domain that each variable begins with."""


@dataclass(frozen=True)
class Target:
    """Where one item goes, with all defaults filled in.

    Attributes:
        domain: two letters, of the parent for a supplemental qualifier.
        variable: variable, or QNAM of a supplemental qualifier.
        supplemental: goes to SUPP--.
        test, name, topic, fixed, terms: as declared, the form's beside the item's.
    """

    domain: str
    variable: str
    supplemental: bool
    test: str | None
    name: str | None
    topic: str | None
    fixed: ReadOnly[str, str]
    terms: ReadOnly[str, str | None]

    @property
    def is_result(self) -> bool:
        """Whether the item is a finding's result, which makes a record of its own."""
        return self.domain in FINDINGS and self.variable == f"{self.domain}ORRES"


def target_of(form: Form, item: Item) -> Target | None:
    """Where an item goes; None where the study says nowhere (``not_submitted``), or nothing that is enough."""
    written = item.sdtm or Mapping()
    if written.not_submitted is not None:
        return None
    shared = form.sdtm or FormMapping()
    named = written.domain or shared.domain or DOMAIN_OF_KIND.get(form.kind)
    if named is None or item.sdtm is None:
        return None
    domain = named.removeprefix("SUPP")
    variable = written.variable or (f"{domain}ORRES" if domain in FINDINGS and written.test else None)
    if variable is None:
        return None
    return Target(
        domain=domain,
        variable=variable,
        supplemental=named.startswith("SUPP"),
        test=written.test,
        name=written.name,
        topic=written.topic or shared.topic,
        fixed=MappingProxyType(
            {name: value for name, value in shared.fixed.items() if _belongs(name, domain)} | written.fixed
        ),
        terms=MappingProxyType(written.terms),
    )


def _belongs(variable: str, domain: str) -> bool:
    return variable.startswith(domain)

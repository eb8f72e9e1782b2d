"""The trial in parameters, for TS: what the study says, counted or read from the record, or why it is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.terminology import PACKAGE_DATE, country, published_list
from trialwright.protocol.study import Arm

_AGES = re.compile(r"\b([0-9]+) <= age(?: <= ([0-9]+))?")
_NAMES = "C66738"
_CT = "CDISC CT"
_ISO_8601, _ISO_3166 = "ISO 8601", "ISO 3166-1 Alpha-3"


@dataclass(frozen=True)
class Parameter:
    """One value of one parameter.

    Attributes:
        code: TSPARMCD.
        value: TSVAL; None where ``null_flavour`` says why.
        null_flavour: TSVALNF, ISO 21090 (``NI``, ``NA``, ``UNK``, ``PINF``).
        value_code, reference, reference_version: TSVALCD, TSVCDREF and TSVCDVER.
    """

    code: str
    value: str | None = None
    null_flavour: str | None = None
    value_code: str | None = None
    reference: str | None = None
    reference_version: str | None = None

    @property
    def name(self) -> str:
        """TSPARM."""
        found = published_list(_NAMES)
        assert found is not None, "the list of trial summary parameters is kept"
        return found.terms.get(self.code, self.code)


def summary(
    reading: Reading, planned_days: Mapping[str, int], cut: str | None, *, ig: str, model: str
) -> tuple[Parameter, ...]:
    """All parameters, by code.

    Args:
        planned_days: encounter → planned study day.
        cut: ISO 8601 date of the data.
        ig, model: versions of SDTMIG and SDTM.
    """
    found = [
        *_identity(reading),
        *_design(reading, planned_days),
        *_population(reading),
        *_treatments(reading),
        *_dates(reading, cut),
        *_declared(reading),
        Parameter("SDTIGVER", ig),
        Parameter("SDTMVER", model),
    ]
    return tuple(sorted(found, key=lambda parameter: parameter.code))


def _term(code: str, value: str, codelist: str) -> Parameter:
    """A value of a CDISC code list, with its NCI code where it is kept."""
    published = published_list(codelist)
    nci = published.codes.get(value) if published else None
    return Parameter(code, value, None, nci, _CT if nci else None, PACKAGE_DATE if nci else None)


def _yes_no(code: str, answer: bool) -> Parameter:
    return _term(code, "Y" if answer else "N", "C66742")


def _identity(reading: Reading) -> Iterator[Parameter]:
    identity = reading.study.identity
    yield Parameter("TITLE", reading.text(identity.title))
    yield Parameter("SPONSOR", identity.sponsor.name)
    yield Parameter("INDIC", reading.text(identity.condition).upper()[:200])
    yield Parameter("OBJPRIM", " ".join(reading.text(identity.objective).split()))
    for identifier in identity.identifiers:
        yield Parameter("REGID", identifier.id, None, identifier.id, identifier.register_name.upper(), None)
    phase = "PHASE " + identity.phase + " TRIAL"
    yield _term("TPHASE", phase, "C66737")
    for primary in (e for e in reading.study.analysis.estimands if e.kind == "primary"):
        endpoint = next(e for e in reading.study.analysis.endpoints if e.id == primary.endpoint)
        yield Parameter("OUTMSPRI", reading.text(endpoint.label))


def _design(reading: Reading, planned_days: Mapping[str, int]) -> Iterator[Parameter]:
    study = reading.study
    identity = study.identity
    kinds = {arm.kind for arm in identity.arms}
    yield _term("STYPE", "INTERVENTIONAL", "C99077")
    yield _term("TINDTP", "TREATMENT", "C66736")
    yield _term("TTYPE", "EFFICACY", "C66739")
    yield _term("TTYPE", "SAFETY", "C66739")
    yield _term("INTMODEL", "CROSS-OVER" if identity.design == "crossover" else "PARALLEL", "C99076")
    yield _term("TBLIND", "OPEN LABEL" if identity.blinding.kind == "open" else "DOUBLE BLIND", "C66735")
    control = "PLACEBO" if "placebo_comparator" in kinds else "ACTIVE" if "active_comparator" in kinds else "NONE"
    yield _term("TCNTRL", control, "C66785")
    yield _yes_no("RANDOM", True)
    yield _yes_no("ADAPT", False)
    yield Parameter("ADDON", None, "NI")
    yield _yes_no("EXTTIND", False)
    yield Parameter("NARMS", str(len(identity.sequences or identity.arms)))
    yield Parameter("NCOHORT", "1")
    yield Parameter("PLANSUB", str(identity.planned_participants))
    yield Parameter("ACTSUB", str(sum(row["randomised_on"] is not None for row in reading.participants.values())))
    yield Parameter("STOPRULE", "NONE")
    ratio = study.randomisation.ratio
    yield Parameter("RANDQT", _decimal(max(ratio.values()) / sum(ratio.values())))
    for factor in study.randomisation.strata:
        yield Parameter("STRATFCT", reading.text(factor.label).upper()[:200])
    for code in sorted({country(site.country) for site in identity.sites}):
        yield Parameter("FCNTRY", code, None, code, _ISO_3166, None)
    yield Parameter("LENGTH", _length(planned_days), None, None, _ISO_8601, None)


def _length(planned_days: Mapping[str, int]) -> str:
    """Planned length for a participant: from the first to the last planned visit."""
    days = planned_days.values()
    return f"P{max(days) - min(days)}D" if days else "P0D"


def _population(reading: Reading) -> Iterator[Parameter]:
    low, high = _ages(reading)
    yield Parameter("AGEMIN", low, None if low else "NI", None, _ISO_8601)
    yield Parameter("AGEMAX", high, None if high else "PINF", None, _ISO_8601)
    yield _term("SEXPOP", "BOTH", "C66732")
    yield _yes_no("HLTSUBJI", False)
    yield _yes_no("RDIND", False)
    yield _yes_no("PDSTIND", False)
    yield _yes_no("PDPSTIND", False)
    yield _yes_no("PIPIND", False)
    yield Parameter("TDIGRP", reading.text(reading.study.identity.condition).upper()[:200])


def _ages(reading: Reading) -> tuple[str | None, str | None]:
    """Least and greatest age that an inclusion criterion states as ``18 <= age <= 55``."""
    for criterion in reading.study.eligibility.criteria:
        found = _AGES.search(criterion.expression or "") if criterion.kind == "inclusion" else None
        if found:
            return f"P{found[1]}Y", f"P{found[2]}Y" if found[2] else None
    return None, None


def _treatments(reading: Reading) -> Iterator[Parameter]:
    arms = reading.study.identity.arms
    for arm in arms:
        code = "TRT" if arm.kind == "experimental" else "COMPTRT" if arm.kind != "no_intervention" else None
        if code is not None:
            yield Parameter(code, _treatment(reading, arm))
    yield Parameter("CURTRT", None, "NA")
    yield _term("INTTYPE", "BIOLOGIC" if reading.study.custody else "DRUG", "C99078")
    routes = sorted({arm.exposure["EXROUTE"] for arm in arms if "EXROUTE" in arm.exposure})
    for route in routes:
        yield _term("ROUTE", route, "C66729")


def _treatment(reading: Reading, arm: Arm) -> str:
    return arm.exposure.get("EXTRT") or reading.text(arm.label).upper()


def _dates(reading: Reading, cut: str | None) -> Iterator[Parameter]:
    consents = [str(row["consented_on"]) for row in reading.participants.values() if row["consented_on"]]
    ends = [str(row["ended_on"]) for row in reading.participants.values() if row["ended_on"]]
    going_on = any(row["status"] in ("screening", "randomised") for row in reading.participants.values())
    start = min(consents, default=None)
    end = max(ends, default=None) if not going_on else None
    yield Parameter("SSTDTC", start, None if start else "NI", None, _ISO_8601)
    yield Parameter("SENDTC", end, None if end else "NI", None, _ISO_8601)
    yield _yes_no("ONGOSIND", going_on)
    yield Parameter("DCUTDTC", cut, None if cut else "NI", None, _ISO_8601)
    yield Parameter("DCUTDESC", "ALL DATA ON RECORD" if cut else None, None if cut else "NI")


def _declared(reading: Reading) -> Iterator[Parameter]:
    """What the study declares for TS; what is needed and not declared is said to be not known."""
    declared = reading.study.identity.summary
    for code in sorted({*declared, "PCLAS", "THERAREA"}):
        yield Parameter(code, declared.get(code), None if code in declared else "NI")


def _decimal(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")

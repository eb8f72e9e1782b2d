"""A build as ODM metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from trialwright.build import Build
from trialwright.exports.annotated import sdtm_annotations
from trialwright.exports.odm.model import (
    LOG,
    MISSING,
    SOURCE,
    UNSCHEDULED,
    VISIT,
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
)
from trialwright.foundation.missing import MissingReason
from trialwright.protocol import Study
from trialwright.protocol.forms import Derivation, Form, Item, Range
from trialwright.protocol.terminology import CodeList

_STATUS = "_visit_status"
_DIMENSIONLESS = ("1",)


def study_of_builds(builds: Mapping[str, Build]) -> OdmStudy:
    """The study with one version of metadata for each build, in their order.

    Args:
        builds: at least one, by id.
    """
    identity = list(builds.values())[-1].study.identity
    return OdmStudy(
        id=identity.id,
        title=next(iter(identity.title.values())),
        protocol=identity.acronym,
        versions=tuple(metadata_of(build) for build in builds.values()),
    )


def metadata_of(build: Build) -> OdmMetadata:
    """Everything that ODM can say about a build: encounters, forms, items, code lists, conditions, derivations."""
    study = build.study
    forms = (_visit_form(), *(_form(form) for form in study.forms.values()))
    lists = (*(_codelist(codelist) for codelist in study.terminology.values()), *_own_lists())
    return OdmMetadata(
        build=build.id,
        name=study.identity.version,
        events=tuple(_events(study)),
        forms=MappingProxyType({form.id: form for form in forms}),
        codelists=MappingProxyType({codelist.id: codelist for codelist in lists}),
    )


def _events(study: Study) -> Iterator[OdmEvent]:
    for encounter in study.schedule.encounters:
        forms = (VISIT, *dict.fromkeys(encounter.forms))
        yield OdmEvent(encounter.id, encounter.label, "Scheduled", False, encounter.when, forms)
    unscheduled = (VISIT, *study.schedule.unscheduled_forms)
    yield OdmEvent(UNSCHEDULED, {"en": "Unscheduled visit"}, "Unscheduled", True, None, unscheduled)
    yield OdmEvent(LOG, {"en": "Running log"}, "Common", False, None, study.schedule.log_forms)


def _form(form: Form) -> OdmForm:
    groups = (
        OdmGroup(group.id, group.title, group.repeats, tuple(_item(form, item) for item in group.items))
        for group in form.groups
    )
    return OdmForm(form.id, form.title, form.kind, form.repeats, tuple(groups))


def _item(form: Form, item: Item) -> OdmItem:
    return OdmItem(
        id=item.id,
        label=item.label,
        type=item.type,
        help=item.help,
        units=(item.units or _DIMENSIONLESS) if item.type == "quantity" else (),
        decimals=item.decimals,
        codelist=item.codelist,
        limits=(*_limits(item.range, impossible=False), *_limits(item.possible, impossible=True)),
        checks=tuple(
            OdmCheck(check.id, check.expression, check.message) for check in form.checks if check.items[0] == item.id
        ),
        required=item.required,
        when=item.when,
        derivation=_derivation(item.derive),
        outcomes=tuple(OdmCode(outcome.code, outcome.label) for outcome in item.outcomes),
        origin=item.origin,
        sdtm="; ".join(sdtm_annotations(form, item)),
    )


def _limits(bounds: Range | None, *, impossible: bool) -> Iterator[OdmLimit]:
    if bounds is not None and bounds.low is not None:
        yield OdmLimit("GE", bounds.low, impossible)
    if bounds is not None and bounds.high is not None:
        yield OdmLimit("LE", bounds.high, impossible)


def _derivation(derive: Derivation | None) -> OdmDerivation | None:
    if derive is None:
        return None
    if derive.expression is not None:
        return OdmDerivation("expression", derive.expression)
    inputs = ", ".join(f"{name}={given}" for name, given in derive.inputs.items())
    return OdmDerivation("instrument", f"{derive.instrument}({inputs})")


def _codelist(codelist: CodeList) -> OdmCodeList:
    codes = tuple(OdmCode(code.code, code.label, code.cdisc) for code in codelist.codes)
    return OdmCodeList(codelist.id, codelist.label, codes, codelist.cdisc)


def _visit_form() -> OdmForm:
    """The visit itself: ODM has no other place for its date."""
    items = (
        OdmItem("date", {"en": "Date of the visit"}, "date", required=False),
        OdmItem("status", {"en": "Whether the visit took place"}, "code", codelist=_STATUS),
    )
    return OdmForm(VISIT, {"en": "Visit"}, None, False, (OdmGroup("visit", None, False, items),))


def _own_lists() -> Iterator[OdmCodeList]:
    yield _own(_STATUS, "Status of a visit", {"held": "Took place", "missed": "Did not take place"})
    states = {reason.value: reason.label.capitalize() for reason in MissingReason}
    yield _own(MISSING, "Why there is no value", states)
    sources = {"paper": "Paper", "device": "Device", "ehr": "Electronic health record", "direct": "Entered directly"}
    yield _own(SOURCE, "Where a value was seen first", sources)


def _own(name: str, label: str, codes: Mapping[str, str]) -> OdmCodeList:
    return OdmCodeList(name, {"en": label}, tuple(OdmCode(code, {"en": text}) for code, text in codes.items()))

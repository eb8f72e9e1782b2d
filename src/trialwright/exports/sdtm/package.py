"""The whole of SDTM: one call from a record to a package and its reviewer's guide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trialwright.build import Build
from trialwright.exports.datasets import Dictionary, Package, Standard
from trialwright.exports.sdtm import trial_design
from trialwright.exports.sdtm.adverse_events import adverse_events
from trialwright.exports.sdtm.allocation import WATERMARK, Allocation, allocation_of
from trialwright.exports.sdtm.assembling import complete, datasets
from trialwright.exports.sdtm.baseline import mark_last_before_exposure
from trialwright.exports.sdtm.conduct import criteria_not_met, deviations, disposition
from trialwright.exports.sdtm.custody import (
    Collection,
    biospecimen_events,
    biospecimen_findings,
    related_specimens,
)
from trialwright.exports.sdtm.design import Design
from trialwright.exports.sdtm.drafts import Draft
from trialwright.exports.sdtm.exposure import exposure
from trialwright.exports.sdtm.findings import findings
from trialwright.exports.sdtm.guide import Guide, Kind, Note
from trialwright.exports.sdtm.instances import Instance, instances, of_domains, supplement
from trialwright.exports.sdtm.metadata import Metadata
from trialwright.exports.sdtm.occurrences import occurrences
from trialwright.exports.sdtm.people import People, Person
from trialwright.exports.sdtm.reading import Reading
from trialwright.exports.sdtm.relations import related_records
from trialwright.exports.sdtm.special import comments, demographics, elements, visits
from trialwright.exports.sdtm.standard import IG_VERSION
from trialwright.exports.sdtm.terms import STANDARD
from trialwright.exports.sdtm.visits import VisitWords
from trialwright.exports.terminology import PACKAGE_DATE, check_terms
from trialwright.foundation.tables import Rows


@dataclass(frozen=True)
class Snapshot:
    """The state of the record that was read.

    Attributes:
        ledger: id of the open ledger.
        size: number of its entries.
        root: Merkle root over them, hex.
        at: ISO 8601 time (UTC) of the last entry.
        software: version of Trialwright.
    """

    ledger: str
    size: int
    root: str
    at: str
    software: str


@dataclass(frozen=True)
class SdtmExport:
    """A package of data sets, and what a reviewer must know about it."""

    package: Package
    notes: tuple[Note, ...]


def sdtm_package(
    open_rows: Rows,
    builds: Mapping[str, Build],
    snapshot: Snapshot,
    *,
    closed_rows: Rows | None = None,
    collections: tuple[Collection, ...] = (),
    language: str = "en",
) -> SdtmExport:
    """All SDTM data sets of a study (SDTMIG 3.4), each value traced to the form and item it was collected on.

    Args:
        open_rows: rows of the open space.
        builds: approved builds by id, in the order of approval.
        snapshot: what was read.
        closed_rows: rows of the closed space of a study that was finally unblinded. Without them the allocation is
            a dummy whose every name begins with DUMMY, and the laboratory's records are left out.
        collections: of a product's cells, as the open ledger tells them.
        language: of labels and texts.

    Raises:
        StillBlinded: closed rows before the final unblinding.
        InvalidValue: the record holds no build, or a site's country is unknown.
    """
    guide = Guide()
    reading = Reading(open_rows, builds, closed_rows, language)
    allocation = allocation_of(reading)
    if not allocation.real:
        guide.note(Kind.DUMMY_ALLOCATION, "DM, SE, TA, TE, EX", WATERMARK)
    design = Design(reading, "" if allocation.real else "DUMMY ")
    people = People(reading, design, allocation, guide).by_participant
    words = VisitWords(reading, design)
    drafts = list(_drafts(reading, design, people, words, collections, snapshot, guide))
    complete(drafts, people, words, reading.study_id, guide)
    mark_last_before_exposure(drafts, people, words, guide)
    package = _package(reading, allocation, snapshot, drafts)
    _terms(package, guide)
    return SdtmExport(package, guide.notes)


def _drafts(
    reading: Reading,
    design: Design,
    people: Mapping[str, Person],
    words: VisitWords,
    collections: tuple[Collection, ...],
    snapshot: Snapshot,
    guide: Guide,
) -> Iterator[Draft]:
    everybody = tuple(people.values())
    found = instances(reading, guide)
    yield from trial_design.trial_arms(design)
    yield from trial_design.trial_elements(design)
    yield from trial_design.trial_visits(reading, design)
    yield from trial_design.trial_criteria(reading)
    yield from trial_design.trial_summary(reading, design, snapshot.at[:10])
    yield from _with_supplements(reading, demographics(reading, design, everybody, guide), found)
    yield from elements(everybody)
    yield from visits(reading, everybody, words)
    yield from comments(reading)
    yield from disposition(reading, everybody, found, guide)
    yield from criteria_not_met(reading)
    yield from deviations(reading)
    yield from adverse_events(reading, found, guide)
    collected = list(occurrences(reading, found, guide))
    results = list(findings(reading, found, guide))
    given = list(exposure(reading, design, everybody, guide))
    _link_exposure(collected)
    on_forms = _link_volumes(results, collections, reading)
    events = list(biospecimen_events(reading, collections, guide))
    results += biospecimen_findings(reading, collections, on_forms)
    yield from (*collected, *results, *given, *events)
    yield from related_specimens(reading, events)
    yield from related_records((*collected, *results, *given, *events))


def _with_supplements(reading: Reading, drafts: Iterator[Draft], found: tuple[Instance, ...]) -> Iterator[Draft]:
    """Demographics with the supplemental qualifiers of its forms."""
    extra: dict[str, list[Instance]] = {}
    for instance in of_domains(found, frozenset({"DM"})):
        extra.setdefault(instance.participant, []).append(instance)
    for draft in drafts:
        for instance in extra.get(draft.participant or "", ()):
            for value, name, label in instance.supplements:
                supplement(reading, draft, value, name, label)
        yield draft


def _link_exposure(collected: list[Draft]) -> None:
    for draft in collected:
        if draft.domain == "EC" and draft.encounter is not None:
            draft.put("ECLNKID", draft.encounter.upper())


def _link_volumes(results: list[Draft], collections: tuple[Collection, ...], reading: Reading) -> set[str]:
    """Name the specimen in findings from collection forms; returns the labels whose volume is there."""
    custody = reading.study.custody
    encounter_of = {slot.id: slot.collection for slot in custody.slots} if custody else {}
    places: dict[tuple[str | None, str | None], list[Collection]] = {}
    for one in collections:
        places.setdefault((one.participant, encounter_of.get(one.slot)), []).append(one)
    linked: set[str] = set()
    for draft in results:
        if draft.domain != "BS" or draft.get("REFID") is not None:
            continue
        here = places.get((draft.participant, draft.encounter), [])
        same_day = [one for one in here if one.date == draft.get("DTC")] or here
        if same_day:
            draft.put("BSREFID", same_day[0].label)
            if draft.get("TESTCD") == "VOLUME":
                linked.add(same_day[0].label)
    return linked


def _package(reading: Reading, allocation: Allocation, snapshot: Snapshot, drafts: list[Draft]) -> Package:
    metadata = Metadata(reading)
    made = datasets(drafts, metadata)
    identity = reading.study.identity
    return Package(
        study=reading.study_id,
        title=reading.text(identity.title),
        protocol=identity.acronym,
        purpose="Tabulation",
        standards=(
            Standard("STD.SDTMIG", "SDTMIG", "IG", IG_VERSION),
            Standard(STANDARD, "CDISC/NCI", "CT", PACKAGE_DATE, "SDTM"),
        ),
        datasets=made,
        codelists=metadata.codelists,
        methods=metadata.methods,
        created=snapshot.at,
        dictionaries=(Dictionary("DICT.AE", "Adverse events", reading.study.safety.dictionary, "as coded"),),
        source={
            "ledger": snapshot.ledger,
            "entries": str(snapshot.size),
            "root": snapshot.root,
            "build": reading.build.id,
            "software": snapshot.software,
        },
        watermark=None if allocation.real else WATERMARK,
        language=reading.language,
    )


def _terms(package: Package, guide: Guide) -> None:
    for finding in check_terms(package):
        about = f"{finding.dataset}.{finding.variable}"
        guide.note(Kind.TERM_NOT_ALLOWED, about, f"{finding.value!r} ({finding.codelist})", finding.rows)
    for codelist in package.codelists:
        for term in codelist.terms:
            if term.extended:
                guide.note(Kind.TERM_ADDED, codelist.id.removeprefix("CL."), term.value)

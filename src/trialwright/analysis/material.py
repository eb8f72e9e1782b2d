"""What one report is made from: the record's data sets, who may see what, and the snapshot all numbers belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from importlib.resources import files

import trialwright
from trialwright.analysis.errors import NotUnblinded
from trialwright.analysis.frozen import FrozenCode, frozen_code
from trialwright.analysis.groups import Groups
from trialwright.analysis.plan import AnalysisPlan
from trialwright.analysis.words import Words
from trialwright.build import Build
from trialwright.exports.adam import AdamExport, Dose, adam_package, doses_of
from trialwright.exports.datasets import Package
from trialwright.exports.sdtm import Collection, SdtmExport, Snapshot, sdtm_of_store, sdtm_package
from trialwright.exports.sdtm.reading import Reading
from trialwright.foundation.tables import Row, Rows
from trialwright.ledger.port import Store
from trialwright.stores.memory_rows import MemoryRows
from trialwright.trial.allocation.views import LOOK, RANDOMISATION
from trialwright.trial.closure.views import ALLOCATION, DATA_CUT, MILESTONE
from trialwright.trial.custody.events import ProductCollected
from trialwright.trial.event import Fact, Space
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.view import Projector
from trialwright.trial.views import VIEWS

REHEARSAL = "REHEARSAL - VIRTUAL PARTICIPANTS"


class Kind(Enum):
    """Who reads the report; the value is its mark, on every page, or nothing."""

    BLINDED = "DUMMY ALLOCATION - NOT THE REAL TREATMENT"
    FINAL = ""
    OPEN_TO_COMMITTEE = "OPEN REPORT - ALL PARTICIPANTS TOGETHER"
    CLOSED_TO_COMMITTEE = "CLOSED REPORT - FOR THE COMMITTEE ONLY"


@dataclass(frozen=True)
class Material:
    """Everything that a report is made from.

    Attributes:
        kind: who reads it.
        plan: over the analysis data sets.
        adam, sdtm: those data sets, and the tabulation that they come from.
        reading: the record, for items that the plan shows as they were collected.
        words: of the report.
        cut: name of the data cut, None for the record as it stands.
    """

    kind: Kind
    plan: AnalysisPlan
    adam: AdamExport
    sdtm: SdtmExport
    reading: Reading
    words: Words
    cut: str | None = None

    @property
    def groups(self) -> Groups:
        """How participants are divided."""
        return Groups(self.plan, self.words, pooled=self.kind is Kind.OPEN_TO_COMMITTEE)

    @cached_property
    def doses(self) -> Mapping[str, tuple[Dose, ...]]:
        """USUBJID → what was given, in order."""
        return doses_of(self.sdtm.package, self.plan.study, self.plan.words)

    @property
    def source(self) -> Mapping[str, str]:
        """Ledger, entries, root, build and software that every number belongs to, and the digest of the code."""
        found = {**self.adam.package.source, "code": code_digest()}
        return {**found, "data_cut": self.cut} if self.cut else found

    @cached_property
    def frozen_code(self) -> FrozenCode:
        """Whether the programs that run are those that the record froze."""
        return frozen_code(self.reading.open, code_digest(), rehearsed=is_rehearsal(self.reading.open))

    @property
    def mark(self) -> str:
        """What stands on every page; empty for nothing."""
        marks = [REHEARSAL] if is_rehearsal(self.reading.open) else []
        return " · ".join(self.words(mark) for mark in (*marks, self.kind.value) if mark)

    @property
    def package(self) -> Package:
        """The analysis data sets."""
        return self.adam.package


def code_digest() -> str:
    """SHA-256 (hex) of the programs that work out and show results: analysis and statistics."""
    digest = hashlib.sha256()
    for name in ("analysis", "statistics"):
        for path in sorted(files(trialwright).joinpath(name).iterdir(), key=lambda each: each.name):
            if path.name.endswith((".py", ".css", ".jinja")):
                digest.update(f"{name}/{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_rehearsal(rows: Rows) -> bool:
    """Whether the record says that its participants are virtual."""
    return any(
        row["what"] == "study_created" and str(row["details"]).startswith("rehears") for row in rows.where(MILESTONE)
    )


def material_of_store(
    study: str, open_store: Store, closed_store: Store | None, *, pooled: bool = False, language: str = "en"
) -> Material:
    """The record as it stands: with the real allocation after the final unblinding, else with a dummy.

    Args:
        study: id of the study.
        open_store: of its open space.
        closed_store: of its closed space, once the study is unblinded.
        pooled: an open report to the committee, which shows nothing by arm; the closed space is then not looked at.
        language: of labels and words.

    Raises:
        StillBlinded: the closed space was given before the final unblinding.
        PlanNotMapped: see :func:`~trialwright.exports.adam.adam_package`.
    """
    closed = None if pooled else closed_store
    sdtm = sdtm_of_store(study, open_store, closed, language=language)
    builds = builds_on_record(open_store.ledger(f"{study}/open"))
    reading = Reading(open_store.rows, builds, closed.rows if closed is not None else None, language)
    kind = Kind.OPEN_TO_COMMITTEE if pooled else Kind.BLINDED if sdtm.package.watermark else Kind.FINAL
    return _material(kind, sdtm, reading, language)


@dataclass(frozen=True)
class Cut:
    """A data cut: the record as it stood when somebody named it.

    Attributes:
        name: of the cut.
        size, root: of the open ledger at it.
        at: instant (UTC) at which it was made.
    """

    name: str
    size: int
    root: str
    at: str


def cut_of(rows: Rows, name: str) -> Cut:
    """The cut of this name.

    Raises:
        NotUnblinded: there is none.
    """
    row = rows.get(DATA_CUT, (name,))
    if row is None:
        known = ", ".join(str(each["cut"]) for each in rows.where(DATA_CUT)) or "none yet"
        raise NotUnblinded(
            f"there is no data cut {name[:40]!r}", remedy=f"name a cut that was made: {known}", cut=name
        )
    return Cut(name, int(row["size"] or 0), str(row["root"]), str(row["made_at"]))


def joined_at(cut: Cut, randomised: Iterable[str], closed_rows: Rows, labels: Mapping[str, str]) -> Mapping[str, str]:
    """Participant → allocation, of everybody randomised at the cut.

    Args:
        cut: the data cut.
        randomised: participants at the cut.
        closed_rows: of the closed space as it stands, which holds who was joined to the cut.
        labels: what the workspace showed once the use was recorded; where empty, what the final unblinding disclosed.

    Raises:
        NotUnblinded: the record does not say that these allocations were joined to this cut, or a label is missing.
    """
    people = tuple(randomised)
    looks = [row for row in closed_rows.where(LOOK) if row["purpose"] == "data_cut" and row["about"] == cut.name]
    missing = sorted(set(people) - {str(row["participant"]) for row in looks})
    if not looks or missing:
        what = f"allocations of {len(missing)} participants were" if looks else "no allocation was"
        raise NotUnblinded(
            f"{what} joined to the data cut {cut.name}, as far as the record says",
            remedy="the independent statistician gives DiscloseForDataCut for everybody randomised at the cut first",
            cut=cut.name,
        )
    known = dict(labels) or {str(row["participant"]): str(row["label"]) for row in closed_rows.where(ALLOCATION)}
    unlabelled = sorted(set(people) - set(known))
    if unlabelled:
        raise NotUnblinded(
            f"{len(unlabelled)} joined participants have no allocation in what was given",
            remedy="give the file that the workspace wrote when the allocations were joined",
            participants=unlabelled,
        )
    return {participant: known[participant] for participant in people}


def material_at_cut(
    study: str,
    builds: Mapping[str, Build],
    cut: Cut,
    open_facts: Iterable[Fact],
    closed_facts: Iterable[Fact],
    *,
    closed_rows: Rows | None = None,
    labels: Mapping[str, str] | None = None,
    language: str = "en",
) -> Material:
    """The record as it stood at a data cut, folded anew from the ledger.

    Args:
        study: id of the study.
        builds: approved builds by id.
        cut: the cut.
        open_facts, closed_facts: of the two ledgers, from their beginning; what came after the cut is not looked at.
        closed_rows: of the closed space as it stands, for a closed report; None for an open one, all together.
        labels: allocations that the workspace showed; see :func:`joined_at`.
        language: of labels and words.

    Raises:
        NotUnblinded: see :func:`joined_at`.
    """
    until = [fact for _, fact in zip(range(cut.size), open_facts, strict=False)]
    blinded = any(build.study.identity.blinding.kind == "blinded" for build in builds.values())
    opened = _folded(until, *([Space.OPEN] if blinded else Space))
    snapshot = Snapshot(f"{study}/open", cut.size, cut.root, cut.at[:19] + "Z", trialwright.__version__)
    approved = _approved(builds, opened)
    closed: MemoryRows | None = None
    if closed_rows is not None:
        people = [str(row["participant"]) for row in opened.where(RANDOMISATION)]
        allocated = joined_at(cut, people, closed_rows, labels or {})
        closed = _folded((fact for fact in closed_facts if fact.at <= cut.at), Space.CLOSED)
        for participant, label in allocated.items():
            row: Row = {"participant": participant, "label": label}
            closed.put(ALLOCATION, row)
    sdtm = sdtm_package(
        opened, approved, snapshot, closed_rows=closed, collections=_collections(until), language=language
    )
    reading = Reading(opened, approved, closed, language)
    kind = Kind.CLOSED_TO_COMMITTEE if closed is not None else Kind.OPEN_TO_COMMITTEE
    return replace(_material(kind, sdtm, reading, language), cut=cut.name)


def _material(kind: Kind, sdtm: SdtmExport, reading: Reading, language: str) -> Material:
    adam = adam_package(sdtm.package, reading.study, reading.open, language=language)
    return Material(kind, AnalysisPlan(reading.study, adam), adam, sdtm, reading, Words(language))


def _folded(facts: Iterable[Fact], *spaces: Space) -> MemoryRows:
    projector, rows = Projector(VIEWS, frozenset(spaces)), MemoryRows()
    rows.ensure(projector.tables)
    projector.project(facts, rows)
    return rows


def _approved(builds: Mapping[str, Build], opened: Rows) -> Mapping[str, Build]:
    """The builds that were approved by then."""
    known = {
        str(row["details"]).rpartition("build ")[2]
        for row in opened.where(MILESTONE)
        if row["what"] == "build_approved"
    }
    return {name: build for name, build in builds.items() if name[:12] in known}


def _collections(facts: Iterable[Fact]) -> tuple[Collection, ...]:
    events = (fact.event for fact in facts)
    return tuple(
        Collection(event.participant, event.label, event.slot, event.date, event.volume_ml)
        for event in events
        if isinstance(event, ProductCollected)
    )

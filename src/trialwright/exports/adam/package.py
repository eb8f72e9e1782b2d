"""The whole of ADaM: from a tabulation package, the study and the decisions of the blind review."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialwright.exports.adam.events import AdverseEvents
from trialwright.exports.adam.notes import AdamNote
from trialwright.exports.adam.outcomes import Measurements, Outcomes, method_of
from trialwright.exports.adam.people import SubjectLevel, decisions_of
from trialwright.exports.adam.survival import Survival
from trialwright.exports.adam.words import PlanWords
from trialwright.exports.datasets import Method, Package, Standard
from trialwright.foundation.tables import Rows
from trialwright.protocol import Study

IG_VERSION = "1.3"

METHODS = (
    Method("POPULATION", "Population", "As the blind review decided; before it, everybody randomised, and for the "
           "safety set everybody treated."),
    Method("TREATMENT", "Planned treatment", "The arm that the allocated arm or sequence gives in the period."),
    Method("DAYS", "Date as a number", "Days since 1 January 1960 of a full date; a partial date gives none."),
    Method("STATUS", "End of study", "COMPLETED, DISCONTINUED or ONGOING, from the disposition on record."),
    Method("AVAL", "Analysis value", "The numeric standard result of the record named in SRCDOM and SRCSEQ."),
    Method("BASE", "Baseline", "The last value at the visit that the plan names as baseline."),
    Method("CHG", "Change", "AVAL - BASE, after the baseline visit.", expression="AVAL - BASE"),
    Method("PCHG", "Percent change", "100 * CHG / BASE; none where BASE is 0.", expression="100 * CHG / BASE"),
    Method("ANALYSED", "Analysed record", "The last value of a visit that the plan looks at."),
    Method("TIME", "Time to event", "Days from the first treatment, which is day 1, to the first visit with the "
           "event; without one, censored at the last visit seen without it. An event that is written down when it "
           "happens has its own date; without one, censored at the endpoint's last encounter, or where that was "
           "missed, at the last visit or the end of the study, whichever is later."),
    Method("GRADE", "Grade", "The grade as a number."),
    Method("EMERGENT", "After which treatment", "An event that began on or after the first dose; its period and "
           "treatment are those of the last dose before or on the day it began."),
)  # fmt: skip


@dataclass(frozen=True)
class AdamExport:
    """The package, how it names the words of the plan, and what a reader must know."""

    package: Package
    words: PlanWords
    notes: tuple[AdamNote, ...]


def adam_package(sdtm: Package, study: Study, open_rows: Rows, *, language: str = "en") -> AdamExport:
    """The analysis data sets.

    Args:
        sdtm: the tabulation package, with the real or a dummy allocation; a dummy's watermark goes along.
        study: as last approved; its plan says which parameters and visits.
        open_rows: views of the open space, for decisions of the blind review, strata and dispositions.
        language: of labels.

    Raises:
        PlanNotMapped: the plan looks at an item that the tabulation data sets do not hold.
    """
    words = PlanWords(study, language)
    people = SubjectLevel(study, words, sdtm, decisions_of(open_rows))
    measurements = Measurements(sdtm, words)
    outcomes = Outcomes(words, people, measurements)
    survival = Survival(words, people, measurements)
    events = AdverseEvents(words, people, sdtm, study)
    found = (people.dataset(), outcomes.dataset(), survival.dataset(), events.dataset())
    datasets = tuple(dataset for dataset in found if dataset is not None)
    methods = (*METHODS, *_flag_methods(words))
    used = {variable.method for dataset in datasets for variable in dataset.variables}
    package = Package(
        study=sdtm.study,
        title=sdtm.title,
        protocol=sdtm.protocol,
        purpose="Analysis",
        standards=(Standard("ADAMIG", "ADaMIG", "IG", IG_VERSION),),
        datasets=datasets,
        codelists=(),
        methods=tuple(method for method in methods if method.id in used),
        created=sdtm.created,
        source=sdtm.source,
        watermark=sdtm.watermark,
        language=language,
    )
    return AdamExport(package, words, (*people.notes, *outcomes.notes, *survival.notes, *events.notes))


def _flag_methods(words: PlanWords) -> Iterator[Method]:
    """What each further analysis flag leaves out, and of which strategy that is."""
    for flag, events in words.left_out.items():
        if events:
            after = "; ".join(
                f"{one.label} ({one.target.domain}.{one.target.variable}, {one.strategy})" for one in events
            )
            described = f"As ANL01FL, but no value after the day on which one of these began: {after}."
            yield Method(method_of(flag), f"Analysed record, {flag}", described)

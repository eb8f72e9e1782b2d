"""The public page of a study as data: a function of build and record, so that nothing on it is typed twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialwright.build import Build
from trialwright.finder.journey import Journey, journey
from trialwright.finder.languages import Said, chosen, say
from trialwright.finder.markup import Block, blocks
from trialwright.finder.screener import CriterionLine, PreScreener
from trialwright.finder.status import OnRecord, Status, status_of
from trialwright.foundation.truth import Truth
from trialwright.protocol import Review, questions_digest, review_of, review_of_questions
from trialwright.protocol.study import Identifier, RegisterField, Site

SECTIONS = (
    "status", "about", "journey", "who", "where", "burden", "treatment", "disease", "registers", "results",
    "other_trials",
)  # fmt: skip
"""The sections of every page, in their order: those of the page this project began with, and of the lay summary that
EU regulations ask for. A text with another section has it at the end."""

OLDEST = 120
"""Ages that are tried to find the bounds."""


@dataclass(frozen=True, slots=True)
class PageSection:
    """One section: its heading and what an author wrote below it."""

    id: str
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSite:
    """A hospital, with what the record says about it.

    Attributes:
        site: as declared.
        recruiting: takes new participants now; None where no trial is running or it is not active yet.
        active_since: ISO date, or None.
    """

    site: Site
    recruiting: bool | None
    active_since: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArm:
    """What may be given."""

    id: str
    label: Said
    description: Said
    kind: str


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a group is: ``share`` out of ``total``; ``receives`` are the arms in the order they are given."""

    label: Said
    share: int
    total: int
    receives: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPage:
    """Everything the page says.

    Attributes:
        study, acronym, phase, build, version: as declared and compiled.
        language: asked for.
        text_language: of the sections; another one where nobody has written them in the language asked for.
        review: whether the text in that language is the one that was reviewed.
        questions_review: the same of the questions and criteria in that language.
        updated, update_source: of the text.
        title: the page's own; ``official_title``, ``condition`` and ``objective`` are the study's.
        status: whether people can join.
        record: what the running trial says, or None.
        ages: youngest and oldest who fit the criteria on age; None where there is no such bound.
        planned_participants: how many are planned.
        sections: in the order of :data:`SECTIONS`.
        journey, arms, chances, criteria, sites, identifiers, drift: what the sections show beside their text.
            ``drift`` are register fields on which public places disagree.
        crossover: everybody gets every arm of their order.
        other_trials: ids that the study suggests.
    """

    study: str
    acronym: str
    phase: str
    build: str
    version: str
    language: str
    text_language: str
    review: Review
    questions_review: Review
    updated: str
    update_source: str
    title: str
    official_title: Said
    condition: Said
    objective: Said
    sponsor: str
    status: Status
    record: OnRecord | None
    ages: tuple[int | None, int | None]
    planned_participants: int
    sections: tuple[PageSection, ...]
    journey: Journey
    arms: tuple[PageArm, ...]
    chances: tuple[Chance, ...]
    crossover: bool
    blinded: bool
    criteria: tuple[CriterionLine, ...]
    sites: tuple[PageSite, ...]
    identifiers: tuple[Identifier, ...]
    drift: tuple[RegisterField, ...]
    other_trials: tuple[str, ...]

    @property
    def fell_back(self) -> bool:
        """The sections are not in the language asked for."""
        return self.text_language != self.language

    @property
    def is_production(self) -> bool:
        """A real trial: structured data, contact form, no banner. Everything else is a demonstration."""
        return self.record is not None and self.record.is_production

    def section(self, name: str) -> PageSection | None:
        """The section of that id, or None."""
        return next((section for section in self.sections if section.id == name), None)


def public_page(build: Build, record: OnRecord | None, language: str) -> PublicPage:
    """The page in one language.

    Args:
        build: the build in force.
        record: of :func:`~trialwright.finder.status.on_record`, or None where no trial is running.
        language: that the reader asks for; what is not written in it is in another, and says so.
    """
    study, identity = build.study, build.study.identity
    reference = identity.languages[0]
    text_language = chosen(study.public, language, reference)
    text = study.public[text_language]
    return PublicPage(
        study=identity.id,
        acronym=identity.acronym,
        phase=identity.phase,
        build=build.id,
        version=identity.version,
        language=language,
        text_language=text_language,
        review=review_of(text),
        questions_review=review_of_questions(
            text, questions_digest(study.eligibility, study.terminology, text_language)
        ),
        updated=text.head.updated,
        update_source=text.head.update_source,
        title=text.head.title,
        official_title=say(identity.title, language, reference),
        condition=say(identity.condition, language, reference),
        objective=say(identity.objective, language, reference),
        sponsor=identity.sponsor.name,
        status=status_of(build, record, text.head.updated),
        record=record,
        ages=ages(build),
        planned_participants=identity.planned_participants,
        sections=tuple(
            PageSection(section.id, section.heading, blocks(section.text))
            for section in sorted(text.sections, key=lambda section: _place(section.id))
        ),
        journey=journey(build, language),
        arms=tuple(
            PageArm(
                id=arm.id,
                label=say(arm.label, language, reference),
                description=say(arm.description, language, reference),
                kind=arm.kind,
            )
            for arm in identity.arms
        ),
        chances=_chances(build, language),
        crossover=identity.design == "crossover",
        blinded=identity.blinding.kind == "blinded",
        criteria=PreScreener(build).criteria(language),
        sites=tuple(_site(site, record) for site in identity.sites),
        identifiers=identity.identifiers,
        drift=tuple(field for field in identity.registers if len(_said(field.values)) > 1),
        other_trials=identity.other_trials,
    )


def ages(build: Build) -> tuple[int | None, int | None]:
    """The youngest and the oldest who fit every criterion that reads nothing but the fact ``age``.

    Found by asking the criteria, so it is right for any way they are written. None: no bound on that side.
    """
    fitting = [age for age in range(OLDEST + 1) if takes_age(build, age)]
    if not fitting:
        return None, None
    return (fitting[0] or None), (fitting[-1] if fitting[-1] < OLDEST else None)


def takes_age(build: Build, age: int) -> bool:
    """Whether no criterion on age alone refuses that age, in whole years."""
    for criterion in build.criteria.values():
        condition = criterion.condition
        if condition is None or {reference.key for reference in condition.references} != {"age"}:
            continue
        if criterion.verdict({"age": age}).truth is Truth.NO:
            return False
    return True


def _place(section: str) -> int:
    return SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)


def _said(values: Mapping[str, str | None]) -> set[str]:
    return {value for value in values.values() if value is not None}


def _site(site: Site, record: OnRecord | None) -> PageSite:
    return PageSite(
        site=site,
        recruiting=record.sites.get(site.id) if record is not None else None,
        active_since=record.activated.get(site.id) if record is not None else None,
    )


def _chances(build: Build, language: str) -> tuple[Chance, ...]:
    identity, ratio = build.study.identity, build.study.randomisation.ratio
    reference = identity.languages[0]
    arms = {arm.id: say(arm.label, language, reference) for arm in identity.arms}
    total = sum(ratio.values())
    if build.study.randomisation.unit == "arm":
        return tuple(Chance(arms[name], share, total, (arms[name],)) for name, share in ratio.items() if name in arms)
    return tuple(
        Chance(
            say(sequence.label, language, reference),
            ratio[sequence.id],
            total,
            tuple(arms[sequence.arms[period.id]] for period in identity.periods if period.id in sequence.arms),
        )
        for sequence in identity.sequences
        if sequence.id in ratio
    )

"""How a participant stands against the criteria: on record, as the data say now, and what to find out next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from trialwright.build import Build, CompiledCriterion, ItemReference
from trialwright.build.scopes import fact_scope
from trialwright.expressions import Compiled, Type, Value, admit, ask_next, compile_python, inputs, parse
from trialwright.foundation.truth import Truth
from trialwright.protocol.eligibility import Fact
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.consent.state import Consent
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.enrolment.assessment import (
    DOCTOR,
    Judgement,
    assess,
    eligibility_facts,
    is_current,
    shown_assessment,
)
from trialwright.trial.enrolment.events import CriteriaAssessed, CriterionVerdict
from trialwright.trial.enrolment.state import Enrolment
from trialwright_web.capture.addresses import address
from trialwright_web.capture.eligibility_words import Because, because, fact_name, reader
from trialwright_web.capture.words import JUDGEMENTS, VERDICTS
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.record_words import form_words
from trialwright_web.shell.templatetags.shell import in_language, local_time
from trialwright_web.shell.words import Words


@dataclass(frozen=True)
class Source:
    """Where a fact comes from: a form of the screening or the record's consent, with its address."""

    words: str
    address: str


@dataclass(frozen=True)
class CriterionLine:
    """A criterion with the verdict that the data and judgements on record give now.

    Args:
        verdict: yes (fits), no or unknown.
        recorded: the verdict of the assessment on record; empty before the first.
        why: the investigator's comment; of a criterion that the data decide, as the record says it.
        because: of a criterion that the data decide: its condition as a sentence, with the values it saw.
        judged: whether the investigator decides it.
    """

    id: str
    kind: str
    text: str
    verdict: str
    recorded: str
    why: str
    judged: bool
    sources: tuple[Source, ...]
    because: Because | None

    @property
    def words(self) -> Words:
        return VERDICTS[self.verdict][0]

    @property
    def tone(self) -> str:
        return VERDICTS[self.verdict][1]

    @property
    def choices(self) -> Mapping[str, Words]:
        """What the doctor may judge, in words."""
        return JUDGEMENTS[self.kind]

    @property
    def changed(self) -> bool:
        """Whether assessing again would say something else."""
        return bool(self.recorded) and self.recorded != self.verdict


@dataclass(frozen=True)
class FreeFact:
    """A fact that neither form nor record holds: the investigator states it."""

    fact: Fact
    words: str
    value: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Standing:
    """Eligibility of one participant.

    Args:
        eligible: as the data and judgements on record say now.
        next: the fact to find out next, with where it is entered; None when nothing can be asked.
        assessed: the assessment on record.
        current: nothing changed since.
        shown: hash of the assessment on record, which a sign-off covers.
    """

    lines: tuple[CriterionLine, ...]
    free: tuple[FreeFact, ...]
    eligible: str
    next: tuple[str, tuple[Source, ...]] | None
    assessed: CriteriaAssessed | None
    current: bool
    shown: str
    signed_off_on: str

    @property
    def words(self) -> Words:
        return VERDICTS[self.eligible][0]

    @property
    def tone(self) -> str:
        return VERDICTS[self.eligible][1]

    @property
    def ready_to_sign(self) -> bool:
        """An assessment stands, says yes, and nothing changed since."""
        return self.assessed is not None and self.assessed.eligible == Truth.YES.value and self.current

    def undecided(self) -> tuple[CriterionLine, ...]:
        """Criteria that are not met or not known."""
        return tuple(line for line in self.lines if line.verdict != Truth.YES.value)


def standing(desk: Desk, participant: str) -> Standing:
    """See the module."""
    person = desk.participant(participant)
    build = desk.build_at(str(person["site"]))
    state = desk.trial.state()
    enrolment, consent = state.of(Enrolment, participant), state.of(Consent, participant)
    before, book = enrolment.assessed, state.of(CaseBook, participant)
    stated = dict(before.stated) if before else {}
    judged = (
        {v.criterion: Judgement(Truth(v.verdict), v.why) for v in before.verdicts if v.by == DOCTOR} if before else {}
    )
    known = {name: judgement for name, judgement in judged.items() if name in build.criteria}
    free = {name: text for name, text in stated.items() if _is_free(build, name)}
    now = assess(participant, build, book, consent, free, known)
    facts = eligibility_facts(build, book, consent, free)
    recorded = {verdict.criterion: verdict.verdict for verdict in before.verdicts} if before else {}
    return Standing(
        lines=tuple(_line(desk, participant, build, verdict, recorded, facts) for verdict in now.verdicts),
        free=tuple(_free(build, free)),
        eligible=now.eligible,
        next=_next(desk, participant, build, facts),
        assessed=before,
        current=is_current(state, participant, build),
        shown=shown_assessment(before) if before else "",
        signed_off_on=enrolment.signed_off_on,
    )


def _is_free(build: Build, name: str) -> bool:
    return name in build.facts and build.facts[name].is_stated


def is_judged(compiled: CompiledCriterion) -> bool:
    """Whether the investigator decides the criterion."""
    return compiled.criterion.decides == DOCTOR or compiled.condition is None


def _line(
    desk: Desk,
    participant: str,
    build: Build,
    verdict: CriterionVerdict,
    recorded: Mapping[str, str],
    values: Mapping[str, Value],
) -> CriterionLine:
    compiled = build.criteria[verdict.criterion]
    said = None if is_judged(compiled) or compiled.condition is None else compiled.condition.compiled
    excludes = compiled.criterion.kind == "exclusion"
    facts = [reference.key for reference in compiled.condition.references] if compiled.condition else []
    found = dict.fromkeys(source for name in facts for source in _sources(desk, participant, build, name))
    return CriterionLine(
        id=verdict.criterion,
        kind=compiled.criterion.kind,
        text=in_language(compiled.criterion.text),
        verdict=verdict.verdict,
        recorded=recorded.get(verdict.criterion, ""),
        why=verdict.why,
        judged=is_judged(compiled),
        sources=tuple(found),
        because=because(build, said, values, excludes=excludes) if said is not None else None,
    )


def _sources(desk: Desk, participant: str, build: Build, fact: str) -> Iterator[Source]:
    """The forms that a fact is taken from, or the consent that the record knows."""
    compiled = build.facts.get(fact)
    if compiled is not None and compiled.fact.record is not None:
        page = address("capture:participant", desk.study, participant)
        yield Source(_consent_words(desk, participant), f"{page}#consent")
    references: tuple[ItemReference, ...] = compiled.source.references if compiled and compiled.source else ()
    for form in dict.fromkeys(reference.form for reference in references if reference.form):
        where = address("capture:form", desk.study, participant, build.study.eligibility.encounter, form, 1)
        yield Source(form_words(build, form), where)


def _consent_words(desk: Desk, participant: str) -> str:
    """What the record knows of consent, and since when: the participant's last signature, refusal or withdrawal."""
    zone = desk.zone(str(desk.participant(participant)["site"]))
    rows = [row for row in desk.rows.where(CONSENT_LOG, participant=participant) if row["what"] != "countersigned"]
    if not rows:
        return _("no consent yet")
    day, version = local_time(rows[-1]["happened"], zone), rows[-1]["version"]
    said = {
        "signed": _("consent signed %(day)s, version %(version)s"),
        "refused": _("consent refused %(day)s"),
        "withdrawn": _("consent withdrawn %(day)s"),
    }
    return said[str(rows[-1]["what"])] % {"day": day, "version": version}


def _free(build: Build, stated: Mapping[str, str]) -> Iterator[FreeFact]:
    for name, compiled in build.facts.items():
        if compiled.is_stated:
            codes = build.study.terminology.get(compiled.fact.codelist or "")
            choices = tuple((code.code, in_language(code.label)) for code in codes.codes) if codes else ()
            yield FreeFact(compiled.fact, fact_words(build, name), stated.get(name, ""), choices)


def fact_words(build: Build, fact: str) -> str:
    """A fact in words, as a sentence begins."""
    name = fact_name(build, build.facts[fact], reader())
    return f"{name[:1].upper()}{name[1:]}"


def _next(
    desk: Desk, participant: str, build: Build, facts: Mapping[str, Value]
) -> tuple[str, tuple[Source, ...]] | None:
    """What decides most for the least burden, of all that is not known."""
    asking = _asking(build)
    row = admit(asking.inputs, facts)
    costs = {fact.id: float(fact.cost) for fact in build.study.eligibility.facts}
    asked = ask_next(asking.fits, row, costs)
    if asked is None:
        return None
    return fact_words(build, asked.key), tuple(_sources(desk, participant, build, asked.key))


@dataclass(frozen=True)
class _Asking:
    """Conditions that must all hold (an exclusion is turned about), and the facts that they read with their types."""

    fits: tuple[Compiled, ...]
    inputs: Mapping[str, Type]


_KNOWN: dict[str, _Asking] = {}
"""By build; a process sees few."""


def _asking(build: Build) -> _Asking:
    if build.id not in _KNOWN:
        scope = fact_scope(build.study)
        parsed = [parse(text, name) for name, text in _conditions(build)]
        read = {key: type_ for one in parsed for key, type_ in inputs(one, scope).items()}
        _KNOWN[build.id] = _Asking(tuple(compile_python(one, scope) for one in parsed), read)
    return _KNOWN[build.id]


def _conditions(build: Build) -> Iterator[tuple[str, str]]:
    for criterion in build.study.eligibility.criteria:
        if criterion.expression is not None and criterion.decides != DOCTOR:
            text = criterion.expression
            yield criterion.id, text if criterion.kind == "inclusion" else f"not ({text})"

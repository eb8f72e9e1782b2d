"""From the case book to facts, from facts to verdicts. Pure: the same data give the same assessment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from trialwright.build import Build, CompiledCriterion, CompiledFact, Field, parse_item_value, value_of
from trialwright.expressions import Answer, IntegerType, Missing, QuantityType, Type, Value, Verdict
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity
from trialwright.foundation.truth import Truth, all_of
from trialwright.ledger import canonical
from trialwright.protocol.eligibility import Fact
from trialwright.protocol.forms import Item
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.consent.state import Consent
from trialwright.trial.enrolment.events import CriteriaAssessed, CriterionVerdict
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import encode
from trialwright.trial.state import State

MACHINE, DOCTOR = "machine", "doctor"


@dataclass(frozen=True)
class Judgement:
    """What the investigator says of a criterion that the doctor decides.

    Args:
        verdict: yes (the participant fits), no or unknown.
        comment: why.
    """

    verdict: Truth
    comment: str = ""


def eligibility_facts(build: Build, book: CaseBook, consent: Consent, stated: Mapping[str, str]) -> dict[str, Value]:
    """The value of every fact of the study for one participant.

    Args:
        build: the study in force at the site.
        book: what the forms hold; facts are taken at the eligibility encounter.
        consent: what the record knows of the participant's consent.
        stated: facts that neither form nor record holds, as the investigator stated them.

    Raises:
        InvalidValue: a stated text that cannot be a value of its fact.
    """
    return {name: _value(build, book, consent, fact, stated.get(name)) for name, fact in build.facts.items()}


def verdicts(
    build: Build, facts: Mapping[str, Value], judgements: Mapping[str, Judgement]
) -> tuple[CriterionVerdict, ...]:
    """Every criterion's verdict, in the order of the study file; unknown stays unknown."""
    return tuple(_verdict(criterion, facts, judgements) for criterion in build.criteria.values())


def eligible(found: tuple[CriterionVerdict, ...]) -> Truth:
    """Whether the participant fits every criterion."""
    return all_of(Truth(verdict.verdict) for verdict in found)


def in_words(facts: Mapping[str, Value]) -> dict[str, str]:
    """Fact → value as the record shows it; missing facts are left out."""
    return {name: _shown(value) for name, value in facts.items() if not _absent(value)}


def assess(
    participant: str,
    build: Build,
    book: CaseBook,
    consent: Consent,
    stated: Mapping[str, str],
    judgements: Mapping[str, Judgement],
) -> CriteriaAssessed:
    """The whole assessment as the event that would record it."""
    facts = eligibility_facts(build, book, consent, stated)
    found = verdicts(build, facts, judgements)
    return CriteriaAssessed(
        participant=participant,
        verdicts=found,
        facts=in_words(facts),
        stated=dict(stated),
        eligible=eligible(found).value,
    )


def is_current(state: State, participant: str, build: Build) -> bool:
    """Whether assessing again now, under the same build, would give what was assessed."""
    enrolment = state.of(Enrolment, participant)
    before = enrolment.assessed
    if before is None or enrolment.assessed_build != build.id:
        return False
    judged = {v.criterion: Judgement(Truth(v.verdict), v.why) for v in before.verdicts if v.by == DOCTOR}
    book, consent = state.of(CaseBook, participant), state.of(Consent, participant)
    return assess(participant, build, book, consent, before.stated, judged) == before


def shown_assessment(assessed: CriteriaAssessed) -> str:
    """SHA-256 (hex) over the assessment in canonical JSON: what the investigator's signature covers."""
    return sha256(canonical(encode(assessed))).hexdigest()


def stratum_levels(build: Build, site: str, facts: Mapping[str, Value]) -> dict[str, str | None]:
    """Factor → the participant's level, None where facts do not decide it; the site first where lists are by site."""
    randomisation = build.study.randomisation
    levels: dict[str, str | None] = {"site": site} if randomisation.by_site else {}
    for name, stratum in build.strata.items():
        levels[name] = stratum.level(facts)
    return levels


def _value(build: Build, book: CaseBook, consent: Consent, fact: CompiledFact, stated: str | None) -> Value:
    if fact.source is not None:
        return _from_forms(build, book, fact)
    return _consented(consent) if fact.fact.record is not None else _stated(build, fact.fact, stated)


def _consented(consent: Consent) -> Value:
    """In force, refused or withdrawn; unknown while nobody has answered."""
    if consent.in_force:
        return True
    return False if consent.version or consent.refused else None


def _from_forms(build: Build, book: CaseBook, fact: CompiledFact) -> Value:
    source = fact.source
    assert source is not None  # asked only for facts with one
    here = build.study.eligibility.encounter
    row = book.row(build, source.references, here)
    if len(source.references) == 1 and source.text.strip() == source.references[0].key:
        # As entered: a partial date stays an interval, a quantity keeps its unit.
        value = row.get(source.references[0].key)
    else:
        value = _answered(source.evaluate(row), source.type)
    if fact.fact.world == "closed" and fact.fact.type == "boolean" and _absent(value):
        forms = {reference.form for reference in source.references}
        # What a complete form does not mention did not happen; without the form nothing is known.
        if all(book.peek((here, form or "", 1)).complete for form in forms):
            return False
    return value


def _answered(answer: Verdict | Answer, type_: Type) -> Value:
    if isinstance(answer, Verdict):
        return answer.truth.as_bool() if answer.truth is not Truth.UNKNOWN else Missing(_reason(answer))
    value = answer.value
    if value is None:
        return Missing(_reason(answer))
    if not isinstance(value, float):
        return value
    if isinstance(type_, QuantityType):
        return Quantity(_decimal(value), type_.unit)
    return int(value) if isinstance(type_, IntegerType) else Decimal(_decimal(value))


def _decimal(value: float) -> str:
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def _reason(answer: Verdict | Answer) -> MissingReason:
    for reason in answer.reasons:
        if isinstance(reason.why, MissingReason):
            return reason.why
    return MissingReason.UNKNOWN


def _stated(build: Build, fact: Fact, text: str | None) -> Value:
    if text is None:
        return None
    kind = "partial_date" if fact.type == "date" else fact.type
    item = Item(id=fact.id, label={}, type=kind, units=(fact.unit,) if fact.unit else (), codelist=fact.codelist)
    codelist = build.study.terminology.get(fact.codelist or "")
    field = Field("eligibility", item, tuple(code.code for code in codelist.codes) if codelist else ())
    return value_of(field, parse_item_value(field, text))


def _verdict(
    compiled: CompiledCriterion, facts: Mapping[str, Value], judgements: Mapping[str, Judgement]
) -> CriterionVerdict:
    criterion = compiled.criterion
    if criterion.decides == "doctor" or compiled.condition is None:
        judgement = judgements.get(criterion.id, Judgement(Truth.UNKNOWN))
        return CriterionVerdict(
            criterion=criterion.id, verdict=judgement.verdict.value, by=DOCTOR, why=judgement.comment
        )
    return CriterionVerdict(
        criterion=criterion.id,
        verdict=compiled.verdict(facts).truth.value,
        by=MACHINE,
        why="; ".join((compiled.condition.text, *_seen(compiled, facts))),
    )


def _seen(compiled: CompiledCriterion, facts: Mapping[str, Value]) -> Iterator[str]:
    assert compiled.condition is not None
    for reference in compiled.condition.references:
        value = facts.get(reference.key)
        if isinstance(value, Missing):
            yield f"{reference.key}: missing ({value.reason.label})"
        else:
            yield f"{reference.key}: {'missing' if value is None else _shown(value)}"


def _absent(value: Value) -> bool:
    return value is None or isinstance(value, Missing)


def _shown(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case PartialDate():
            return value.text
        case date():
            return value.isoformat()
        case Quantity():
            return f"{value.text} {value.unit}"
        case _:
            return str(value)

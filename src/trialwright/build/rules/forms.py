"""Rules about ``forms/*.yaml`` and ``terminology/*.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from trialwright.build.compile import form_units
from trialwright.build.formulas import compile_instrument
from trialwright.build.possibilities import truths
from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.units import UnknownUnit, commensurable, unit
from trialwright.protocol.findings import Severity
from trialwright.protocol.forms import Form, Item, Range
from trialwright.protocol.roles import SITE_ROLES, Role

_NUMBERS = ("integer", "decimal", "quantity", "scale")


@rule(
    "TW060",
    "An item has the parts that its type needs",
    why="A quantity without a unit, a code without a list, or a scale without ends cannot be entered or compared.",
    bad="- {id: weight, type: quantity}",
    good="- {id: weight, type: quantity, units: [kg]}",
)
def items_complete(context: StudyContext) -> Iterator[Problem]:
    """Units, code list, decimals, bounds, by type."""
    for file, path, _, item in context.items():
        for message, remedy in _parts_wrong(item):
            yield Problem(file, path, f"{item.id} ({item.type}) {message}", remedy)


def _parts_wrong(item: Item) -> Iterator[tuple[str, str]]:
    if (item.type == "quantity") != bool(item.units):
        yield (
            ("has no unit", "add units") if not item.units else ("has units", "remove them, or write type: quantity")
        )
    if (item.type == "code") != (item.codelist is not None):
        yield ("has no code list", "add codelist") if item.codelist is None else ("has a code list", "remove it")
    if item.decimals is not None and item.type not in ("decimal", "quantity"):
        yield "has decimals", "remove them"
    if item.type not in _NUMBERS and (item.range or item.possible):
        yield "has a range", "remove it; a check can compare dates and codes"
    bounds = item.possible or item.range
    if item.type == "scale" and (bounds is None or bounds.low is None or bounds.high is None):
        yield "does not say where it begins and ends", "add possible: {low: …, high: …}"


@rule(
    "TW061",
    "A code list that is named exists",
    why="A field without choices cannot be filled.",
    bad="- {id: sex, type: code, codelist: sexx}",
    good="- {id: sex, type: code, codelist: sex}",
)
def lists_exist(context: StudyContext) -> Iterator[Problem]:
    """Items and laboratory measurements."""
    known = context.study.terminology
    for file, path, _, item in context.items():
        if item.codelist is not None and item.codelist not in known:
            yield unknown(file, (*path, "codelist"), "code list", item.codelist, known)
    for n, measurement in enumerate(context.study.custody.measurements if context.study.custody else ()):
        if measurement.codelist is not None and measurement.codelist not in known:
            path = ("measurements", n, "codelist")
            yield unknown("custody.yaml", path, "code list", measurement.codelist, known)


@rule(
    "TW062",
    "Units are UCUM codes",
    why="Only a unit with a known meaning can be converted and exported.",
    bad="units: [kilo]",
    good="units: [kg]",
)
def units_known(context: StudyContext) -> Iterator[Problem]:
    """Items, facts, measurements, doses, temperatures."""
    for file, path, code in _units(context):
        try:
            unit(code)
        except UnknownUnit as error:
            yield Problem(file, path, error.message, error.remedy)


def _units(context: StudyContext) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    for file, path, _, item in context.items():
        for n, code in enumerate(item.units):
            yield file, (*path, "units", n), code
    for n, fact in enumerate(context.study.eligibility.facts):
        if fact.unit is not None:
            yield "eligibility.yaml", ("facts", n, "unit"), fact.unit
    custody = context.study.custody
    if custody is not None:
        for n, measurement in enumerate(custody.measurements):
            if measurement.unit is not None:
                yield "custody.yaml", ("measurements", n, "unit"), measurement.unit
        yield "custody.yaml", ("dose", "unit"), custody.dose.unit
        yield "custody.yaml", ("transport", "unit"), custody.transport.unit


@rule(
    "TW063",
    "All units of an item measure the same",
    why="A value entered in kilograms cannot become centimetres, whatever the screen offers.",
    bad="units: [kg, cm]",
    good="units: [kg, g]",
)
def units_commensurable(context: StudyContext) -> Iterator[Problem]:
    """Every further unit against the first."""
    for file, path, _, item in context.items():
        for n, code in enumerate(item.units[1:], 1):
            try:
                same = commensurable(item.units[0], code)
            except UnknownUnit:  # TW062 says so
                continue
            if not same:
                message = f"{item.id}: {code} does not measure what {item.units[0]} does"
                yield Problem(file, (*path, "units", n), message, "remove it, or make it an item of its own")


@rule(
    "TW064",
    "A range begins below where it ends",
    why="In an inverted range every value is unusual, and every entry raises a query.",
    bad="range: {low: 200, high: 40}",
    good="range: {low: 40, high: 200}",
)
def ranges_upright(context: StudyContext) -> Iterator[Problem]:
    """``range`` and ``possible``."""
    for file, path, _, item in context.items():
        for key, bounds in (("range", item.range), ("possible", item.possible)):
            if bounds is not None and _inverted(bounds):
                yield Problem(file, (*path, key), f"{item.id}: {key} ends before it begins", "exchange low and high")


@rule(
    "TW065",
    "What is usual is possible",
    why="A value inside the usual range but outside the possible one is at the same time normal and absurd.",
    bad="range: {low: 40, high: 200}\npossible: {low: 50, high: 300}",
    good="range: {low: 40, high: 200}\npossible: {low: 20, high: 300}",
)
def ranges_nested(context: StudyContext) -> Iterator[Problem]:
    """``range`` inside ``possible``; inverted ones are TW064's."""
    for file, path, _, item in context.items():
        usual, possible = item.range, item.possible
        if usual is None or possible is None or _inverted(usual) or _inverted(possible):
            continue
        low, high = _number(usual.low), _number(usual.high)
        least, most = _number(possible.low), _number(possible.high)
        if (least is not None and low is not None and low < least) or (
            most is not None and high is not None and high > most
        ):
            yield Problem(file, (*path, "range"), f"{item.id}: the usual range goes beyond the possible", "narrow it")


@rule(
    "TW066",
    "A range has no more decimals than its item",
    why="A bound that nobody can enter shows that either the bound or the number of decimals is wrong.",
    bad="- {id: weight, type: quantity, units: [kg], decimals: 0, range: {low: 40.5, high: 200}}",
    good="- {id: weight, type: quantity, units: [kg], decimals: 1, range: {low: 40.5, high: 200}}",
)
def bounds_enterable(context: StudyContext) -> Iterator[Problem]:
    """Decimals of bounds."""
    for file, path, _, item in context.items():
        decimals = 0 if item.type in ("integer", "scale") else item.decimals
        if decimals is None:
            continue
        for key, bounds in (("range", item.range), ("possible", item.possible)):
            for side in ("low", "high"):
                text = getattr(bounds, side) if bounds is not None else None
                if text is not None and (Fraction(text) * 10**decimals).denominator != 1:
                    message = f"{item.id}: {text} has more decimals than can be entered ({decimals})"
                    yield Problem(file, (*path, key, side), message, "round it, or allow more decimals")


@rule(
    "TW067",
    "An item is computed in one way, from items of its form",
    why="A derivation that nobody can carry out leaves its item empty for ever.",
    bad="derive: {instrument: edss.scor, inputs: {visual: visual}}",
    good="derive: {instrument: edss.score, inputs: {visual: visual, …}}",
)
def derivations_work(context: StudyContext) -> Iterator[Problem]:
    """One of expression and instrument; the instrument, its arguments and its items exist."""
    for file, path, form, item in context.items():
        derive = item.derive
        if derive is None:
            continue
        where = (*path, "derive")
        if (derive.expression is None) == (derive.instrument is None):
            message = (
                f"{item.id} is computed by {'both' if derive.expression else 'neither'} of expression, instrument"
            )
            yield Problem(file, where, message, "give exactly one of them")
        elif derive.instrument is not None:
            try:
                compile_instrument(derive.instrument, derive.inputs, form=form.id, items=form_units(form))
            except InvalidValue as error:
                yield Problem(file, (*where, "instrument"), error.message, error.remedy)


@rule(
    "TW068",
    "Computed items do not depend on themselves",
    why="Two items that are each computed from the other have no value.",
    bad="- {id: a, derive: {expression: b + 1}, …}\n- {id: b, derive: {expression: a - 1}, …}",
    good="- {id: a, …}\n- {id: b, derive: {expression: a - 1}, …}",
)
def derivations_end(context: StudyContext) -> Iterator[Problem]:
    """Cycles among the derived items of a form."""
    for form in context.study.forms.values():
        needs = _needs(context, form)
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            path = next(p for _, p, f, item in context.items() if f is form and item.id == circle[0])
            message = f"computed items go in a circle: {' → '.join(circle)}"
            yield Problem(f"forms/{form.id}.yaml", (*path, "derive"), message, "compute one of them otherwise")


def _needs(context: StudyContext, form: Form) -> dict[str, set[str]]:
    needs: dict[str, set[str]] = {}
    own = {item.id for item in form.items()}
    for item in form.items():
        if item.derive is None:
            continue
        site = context.site("item_derive", form.id, item.id)
        if site is not None and site.compiled is not None:
            here = (r for r in site.compiled.references if r.form == form.id and r.encounter is None and not r.latest)
            needs[item.id] = {reference.item for reference in here}
        else:
            needs[item.id] = set(item.derive.inputs.values()) & own
    return needs


@rule(
    "TW069",
    "A condition for asking can hold, and can fail",
    why="An item whose condition never holds is never asked; one whose condition always holds needs none.",
    bad='when: sex == "F" and sex == "M"',
    good='when: sex == "F"',
)
def conditions_matter(context: StudyContext) -> Iterator[Problem]:
    """Conditions of items and of encounters."""
    for site in context.sites_for("item_when", "encounter"):
        if site.compiled is None or not site.answers_yes_or_no:
            continue
        answers = truths(site.compiled)
        if answers is not None and True not in answers:
            yield Problem(site.file, site.path, "the condition never holds", "correct it, or remove what it guards")
        elif truths(site.compiled, missing=False) == frozenset((True,)):
            yield Problem(site.file, site.path, "the condition always holds", "remove it")


@rule(
    "TW070",
    "A check can fire, and can be satisfied",
    why="A check that never fires gives false comfort; one that always fires trains people to ignore queries.",
    bad="expression: weight > 0 'kg' or weight <= 0 'kg'",
    good="expression: weight > 0 'kg'",
)
def checks_matter(context: StudyContext) -> Iterator[Problem]:
    """Edit checks, release criteria and gates."""
    for site in context.sites_for("check", "release", "gate"):
        if site.compiled is None or not site.answers_yes_or_no:
            continue
        answers = truths(site.compiled)
        if answers is not None and False not in answers:
            yield Problem(site.file, site.path, f"{site.owner[-1]} can never fire", "correct or remove it")
        elif answers is not None and True not in answers:
            yield Problem(site.file, site.path, f"{site.owner[-1]} can never be satisfied", "correct or remove it")


@rule(
    "TW071",
    "A check is attached to items that it looks at",
    why="A query on an item that the check does not mention asks the wrong question.",
    bad="- {id: tall, expression: height < 250 'cm', items: [weight], …}",
    good="- {id: tall, expression: height < 250 'cm', items: [height], …}",
)
def checks_attached(context: StudyContext) -> Iterator[Problem]:
    """``items`` of a check exist, and the first is in the expression or computed from what is."""
    for form in context.study.forms.values():
        file, own = f"forms/{form.id}.yaml", {item.id for item in form.items()}
        for n, check in enumerate(form.checks):
            for k, item in enumerate(check.items):
                if item not in own:
                    yield unknown(file, ("checks", n, "items", k), f"item of {form.id}", item, sorted(own))
            site = context.site("check", form.id, check.id)
            if site is None or site.compiled is None or check.items[0] not in own:
                continue
            mentioned = {reference.item for reference in site.compiled.references if reference.form == form.id}
            if check.items[0] not in mentioned | _inputs(mentioned, _needs(context, form)):
                message = f"{check.id} is attached to {check.items[0]}, which it does not look at"
                yield Problem(file, ("checks", n, "items", 0), message, f"attach it to {_or(mentioned)}")


@rule(
    "TW072",
    "An item is not used before it can exist",
    why="An expression over data of a later encounter is unknown whenever it is asked, so it never decides.",
    bad="# at screening\nexpression: at(month_6).edss.rater_score <= 7",
    good="# at screening\nexpression: edss.rater_score <= 7",
)
def items_exist_yet(context: StudyContext) -> Iterator[Problem]:
    """References to encounters that come later than every use."""
    order = context.encounter_index
    for site in context.sites:
        if site.compiled is None:
            continue
        last_use = max((order[e] for e in context.used_at(site) if e in order), default=None)
        if last_use is None:
            continue
        strictly = site.purpose == "encounter"  # its condition is asked before it takes place
        for reference in site.compiled.references:
            first = _first_collected(context, reference.form, reference.encounter, reference.latest)
            if first is not None and (first > last_use or (strictly and first == last_use)):
                message = f"{reference.key} is not there yet: it is collected later"
                yield Problem(site.file, site.path, message, "use an item of an earlier encounter")


def _first_collected(context: StudyContext, form: str | None, encounter: str | None, latest: bool) -> int | None:
    order = context.encounter_index
    if form is None or form not in context.study.forms:
        return None
    if encounter is not None:
        return order.get(encounter)
    if latest:
        return min((order[e] for e in context.collected_at[form]), default=None)
    return None


@rule(
    "TW073",
    "An item is collected where it is used",
    why="An expression over a form that the encounter does not carry is unknown every time.",
    bad="# schedule.yaml: {id: screening, forms: [demographics]}\n# eligibility.yaml\nfrom: edss.rater_score",
    good="# schedule.yaml: {id: screening, forms: [demographics, edss]}\n# eligibility.yaml\nfrom: edss.rater_score",
)
def items_collected(context: StudyContext) -> Iterator[Problem]:
    """Plain references need the form at the same encounter; ``at(…)`` needs it at that one."""
    encounters = context.study.encounters
    for site in context.sites:
        if site.compiled is None:
            continue
        for reference in site.compiled.references:
            if reference.form is None or reference.form not in context.study.forms or reference.latest:
                continue
            if reference.encounter is not None:
                declared = encounters.get(reference.encounter)
                if declared is None:
                    yield unknown(site.file, site.path, "encounter", reference.encounter, encounters)
                elif reference.form not in declared.forms:
                    message = f"{reference.form} is not filled at {reference.encounter}"
                    remedy = f"add the form to {reference.encounter}, or name an encounter that has it"
                    yield Problem(site.file, site.path, message, remedy)
                continue
            lacking = [
                e for e in context.used_at(site) if e in encounters and reference.form not in encounters[e].forms
            ]
            if lacking and reference.form != site.form:
                message = f"{reference.key} is used at {', '.join(lacking)}, where {reference.form} is not filled"
                remedy = "add the form there, or write at(encounter) or latest(…)"
                yield Problem(site.file, site.path, message, remedy)


@rule(
    "TW074",
    "A form is signed by who may answer for it",
    why="A signature says: I stand for these data. That is the investigator, or whoever fills the form.",
    bad="filled_by: [blinded_rater]\nsigned_by: study_nurse",
    good="filled_by: [blinded_rater]\nsigned_by: blinded_rater",
)
def signed_properly(context: StudyContext) -> Iterator[Problem]:
    """``signed_by`` is the investigator or among ``filled_by``."""
    for form in context.study.forms.values():
        signer = form.signed_by
        if signer is not None and signer is not Role.INVESTIGATOR and signer not in form.filled_by:
            message = f"{form.id} is signed by {signer.value}, who does not fill it"
            yield Problem(f"forms/{form.id}.yaml", ("signed_by",), message, "let the investigator or the filler sign")


@rule(
    "TW075",
    "What the participant reports, the participant fills",
    why="A form for participants that no participant may open stays empty; the other way round, staff would write in "
    "their name.",
    bad="participant_reported: true\nfilled_by: [study_nurse]",
    good="participant_reported: true\nfilled_by: [participant]",
)
def reported_by_participants(context: StudyContext) -> Iterator[Problem]:
    """``participant_reported`` against ``filled_by``."""
    for form in context.study.forms.values():
        if form.participant_reported != (Role.PARTICIPANT in form.filled_by):
            message = f"{form.id}: participant_reported and filled_by disagree"
            remedy = (
                "add participant to filled_by" if form.participant_reported else "write participant_reported: true"
            )
            yield Problem(f"forms/{form.id}.yaml", ("filled_by",), message, remedy)


@rule(
    "TW076",
    "Nothing open depends on what is closed",
    why="A form, item or visit that appears for one arm only, or after something only the closed space knows, tells "
    "every blinded reader the arm.",
    bad="# forms/extra.yaml (open)\nwhen: preparation.thawed   # forms/preparation.yaml has space: closed",
    good="# no open expression names an item of a closed form",
)
def closed_stays_closed(context: StudyContext) -> Iterator[Problem]:
    """Open expressions over items of closed forms."""
    closed = {form.id for form in context.study.forms.values() if form.space == "closed"}
    for site in context.sites_for("fact", "encounter", "item_when", "item_derive", "check", "gate"):
        if site.compiled is None or site.form in closed:
            continue
        for reference in site.compiled.references:
            if reference.form in closed:
                message = f"{reference.key} is known in the closed space only"
                yield Problem(site.file, site.path, message, "use an item of an open form")


@rule(
    "TW077",
    "A closed form is filled by unblinded roles only",
    why="Who fills a form of the closed space sees the arm.",
    bad="space: closed\nfilled_by: [study_nurse]",
    good="space: closed\nfilled_by: [pharmacist]   # in study.yaml among unblinded_roles",
)
def closed_by_unblinded(context: StudyContext) -> Iterator[Problem]:
    """``filled_by`` and ``signed_by`` of closed forms."""
    for form in context.study.forms.values():
        if form.space == "open":
            continue
        file = f"forms/{form.id}.yaml"
        if context.study.identity.blinding.kind == "open":
            yield Problem(file, ("space",), f"{form.id} is closed in an open study", "write space: open")
            continue
        for n, role in enumerate(form.filled_by):
            if role in context.blinded_roles:
                message = f"{role.value} is blinded and may not fill the closed form {form.id}"
                yield Problem(file, ("filled_by", n), message, "name unblinded roles only")


@rule(
    "TW078",
    "What the blinded rater fills, nobody fills who is in conflict with the rater",
    why="A rating that the injecting physician may enter is not blinded, whoever happens to enter it.",
    bad="filled_by: [blinded_rater, injecting_physician]",
    good="filled_by: [blinded_rater]",
)
def rater_alone(context: StudyContext) -> Iterator[Problem]:
    """Conflicting or unblinded roles beside the rater."""
    identity = context.study.identity
    conflicting = {r for c in identity.conflicts if Role.BLINDED_RATER in c.roles for r in c.roles}
    conflicting = (conflicting | set(identity.blinding.unblinded_roles)) - {Role.BLINDED_RATER}
    for form in context.study.forms.values():
        if Role.BLINDED_RATER not in form.filled_by:
            continue
        for n, role in enumerate(form.filled_by):
            if role in conflicting:
                message = f"{form.id} may be filled by the rater and by {role.value}, who may not rate"
                yield Problem(f"forms/{form.id}.yaml", ("filled_by", n), message, "remove it")


@rule(
    "TW079",
    "An outcome counts as something possible, and says what",
    why="'Unable because of the disease' is a result. Scored outside what is possible, it distorts every mean.",
    bad="- {id: walk, possible: {low: 0, high: 180}, outcomes: [{code: unable, scored_as: 999, …}]}",
    good="- {id: walk, possible: {low: 0, high: 180}, outcomes: [{code: unable, scored_as: 180, …}]}",
)
def outcomes_scored(context: StudyContext) -> Iterator[Problem]:
    """``scored_as`` within ``possible``, on numbers only."""
    for file, path, _, item in context.items():
        for n, outcome in enumerate(item.outcomes):
            score = _number(outcome.scored_as)
            where = (*path, "outcomes", n)
            if item.type not in _NUMBERS:
                yield Problem(file, where, f"{item.id} ({item.type}) has an outcome", "make it a code of a code list")
            elif score is not None and item.possible is not None and not _inside(score, item.possible):
                message = f"{item.id}: {outcome.code} counts as {outcome.scored_as}, which is impossible"
                yield Problem(file, (*where, "scored_as"), message, "score it inside possible")


@rule(
    "TW080",
    "Free text is protected as free text",
    why="People write names into free text. Only texts marked free_text or identifying are sealed with a key of the "
    "participant.",
    bad="- {id: remarks, type: text}",
    good="- {id: remarks, type: text, privacy: free_text}",
)
def text_protected(context: StudyContext) -> Iterator[Problem]:
    """``privacy`` of text items."""
    for file, path, _, item in context.items():
        if item.type == "text" and item.privacy == "clinical":
            yield Problem(
                file, path, f"{item.id} is free text with the privacy of a number", "add privacy: free_text"
            )


@rule(
    "TW081",
    "A code list is used",
    why="A list that no item uses is a leftover, and a reader looks for the field that it belongs to.",
    bad="# terminology/colours.yaml, and no item, fact or measurement with codelist: colours",
    good="- {id: colour, type: code, codelist: colours}",
    severity=Severity.WARNING,
)
def lists_used(context: StudyContext) -> Iterator[Problem]:
    """Lists against items, facts and measurements."""
    study = context.study
    used = {item.codelist for item in study.items.values()} | {fact.codelist for fact in study.eligibility.facts}
    used |= {m.codelist for m in study.custody.measurements} if study.custody else set()
    for name in study.terminology:
        if name not in used:
            yield Problem(
                f"terminology/{name}.yaml", ("id",), f"nothing uses the code list {name}", "use or remove it"
            )


@rule(
    "TW082",
    "Forms are filled by people who meet the participant or know the sample",
    why="A sponsor, monitor or inspector reads data and must never be able to write them.",
    bad="filled_by: [monitor]",
    good="filled_by: [study_nurse]",
)
def filled_at_the_source(context: StudyContext) -> Iterator[Problem]:
    """Roles that may not enter data."""
    may = SITE_ROLES | {Role.PARTICIPANT, Role.CELL_LABORATORY, Role.QUALIFIED_PERSON, Role.CENTRAL_READER}
    for form in context.study.forms.values():
        for n, role in enumerate(form.filled_by):
            if role not in may:
                message = f"{role.value} may not enter data into {form.id}"
                yield Problem(f"forms/{form.id}.yaml", ("filled_by", n), message, "name a role at the site")


@rule(
    "TW083",
    "A computed item is marked as derived",
    why="Reviewers compare entered data with their source; a computed value has none.",
    bad="- {id: bmi, derive: {…}, origin: direct}",
    good="- {id: bmi, derive: {…}, origin: derived}",
)
def derived_marked(context: StudyContext) -> Iterator[Problem]:
    """``origin`` against ``derive``."""
    for file, path, _, item in context.items():
        if (item.derive is not None) != (item.origin == "derived"):
            remedy = "write origin: derived" if item.derive else "add derive, or another origin"
            yield Problem(file, path, f"{item.id}: origin and derive disagree", remedy)


@rule(
    "TW084",
    "A computed item and a condition read their own form",
    severity=Severity.WARNING,
    why=(
        "They are worked out when their own form is saved. If another form that they read is corrected later, they"
        " keep the old answer until their own form is saved again; a check would ask again, a computed value stays."
    ),
    bad="- {id: bmi, derive: {expression: weight / at(screening).demographics.height …}, …}",
    good="- {id: bmi, derive: {expression: weight / (height * height)}, …}",
)
def computed_at_home(context: StudyContext) -> Iterator[Problem]:
    """``derive`` and ``when`` of items that reach into other forms."""
    for site in context.sites_for("item_derive", "item_when"):
        if site.compiled is None:
            continue
        others = sorted({r.form for r in site.compiled.references if r.form not in (None, site.form)})
        if others:
            message = f"{site.owner[-1]} follows {', '.join(others)}, but not when that is corrected later"
            yield Problem(
                site.file, site.path, message, "ask for it on the same form, or let a check compare the two"
            )


def _inputs(items: set[str], needs: dict[str, set[str]]) -> set[str]:
    """What computed items among these are computed from, all the way down."""
    found: set[str] = set()
    waiting = list(items)
    while waiting:
        new = needs.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def _inverted(bounds: Range) -> bool:
    low, high = _number(bounds.low), _number(bounds.high)
    return low is not None and high is not None and low > high


def _inside(number: Fraction, bounds: Range) -> bool:
    low, high = _number(bounds.low), _number(bounds.high)
    return (low is None or number >= low) and (high is None or number <= high)


def _number(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _or(names: set[str]) -> str:
    return " or ".join(sorted(names)) or "an item of its expression"

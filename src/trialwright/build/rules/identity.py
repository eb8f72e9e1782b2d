"""Rules about ``study.yaml`` and about ids and texts everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.build.rules.texts import lists_with_ids
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.ids import study_id
from trialwright.protocol.findings import Severity
from trialwright.protocol.positions import KeyPath
from trialwright.protocol.roles import ALWAYS_BLINDED, Role

_FILE = "study.yaml"


@rule(
    "TW001",
    "Every text is there in every language of the study",
    why="A label without its translation shows up as an empty field on the screens of one country only.",
    bad="languages: [en, nb]\ntitle: {en: A study}",
    good="languages: [en, nb]\ntitle: {en: A study, nb: En studie}",
)
def translated(context: StudyContext) -> Iterator[Problem]:
    """Missing and empty wordings."""
    for file, path, text in context.texts:
        lacking = [lang for lang in context.study.identity.languages if not text.get(lang, "").strip()]
        if lacking:
            yield Problem(file, path, f"the text is missing in {', '.join(lacking)}", "translate it")


@rule(
    "TW002",
    "Texts are written in declared languages only",
    why="A wording in a language the study does not declare is never shown; often it is a slip of the language code.",
    bad="languages: [en, nb]\ntitle: {en: A study, nb: En studie, no: En studie}",
    good="languages: [en, nb]\ntitle: {en: A study, nb: En studie}",
    severity=Severity.WARNING,
)
def languages_declared(context: StudyContext) -> Iterator[Problem]:
    """Extra languages."""
    identity = context.study.identity
    declared = (*identity.languages, *identity.further_languages)
    for file, path, text in context.texts:
        for language in text:
            if language not in declared:
                yield unknown(file, (*path, language), "language", language, declared)


@rule(
    "TW003",
    "A study's id can name a folder and an address",
    why="The id stands in addresses, file names and the record; it can never be changed later.",
    bad="id: SMART MS",
    good="id: smart-ms",
)
def study_named(context: StudyContext) -> Iterator[Problem]:
    """Own id and the ids of other trials."""
    identity = context.study.identity
    named: list[tuple[KeyPath, str]] = [(("id",), identity.id)]
    named += [(("other_trials", n), other) for n, other in enumerate(identity.other_trials)]
    for path, given in named:
        try:
            study_id(given)
        except InvalidValue as error:
            yield Problem(_FILE, path, error.message, error.remedy)


@rule(
    "TW004",
    "An id is used once in its list",
    why="Two things with one id cannot be told apart in the record, and the second silently replaces the first.",
    bad="arms: [{id: active, …}, {id: active, …}]",
    good="arms: [{id: active, …}, {id: control, …}]",
)
def ids_unique(context: StudyContext) -> Iterator[Problem]:
    """Lists of things with ids, codes of code lists, items of a whole form."""
    for file, path, kind, ids in lists_with_ids(context.study):
        seen: set[str] = set()
        for where, given in ids:
            if given in seen:
                yield Problem(
                    file, (*path, *where), f"the id {given!r} is used twice in {kind}", "rename one of them"
                )
            seen.add(given)


@rule(
    "TW005",
    "Where registers disagree, the study says why it follows one of them",
    why="Readers compare places. An unexplained difference looks like an error, or like something to hide.",
    bad="- {field: status, shown: publication, values: {publication: completed, public_page: recruiting}}",
    good="- {field: status, shown: publication, values: {…}, why: The results are published.}",
    severity=Severity.WARNING,
)
def registers_agree(context: StudyContext) -> Iterator[Problem]:
    """Differences without ``why``."""
    for n, register in enumerate(context.study.identity.registers):
        said = {value for value in register.values.values() if value is not None}
        if len(said) > 1 and not (register.why or "").strip():
            message = f"registers disagree about {register.field}: {', '.join(sorted(said))}"
            yield Problem(
                _FILE, ("registers", n), message, "say under why which place is right, or correct the places"
            )


@rule(
    "TW006",
    "The place that the study follows is one of the places listed",
    why="A field shown from a place that is not listed would be shown empty.",
    bad="- {field: status, shown: journal, values: {publication: completed}}",
    good="- {field: status, shown: publication, values: {publication: completed}}",
)
def shown_listed(context: StudyContext) -> Iterator[Problem]:
    """``shown`` among ``values``, and not silent."""
    for n, register in enumerate(context.study.identity.registers):
        if register.shown not in register.values:
            yield unknown(_FILE, ("registers", n, "shown"), "place", register.shown, register.values)
        elif register.values[register.shown] is None:
            message = f"{register.shown} says nothing about {register.field}"
            yield Problem(_FILE, ("registers", n, "shown"), message, "follow a place that says something")


@rule(
    "TW007",
    "A site's time zone exists",
    why="Windows count local dates; without the zone the date of an event at the site is not known.",
    bad="timezone: Europe/Bergen",
    good="timezone: Europe/Oslo",
)
def zones_exist(context: StudyContext) -> Iterator[Problem]:
    """IANA names."""
    for n, site in enumerate(context.study.identity.sites):
        try:
            ZoneInfo(site.timezone)
        except (OSError, ValueError, KeyError):
            message = f"there is no time zone {site.timezone!r}"
            yield Problem(_FILE, ("sites", n, "timezone"), message, "use an IANA name, for example Europe/Oslo")


@rule(
    "TW008",
    "The sites' planned participants add up to the study's",
    why="Accrual, list lengths and supplies are planned from both numbers.",
    bad="planned_participants: 20\nsites: [{planned_participants: 5, …}, {planned_participants: 5, …}]",
    good="planned_participants: 10\nsites: [{planned_participants: 5, …}, {planned_participants: 5, …}]",
    severity=Severity.WARNING,
)
def participants_add_up(context: StudyContext) -> Iterator[Problem]:
    """Only where sites state a number."""
    identity = context.study.identity
    total = sum(site.planned_participants for site in identity.sites)
    if total and total != identity.planned_participants:
        message = f"the sites plan {total} participants, the study {identity.planned_participants}"
        yield Problem(_FILE, ("planned_participants",), message, "make them agree")


@rule(
    "TW009",
    "Only one site coordinates",
    why="The coordinating site is where the public page sends questions and reports go.",
    bad='sites: [{id: "01", coordinating: true, …}, {id: "02", coordinating: true, …}]',
    good='sites: [{id: "01", coordinating: true, …}, {id: "02", …}]',
)
def one_coordinates(context: StudyContext) -> Iterator[Problem]:
    """At most one; a study of one site needs none."""
    sites = context.study.identity.sites
    coordinating = [n for n, site in enumerate(sites) if site.coordinating]
    for n in coordinating[1:]:
        yield Problem(_FILE, ("sites", n, "coordinating"), "a second site coordinates", "let one site coordinate")


@rule(
    "TW010",
    "Roles that are named are roles of the study",
    why="A form filled by, or a conflict with, a role that nobody can be given is never filled and never checked.",
    bad="roles: [investigator]\n# forms/edss.yaml\nfilled_by: [blinded_rater]",
    good="roles: [investigator, blinded_rater]\n# forms/edss.yaml\nfilled_by: [blinded_rater]",
)
def roles_known(context: StudyContext) -> Iterator[Problem]:
    """Blinding, conflicts and forms."""
    roles = context.study.identity.roles
    for file, path, role in _roles_named(context):
        if role not in roles:
            yield unknown(file, path, "role of this study", role.value, [r.value for r in roles])


def _roles_named(context: StudyContext) -> Iterator[tuple[str, KeyPath, Role]]:
    identity = context.study.identity
    for n, role in enumerate(identity.blinding.unblinded_roles):
        yield _FILE, ("blinding", "unblinded_roles", n), role
    for n, conflict in enumerate(identity.conflicts):
        for k, role in enumerate(conflict.roles):
            yield _FILE, ("conflicts", n, "roles", k), role
    for form in context.study.forms.values():
        for n, role in enumerate(form.filled_by):
            yield f"forms/{form.id}.yaml", ("filled_by", n), role
        if form.signed_by is not None:
            yield f"forms/{form.id}.yaml", ("signed_by",), form.signed_by


@rule(
    "TW011",
    "Roles that must stay blinded are not declared unblinded",
    why="Participants, raters, sponsor, monitors and data managers decide about data; who knows the arm decides with "
    "it. Work in the closed space has roles of its own.",
    bad="blinding: {kind: blinded, unblinded_roles: [monitor]}",
    good="blinding: {kind: blinded, unblinded_roles: [unblinded_monitor]}",
)
def stays_blinded(context: StudyContext) -> Iterator[Problem]:
    """Against the fixed list of roles that are always blinded."""
    for n, role in enumerate(context.study.identity.blinding.unblinded_roles):
        if role in ALWAYS_BLINDED:
            path = ("blinding", "unblinded_roles", n)
            yield Problem(
                _FILE, path, f"{role.value} may not be unblinded", "remove it; use a role of the closed space"
            )


@rule(
    "TW012",
    "An open study declares nobody unblinded",
    why="In an open study everybody may know, so the list means nothing; usually `kind` is what is wrong.",
    bad="blinding: {kind: open, unblinded_roles: [pharmacist]}",
    good="blinding: {kind: blinded, unblinded_roles: [pharmacist]}",
)
def open_is_open(context: StudyContext) -> Iterator[Problem]:
    """``kind`` against the list."""
    blinding = context.study.identity.blinding
    if blinding.kind == "open" and blinding.unblinded_roles:
        message = "an open study lists unblinded roles"
        yield Problem(_FILE, ("blinding", "unblinded_roles"), message, "write kind: blinded, or remove the list")


@rule(
    "TW013",
    "The blinded rater is in conflict with whoever gives the treatment",
    why="One person who injects and later rates the same participant has broken the blind; nothing would stop it.",
    bad="roles: [blinded_rater, injecting_physician]\nconflicts: []",
    good="conflicts:\n  - {roles: [blinded_rater, injecting_physician], why: {en: Who injects cannot rate blindly.}}",
)
def rater_apart(context: StudyContext) -> Iterator[Problem]:
    """Rater against every unblinded role that works at a site."""
    identity = context.study.identity
    if Role.BLINDED_RATER not in identity.roles:
        return
    pairs = {frozenset(conflict.roles) for conflict in identity.conflicts}
    for role in (Role.INJECTING_PHYSICIAN, Role.PHARMACIST):
        if role in identity.blinding.unblinded_roles and frozenset((Role.BLINDED_RATER, role)) not in pairs:
            message = f"nothing keeps the blinded rater from being the {role.value} of the same participant"
            yield Problem(_FILE, ("conflicts",), message, f"declare a conflict of blinded_rater and {role.value}")


@rule(
    "TW014",
    "The design has the parts it needs",
    why="A comparison needs two arms; a crossover is made of periods and sequences, a parallel study has none.",
    bad="design: crossover\nperiods: []\nsequences: []",
    good="design: crossover\nperiods: [{id: first, …}, {id: second, …}]\nsequences: [{id: ab, …}, {id: ba, …}]",
)
def design_complete(context: StudyContext) -> Iterator[Problem]:
    """Arms, periods and sequences against the design."""
    identity = context.study.identity
    if len(identity.arms) < 2:
        yield Problem(_FILE, ("arms",), "there is one arm only", "declare the arm it is compared with")
    if identity.design == "crossover" and (len(identity.periods) < 2 or len(identity.sequences) < 2):
        message = "a crossover has at least two periods and two sequences"
        yield Problem(_FILE, ("design",), message, "declare them, or write design: parallel")
    if identity.design == "parallel" and (identity.periods or identity.sequences):
        message = "a parallel study has no periods and sequences"
        yield Problem(_FILE, ("design",), message, "remove them, or write design: crossover")


@rule(
    "TW015",
    "A sequence says which arm is given in every period",
    why="A participant randomised to an incomplete sequence has a period in which nobody knows what to give.",
    bad="arms: {period_1: cells}",
    good="arms: {period_1: cells, period_2: saline}",
)
def sequences_complete(context: StudyContext) -> Iterator[Problem]:
    """Periods and arms of each sequence."""
    identity = context.study.identity
    periods, arms = [p.id for p in identity.periods], [a.id for a in identity.arms]
    for n, sequence in enumerate(identity.sequences):
        for period, arm in sequence.arms.items():
            path = ("sequences", n, "arms", period)
            if period not in periods:
                yield unknown(_FILE, path, "period", period, periods)
            if arm not in arms:
                yield unknown(_FILE, path, "arm", arm, arms)
        lacking = [period for period in periods if period not in sequence.arms]
        if lacking:
            message = f"{sequence.id} gives nothing in {', '.join(lacking)}"
            yield Problem(_FILE, ("sequences", n, "arms"), message, "name the arm of every period")


@rule(
    "TW016",
    "Every arm is given equally often in every period",
    why="If one arm comes first more often, the effect of time passes for an effect of treatment.",
    bad="sequences:\n  - {id: ab, arms: {first: a, second: b}}\n  - {id: ab_again, arms: {first: a, second: b}}",
    good="sequences:\n  - {id: ab, arms: {first: a, second: b}}\n  - {id: ba, arms: {first: b, second: a}}",
    severity=Severity.WARNING,
)
def sequences_balanced(context: StudyContext) -> Iterator[Problem]:
    """Counts of arms in each period, weighed by the randomisation ratio."""
    identity = context.study.identity
    arms = {arm.id for arm in identity.arms}
    if any(
        set(s.arms) != {p.id for p in identity.periods} or not arms >= set(s.arms.values())
        for s in identity.sequences
    ):
        return  # TW015 says so
    for n, period in enumerate(identity.periods):
        counts: Counter[str] = Counter()
        for sequence in identity.sequences:
            counts[sequence.arms[period.id]] += context.study.randomisation.ratio.get(sequence.id, 1)
        if identity.sequences and len({counts[arm] for arm in arms}) > 1:
            shown = ", ".join(f"{arm} {counts[arm]}" for arm in sorted(arms))
            message = f"in {period.id} the arms are given unequally often: {shown}"
            yield Problem(_FILE, ("periods", n), message, "add the sequence that is missing, or even the ratio")

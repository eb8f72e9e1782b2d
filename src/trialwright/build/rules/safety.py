"""Rules about ``safety.yaml``."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.protocol.findings import Severity

_FILE = "safety.yaml"

# Regulation (EU) 536/2014, Article 42(2): fatal or life-threatening SUSARs within 7 days, others within 15.
_AT_MOST = {"susar_fatal_or_life_threatening": 7, "susar": 15}


@rule(
    "TW120",
    "SUSARs are reported within 7 and 15 days",
    why="Regulation (EU) 536/2014, Article 42(2): fatal or life-threatening suspected unexpected serious adverse "
    "reactions within 7 days of awareness, others within 15.",
    bad="- {applies: susar, days: 30, …}",
    good="- {applies: susar, days: 15, …}\n- {applies: susar_fatal_or_life_threatening, days: 7, …}",
)
def susar_clocks(context: StudyContext) -> Iterator[Problem]:
    """A clock of each kind, none longer than the law allows."""
    clocks = context.study.safety.clocks
    for applies, days in _AT_MOST.items():
        if not any(clock.applies == applies for clock in clocks):
            yield Problem(_FILE, ("clocks",), f"no clock applies to {applies}", f"add one of at most {days} days")
    for n, clock in enumerate(clocks):
        limit = _AT_MOST.get(clock.applies)
        if limit is not None and clock.days > limit:
            message = f"{clock.id} allows {clock.days} days, the law {limit}"
            yield Problem(_FILE, ("clocks", n, "days"), message, f"write {limit} or less")


@rule(
    "TW121",
    "The sponsor learns of a serious event without undue delay",
    why="Regulation (EU) 536/2014, Article 41(2): the investigator reports within 24 hours. The sponsor's own clocks "
    "start there.",
    bad="- {applies: serious, days: 7, to: sponsor, …}",
    good="- {applies: serious, days: 0, to: sponsor, …}",
)
def serious_at_once(context: StudyContext) -> Iterator[Problem]:
    """A clock for serious events, of at most one day."""
    clocks = context.study.safety.clocks
    serious = [(n, clock) for n, clock in enumerate(clocks) if clock.applies == "serious"]
    if not serious:
        yield Problem(_FILE, ("clocks",), "no clock applies to serious events", "add one of 0 days to the sponsor")
    elif min(clock.days for _, clock in serious) > 1:
        n, clock = min(serious, key=lambda found: found[1].days)
        yield Problem(_FILE, ("clocks", n, "days"), f"{clock.id} allows {clock.days} days", "write 0 (24 hours)")


@rule(
    "TW122",
    "Reactions are expected of agents that exist",
    why="Expectedness is judged for each agent; a term of an unknown agent is expected of nothing.",
    bad="terms: [{term: fever, agent: prodct, up_to_grade: 2}]",
    good="terms: [{term: fever, agent: product, up_to_grade: 2}]",
)
def agents_exist(context: StudyContext) -> Iterator[Problem]:
    """Reference terms; simulated rates, too."""
    agents = [agent.id for agent in context.study.safety.agents]
    for n, term in enumerate(context.study.safety.reference.terms):
        if term.agent not in agents:
            yield unknown(_FILE, ("reference", "terms", n, "agent"), "agent", term.agent, agents)
    for n, rate in enumerate(context.study.simulation.adverse_events):
        if rate.agent is not None and rate.agent not in agents:
            yield unknown("simulation.yaml", ("adverse_events", n, "agent"), "agent", rate.agent, agents)


@rule(
    "TW123",
    "A fatal reaction is not declared expected",
    why="A death that counts as expected would never be reported fast; fatal reactions are not listed as expected "
    "unless authorities agreed to it.",
    bad="terms: [{term: meningitis, agent: injection, up_to_grade: 5}]",
    good="terms: [{term: meningitis, agent: injection, up_to_grade: 3}]",
    severity=Severity.WARNING,
)
def deaths_unexpected(context: StudyContext) -> Iterator[Problem]:
    """Grade 5 in the reference."""
    for n, term in enumerate(context.study.safety.reference.terms):
        if term.up_to_grade == 5:
            path = ("reference", "terms", n, "up_to_grade")
            yield Problem(_FILE, path, f"fatal {term.term} is declared expected", "write 4 or less")


@rule(
    "TW124",
    "Collection of events starts at something that happens",
    why="Events counted from a collection or an administration that the schedule does not have are never collected.",
    bad="collect_from: first_collection   # and no encounter has the act collection",
    good="collect_from: consent",
)
def collected_from_something(context: StudyContext) -> Iterator[Problem]:
    """``collect_from`` against the acts of the schedule."""
    wanted = context.study.safety.collect_from.removeprefix("first_")
    acts = {act.act for encounter in context.study.schedule.encounters for act in encounter.acts}
    if wanted != "consent" and wanted not in acts:
        yield Problem(_FILE, ("collect_from",), f"no encounter has the act {wanted}", "write consent, or add the act")

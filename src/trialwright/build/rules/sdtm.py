"""Rules about where items go in SDTM."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.rule import Problem, rule
from trialwright.protocol.findings import Severity
from trialwright.protocol.forms import Item
from trialwright.protocol.mapping import EVENTS, FINDINGS, INTERVENTIONS, Target, target_of

_ALL = INTERVENTIONS | EVENTS | FINDINGS | {"DM"}
_SHARED = ("VISITNUM", "VISIT", "VISITDY", "EPOCH")


@rule(
    "TW085",
    "An item says where it goes in SDTM",
    why=(
        "What has no place in the export stands in the supplemental qualifiers under a made-up name, or only in the "
        "reviewer's guide."
    ),
    bad="- {id: helped, label: {en: Did somebody help?}, type: boolean}",
    good="- {id: helped, label: {en: Did somebody help?}, type: boolean, sdtm: {domain: SUPPQS, variable: HELPED}}",
    severity=Severity.NOTE,
)
def items_mapped(context: StudyContext) -> Iterator[Problem]:
    """Items without a mapping that is enough; ``not_submitted`` is a mapping too."""
    for file, path, form, item in context.items():
        stated = item.sdtm is not None and item.sdtm.not_submitted is not None
        if not stated and target_of(form, item) is None:
            yield Problem(file, path, f"{item.id} goes nowhere in SDTM", "add sdtm, or sdtm: {not_submitted: why}")


@rule(
    "TW086",
    "A mapping to SDTM is one that SDTM can hold",
    why=(
        "A finding without a test, an answer without what it is about, or a variable of another domain makes "
        "a record that no reader can use."
    ),
    bad="sdtm: {domain: VS, variable: LBORRES}",
    good="sdtm: {domain: VS, test: SYSBP}",
)
def mappings_possible(context: StudyContext) -> Iterator[Problem]:
    """Domain, prefix of the variables, test of a result, topic of an answer."""
    for file, path, form, item in context.items():
        target = target_of(form, item)
        if target is None:
            continue
        for message, remedy in _impossible(item, target):
            yield Problem(file, (*path, "sdtm"), f"{item.id}: {message}", remedy)


def _impossible(item: Item, target: Target) -> Iterator[tuple[str, str]]:
    if target.domain not in _ALL:
        yield f"items cannot go to {target.domain}", f"use one of {', '.join(sorted(_ALL))}"
        return
    named = [*target.fixed, *([] if target.supplemental else [target.variable])]
    foreign = [name for name in named if not name.startswith(target.domain) and name not in _SHARED]
    if foreign and target.domain != "DM":
        yield f"{foreign[0]} is not a variable of {target.domain}", f"begin it with {target.domain}"
    if target.is_result and target.test is None:
        yield "a result needs a test", "add test"
    if target.variable == f"{target.domain}OCCUR" and not target.supplemental and target.topic is None:
        yield "an answer to whether something occurred needs what it is about", "add topic, here or at the form"
    unlisted = set(target.terms) - {"true", "false"}
    if item.type == "boolean" and unlisted:
        yield f"terms name {sorted(unlisted)[0]!r}, which cannot be entered", 'use "true" and "false"'

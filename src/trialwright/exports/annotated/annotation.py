"""What is written beside an item on an annotated case-report form: where its value goes in SDTM.

In the wording of CDISC's Metadata Submission Guidelines 2.0: ``VSORRES when VSTESTCD = "SYSBP"``,
``QVAL in SUPPDM when QNAM = "RACEOTH"``, ``[NOT SUBMITTED]``.
"""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.protocol.forms import Form, Item
from trialwright.protocol.mapping import INTERVENTIONS, Target, target_of

NOT_SUBMITTED = "[NOT SUBMITTED]"


def sdtm_annotations(form: Form, item: Item) -> tuple[str, ...]:
    """One line for each variable that an item fills; ``[NOT SUBMITTED]`` with the reason where it fills none."""
    target = target_of(form, item)
    if target is None:
        why = item.sdtm.not_submitted if item.sdtm is not None else None
        return (f"{NOT_SUBMITTED} {why}" if why else NOT_SUBMITTED,)
    return tuple(_lines(target, item))


def _lines(target: Target, item: Item) -> Iterator[str]:
    if target.supplemental:
        yield f'QVAL in SUPP{target.domain} when QNAM = "{target.variable}"'
        return
    when = f' when {target.domain}TESTCD = "{target.test}"' if target.test else ""
    yield target.variable + when
    if target.is_result and item.type == "quantity":
        yield f"{target.domain}ORRESU{when}"
    if target.topic is not None and not target.is_result:
        yield f'{_topic(target.domain)} = "{target.topic}"'
    for variable, value in target.fixed.items():
        yield f'{variable} = "{value}"{when}'


def _topic(domain: str) -> str:
    return f"{domain}TRT" if domain in INTERVENTIONS else f"{domain}TERM"

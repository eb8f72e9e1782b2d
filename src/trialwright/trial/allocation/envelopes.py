"""Emergency envelopes: what a doctor needs at night when the system is down, one sealed file for each participant.

The file is made right after the randomisation in a process with the closed space, by :class:`PrepareEnvelope`'s
receipt, and handed to the site; opening it is recorded afterwards with :class:`UnblindInEmergency`.
"""

from __future__ import annotations

from collections.abc import Iterable

from trialwright.build import Build
from trialwright.sealing import EnvelopeWriter
from trialwright.trial.allocation.gateway import Opens, reveal
from trialwright.trial.event import Fact


def emergency_envelopes(
    facts: Iterable[Fact], allocations: Opens, build: Build, writer: EnvelopeWriter
) -> dict[str, bytes]:
    """Participant → envelope, for those whose disclosure these facts record; all of one size.

    Args:
        facts: of a receipt of PrepareEnvelope.
        allocations: the gateway.
        build: says what arms and sequences are called.
        writer: holds the password of the site or participant.

    Raises:
        NothingDisclosed: no fact among them records a disclosure.
        ContentTooLong: the study's labels do not fit an envelope.
    """
    return {
        participant: writer.write(participant, in_words(build, label))
        for participant, label in reveal(facts, allocations).items()
    }


def in_words(build: Build, label: str) -> str:
    """An arm, or the arms of a sequence by period, in the study's reference language."""
    identity = build.study.identity
    language = identity.languages[0]
    arms = {arm.id: arm.label[language] for arm in identity.arms}
    for sequence in identity.sequences:
        if sequence.id == label:
            periods = ((period, sequence.arms[period.id]) for period in identity.periods)
            return "; ".join(f"{period.label[language]}: {arms[arm]}" for period, arm in periods)
    return arms[label]

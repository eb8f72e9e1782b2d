"""Sign, countersign, refuse, withdraw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.protocol import Review, review_of
from trialwright.protocol.documents import ConsentText
from trialwright.protocol.roles import Role
from trialwright.trial.closure.state import Deviations
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.consent.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentSignedByParticipant,
    ConsentWithdrawn,
)
from trialwright.trial.consent.gate import consent_gap
from trialwright.trial.consent.state import Consent
from trialwright.trial.consent.text import text_hash
from trialwright.trial.dates import day_of_act
from trialwright.trial.enrolment.gate import existing, present
from trialwright.trial.event import Event
from trialwright.trial.state import State

IDENTITY_CHECKS = ("known_to_interviewer", "photo_document", "electronic_id")


class TextNotInForce(Refusal):
    """The text is not the one approved for the site, or not what was shown."""

    code = "consent.text_not_in_force"


class TextNotApproved(Refusal):
    """A production study asks with an approved text only."""

    code = "consent.text_not_approved"


class AlreadyConsented(Refusal):
    """Consent is in force."""

    code = "consent.already_consented"


class AnswerUnknown(Refusal):
    """A question or answer that the text does not have."""

    code = "consent.answer_unknown"


class NothingToCountersign(Refusal):
    """The participant has not signed."""

    code = "consent.nothing_to_countersign"


class IdentityCheckUnknown(Refusal):
    """The way identity was checked is not one of those known."""

    code = "consent.identity_check_unknown"


class ScopeUnknown(Refusal):
    """The consent text does not name this scope."""

    code = "consent.scope_unknown"


@dataclass(frozen=True, kw_only=True)
class SignConsent(Command):
    """Sign the consent text on screen. By the participant, with a signature over the text's hash.

    Refused: consent in force, participation over, a version, language or text that is not the one approved for
    the site now, an answer the text does not have.
    """

    PERMISSION: ClassVar[Permission] = may(Role.PARTICIPANT, signs="give_consent")
    participant: str
    version: str
    language: str
    text: str
    teach_back: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RecordPaperConsent(Command):
    """Record that the participant signed on paper. By the investigator or study nurse; ``observed_at`` says when.

    A paper of an older version is recorded too, flagged, with a deviation; it can not be countersigned.
    Refused: consent in force, participation over, a text that no build of this study has.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE)
    participant: str
    version: str
    language: str
    teach_back: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CountersignConsent(Command):
    """Confirm the interview and the participant's identity; consent is in force from then on.

    By the investigator or study nurse, with a signature over the hash of the text that the participant signed.
    Refused: nothing to countersign, a version that is no longer the one approved for the site, an identity check
    that is not known.
    """

    PERMISSION: ClassVar[Permission] = may(Role.INVESTIGATOR, Role.STUDY_NURSE, signs="countersign_consent")
    participant: str
    identity_check: str


@dataclass(frozen=True, kw_only=True)
class RefuseConsent(Command):
    """Record that the participant declined, also to consent again after an amendment.

    By the participant, investigator or study nurse. Refused: consent is in force (then it is withdrawn).
    """

    PERMISSION: ClassVar[Permission] = may(Role.PARTICIPANT, Role.INVESTIGATOR, Role.STUDY_NURSE)
    participant: str


@dataclass(frozen=True, kw_only=True)
class WithdrawConsent(Command):
    """Withdraw, wholly or for some scopes, at any time and without a reason.

    By the participant, or recorded by the investigator or study nurse. Refused: only a scope that the text does
    not name. No scope means all of them.
    """

    PERMISSION: ClassVar[Permission] = may(Role.PARTICIPANT, Role.INVESTIGATOR, Role.STUDY_NURSE, after_lock=True)
    participant: str
    scopes: tuple[str, ...] = ()


def sign_consent(command: SignConsent, state: State, context: Context) -> Iterable[Event]:
    _may_consent(command.participant, state)
    text = _text_of_site(command.version, command.language, context)
    shown = context.signature.shown if context.signature else ""
    if not command.text == shown == text_hash(text):
        raise TextNotInForce(
            "the text that was signed is not the text approved for the site",
            remedy="show the text of this build and language again",
            version=command.version,
            language=command.language,
        )
    _check_answers(command.teach_back, text)
    yield ConsentSignedByParticipant(
        participant=command.participant,
        version=command.version,
        language=command.language,
        text=command.text,
        method="electronic",
        teach_back=dict(command.teach_back),
    )


def record_paper_consent(command: RecordPaperConsent, state: State, context: Context) -> Iterable[Event]:
    _may_consent(command.participant, state)
    text = _text_of_any_build(command.version, command.language, context)
    _check_answers(command.teach_back, text)
    # A signature on an outdated paper is a fact: it is recorded, and it does not put consent in force.
    flags = () if context.build.study.consent.get(command.language) == text else ("other_version",)
    yield ConsentSignedByParticipant(
        participant=command.participant,
        version=command.version,
        language=command.language,
        text=text_hash(text),
        method="paper",
        teach_back=dict(command.teach_back),
        flags=flags,
    )
    if flags:
        about = f"version {command.version} was signed on paper, another is approved for the site"
        yield state.of(Deviations, command.participant).open(command.participant, "consent", "other_version", about)


def countersign_consent(command: CountersignConsent, state: State, context: Context) -> Iterable[Event]:
    present(state, command.participant)
    pending = state.of(Consent, command.participant).pending
    if pending is None:
        raise NothingToCountersign(
            f"{command.participant} has not signed a consent text",
            remedy="the participant signs first",
            participant=command.participant,
        )
    if command.identity_check not in IDENTITY_CHECKS:
        raise IdentityCheckUnknown(
            f"{command.identity_check[:40]!r} is not a way to check identity",
            remedy=f"one of {', '.join(IDENTITY_CHECKS)}",
            given=command.identity_check[:40],
        )
    text = _text_of_site(pending.version, pending.language, context)
    shown = context.signature.shown if context.signature else ""
    if not pending.text == shown == text_hash(text):
        raise TextNotInForce(
            "the participant signed another text than the one approved for the site now",
            remedy="the participant reads and signs the text of this build",
            version=pending.version,
        )
    yield ConsentGiven(
        participant=command.participant,
        version=pending.version,
        language=pending.language,
        text=pending.text,
        interviewer=context.actor.person,
        identity_check=command.identity_check,
        build_version=context.build.study.identity.version,
    )


def refuse_consent(command: RefuseConsent, state: State, context: Context) -> Iterable[Event]:
    existing(state, command.participant)
    if consent_gap(state, command.participant) is None:
        raise AlreadyConsented(
            f"{command.participant} has consented", remedy="give WithdrawConsent", participant=command.participant
        )
    yield ConsentRefused(participant=command.participant)


def withdraw_consent(command: WithdrawConsent, state: State, context: Context) -> Iterable[Event]:
    existing(state, command.participant)
    known = _scopes(context)
    unknown = [scope for scope in command.scopes if scope not in known]
    if unknown:
        raise ScopeUnknown(
            f"the consent text does not name {unknown[0][:40]!r}",
            remedy=f"one of {', '.join(known)}; none for all of them",
            given=unknown[0][:40],
        )
    yield ConsentWithdrawn(
        participant=command.participant,
        scopes=tuple(dict.fromkeys(command.scopes)) or known,
        date=day_of_act(context),
    )


def _may_consent(participant: str, state: State) -> None:
    present(state, participant)
    if consent_gap(state, participant, treatment=True) is None:
        raise AlreadyConsented(
            f"the consent of {participant} is in force", remedy="nothing to sign", participant=participant
        )


def _text_of_site(version: str, language: str, context: Context) -> ConsentText:
    text = context.build.study.consent.get(language)
    if text is None or text.head.version != version:
        offered = ", ".join(f"{t.head.version} ({code})" for code, t in context.build.study.consent.items())
        raise TextNotInForce(
            f"version {version[:40]!r} in {language[:10]!r} is not approved for this site",
            remedy=f"use {offered}",
            version=version[:40],
            language=language[:10],
        )
    # A status without a hash is taken at its word; one with the hash of another text is not.
    changed = text.head.reviewed_text is not None and review_of(text) is Review.CHANGED
    if context.mode == "production" and (text.head.status != "approved" or changed):
        raise TextNotApproved(
            f"the consent text in {language!r} is {'changed since its approval' if changed else text.head.status}",
            remedy="approve the text, build and activate again",
            language=language,
        )
    return text


def _text_of_any_build(version: str, language: str, context: Context) -> ConsentText:
    for build in (context.build, *context.builds.values()):
        text = build.study.consent.get(language)
        if text is not None and text.head.version == version:
            return text
    raise TextNotInForce(
        f"no build of this study has version {version[:40]!r} in {language[:10]!r}",
        remedy="look at the version and language printed on the paper",
        version=version[:40],
        language=language[:10],
    )


def _check_answers(answers: Mapping[str, str], text: ConsentText) -> None:
    known = {question.id: question.answers for question in text.head.teach_back}
    for question, answer in answers.items():
        if question not in known or answer not in known[question]:
            raise AnswerUnknown(
                f"the text has no answer {answer[:40]!r} to a question {question[:40]!r}",
                remedy="use the questions and answers of the text",
                question=question[:40],
            )


def _scopes(context: Context) -> tuple[str, ...]:
    texts = context.build.study.consent.values()
    return tuple(dict.fromkeys(scope for text in texts for scope in text.head.withdrawal_scopes))


DECISIONS: Mapping[type[Command], Decide] = {
    SignConsent: sign_consent,
    RecordPaperConsent: record_paper_consent,
    CountersignConsent: countersign_consent,
    RefuseConsent: refuse_consent,
    WithdrawConsent: withdraw_consent,
}

"""Who may give a command: role, appointment or delegation, site, role conflicts, signature, lock.

Deny by default. Everything checked here is state on record, so it can be shown to an inspector as it was then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass

from trialwright.build import Build
from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import OPERATING_SYSTEM
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.allocation.words import revealing_word
from trialwright.trial.command import Actor, Command, Context
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Space
from trialwright.trial.hands import Hands
from trialwright.trial.setup.state import People, SiteSetup, StudySetup
from trialwright.trial.state import State

FREE_TEXT = frozenset({"cut", "reference", "term", "text", "version"})
"""Fields of commands that unblinded people may give in the open space and write into freely; what is entered on a
form is among them."""


class NotPermitted(Refusal):
    """The role may not give this command."""

    code = "permission.role"


class NotAppointed(Refusal):
    """The person does not hold the role (no delegation in force, or not trained)."""

    code = "permission.not_appointed"


class ConflictingRole(Refusal):
    """The person already acted for this participant in a role that excludes this one."""

    code = "permission.conflicting_role"


class OtherSite(Refusal):
    """The participant or site is not the actor's."""

    code = "permission.other_site"


class StudyNotCreated(Refusal):
    """The record has not begun."""

    code = "permission.study_not_created"


class OtherMode(Refusal):
    """The process runs in another mode than the record began in, or on entropy that mode does not accept."""

    code = "permission.other_mode"


class SignatureMissing(Refusal):
    """The act needs a signature, or the signature is somebody else's or means something else."""

    code = "permission.signature"


class LockedStudy(Refusal):
    """The study is locked; writing needs an unlock by two people."""

    code = "permission.study_locked"


class RevealingWords(Refusal):
    """Somebody who may know the arm names it where blinded people read."""

    code = "permission.revealing_words"


class SpaceUnavailable(Refusal):
    """The command needs the closed space and this process does not hold it."""

    code = "permission.closed_space"


def permit(command: Command, context: Context, state: State, spaces: Collection[Space]) -> None:
    """Let the command pass or raise the refusal that stops it.

    Raises:
        NotPermitted, SpaceUnavailable, StudyNotCreated, OtherMode, NotAppointed, OtherSite, ConflictingRole,
        SignatureMissing, LockedStudy, RevealingWords
    """
    permission, by, name = command.PERMISSION, context.actor, type(command).__name__
    if by.role not in permission.roles:
        allowed = ", ".join(sorted(role.value for role in permission.roles))
        raise NotPermitted(
            f"the role {by.role.value} may not {name}",
            remedy=f"this is done by: {allowed}",
            role=by.role.value,
            command=name,
        )
    if permission.space is Space.CLOSED and Space.CLOSED not in spaces:
        raise SpaceUnavailable(
            f"{name} needs the closed space, which this process does not hold",
            remedy="give the command in the laboratory's or pharmacy's process",
            command=name,
        )
    _check_begun(command, state)
    _check_mode(context, state)
    if by.role is Role.PARTICIPANT:
        _check_own(command, by, state)
    elif not permission.begins:
        _check_appointment(by, context, state)
    _check_site(command, by, state)
    if permission.treats:
        _check_conflicts(command, by, context.build, state)
    if permission.signs is not None:
        _check_signature(permission.signs, context)
    if not permission.after_lock and state.of(StudySetup).locked:
        raise LockedStudy(
            f"the study is locked, {name} would write",
            remedy="a locked study is opened again by two people with UnlockStudy",
            command=name,
        )
    _check_words(command, context)


def site_of(command: Command, by: Actor, state: State) -> str | None:
    """The site a command concerns: the participant's, the one it names, or the actor's."""
    participant: str | None = getattr(command, "participant", None)
    if participant is not None:
        return state.of(Enrolment, participant).site or None
    named: str | None = getattr(command, "site", None)
    return named or by.site


def _check_begun(command: Command, state: State) -> None:
    if not command.PERMISSION.begins and not state.of(StudySetup).created:
        raise StudyNotCreated(
            f"there is no study yet in which {type(command).__name__} could be given",
            remedy="the sponsor gives CreateStudy first",
            command=type(command).__name__,
        )


def _check_mode(context: Context, state: State) -> None:
    mode = state.of(StudySetup).mode
    if mode and mode != context.mode:
        raise OtherMode(
            f"this record is in the mode {mode}, the process runs in {context.mode or 'none'}",
            remedy=f"start it in the mode {mode}; a mode never changes",
            mode=mode,
        )
    if mode == "production" and context.entropy.origin != OPERATING_SYSTEM:
        raise OtherMode(
            f"a production record takes no salts from {context.entropy.origin!r}",
            remedy="start the process with the operating system's entropy",
            origin=context.entropy.origin,
        )


def _check_own(command: Command, by: Actor, state: State) -> None:
    about: str | None = getattr(command, "participant", None)
    if about != by.person or not state.of(Enrolment, by.person).exists:
        raise NotAppointed(
            f"{by.person} may act as participant for {by.person} only, this concerns {about}",
            remedy="sign in as the participant concerned",
            person=by.person,
            role=by.role.value,
        )


def _check_appointment(by: Actor, context: Context, state: State) -> None:
    if by.role in SITE_ROLES:
        held = bool(by.site) and state.of(SiteSetup, by.site or "").may_act(by.person, by.role.value, context.today)
        remedy = "the principal investigator delegates the task and training is recorded, both in force today"
    else:
        held = state.of(People).holds(by.person, by.role.value)
        remedy = "the sponsor appoints the person to the role"
    if not held:
        raise NotAppointed(
            f"{by.person} does not hold the role {by.role.value}" + (f" at site {by.site}" if by.site else ""),
            remedy=remedy,
            person=by.person,
            role=by.role.value,
        )


def _check_site(command: Command, by: Actor, state: State) -> None:
    if by.role not in SITE_ROLES:
        return
    site = site_of(command, by, state)
    if site is not None and site != by.site:
        raise OtherSite(
            f"{type(command).__name__} concerns site {site}, {by.person} works at site {by.site}",
            remedy="somebody of that site does this",
            site=site,
        )


def _check_conflicts(command: Command, by: Actor, build: Build, state: State) -> None:
    participant: str | None = getattr(command, "participant", None)
    if participant is None:
        return
    others = conflicting_roles(participant, by, build, state)
    if others:
        raise ConflictingRole(
            f"{by.person} already acted for {participant} as {', '.join(sorted(others))}",
            remedy="somebody else does this; the study keeps these roles apart",
            participant=participant,
            role=by.role.value,
        )


def conflicting_roles(participant: str, by: Actor, build: Build, state: State) -> set[str]:
    """Roles in which the person acted for this participant before and which exclude the present one."""
    before = state.of(Hands, participant).roles_of(by.person)
    found: set[str] = set()
    for conflict in build.study.identity.conflicts:
        pair = {role.value for role in conflict.roles}
        if by.role.value in pair:
            found |= (pair - {by.role.value}) & before
    return found


def _check_words(command: Command, context: Context) -> None:
    blinding = context.build.study.identity.blinding
    if command.PERMISSION.space is Space.CLOSED or blinding.kind != "blinded":
        return
    if context.actor.role not in blinding.unblinded_roles:
        return
    for text in (context.reason or "", *_free_texts(command)):
        word = revealing_word(context.build, text)
        if word is not None:
            raise RevealingWords(
                f"blinded people will read this, and {word!r} names an arm",
                remedy="say what happened without saying what was given",
                word=word,
            )


def _free_texts(part: object) -> Iterator[str]:
    """Texts that somebody wrote, wherever they stand in a command: not names, codes or units."""
    if isinstance(part, Mapping):
        for value in part.values():
            yield from _free_texts(value)
    elif is_dataclass(part):
        for field in fields(part):
            value = getattr(part, field.name)
            if field.name in FREE_TEXT and isinstance(value, str):
                yield value
            else:
                yield from _free_texts(value)


def _check_signature(meaning: str, context: Context) -> None:
    signature = context.signature
    if signature is None or signature.person != context.actor.person or signature.meaning != meaning:
        raise SignatureMissing(
            f"this act needs the signature of {context.actor.person} with the meaning {meaning!r}",
            remedy="sign again with your own credentials",
            meaning=meaning,
        )

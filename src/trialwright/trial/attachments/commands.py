"""Attach a file to a form; withdraw one that was attached by mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from trialwright.foundation.errors import Refusal
from trialwright.protocol.roles import Role
from trialwright.trial.attachments.events import FileAttached, FileWithdrawn
from trialwright.trial.attachments.state import Attachments
from trialwright.trial.capture.state import LOG, CaseBook
from trialwright.trial.command import Command, Context, Decide, NotFound, Permission, may
from trialwright.trial.enrolment.state import Enrolment
from trialwright.trial.event import Event
from trialwright.trial.state import State

# Whoever may know the arm attaches nothing in the open space: nobody can look for revealing words in a picture.
ATTACHERS = (Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.CENTRAL_READER)
MEDIA_TYPES = ("application/pdf", "image/jpeg", "image/png", "text/plain")
LARGEST = 20 * 1024 * 1024
LONGEST = 200
_DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


class FileNotAcceptable(Refusal):
    """Not a kind of file that is kept, empty, too large, or without words that say what it is."""

    code = "attachments.file_not_acceptable"


class AlreadyAttached(Refusal):
    """The very same bytes are already attached for this participant."""

    code = "attachments.already_attached"


class WithdrawalWithoutReason(Refusal):
    """A file is withdrawn without saying why."""

    code = "attachments.withdrawal_without_reason"


@dataclass(frozen=True, kw_only=True)
class AttachFile(Command):
    """Attach a file, kept under its hash, to a form. By blinded site staff and central readers.

    Refused: a form that the study does not have or that belongs to the closed space, a visit without date, a kind
    of file that is not kept, one that is attached already, no words that say what it is.
    """

    PERMISSION: ClassVar[Permission] = may(*ATTACHERS)
    participant: str
    encounter: str
    form: str
    digest: str
    size: int
    media_type: str
    text: str
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class WithdrawFile(Command):
    """Withdraw a file that was attached by mistake. By those who attach. Refused: no such file, no reason."""

    PERMISSION: ClassVar[Permission] = may(*ATTACHERS)
    participant: str
    digest: str


def attach_file(command: AttachFile, state: State, context: Context) -> Iterable[Event]:
    compiled = context.build.forms.get(command.form)
    known = state.of(Enrolment, command.participant).exists
    held = command.encounter == LOG or command.encounter in state.of(CaseBook, command.participant).held
    if not known or not held or compiled is None or compiled.form.space != "open":
        raise NotFound(
            f"{command.participant} has no form {command.form} at {command.encounter}",
            remedy="attach to a form of a visit that has a date",
            form=command.form,
        )
    _check_file(command)
    if command.digest in state.of(Attachments, command.participant).digests:
        raise AlreadyAttached("this file is attached already", remedy="look at the list of files")
    yield FileAttached(
        participant=command.participant,
        encounter=command.encounter,
        form=command.form,
        repeat=command.repeat,
        digest=command.digest,
        size=command.size,
        media_type=command.media_type,
        text=command.text.strip(),
    )


def withdraw_file(command: WithdrawFile, state: State, context: Context) -> Iterable[Event]:
    if command.digest not in state.of(Attachments, command.participant).digests:
        raise NotFound("there is no such file", remedy="look at the list of files", digest=command.digest[:64])
    if not (context.reason or "").strip():
        raise WithdrawalWithoutReason("a file is withdrawn without a reason", remedy="say why in a few words")
    yield FileWithdrawn(participant=command.participant, digest=command.digest)


def _check_file(command: AttachFile) -> None:
    for wrong, why, remedy in (
        (command.media_type not in MEDIA_TYPES, "is not a kind of file that is kept", "use PDF, JPEG, PNG or text"),
        (not 0 < command.size <= LARGEST, f"has {command.size:,} bytes", f"send at most {LARGEST:,}"),
        (_DIGEST.match(command.digest) is None, "has no SHA-256", "give its hash in 64 hexadecimal digits"),
        (
            not 0 < len(command.text.strip()) <= LONGEST,
            "has no words that say what it is, or too many",
            f"write between 1 and {LONGEST} characters",
        ),
    ):
        if wrong:
            raise FileNotAcceptable(f"the file {why}", remedy=remedy)


DECISIONS: Mapping[type[Command], Decide] = {AttachFile: attach_file, WithdrawFile: withdraw_file}

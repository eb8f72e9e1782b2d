"""``backup``, ``restore``, ``rebuild-views``, ``accept-loss``: copies of a study's stores, put back and proven."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from trialwright.cli.keys import read_signing_key
from trialwright.cli.output import NEGATIVE, AsJson, print_json, print_lines
from trialwright.cli.record import created, read_text, running_trial, study_of, trusted_keys
from trialwright.cli.rehearsal import beside
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemClock
from trialwright.stores import (
    BackupUnusable,
    KeyMissing,
    Part,
    Until,
    back_up,
    losses_of,
    open_store,
    read_backup,
    statement,
)
from trialwright.stores import accept_loss as accept
from trialwright.stores import restore as put_back
from trialwright.trial.crossing.agreement import of_one_moment
from trialwright.trial.event import Space

Closed = Annotated[
    str | None, typer.Option(help="Address of the closed space's store; beside the open one by default.")
]
Attachments = Annotated[Path | None, typer.Option(help="Folder of the attachments, sealed as they are.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("rebuild-views")(rebuild_views)
    app.command("accept-loss")(accept_loss)


def backup(
    store: Annotated[str, typer.Argument(help="Address of the open space's store; people may go on working.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder.")],
    closed_store: Closed = None,
    attachments: Attachments = None,
    as_json: AsJson = False,
) -> None:
    """Copy both spaces of a study, as they stood at one instant, and the attachments."""
    study, blinded = _study(store)
    parts = _parts(study, blinded, store, closed_store)
    folders = {"attachments": attachments} if attachments is not None else {}
    made = back_up(parts, out, SystemClock().now(), folders=folders)
    if as_json:
        print_json({"folder": str(out), "made_at": made.made_at, "heads": made.heads})
        return
    for heads in made.heads.values():
        print_lines(f"{ledger}: up to entry {head['size']:,}" for ledger, head in heads.items())
    print_lines([f"Backup: {out}/"])


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of a backup, of a store or of the application.")],
    to: Annotated[str, typer.Option(help="Where the open space goes; nothing may be there.")],
    checkpoint: Annotated[list[Path], typer.Option(help="A checkpoint that somebody kept outside; may be repeated.")],
    key: Annotated[list[str], typer.Option(help="A public key that you trust, or a file with it; may be repeated.")],
    closed_store: Closed = None,
    attachments: Annotated[Path | None, typer.Option(help="Where the attachments go.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Only up to this entry of the open ledger, or 2026-05-04T12:00:00Z.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup back and hold it against checkpoints kept outside. Exit code 1 where something is missing."""
    made = read_backup(folder)
    study = _study_in(made.heads, folder)
    parts = _parts(study, f"{study}.closed" in made.heads, to, closed_store)
    found = put_back(
        folder,
        parts,
        SystemClock().now(),
        outside={str(path): read_text(path) for path in checkpoint},
        keys=trusted_keys(key),
        folders={"attachments": attachments} if attachments is not None else {},
        until=None if until is None else _moment(until),
        agree=of_one_moment,
    )
    waits = fold_views(study, parts) if until is not None or found.without_views else ""
    if as_json:
        print_json(
            {
                "study": study,
                "ledgers": [
                    {"ledger": r.ledger_id, "size": r.size, "root": r.root, "covered": r.covered}
                    for r in found.reports
                ],
                "lost": [
                    {"ledger": loss.ledger_id, "has": loss.has, "covered": loss.covered} for loss in found.losses
                ],
                "unproven": list(found.unproven),
                "views_wait": waits,
            }
        )
    else:
        print_lines("\n".join(str(report) for report in found.reports).splitlines())
        print_lines(
            f"MISSING: {loss.ledger_id} has {loss.has:,} entries, {loss.covered:,} were covered outside: "
            f"{loss.covered - loss.has:,} are lost"
            for loss in found.losses
        )
        if found.losses:
            print_lines(["The study is read-only until the loss is accepted: trialwright accept-loss"])
        if waits:
            print_lines([f"The record is whole; its views are not folded, and it is read-only: {waits}"])
    if found.losses or waits:
        raise typer.Exit(NEGATIVE)


def rebuild_views(
    store: Annotated[str, typer.Argument(help="Address of the open space's store.")],
    closed_store: Closed = None,
) -> None:
    """Empty the views of both spaces and fold the record again. Exit code 1 where the keyring is missing."""
    study, blinded = _study(store)
    waits = fold_views(study, _parts(study, blinded, store, closed_store))
    print_lines([waits or f"The views of {study} are folded."])
    if waits:
        raise typer.Exit(NEGATIVE)


def accept_loss(
    store: Annotated[str, typer.Argument(help="Address of the open space's store.")],
    person: Annotated[str, typer.Option(help="Who accepts it.")],
    reason: Annotated[str, typer.Option(help="What is known of the loss, and what is done about it.")],
    key: Annotated[Path, typer.Option(help="The signing key's file that the person holds.")],
    closed_store: Closed = None,
    password_file: Annotated[Path | None, typer.Option(help="File with its password; asked for otherwise.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sign for what was lost, so that a study that came back behind can be written again."""
    study, blinded = _study(store)
    now = SystemClock().now()
    with ExitStack() as stack:
        parts = _parts(study, blinded, store, closed_store)
        stores = {p.name: stack.enter_context(open_store(p.address, create=False)) for p in parts}
        losses = tuple(dict.fromkeys(loss for one in stores.values() for loss in losses_of(one)))
        text = statement(losses, person=person, reason=reason, now=now)
        signature = read_signing_key(key, password_file).sign(text) if losses else ""
        accept(stores, person=person, reason=reason, now=now, signature=signature)
    if as_json:
        print_json({"study": study, "statement": text, "signature": signature})
        return
    print_lines([*text.splitlines(), "", signature.rstrip()])


def _study(address: str) -> tuple[str, bool]:
    """The study whose open space a store holds, and whether it is blinded."""
    with open_store(address, create=False) as store:
        study, space = study_of(store, address)
        if space is not Space.OPEN:
            raise InvalidValue(
                f"{address} is the closed space", remedy="give the open one; --closed-store names this"
            )
        return study, created(store, study).blinding != "open"


def fold_views(study: str, parts: Sequence[Part]) -> str:
    """Empty the views of a study's spaces and fold the record again.

    Args:
        study: its id.
        parts: the store of the open space first.

    Returns:
        Nothing, or, where a keyring lacks a key, which and what to do; then nothing is changed in that space, and a
        store that came back without views stays read-only.
    """
    try:
        _fold(study, parts)
    except KeyMissing as error:
        return f"{error} (then: rebuild-views)"
    return ""


def _fold(study: str, parts: Sequence[Part]) -> None:
    with ExitStack() as stack:
        opened, *closed = [stack.enter_context(open_store(p.address, create=False)) for p in parts]
        # A process that must not know the closed space folds its own views alone.
        one_space = created(opened, study).blinding == "open"
        trial = running_trial(study, opened, opened if one_space else next(iter(closed), None))
        for space in trial.ledgers if closed else (Space.OPEN,):
            trial.rebuild_views(space)


def _parts(study: str, blinded: bool, store: str, closed_store: str | None) -> tuple[Part, ...]:
    opened = Part(f"{study}.open", store, f"{study}/open", study)
    if not blinded:
        return (opened,)
    behind = closed_store or beside(store)
    return opened, Part(f"{study}.closed", behind, f"{study}/closed", study)


def _study_in(heads: Mapping[str, object], folder: Path) -> str:
    studies = sorted(name.removesuffix(".open") for name in heads if name.endswith(".open"))
    if len(studies) != 1:
        raise BackupUnusable(
            f"{folder} holds {len(studies)} studies: {', '.join(studies)}",
            remedy="restore an installation with: python -m trialwright_web restore",
        )
    return studies[0]


def _moment(text: str) -> Until:
    if re.fullmatch(r"[0-9]{1,15}", text):
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InvalidValue(
            f"{text[:60]!r} is neither an entry nor an instant", remedy="give 1874, or 2026-05-04T12:00:00Z"
        )
    return instant.astimezone(UTC)

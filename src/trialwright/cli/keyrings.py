"""``keys``, of keyrings: copies of data keys in escrow, which there are, and putting a lost keyring back."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from trialwright.cli.keys import PasswordFile, read_private, write_secret
from trialwright.cli.output import AsJson, print_json, print_lines
from trialwright.cli.record import read_text, study_of
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.ledger.port import Store
from trialwright.sealing import PublicKey, escrow_keyring, read_keyring_copy, recover_keyring
from trialwright.stores import open_store
from trialwright.trial.erasure.escrow import copies, keys_to_copy, note_copy, note_destroyed, put_back
from trialwright.trial.event import Space

StoreAddress = Annotated[str, typer.Argument(help="Address of the store whose keyring it is, one for each space.")]


def add_to(keys: typer.Typer) -> None:
    """Add the commands of this module to ``keys``."""
    keys.command("escrow-keyring")(escrow)
    keys.command("keyring-copies")(listed)
    keys.command("copy-destroyed")(destroyed)
    keys.command("recover-keyring")(recover)


def escrow(
    store: StoreAddress,
    to: Annotated[Path, typer.Option(help="Public half of the keeper's escrow key.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A file that does not exist.")],
    as_json: AsJson = False,
) -> None:
    """Write a copy of a keyring that only the keeper can open; the keyring remembers the copy."""
    keeper = PublicKey.parse(read_text(to))
    entropy = SystemEntropy()
    with open_store(store, create=False) as opened:
        ledger = _ledger(opened, store)
        made_at = SystemClock().now().astimezone(UTC).isoformat(timespec="seconds")
        name = entropy.bytes(6, purpose="keyring copy", stream=ledger, position=0).hex()
        keys = keys_to_copy(opened.keyring)
        content = escrow_keyring(keys, keeper, entropy, ledger=ledger, copy=name, made_at=made_at)
        # Noted first: a copy that nobody knows of could undo an erasure.
        about = read_keyring_copy(content)
        note_copy(opened.keyring, about, keys)
        write_secret(out, content)
    if as_json:
        print_json({"file": str(out), **vars(about)})
        return
    print_lines([f"copy {about.copy}: {about.keys} keys of {about.ledger}", f"  {out}: hand it to the keeper"])


def listed(store: StoreAddress, as_json: AsJson = False) -> None:
    """List the copies that are out, and which of them hold keys that were destroyed since."""
    with open_store(store, create=False) as opened:
        found = copies(opened.keyring)
    if as_json:
        print_json({"copies": [{**vars(one.about), "destroyed_since": one.destroyed_since} for one in found]})
        return
    print_lines(
        f"{one.about.copy}  {one.about.made_at}  keeper {one.about.keeper}  {one.about.keys} keys"
        + (
            f"  DESTROY IT: {one.destroyed_since} of the keyring's keys were destroyed since"
            * bool(one.destroyed_since)
        )
        for one in found
    )


def destroyed(
    store: StoreAddress, copy: Annotated[str, typer.Argument(help="Name of the copy, as the list has it.")]
) -> None:
    """Note that a copy was destroyed, when the keeper has said so in writing."""
    with open_store(store, create=False) as opened:
        note_destroyed(opened.keyring, _ledger(opened, store), copy)
    print_lines([f"copy {copy} is noted as destroyed"])


def recover(
    escrowed: Annotated[Path, typer.Argument(help="An escrowed copy of a keyring.")],
    store: StoreAddress,
    keeper: Annotated[Path, typer.Option(help="The keeper's escrow key.")],
    record: Annotated[
        str | None, typer.Option(help="Address of the open space, where the store is the closed one.")
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """Put a lost keyring back, without the keys that the record says are destroyed."""
    content = read_text(escrowed).encode()
    about = read_keyring_copy(content)
    keys = recover_keyring(content, read_private(keeper, password_file))
    with open_store(store, create=False) as opened, open_store(record or store, create=False) as told:
        ledger = _ledger(opened, store)
        study, space = study_of(told, record or store)
        if space is not Space.OPEN:
            raise InvalidValue("who is forgotten stands in the open space", remedy="give its address as --record")
        if about.ledger != ledger:
            raise InvalidValue(f"the copy is of {about.ledger}, the store holds {ledger}", remedy="use its own copy")
        put, left = put_back(opened.keyring, ledger, keys, told.ledger(f"{study}/open"))
        if about.copy not in {one.about.copy for one in copies(opened.keyring)}:
            note_copy(opened.keyring, about, keys)
    print_lines([f"{put} keys are back, {left} left out: destroyed, or there already", "Now fold the views again."])


def _ledger(opened: Store, store: str) -> str:
    study, space = study_of(opened, store)
    return f"{study}/{space.value}"

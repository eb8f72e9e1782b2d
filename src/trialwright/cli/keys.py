"""``keys``: make, show, escrow, split, join and rotate keys. Private keys are never printed, files never overwritten.

Key files lie encrypted under a password and are readable by their owner only. Two people hold one key together by a
split into two shares of which both are needed.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Annotated

import typer

from trialwright.cli.output import AsJson, print_json, print_lines
from trialwright.cli.record import read_text, running_trial, study_of
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.files import make_durable
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.ledger import SigningKey, VerifierKey
from trialwright.protocol.roles import Role
from trialwright.sealing import (
    InvalidKey,
    KeyPurpose,
    PrivateKey,
    PublicKey,
    combine_key,
    escrow_key,
    generate_key,
    read_key,
    read_share,
    recover_key,
    split_key,
    write_key,
    write_share,
)
from trialwright.stores import open_store
from trialwright.trial.command import Actor, Signature
from trialwright.trial.event import Space
from trialwright.trial.keys.commands import FIRST, PutKeyInForce, shown_key
from trialwright.trial.keys.events import KeyPutInForce

PURPOSES = {"site": KeyPurpose.IDENTITY, **{p.value: p for p in KeyPurpose if p is not KeyPurpose.IDENTITY}}
"""What people call a purpose → the purpose."""

KeyFile = Annotated[Path, typer.Argument(help="A key file.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="A file or folder that does not exist.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File with the password, readable by you only; asked for otherwise.")
]
NewPasswordFile = Annotated[Path | None, typer.Option(help="The same, for what is written.")]


def add_to(app: typer.Typer) -> typer.Typer:
    """Add the commands of this module; answers their group, for more."""
    keys = typer.Typer(name="keys", help="Make, show, escrow, split, join and rotate keys.", no_args_is_help=True)
    for command in (generate, show, escrow, recover, split, combine, rotate):
        keys.command(command.__name__)(command)
    keys.command("on-record")(on_record)
    app.add_typer(keys)
    return keys


def generate(
    purpose: Annotated[str, typer.Argument(help=f"One of {', '.join(PURPOSES)}.")],
    study: Annotated[str, typer.Option(help="The study's id.")],
    out: Out,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a key: the file, and its public half beside it."""
    if purpose not in PURPOSES:
        raise InvalidValue(f"{purpose[:40]!r} is no purpose of a key", remedy=f"one of {', '.join(PURPOSES)}")
    _check_room(out, public_file(out))
    key = generate_key(PURPOSES[purpose], _ENTROPY, ledger=study)
    _write(key, out, password_file)
    _say(key.public, out, as_json)


def show(
    key: Annotated[Path, typer.Argument(help="A key file, a public half, a share or an escrowed copy.")],
    as_json: AsJson = False,
) -> None:
    """Say whose key a file holds, without opening it."""
    about = _about(read_text(key))
    if as_json:
        print_json(about)
        return
    print_lines(f"{name}: {value}" for name, value in about.items())


def escrow(
    key: KeyFile,
    to: Annotated[Path, typer.Option(help="Public half of the keeper's escrow key.")],
    out: Out,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Write a copy that only the keeper of an escrow key can open."""
    _check_room(out)
    private = read_private(key, password_file)
    write_secret(out, escrow_key(private, PublicKey.parse(read_text(to)), _ENTROPY))
    _say(private.public, out, as_json)


def recover(
    escrowed: Annotated[Path, typer.Argument(help="An escrowed copy.")],
    keeper: Annotated[Path, typer.Option(help="The keeper's escrow key.")],
    out: Out,
    password_file: PasswordFile = None,
    new_password_file: NewPasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Get a lost key back from its escrowed copy."""
    _check_room(out, public_file(out))
    private = recover_key(read_text(escrowed).encode(), read_private(keeper, password_file))
    _write(private, out, new_password_file)
    _say(private.public, out, as_json)


def split(
    key: KeyFile,
    shares: Annotated[int, typer.Option(help="How many custodians there are.")],
    needed: Annotated[int, typer.Option(help="How many of them are needed, at least 2.")],
    out: Out,
    password_file: PasswordFile = None,
    custodian: Annotated[
        list[Path] | None, typer.Option(help="File with a custodian's own password; one each, in their order.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give each custodian a share under their own password; destroy the whole key afterwards."""
    if custodian and len(custodian) != shares:
        raise InvalidValue(
            f"{len(custodian)} passwords were given for {shares} custodians", remedy="give one file each, or none"
        )
    private = read_private(key, password_file)
    parts = split_key(private, shares=shares, needed=needed, entropy=_ENTROPY)
    _check_room(out)
    files = [out / f"{private.purpose.value}.share-{n}-of-{shares}" for n in range(1, shares + 1)]
    passwords = [
        read_password(custodian[n] if custodian else None, f"Custodian {n + 1}: new password", new=True)
        for n in range(shares)
    ]
    out.mkdir(mode=0o700, parents=True)
    for file, part, password in zip(files, parts, passwords, strict=True):
        write_secret(file, write_share(part, password, _ENTROPY))
    if as_json:
        print_json({"fingerprint": private.public.fingerprint, "needed": needed, "files": [str(f) for f in files]})
        return
    print_lines([f"{private.purpose.value} key {private.public.fingerprint}: any {needed} of {shares} shares"])
    print_lines([*(f"  {file}" for file in files), f"Now destroy {key}."])


def combine(
    shares: Annotated[list[Path], typer.Argument(help="Shares of one key, as many as are needed.")],
    out: Out,
    custodian: Annotated[
        list[Path] | None, typer.Option(help="File with the password of each share, in their order.")
    ] = None,
    new_password_file: NewPasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring custodians together and rebuild their key."""
    if custodian and len(custodian) != len(shares):
        raise InvalidValue(
            f"{len(custodian)} passwords were given for {len(shares)} shares", remedy="give one file each, or none"
        )
    _check_room(out, public_file(out))
    opened = [
        read_share(
            read_text(path).encode(), read_password(custodian[n] if custodian else None, f"Password of {path.name}")
        )
        for n, path in enumerate(shares)
    ]
    private = combine_key(opened)
    _write(private, out, new_password_file)
    _say(private.public, out, as_json)


def rotate(
    store: Annotated[str, typer.Argument(help="Address of the open space's store.")],
    key: Annotated[Path, typer.Argument(help="The new key's file; opened, to show that somebody has it.")],
    person: Annotated[str, typer.Option(help="Who puts it in force, as appointed on record.")],
    organisation: Annotated[str, typer.Option(help="For whom they act.")],
    fingerprint: Annotated[str, typer.Option(help="The new key's, as a second person read it aloud.")],
    why: Annotated[str, typer.Option(help="first, rotation, lost or disclosed.")] = FIRST,
    site: Annotated[str | None, typer.Option(help="For a site's key: the site whose investigator acts.")] = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a key in force; the record says so. What was sealed stays sealed to the key before."""
    public = read_private(key, password_file).public
    if fingerprint != public.fingerprint:
        raise InvalidValue(
            f"the file holds {public.fingerprint}, the second person read {fingerprint[:60]}",
            remedy="compare again; do not go on before both agree",
        )
    role = Role.SPONSOR if site is None else Role.INVESTIGATOR
    with open_store(store, create=False) as opened:
        study, space = study_of(opened, store)
        if space is not Space.OPEN:
            raise InvalidValue(f"{store} is the closed space", remedy="keys are put on record in the open one")
        trial = running_trial(study, opened, None)
        receipt = trial.dispatch(
            PutKeyInForce(public=str(public), why=why),
            by=Actor(person, role, organisation, site),
            request_id=f"key.{public.fingerprint}",
            signature=Signature(person, "put_key_in_force", shown_key(str(public))),
        )
    event = receipt.event(KeyPutInForce)
    if as_json:
        print_json({"fingerprint": event.fingerprint, "purpose": event.purpose, "replaces": event.replaces})
        return
    print_lines([f"{event.purpose} key in force: {event.fingerprint}", f"before: {event.replaces or 'none'}"])


def on_record(
    store: Annotated[str, typer.Argument(help="Address of the open space's store.")], as_json: AsJson = False
) -> None:
    """List every key that was put in force, the oldest first."""
    with open_store(store, create=False) as opened:
        study, _ = study_of(opened, store)
        said = [json.loads(entry.body) for entry in opened.ledger(f"{study}/open").read_stream(KeyPutInForce.STREAM)]
    rows = [{"at": one["at"], "by": one["actor"], **one["data"]} for one in said]
    if as_json:
        print_json({"keys": rows})
        return
    print_lines(f"{r['at']}  {r['purpose']:<10}  {r['fingerprint']}  {r['why']}  by {r['by']}" for r in rows)


def read_private(path: Path, password_file: Path | None) -> PrivateKey:
    """The key in a file, opened with its password."""
    return read_key(read_text(path).encode(), read_password(password_file, f"Password of {path.name}"))


def read_signing_key(path: Path, password_file: Path | None) -> SigningKey:
    """A signing key that signs under its fingerprint.

    Raises:
        InvalidKey: a key of another purpose.
    """
    key = read_private(path, password_file)
    if key.purpose is not KeyPurpose.SIGNING:
        raise InvalidKey(f"{path.name} holds a {key.purpose.value} key", remedy="give a signing key")
    return SigningKey(key.public.fingerprint, key.raw)


def public_file(path: Path) -> Path:
    """Where the public half of a key file goes."""
    return path.with_name(f"{path.name}.public")


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read.

    Raises:
        InvalidValue: it exists, or cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        make_durable(path)
    except FileExistsError as error:
        raise InvalidValue(f"{path} exists", remedy="name a new file; no key is overwritten") from error
    except OSError as error:
        raise InvalidValue(f"{path} cannot be written: {error.strerror}", remedy="choose another place") from error


_ENTROPY = SystemEntropy()


def _write(key: PrivateKey, out: Path, password_file: Path | None) -> None:
    write_secret(out, write_key(key, read_password(password_file, f"New password of {out.name}", new=True), _ENTROPY))
    write_secret(public_file(out), f"{key.public}\n".encode())


def _check_room(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise InvalidValue(f"{path} exists", remedy="name a new file; no key is overwritten")


def read_password(file: Path | None, prompt: str, *, new: bool = False) -> str:
    """A password, typed or from a file that nobody else can read.

    Raises:
        InvalidValue: the file cannot be read, or others can read it.
    """
    if file is None:
        answer: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=new, err=True)
        return answer
    text = read_text(file).rstrip("\r\n")
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise InvalidValue(f"{file} can be read by others", remedy=f"chmod 600 {file}")
    return text


def _about(text: str) -> dict[str, object]:
    if not text.lstrip().startswith("{"):
        key = PublicKey.parse(text)
        verifier = {}
        if key.purpose is KeyPurpose.SIGNING:
            verifier = {"verifies": _verifier(key)}
        return {"holds": "public key", "purpose": key.purpose.value, "fingerprint": key.fingerprint, **verifier}
    try:
        body = json.loads(text)
        kind = str(body.get("kind", "escrowed key"))
        about = dict(body.get("about") or {name: body[name] for name in ("purpose", "fingerprint", "keeper")})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidKey("the file holds no key", remedy="give a file that one of the keys commands wrote") from None
    return {"holds": kind, **about}


def _verifier(key: PublicKey) -> str:
    return str(VerifierKey(key.fingerprint, key.raw))


def _say(key: PublicKey, out: Path, as_json: bool) -> None:
    if as_json:
        print_json(
            {"file": str(out), "purpose": key.purpose.value, "fingerprint": key.fingerprint, "public": str(key)}
        )
        return
    print_lines([f"{key.purpose.value} key {key.fingerprint}", f"  {out}"])

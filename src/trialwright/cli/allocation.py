"""``list prepare`` and ``list show``: the independent statistician makes the list, away from the trial's machines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.cli.keys import write_secret
from trialwright.cli.output import AsJson, print_json, print_lines
from trialwright.cli.study import Folder, open_study
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.sealing import KeyPurpose, PublicKey, RealSealer
from trialwright.trial.allocation.preparation import Secret, prepare_list, rows_of, strata_of

_FORMAT = "trialwright list specification 1"
SPECIFICATION, SEALED = "specification.json", "sealed-list.json"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    lists = typer.Typer(name="list", help="Make and seal an allocation list.", no_args_is_help=True)
    lists.command("prepare")(prepare)
    lists.command("show")(show)
    app.add_typer(lists)


def prepare(
    folder: Folder,
    dispensing: Annotated[Path, typer.Option(help="Public half of the dispensing key.")],
    unblinding: Annotated[Path, typer.Option(help="Public half of the unblinding key.")],
    rows: Annotated[int, typer.Option(help="Rows in each stratum; any stratum may fill with everybody.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder that has no list yet.")],
    parameters: Annotated[
        str, typer.Option(help='What the study keeps open, as JSON: {"sizes": [2, 4]}, {"tolerance": 3} …')
    ] = "{}",
    number: Annotated[int, typer.Option(help="1, or the next where a list is continued.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Draw a seed, make the list and seal it. The specification stays with you; the sealed list goes to the trial."""
    build = _build(folder)
    keys = [_public(dispensing, KeyPurpose.DISPENSING), _public(unblinding, KeyPurpose.UNBLINDING)]
    entropy = SystemEntropy()
    secret = Secret(
        seed=entropy.bytes(32, purpose="allocation seed", stream=build.study.identity.id, position=number),
        parameters=_parameters(parameters),
        rows=dict.fromkeys(strata_of(build), _at_least_one(rows)),
    )
    prepared = prepare_list(
        build, secret, number=_at_least_one(number), sealer=RealSealer(keys, entropy), entropy=entropy
    )
    write_secret(out / SPECIFICATION, _text(_specification(build, secret, number)))
    write_secret(out / SEALED, _text(prepared.as_json()))
    root = prepared.sealed.root.hex()
    if as_json:
        print_json({"root": root, "specification": str(out / SPECIFICATION), "sealed": str(out / SEALED)})
        return
    print_lines(
        [
            f"root {root}",
            f"{out / SEALED}: sign it in the closed process, under Allocations; the page shows the same root",
            f"{out / SPECIFICATION}: holds the seed. Keep it where nobody of the trial reads it.",
        ]
    )


def show(
    folder: Folder,
    specification: Annotated[Path, typer.Argument(help="The specification that prepare wrote.")],
    as_json: AsJson = False,
) -> None:
    """Make the list again from its specification, in the clear."""
    build = _build(folder)
    number, secret = _read(specification, build)
    made = rows_of(build, secret, number=number)
    if as_json:
        print_json({"number": number, "rows": {stratum: list(labels) for stratum, labels in made.items()}})
        return
    print_lines(_lines(made))


def _lines(made: dict[str, tuple[str, ...]]) -> Iterable[str]:
    yield "stratum,position,label"
    for stratum, labels in made.items():
        for position, label in enumerate(labels):
            yield f"{stratum},{position},{label}"


def _build(folder: Path) -> Build:
    return compiled(open_study(folder).study)


def _specification(build: Build, secret: Secret, number: int) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "study": build.study.identity.id,
        "build": build.id,
        "method": build.study.randomisation.method,
        "number": number,
        "parameters": dict(secret.parameters),
        "rows": dict(secret.rows),
        "seed": secret.seed.hex(),
    }


def _read(path: Path, build: Build) -> tuple[int, Secret]:
    try:
        said = json.loads(path.read_bytes())
        if said["format"] != _FORMAT:
            raise ValueError
        study, number = str(said["study"]), int(said["number"])
        secret = Secret(bytes.fromhex(said["seed"]), dict(said["parameters"]), dict(said["rows"]))
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read: {error.strerror}", remedy="name the specification") from error
    except (ValueError, KeyError, TypeError) as error:
        remedy = f"give the {SPECIFICATION} that prepare wrote"
        raise InvalidValue(f"{path} is no specification of a list", remedy=remedy) from error
    if study != build.study.identity.id:
        raise InvalidValue(f"the specification is of {study[:60]}", remedy=f"name the folder of {study[:60]}")
    return number, secret


def _public(path: Path, purpose: KeyPurpose) -> PublicKey:
    try:
        key = PublicKey.parse(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{path} cannot be read", remedy="name the .public file of the key") from error
    if key.purpose is not purpose:
        raise InvalidValue(
            f"{path} holds a {key.purpose.value} key", remedy=f"name the public half of the {purpose.value} key"
        )
    return key


def _parameters(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidValue(f"{text[:60]!r} is no JSON object", remedy='write for example {"sizes": [2, 4]}')
    return found


def _at_least_one(number: int) -> int:
    if number < 1:
        raise InvalidValue(f"{number} is less than one", remedy="give a whole number of 1 or more")
    return number


def _text(data: object) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()

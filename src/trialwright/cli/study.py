"""``check``, ``explain``, ``build``, ``diff``, ``schema``, ``registers``: what can be asked of a study folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from trialwright.build import Build, Difference, assumptions, check_study, compile_study, explain_rule
from trialwright.build import diff as difference
from trialwright.cli.output import NEGATIVE, AsJson, counts, print_findings, print_json, print_lines
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol import SCHEMA_KINDS, Finding, LoadedStudy, StudyFolderError, json_schema, load_study

Folder = Annotated[Path, typer.Argument(help="The folder that holds study.yaml.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("check")(check)
    app.command("explain")(explain)
    app.command("build")(build)
    app.command("diff")(diff)
    app.command("schema")(schema)
    app.command("registers")(registers)


def check(
    folder: Folder,
    as_json: AsJson = False,
    list_assumptions: Annotated[bool, typer.Option("--assumptions", help="List every assumption.")] = False,
) -> None:
    """Check a study folder: its files, and every rule. Exit code 1 where there are errors."""
    try:
        loaded = open_study(folder)
    except StudyFolderError as error:
        _report(error.findings, None, as_json, list_assumptions)
        raise typer.Exit(NEGATIVE) from None
    findings = check_study(loaded)
    _report(findings, loaded, as_json, list_assumptions)
    if counts(findings)["errors"]:
        raise typer.Exit(NEGATIVE)


def explain(rule: Annotated[str, typer.Argument(help="For example TW012.")], as_json: AsJson = False) -> None:
    """Explain a rule: what it asks, why, a bad and a good example."""
    found = explain_rule(rule)
    if as_json:
        print_json(
            {
                "rule": found.code,
                "severity": found.severity.value,
                "title": found.title,
                "why": found.why,
                "bad": found.bad,
                "good": found.good,
            }
        )
        return
    print_lines(
        [
            f"{found.code}  {found.title}  ({found.severity.value})",
            "",
            found.why,
            "",
            "Not so:",
            *(f"    {line}" for line in found.bad.splitlines()),
            "",
            "But so:",
            *(f"    {line}" for line in found.good.splitlines()),
        ]
    )


def build(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the build into this folder.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check and compile a study; print the build's id. Exit code 1 where there are errors."""
    made = compile_study(open_study(folder))
    written = None if out is None else out / f"{made.study.identity.id}-{made.id[:12]}.build.json"
    if written is not None:
        write_file(written, made.canonical)
    if as_json:
        print_json({**made.summary(), "written": str(written) if written else None})
        return
    print_lines(f"{name.replace('_', ' '):<14}{value}" for name, value in made.summary().items())
    if written is not None:
        print_lines([f"{'written':<14}{written}"])


def diff(
    old: Annotated[Path, typer.Argument(help="A study folder, or the file of a build.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="A study folder, or the file of a build.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show what changed from one version of a study to another, and what it means. Exit code 1 where they differ."""
    found = difference(open_build(old), open_build(new))
    if as_json:
        print_json(found.as_dict())
    else:
        _print_difference(found)
    if found.changes:
        raise typer.Exit(NEGATIVE)


def _print_difference(found: Difference) -> None:
    if not found.changes:
        print_lines(["nothing changed"])
        return
    print_lines(str(change) for change in found.changes)
    touched, sites = found.items_touched, found.sites_to_approve
    print_lines(
        [
            "",
            f"stored data          {'all fit' if found.data_compatible else 'some values no longer fit'}",
            f"items touched        {', '.join(touched) if touched else 'none'}",
            f"consent              {'participants must be asked again' if found.reconsent else 'stands'}",
            f"approval             {'substantial modification' if found.substantial else 'none to wait for'}",
            f"sites to approve     {', '.join(sites) if sites else 'none'}",
        ]
    )
    if found.contradiction:
        print_lines([f"contradiction        {found.contradiction}"])


def schema(folder: Folder, as_json: AsJson = False) -> None:
    """Write JSON Schemas to .trialwright/schema/ in the folder, for completion and hover text in editors."""
    if not folder.is_dir():
        raise no_folder(folder)
    target = folder / ".trialwright" / "schema"
    written = []
    for kind in SCHEMA_KINDS:
        path = target / f"{kind}.schema.json"
        write_file(path, (json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n").encode())
        written.append(path)
    if as_json:
        print_json({"written": [str(path) for path in written]})
        return
    print_lines(str(path) for path in written)
    print_lines(
        [
            "",
            "First line of study.yaml:    # yaml-language-server: $schema=.trialwright/schema/study.schema.json",
            "First line of forms/*.yaml:  # yaml-language-server: $schema=../.trialwright/schema/form.schema.json",
        ]
    )


def registers(folder: Folder, as_json: AsJson = False) -> None:
    """Show what each public place says about the study, and where they disagree. Exit code 1 where unexplained."""
    fields = open_study(folder).study.identity.registers
    drift = [
        {
            "field": register.field,
            "values": dict(register.values),
            "shown": register.shown,
            "agree": len({value for value in register.values.values() if value is not None}) < 2,
            "why": register.why,
        }
        for register in fields
    ]
    if as_json:
        print_json({"registers": drift})
    else:
        for register in fields:
            print_lines([register.field])
            for place, said in register.values.items():
                mark = "→" if place == register.shown else " "
                print_lines([f"  {mark} {place:<20} {said if said is not None else '–'}"])
            if register.why:
                print_lines([f"    {register.why}"])
    if any(not entry["agree"] and not entry["why"] for entry in drift):
        raise typer.Exit(NEGATIVE)


def open_study(folder: Path) -> LoadedStudy:
    """Load a study folder given on the command line.

    Raises:
        InvalidValue: there is no such folder.
        StudyFolderError: it cannot be read as a study.
    """
    if not folder.is_dir():
        raise no_folder(folder)
    return load_study(folder)


def open_build(path: Path) -> Build:
    """A build from a folder (checked and compiled) or from a file that ``trialwright build --out`` wrote.

    Raises:
        InvalidValue: neither is there.
        FindingsError: the folder has problems.
        NotAStudy: the file is no build.
    """
    if path.is_file():
        return Build.from_canonical(path.read_bytes())
    return compile_study(open_study(path))


def no_folder(folder: Path) -> InvalidValue:
    """The error for a folder that is not there."""
    return InvalidValue(
        f"there is no folder {folder}", remedy="give the folder that holds study.yaml", folder=str(folder)
    )


def write_file(path: Path, content: bytes) -> None:
    """Write a file, making its folder.

    Raises:
        InvalidValue: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise InvalidValue(
            f"{path} cannot be written: {error.strerror}", remedy="choose another place", file=str(path)
        ) from error


def _report(findings: tuple[Finding, ...], loaded: LoadedStudy | None, as_json: bool, list_assumptions: bool) -> None:
    taken = assumptions(loaded) if loaded is not None else ()
    number = counts(findings)
    if as_json:
        print_json(
            {
                **number,
                "findings": [finding.as_dict() for finding in findings],
                "assumptions": [{"file": a.file, "line": a.line, "what": a.what, "note": a.note} for a in taken],
            }
        )
        return
    print_findings(findings)
    if list_assumptions:
        print_lines(f"{a.file}:{a.line} assumption: {a.what}{'  ' + a.note if a.note else ''}" for a in taken)
    elif taken:
        files = Counter(a.file for a in taken)
        shown = ", ".join(f"{file} {n}" for file, n in sorted(files.items()))
        print_lines([f"{len(taken)} assumptions (list them with --assumptions): {shown}"])
    print_lines([", ".join(f"{n} {word if n != 1 else word[:-1]}" for word, n in number.items())])

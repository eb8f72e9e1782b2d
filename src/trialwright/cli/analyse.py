"""``analyse``: from a record, or a study folder that is rehearsed first, to the statistical report."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialwright.build import compile_study
from trialwright.cli.export import new_folder
from trialwright.cli.output import AsJson, print_json, print_lines
from trialwright.cli.record import study_of
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.ledger.port import Store
from trialwright.protocol import load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import open_store
from trialwright.trial.dispatch import Trial
from trialwright.trial.event import Space
from trialwright.trial.setup.builds import builds_on_record

if TYPE_CHECKING:
    from trialwright.analysis import Material, Report

LANGUAGES = ("en", "nb")


class ToCommittee(StrEnum):
    """Which report to the data monitoring committee."""

    OPEN = "open"
    CLOSED = "closed"


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("analyse")(analyse)


def analyse(
    source: Annotated[
        str, typer.Argument(help="Address of the open space's store, or a study folder, which is rehearsed first.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to; new or empty.")],
    closed: Annotated[
        str | None,
        typer.Option(help="Address of the closed space's store, once the study is unblinded; without it, a dummy."),
    ] = None,
    dmc: Annotated[
        ToCommittee | None,
        typer.Option(help="Report to the monitoring committee: open (all together), or closed (by arm, on a cut)."),
    ] = None,
    cut: Annotated[str | None, typer.Option(help="Data cut of a report to the committee.")] = None,
    allocations: Annotated[
        Path | None, typer.Option(help="CSV that the independent statistician's workspace wrote, for --dmc closed.")
    ] = None,
    package: Annotated[
        str | None, typer.Option(help="Also write the data sets: dataset-json, xpt or parquet.")
    ] = None,
    participants: Annotated[int, typer.Option(min=1, help="Of the rehearsal of a study folder.")] = 18,
    seed: Annotated[int, typer.Option(min=0, help="Of the rehearsal of a study folder.")] = 1,
    language: Annotated[str, typer.Option(help=f"One of {', '.join(LANGUAGES)}.")] = "en",
    pdf: Annotated[bool, typer.Option(help="Write the PDF.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run the plan of analysis: report (HTML, PDF), tables (DOCX), figures (SVG), results.json."""
    from trialwright.analysis import report_of, write_report
    from trialwright.exports.files import FORMATS, write_package

    _check(language, dmc, cut, closed, allocations)
    if package is not None and package not in FORMATS:
        raise InvalidValue(
            f"{package[:40]!r} is no format", remedy=f"one of {', '.join(FORMATS)}", given=package[:40]
        )
    labels = _labels(allocations)
    with ExitStack() as stores:
        opened, second = _stores(stores, source, closed, participants, seed)
        material = _material(opened, second, source, dmc, cut, labels, language)
        report = report_of(material)
        new_folder(output)
        written = list(write_report(report, output, pdf=pdf))
        if package is not None:
            for name, data in (("sdtm", material.sdtm.package), ("adam", material.adam.package)):
                (output / name).mkdir()
                write_package(data, output / name, package)
                written.append(f"{name}/")
        if as_json:
            print_json(_as_dict(report, output, written))
        else:
            print_lines(_lines(report, output, written))


def _check(
    language: str, dmc: ToCommittee | None, cut: str | None, closed: str | None, allocations: Path | None
) -> None:
    if language not in LANGUAGES:
        raise InvalidValue(f"no report in {language[:20]!r}", remedy=f"use one of {', '.join(LANGUAGES)}")
    if dmc is ToCommittee.CLOSED and (cut is None or closed is None):
        raise InvalidValue(
            "a closed report is of a named data cut, made where the closed space is",
            remedy="give --cut and --closed",
        )
    if dmc is None and (cut is not None or allocations is not None):
        raise InvalidValue(
            "--cut and --allocations are for reports to the committee", remedy="add --dmc, or leave out"
        )


def _stores(
    stores: ExitStack, source: str, closed: str | None, participants: int, seed: int
) -> tuple[Store, Store | None]:
    """The two stores; of a study folder, those of a rehearsal in memory."""
    if "://" in source:
        opened = stores.enter_context(open_store(source, create=False))
        return opened, stores.enter_context(open_store(closed, create=False)) if closed else None
    build = compile_study(load_study(Path(source)))
    if closed is not None:
        raise InvalidValue("a study folder has no closed store", remedy="leave out --closed, or give the open store")
    opened, second = stores.enter_context(open_store("memory:")), stores.enter_context(open_store("memory:"))
    done = rehearse(build, opened, second, Wishes(participants=participants, seed=seed))
    return opened, None if done.trial.one_space else second


def _material(
    opened: Store,
    closed: Store | None,
    source: str,
    dmc: ToCommittee | None,
    cut: str | None,
    labels: Mapping[str, str],
    language: str,
) -> Material:
    from trialwright.analysis import cut_of, material_at_cut, material_of_store

    study, space = study_of(opened, source)
    if space is not Space.OPEN:
        raise InvalidValue(f"{source} holds the closed space", remedy="give the open store, and this one as --closed")
    if closed is not None and study_of(closed, "--closed") != (study, Space.CLOSED):
        raise InvalidValue(f"--closed is not the closed space of {study}", remedy="give its closed store")
    if cut is None:
        return material_of_store(study, opened, closed, pooled=dmc is ToCommittee.OPEN, language=language)
    builds = builds_on_record(opened.ledger(f"{study}/open"))
    trial = Trial(
        study, open_store=opened, closed_store=closed, builds=builds, clock=SystemClock(), entropy=SystemEntropy(),
        mode="",
    )  # fmt: skip
    shown = closed if dmc is ToCommittee.CLOSED else None
    return material_at_cut(
        study,
        builds,
        cut_of(opened.rows, cut),
        trial.facts(Space.OPEN),
        trial.facts(Space.CLOSED) if shown is not None else (),
        closed_rows=shown.rows if shown is not None else None,
        labels=labels,
        language=language,
    )


def _labels(path: Path | None) -> dict[str, str]:
    """Participant → allocation, from the file of the workspace.

    Raises:
        InvalidValue: another file.
    """
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["participant"]: row["allocation"] for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise InvalidValue(
            f"{path} is no table with the columns participant and allocation",
            remedy="give the file that the workspace wrote when the allocations were joined",
        ) from error


def _as_dict(report: Report, output: Path, written: list[str]) -> dict[str, object]:
    material = report.material
    return {
        "study": material.package.study,
        "kind": material.kind.name.lower(),
        "mark": material.mark,
        "source": dict(material.source),
        "folder": str(output),
        "files": written,
        "models": len(report.results),
        "failed": {result.item: result.failed for result in report.results if result.failed is not None},
        "headline": report.headline(),
        "frozen_code": material.frozen_code.sentence(material.words),
    }


def _lines(report: Report, output: Path, written: list[str]) -> list[str]:
    material = report.material
    failed = [result for result in report.results if result.failed is not None]
    return [
        *filter(None, (report.headline(), material.mark)),
        f"{len(report.pieces)} pieces, {len(report.results)} models, {len(failed)} not estimated",
        *(f"  {result.item}: {result.failed}" for result in failed),
        f"snapshot {material.source['root']}",
        f"code {material.source['code']}",
        material.frozen_code.sentence(material.words),
        *(f"{output / name}" for name in written),
    ]

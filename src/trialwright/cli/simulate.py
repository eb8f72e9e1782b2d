"""``simulate``: what the design can and cannot show, before anybody takes part."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trialwright.build import compile_study
from trialwright.cli.output import AsJson, print_json, print_lines
from trialwright.cli.replay import place, show
from trialwright.cli.study import Folder, open_study, write_file
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.folder import Study

if TYPE_CHECKING:
    from trialwright.operating_characteristics import Assessed, ConductAnswer, Report, Tried

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("simulate")(simulate)


def simulate(
    folder: Folder,
    trials: Annotated[
        int | None, typer.Option(help="Trials of each setting; the replicates of its scenario by default.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-w", help="Processes; the results do not depend on it.")] = 1,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Only this scenario of simulation.yaml; may be repeated.")
    ] = None,
    participants: Annotated[
        int | None, typer.Option("--participants", "-n", help="Instead of the numbers in the file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Everything follows from it. Never the live list's.")] = 1,
    executor: Annotated[str, typer.Option(help="joblib: this machine; dask://HOST:PORT: a cluster.")] = "joblib",
    plain: Annotated[
        bool, typer.Option("--plain", help="Without the compiled engine; the decisions are alike.")
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(help="A file that keeps finished parts; an interrupted run goes on from it.")
    ] = None,
    again: Annotated[
        str | None, typer.Option("--replay", help="SCENARIO:TRIAL: show one trial instead, counted from 0.")
    ] = None,
    lived: Annotated[
        bool, typer.Option("--rehearse", help="With --replay: push its values through the real commands.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for the page (HTML) and the tables (CSV, JSON); with --replay for figures."),
    ] = None,
    grids: Annotated[bool, typer.Option(help="Vary what the grids of the file say; else scenarios alone.")] = True,
    size_for: Annotated[
        str | None, typer.Option(help="A model: search the fewest participants with --power in every scenario named.")
    ] = None,
    power: Annotated[float, typer.Option(help="Of the search for the fewest participants.")] = 0.8,
    methods: Annotated[bool, typer.Option("--methods", help="Show the randomisation methods side by side.")] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate the trial very many times; say what the design can and cannot show."""
    characteristics = _characteristics()
    build = compile_study(open_study(folder))
    if methods:
        wanted = participants if participants is not None else build.study.identity.planned_participants
        _show_methods(characteristics.assess(build.study, participants=wanted, seed=seed), as_json)
        return
    if lived and again is None:
        raise InvalidValue("--rehearse without a trial", remedy="name one with --replay SCENARIO:TRIAL")
    names = tuple(scenario or ()) if again is None else (place(again)[0],)
    points = characteristics.settings(
        build.study, scenarios=names, participants=participants, grids=grids and again is None
    )
    replicates = {each.id: each.replicates for each in build.study.simulation.scenarios}
    counts = tuple(trials if trials is not None else replicates[point.scenario] for point in points)
    plan = characteristics.Plan(build.canonical, points, counts, seed, compiled=not plain)
    if again is not None:
        show(characteristics, build, plan, place(again)[1], folder=report, lived=lived, as_json=as_json)
        return
    who = characteristics.workers(executor, workers)
    if size_for is not None:
        with _interruptible("nothing was kept of the search"):
            size = characteristics.sample_size(plan, size_for, power, who)
        if as_json:
            print_json({"model": size_for, "target": power, **size.as_dict(), "sentence": size.sentence(power)})
        else:
            print_lines([*(_tried(each) for each in size.tried), size.sentence(power)])
        return
    kept = f"what was finished is in {resume}" if resume else "nothing was kept; --resume FILE keeps parts"
    with _interruptible(kept), _progress(sum(counts), as_json) as step:
        results = characteristics.run(plan, who, resume=resume, progress=step)
    found = characteristics.report(build.study, plan, results)
    if report is not None:
        compared = _methods_of(characteristics, build.study, seed)
        write_file(report / "operating-characteristics.html", characteristics.as_html(found, compared).encode())
        for name, table in characteristics.as_csv(found, compared).items():
            write_file(report / f"{name}.csv", table.encode())
        everything = {**found.as_dict(), "methods": [each.as_dict() for each in compared]}
        plain_data = json.dumps(everything, indent=2, ensure_ascii=False) + "\n"
        write_file(report / "operating-characteristics.json", plain_data.encode())
    if as_json:
        print_json(found.as_dict())
    else:
        print_lines(_lines(found))


def _methods_of(characteristics: Any, study: Study, seed: int) -> Sequence[Assessed]:
    """Randomisation methods side by side, where two units are compared."""
    if len(study.randomisation.ratio) != 2:
        return ()
    found: Sequence[Assessed] = characteristics.assess(
        study, participants=study.identity.planned_participants, seed=seed
    )
    return found


def _characteristics() -> Any:
    """The package, imported only when asked for: it needs an extra."""
    try:
        from trialwright import operating_characteristics
    except ModuleNotFoundError as error:
        raise InvalidValue(
            f"{error.name} is not installed", remedy="install trialwright[analysis]", missing=str(error.name)
        ) from error
    return operating_characteristics


def _tried(each: Tried) -> str:
    return f"{each.participants:>5} participants  power {100 * each.power:5.1f} % ± {196 * each.error:.1f}"


def _show_methods(found: Sequence[Assessed], as_json: bool) -> None:
    if as_json:
        print_json({"methods": [each.as_dict() for each in found]})
        return
    print_lines([f"{'method':<44}{'guessed %':>12}{'imbalance':>12}{'size %':>12}"])
    for each in found:
        mark = " *" if each.declared else ""
        guessed, imbalance, size = 100 * each.predictability[0], each.imbalance[0], 100 * each.size[0]
        print_lines([f"{each.method + mark:<44}{guessed:12.1f}{imbalance:12.2f}{size:12.1f}"])
    print_lines(["", "* the study's own. Size: of the re-randomisation test, under drift and no effect."])


def _lines(found: Report) -> Iterator[str]:
    going = {each.setting: each for each in found.conduct}
    for setting in dict.fromkeys(each.setting for each in found.answers):
        members = [each for each in found.answers if each.setting == setting]
        yield from ("", setting.id)
        yield from (f"  {each.sentence()}" for each in members if each.primary)
        yield from (f"  {each.sentence()}" for each in found.looks if each.setting == setting)
        yield from _going(going[setting])
        wide = max(len(each.model) for each in members)
        yield f"  {'':<{wide}}{'truth':>9}{'found %':>16}{'bias':>19}{'covered %':>16}"
        for each in members:
            bias = "" if each.bias is None else f"{each.bias[0]:.3f} ± {1.96 * each.bias[1]:.3f}"
            shown, covered = _percent(each.significant), _percent(each.coverage)
            line = f"  {each.model:<{wide}}{each.truth:>9.3g}{shown:>16}{bias:>19}{covered:>16}"
            yield line.replace("-", "−") if "-" not in each.model else line
    if found.left_out:
        yield from ("", "Not simulated:")
        yield from (f"  {each.model}: {each.why}" for each in found.left_out)


def _percent(share: tuple[float, float] | None) -> str:
    return "" if share is None else f"{100 * share[0]:.1f} ± {196 * share[1]:.1f}"


def _going(conduct: ConductAnswer) -> Iterator[str]:
    if conduct.duration_months is not None and conduct.accrual_months is not None:
        last, ends = conduct.accrual_months, conduct.duration_months
        yield (
            f"  The last participant is randomised after {last[0]:.1f} months (±{1.96 * last[1]:.1f}), "
            f"the last visit is after {ends[0]:.1f} (±{1.96 * ends[1]:.1f})."
        )
    if conduct.without is not None and conduct.some_without is not None:
        share, error = conduct.some_without
        yield (
            f"  {conduct.without[0]:.1f} participants (±{1.96 * conduct.without[1]:.1f}) miss an administration for "
            f"want of product; anybody does in {100 * share:.1f} ± {196 * error:.1f} % of trials."
        )
    if conduct.too_few_places is not None:
        share, error = conduct.too_few_places
        yield f"  The laboratory runs out of places in {100 * share:.1f} ± {196 * error:.1f} % of trials."


@contextmanager
def _interruptible(kept: str) -> Iterator[None]:
    """Ctrl-C ends the command in a sentence that says what was kept."""
    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print(f"interrupted: {kept}", markup=False, highlight=False)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _progress(trials: int, as_json: bool) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TextColumn("trials"), TimeElapsedColumn())
    shown = (*columns, TimeRemainingColumn())
    with Progress(*shown, console=console, transient=True, disable=as_json or not console.is_terminal) as bar:
        task = bar.add_task("", total=trials)
        yield lambda done: bar.update(task, completed=done)

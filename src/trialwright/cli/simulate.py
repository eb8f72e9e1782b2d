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
from trialwright.cli.study import Folder, open_study, write_file
from trialwright.foundation.errors import InvalidValue

if TYPE_CHECKING:
    from trialwright.operating_characteristics import Assessed, Plan, Report, Tried

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
    executor: Annotated[str, typer.Option(help="local, or dask://HOST:PORT for a cluster.")] = "local",
    plain: Annotated[
        bool, typer.Option("--plain", help="Without the compiled engine; the decisions are alike.")
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(help="A file that keeps finished parts; an interrupted run goes on from it.")
    ] = None,
    again: Annotated[
        str | None, typer.Option("--replay", help="SCENARIO:TRIAL: show one trial instead, counted from 0.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for the page (HTML) and the tables (CSV, JSON).")
    ] = None,
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
    names = tuple(scenario or ()) if again is None else (_place(again)[0],)
    points = characteristics.settings(build.study, scenarios=names, participants=participants)
    replicates = {each.id: each.replicates for each in build.study.simulation.scenarios}
    counts = tuple(trials if trials is not None else replicates[point.scenario] for point in points)
    plan = characteristics.Plan(build.canonical, points, counts, seed, compiled=not plain)
    if again is not None:
        _replay(plan, _place(again)[1], as_json)
        return
    who = characteristics.workers(executor, workers)
    if size_for is not None:
        size = characteristics.sample_size(plan, size_for, power, who)
        if as_json:
            print_json(size.as_dict())
        else:
            print_lines([*(_tried(each) for each in size.tried), size.sentence(power)])
        return
    try:
        with _progress(sum(counts), as_json) as step:
            results = characteristics.run(plan, who, resume=resume, progress=step)
    except KeyboardInterrupt:
        kept = f"what was finished is in {resume}" if resume else "nothing was kept; --resume FILE keeps parts"
        Console(stderr=True).print(f"interrupted: {kept}", markup=False, highlight=False)
        raise typer.Exit(INTERRUPTED) from None
    found = characteristics.report(build.study, plan, results)
    if report is not None:
        write_file(report / "operating-characteristics.html", characteristics.as_html(found).encode())
        write_file(report / "operating-characteristics.csv", characteristics.as_csv(found).encode())
        plain_data = json.dumps(found.as_dict(), indent=2, ensure_ascii=False) + "\n"
        write_file(report / "operating-characteristics.json", plain_data.encode())
    if as_json:
        print_json(found.as_dict())
    else:
        print_lines(_lines(found))


def _characteristics() -> Any:
    """The package, imported only when asked for: it needs an extra."""
    try:
        from trialwright import operating_characteristics
    except ModuleNotFoundError as error:
        raise InvalidValue(
            f"{error.name} is not installed", remedy="install trialwright[analysis]", missing=str(error.name)
        ) from error
    return operating_characteristics


def _place(text: str) -> tuple[str, int]:
    scenario, colon, trial = text.rpartition(":")
    if not colon or not trial.isdecimal() or len(trial) > 18:
        raise InvalidValue(f"{text[:60]!r} is no trial", remedy="give SCENARIO:TRIAL, for example hoped:17")
    return scenario, int(trial)


def _replay(plan: Plan, trial: int, as_json: bool) -> None:
    shown = _characteristics().replay(plan, 0, trial)
    if as_json:
        setting = plan.settings[0].id
        print_json({"setting": setting, "trial": trial, "models": [each.as_dict() for each in shown]})
        return
    lines: list[str] = []
    seen: set[str] = set()
    for each in shown:
        if each.endpoint not in seen:
            seen.add(each.endpoint)
            lines += ["", f"{each.endpoint}, trial {trial}"]
            for row in each.rows:
                values = "".join("         ." if value is None else f"{value:10.2f}" for value in row.values)
                lines.append(f"  participant {row.participant:>3}  group {row.group + 1}{values}")
        if each.fast is None:
            lines.append(f"  {each.model}: no estimate")
        else:
            low, high = each.fast.confidence_interval()
            p = each.fast.p_value
            lines.append(f"  {each.model}: {each.fast.value:.3f} (95 % CI {low:.3f} to {high:.3f}), p = {p:.4f}")
    print_lines(lines[1:])


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
    setting = None
    going = {each.setting: each for each in found.conduct}
    for answer in found.answers:
        if answer.setting != setting:
            setting = answer.setting
            yield from ("", setting.id)
            conduct = going[setting]
            if conduct.duration_months is not None:
                yield f"  takes {conduct.duration_months[0]:.1f} months (±{1.96 * conduct.duration_months[1]:.1f})"
            if conduct.without is not None:
                yield f"  {conduct.without[0]:.1f} participants miss an injection because manufacture failed"
        yield f"  {answer.sentence()}"
    if found.left_out:
        yield from ("", "Not simulated:")
        yield from (f"  {each.model}: {each.why}" for each in found.left_out)


@contextmanager
def _progress(trials: int, as_json: bool) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TextColumn("trials"), TimeElapsedColumn())
    shown = (*columns, TimeRemainingColumn())
    with Progress(*shown, console=console, transient=True, disable=as_json or not console.is_terminal) as bar:
        task = bar.add_task("", total=trials)
        yield lambda done: bar.update(task, completed=done)

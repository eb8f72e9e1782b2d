"""One simulated trial again: its data, figures and estimates; on wish lived through the real commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialwright.build import Build
from trialwright.cli.output import print_json, print_lines
from trialwright.cli.study import write_file
from trialwright.foundation.errors import InvalidValue
from trialwright.rehearsal import Known, Rehearsed, Wishes, rehearse
from trialwright.stores import open_store
from trialwright.trial.capture.views import CLOSED_ITEM, ITEM
from trialwright.trial.event import Space

if TYPE_CHECKING:
    from trialwright.operating_characteristics import Plan, Replayed
    from trialwright.statistics import Estimate


def place(text: str) -> tuple[str, int]:
    """(scenario, trial) of ``SCENARIO:TRIAL``.

    Raises:
        InvalidValue: another form.
    """
    scenario, colon, trial = text.rpartition(":")
    if not colon or not trial.isdecimal() or len(trial) > 18:
        raise InvalidValue(f"{text[:60]!r} is no trial", remedy="give SCENARIO:TRIAL, for example hoped:17")
    return scenario, int(trial)


def show(
    characteristics: Any, build: Build, plan: Plan, trial: int, *, folder: Path | None, lived: bool, as_json: bool
) -> None:
    """Show the trial of the plan's first setting.

    Args:
        characteristics: the package, which needs an extra.
        build: of the study.
        plan: the simulation.
        trial: its number, from 0.
        folder: where figures are written, if anywhere.
        lived: push the values through the commands of a rehearsal, and analyse what the record then holds.
        as_json: one JSON object.
    """
    shown: Sequence[Replayed] = characteristics.replay(plan, 0, trial)
    name = f"{plan.settings[0].id}, trial {trial}"
    figures = _draw(shown, name, trial, folder)
    rehearsed = _live(characteristics, build, plan, trial) if lived else None
    if as_json:
        data: dict[str, object] = {"setting": plan.settings[0].id, "trial": trial, "figures": figures}
        if rehearsed is not None:
            data["rehearsed"] = rehearsed.as_dict()
        print_json({**data, "models": [each.as_dict() for each in shown]})
        return
    print_lines(_lines(shown, name))
    if figures:
        print_lines(["", *(f"Figure: {path}" for path in figures)])
    elif not lived:
        print_lines(["", "--report FOLDER draws the data; --rehearse pushes them through the real commands."])
    if rehearsed is not None:
        print_lines(["", *rehearsed.lines(shown)])


def _draw(shown: Sequence[Replayed], name: str, trial: int, folder: Path | None) -> list[str]:
    if folder is None:
        return []
    written: dict[str, None] = {}
    for each in shown:
        safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", name.partition(",")[0])
        path = folder / f"{safe}-{trial}-{each.endpoint}.svg"
        if str(path) not in written:
            write_file(path, (each.figure(f"{each.endpoint}: {name}") + "\n").encode())
            written[str(path)] = None
    return list(written)


def _lines(shown: Sequence[Replayed], name: str) -> Iterator[str]:
    yield name
    seen: set[str] = set()
    for each in shown:
        if each.endpoint not in seen:
            seen.add(each.endpoint)
            heads = each.visits or ("months", "event")
            wide = max(10, *(len(head) + 2 for head in heads))
            groups = max(map(len, each.groups))
            yield from ("", each.endpoint)
            yield f"  {'participant':<12} {'':<{groups}}" + "".join(f"{head:>{wide}}" for head in heads)
            for row in each.rows:
                values = "".join(f"{'.' if value is None else format(value, '.2f'):>{wide}}" for value in row.values)
                yield f"  {row.participant:<12} {each.groups[row.group]:<{groups}}{values}"
        yield f"  {each.model}: {_estimate(each.fast)}"


def _estimate(found: Estimate | None) -> str:
    if found is None:
        return "no estimate"
    low, high = found.confidence_interval()
    return f"{found.value:.3f} (95 % CI {low:.3f} to {high:.3f}), p = {found.p_value:.4f}".replace("-", "−")


class _Lived:
    """What a rehearsal made of the trial."""

    def __init__(self, done: Rehearsed, entered: int, left_out: Sequence[str], found: dict[str, Estimate | None]):
        self._done = done
        self._entered = entered
        self._left_out = left_out
        self._found = found

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        estimates = {
            model: None
            if estimate is None
            else {"value": estimate.value, "standard_error": estimate.standard_error, "p_value": estimate.p_value}
            for model, estimate in self._found.items()
        }
        return {
            "events": self._done.events,
            "root": self._done.root,
            "participants": self._done.participants,
            "entered": self._entered,
            "endpoints_left_out": list(self._left_out),
            "from_record": estimates,
        }

    def lines(self, shown: Sequence[Replayed]) -> Iterator[str]:
        """The same in words."""
        done = self._done
        yield (
            f"Rehearsed: {done.participants} participants, {self._entered:,} values entered, {done.events:,} events, "
            f"root {done.root[:16]}…"
        )
        for each in shown:
            if each.model in self._found and each.endpoint not in self._left_out:
                yield f"  {each.model} from the record: {_estimate(self._found[each.model])}"
        if self._left_out:
            yield f"  not entered (measured before randomisation, or a time): {', '.join(self._left_out)}"


def _live(characteristics: Any, build: Build, plan: Plan, trial: int) -> _Lived:
    known = characteristics.known_values(build.study, plan, 0, trial)
    wishes = Wishes(
        seed=plan.seed,
        scenario=plan.settings[0].scenario,
        amendment=False,
        known=Known(known.labels, known.values),
    )
    with open_store("memory:") as opened, open_store("memory:") as closed:
        done = rehearse(build, opened, closed, wishes)
        found = characteristics.from_record(plan, 0, trial, _reader(done))
    left_out = set(known.left_out)
    kept = {each.model: each.endpoint for each in characteristics.replay(plan, 0, trial)}
    estimates = {model: estimate for model, estimate in found.items() if kept[model] not in left_out}
    return _Lived(done, len(known.values), known.left_out, estimates)


def _reader(done: Rehearsed) -> Callable[[int, str, str], float | None]:
    """(place in the order of randomisation, ``form.item``, encounter) → recorded value."""
    rows = done.trial.stores[Space.OPEN].rows
    order = {participant: place for place, participant in enumerate(done.order)}
    values: dict[tuple[int, str, str], str] = {}
    tables = [(rows, ITEM)]
    if not done.trial.one_space:
        tables.append((done.trial.stores[Space.CLOSED].rows, CLOSED_ITEM))
    for source, table in tables:
        for row in source.where(table):
            at = order.get(str(row["participant"]))
            if at is not None and row["value"] is not None:
                values[at, f"{row['form']}.{row['item']}", str(row["encounter"])] = str(row["value"])
    numbers = {"true": 1.0, "false": 0.0}

    def read(at: int, item: str, encounter: str) -> float | None:
        text = values.get((at, item, encounter))
        return None if text is None else numbers[text] if text in numbers else float(text)

    return read

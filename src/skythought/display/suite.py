"""The results of several runs in one table: models by tasks, each number with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from skythought.comparison.configuration import DEFAULT, differences
from skythought.printable import printable
from skythought.runs.table import share
from skythought.runs.view import Run

__all__ = ["suite_table"]

MOST_SETTINGS = 3
"""By which the runs of one model are told apart in the table."""
GAP = 2
"""Characters between columns."""
NOTHING = "-"
"""Stands for a run that is not there."""
SLICE = (".start", ".end")
TELLING = ("model.", "sampling_params.", "backend.", "seed", "task.", "samples_per_problem")


class _Row:
    """The runs of one model with the same settings, one a task."""

    def __init__(self, run: Run) -> None:
        self.model = run.model
        self.first = run
        self.runs: dict[str, Run] = {}
        self.settings = ""


def suite_table(runs: Sequence[Run], width: int) -> Table:
    """Models by tasks, with accuracy and its interval, as both were first met; the shorter list goes across.

    Where a model stands there with several settings, they are told. What is wider than `width` characters is a list.
    """
    lines = _matrix(runs)
    if sum(max(map(len, column)) + GAP for column in zip(*lines, strict=True)) - GAP > width:
        (corner, *across), *below = lines
        heading = ["model", "task"] if corner == "model" else ["task", "model"]
        found = [[line[0], name, cell] for line in below for name, cell in zip(across, line[1:], strict=True)]
        lines = [[*heading, ""], *(line for line in found if line[2] != NOTHING)]
    told = "accuracy, with 95% intervals for other problems like these"
    table = Table(title=Text(told), title_justify="left", box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for name in lines[0]:
        table.add_column(Text(printable(name)), overflow="fold")
    for line in lines[1:]:
        table.add_row(*(Text(printable(cell)) for cell in line))
    return table


def _matrix(runs: Sequence[Run]) -> list[list[str]]:
    """The lines of the table, the heading first."""
    rows = _rows(runs)
    tasks = list(dict.fromkeys(run.task for run in runs))
    lines = [["model", *tasks]]
    for row in rows:
        name = f"{row.model} {row.settings}".rstrip()
        lines.append([name, *(_cell(row.runs.get(task)) for task in tasks)])
    if len(rows) < len(tasks):
        lines = [list(column) for column in zip(*lines, strict=True)]
        lines[0][0] = "task"
    return lines


def _rows(runs: Sequence[Run]) -> list[_Row]:
    rows: list[_Row] = []
    for run in runs:
        fitting = [row for row in rows if row.model == run.model and run.task not in row.runs]
        row = next((row for row in fitting if not _apart(row.first, run)), None) or next(iter(fitting), None)
        if row is None:
            row = _Row(run)
            rows.append(row)
        row.runs[run.task] = run
    for row in rows:
        others = [other for other in rows if other.model == row.model and other is not row]
        row.settings = _settings(row, others) if others else ""
    return rows


def _apart(one: Run, other: Run) -> list[str]:
    """The settings that are not the same in two runs, but for those of their tasks."""
    found = [setting.name for setting in differences(one, other) if setting.name.startswith(TELLING)]
    return [
        name
        for name in found
        if not name.endswith(SLICE) and (one.task == other.task or not name.startswith(("task.", "samples")))
    ]


def _settings(row: _Row, others: Sequence[_Row]) -> str:
    """What is special about the first run of a row, by a name for each setting that differs from others'."""
    told: dict[str, str] = {}
    for other in others:
        beside = other.runs.get(row.first.task, other.first)
        apart = _apart(row.first, beside)
        told |= {one.name: one.first for one in differences(row.first, beside) if one.name in apart}
    given = {name: value for name, value in told.items() if value != DEFAULT} or told
    shown = sorted(given.items(), key=lambda one: one[0] != "backend.name")[:MOST_SETTINGS]
    return " ".join(f"{name.removesuffix('.name').rpartition('.')[2]}={value[:40]}" for name, value in shown)


def _cell(run: Run | None) -> str:
    if run is None:
        return NOTHING
    if run.accuracy is None:
        return f"{run.statistics.get('samples', {}).get('total', 0):,} answers"
    accuracy = (run.statistics.get("estimates") or {}).get("accuracy") or {}
    pending = " unfinished" if run.statistics.get("samples_pending") else ""
    return share(run.accuracy, accuracy.get("interval")) + pending

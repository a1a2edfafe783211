"""`skythought metrics`: the figures of runs, for people or for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from skythought.display.console import PlainConsole
from skythought.display.tables import metrics_table
from skythought.errors import unknown
from skythought.printable import printable
from skythought.runs.metrics import Metric, Metrics
from skythought.runs.table import limits
from skythought.runs.view import Run

__all__ = ["show_metrics"]

FORMATS = ("text", "json", "csv", "markdown")
INTERVALS = ("interval", "asked_again")


def show_metrics(paths: Sequence[str], ks: Sequence[int], level: float, as_format: str) -> None:
    """Print the metrics of runs.

    Raises:
        UserError: No such format, no run in a folder, a k that there cannot be.
    """
    if as_format not in FORMATS:
        raise unknown("format", as_format, FORMATS)
    found = {run.path.name: run.metrics(ks, level=level) for run in map(Run, paths)}
    if as_format == "json":
        print(json.dumps([_record(name, metrics) for name, metrics in found.items()], indent=2))
    elif as_format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["run", "metric", "value", *(f"{one}_{end}" for one in INTERVALS for end in ("low", "high")),
                         "problems"])  # fmt: skip
        writer.writerows([name, *row] for name, metrics in found.items() for row in map(_values, metrics))
    else:
        _show(found, as_format)


def _show(found: dict[str, Metrics], as_format: str) -> None:
    console = PlainConsole(soft_wrap=not sys.stdout.isatty())
    for name, metrics in found.items():
        if as_format == "markdown":
            print("\n".join(_markdown(name, metrics)))
        else:
            console.print(metrics_table(name, metrics))
        for note in metrics.notes:
            console.print(note)


def _record(name: str, metrics: Metrics) -> dict[str, Any]:
    return {"run": name, "confidence": metrics.level, "metrics": metrics.record(), "notes": list(metrics.notes)}


def _values(metric: Metric) -> list[Any]:
    ends = [end for one in (metric.interval, metric.asked_again) for end in (one[:2] if one else ("", ""))]
    return [metric.name, metric.value, *ends, metric.problems]


def _markdown(name: str, metrics: Metrics) -> Iterator[str]:
    """A pipe table, with the name of the run above it."""
    yield f"**{printable(name).replace('_', chr(92) + '_')}**\n"
    yield f"| metric | value | {metrics.level:.0%}, other problems like these | these problems again | problems |"
    yield "|---|---:|---:|---:|---:|"
    for metric in metrics:
        cells = ["" if one is None else limits((one.low, one.high)) for one in (metric.interval, metric.asked_again)]
        names = " = ".join((metric.name, *metric.also)).replace("_", "\\_")
        yield f"| {names} | {metric.value:.1%} | {' | '.join(cells)} | {metric.problems:,} |"

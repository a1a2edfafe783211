"""The results of a run as tables: the numbers of the whole, then by subject, level, source, ..."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from skythought.printable import printable
from skythought.runs.metrics import Metrics
from skythought.runs.table import limits, lines, share, title
from skythought.runs.view import Run

__all__ = ["breakdowns", "intervals_told", "metrics_table", "result_table"]

ROWS = 12
"""Values of one column that are shown; the rest is in the summary."""
DIFFERENT = 0.05
"""Largest adjusted p-value with which a part is called different from the rest."""


def result_table(run: Run) -> Table:
    """The numbers of the whole run."""
    table = Table(title=Text(printable(title(run))), show_header=False, title_justify="left")
    for name, value in lines(run):
        table.add_row(name, value)
    return table


def intervals_told(run: Run) -> str | None:
    """What the intervals of `result_table` are for; None if there are none."""
    accuracy = (run.statistics.get("estimates") or {}).get("accuracy")
    if accuracy is None:
        return None
    told = f"in brackets: {run.statistics.get('confidence', 0.95):.0%} intervals, for other problems like these"
    if again := accuracy.get("asked_again"):
        told += f"; accuracy on these same problems, asked again: {limits(again)}"
    return told


def metrics_table(name: str, metrics: Metrics) -> Table:
    """All metrics of a run with both of their intervals."""
    again = any(metric.asked_again for metric in metrics)
    heading = Text(printable(f"{name}, with {100 * metrics.level:g}% intervals for"))
    table = Table(title=heading, title_justify="left", box=None, pad_edge=False)
    table.add_column("metric", no_wrap=True)
    for name in ("", "other problems", *(["these asked again"] if again else []), "problems"):
        table.add_column(name, justify="right", no_wrap=True)
    for metric in metrics:
        kinds = (metric.interval, metric.asked_again)[: 1 + again]
        cells = ["" if one is None else limits((one.low, one.high)) for one in kinds]
        called = " = ".join((metric.name, *metric.also))
        table.add_row(called, f"{metric.value:.1%}", *cells, f"{metric.problems:,}")
    return table


def breakdowns(run: Run) -> Iterator[Table | str]:
    """For each column that the task reports by, if anything was scored: its largest groups, and how many more."""
    if run.accuracy is None:
        return
    for column, parts in (run.statistics.get("by") or {}).items():
        table = Table(box=None, pad_edge=False, title_justify="left")
        most = max(len(part.get("pass_at_k") or {}) for part in parts.values())
        table.add_column(Text(printable(column)), overflow="ellipsis", no_wrap=True, max_width=48)
        table.add_column("accuracy", no_wrap=True)
        if most:
            ks = next(part["pass_at_k"] for part in parts.values() if len(part.get("pass_at_k") or {}) == most)
            largest = next(iter(ks))
            table.add_column(f"pass@{largest.removeprefix('k=')}", justify="right")
        table.add_column("problems", justify="right")
        shown = list(parts)[:ROWS]
        different = any((parts[value].get("p_adjusted") or 1) <= DIFFERENT for value in shown)
        if different:
            table.add_column("differs from the rest", no_wrap=True)
        for value in _in_order(shown):
            part = parts[value]
            cells = [value, share(part["accuracy"], part.get("interval"))]
            if most:
                chance = (part["pass_at_k"] or {}).get(largest)
                cells.append("" if chance is None else f"{chance:.1f}%")
            p = part.get("p_adjusted") or 1
            differs = [f"p = {p:.2g}, for {len(parts):,} compared" if p <= DIFFERENT else ""] if different else []
            of, scored = part["problems"], part.get("problems_scored", part["problems"])
            count = f"{of:,}" if scored == of else f"{scored:,} of {of:,}"
            table.add_row(*(Text(printable(cell)) for cell in cells), count, *differs)
        yield table
        if len(parts) > ROWS:
            yield f"the {ROWS} largest; {len(parts) - ROWS:,} more in summary.json"


def _in_order(values: Iterable[str]) -> list[str]:
    """Numbers by size, words by the alphabet."""

    def rank(value: str) -> tuple[Any, ...]:
        try:
            return (0, float(value), value)
        except ValueError:
            return (1, value.casefold(), value)

    return sorted(values, key=rank)

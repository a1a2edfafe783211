"""The results of finished runs, printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType

from skythought.display.suite import suite_table
from skythought.display.tables import breakdowns, intervals_told, result_table
from skythought.printable import printable
from skythought.runs.view import Run

__all__ = ["print_results", "shortcomings"]


def print_results(console: Console, runs: Sequence[Run], again: str) -> None:
    """Print the table of a run, or one of several runs; where each is, and what is missing or failed.

    Args:
        again: What is said of failed samples.
    """
    if len(runs) > 1:
        console.print(suite_table(runs, console.width))
    for run in runs:
        for part in _parts(run) if len(runs) == 1 else ():
            console.print(part)
        console.print(f"results: {run.path}")
        for line in shortcomings(run, again):
            console.print(line)


def _parts(run: Run) -> Iterator[RenderableType]:
    yield result_table(run)
    if told := intervals_told(run):
        yield told
    yield from breakdowns(run)


def shortcomings(run: Run, again: str) -> Iterator[str]:
    """What the numbers do not cover: samples that were not asked, or failed."""
    failed = run.statistics.get("samples", {}).get("failed", 0)
    pending = run.statistics.get("samples_pending", 0) - failed
    asking = run.statistics.get("asking") or {}
    yield from map(printable, asking.get("lines", ()))
    if pending > 0 and not asking.get("ended"):
        yield f"unfinished: {pending:,} samples have no answer yet, and the numbers are over the others."
    if failed:
        yield f"{failed:,} samples failed and count as neither right nor wrong; {again}."

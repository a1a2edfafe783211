"""One pass over a run's samples: the index's columns are kept, texts are handed on, never held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skythought.reporting.columns import Columns, Place, sample_text
from skythought.reporting.command import Commands
from skythought.runs.records import Manifest
from skythought.runs.totals import Totals
from skythought.runs.view import Run

__all__ = ["gather", "place_of"]


def place_of(number: int, run: Run) -> Place:
    """Where the samples of the page's run of this number come from."""
    manifest = Manifest.read(run.path)
    return Place(number, None if manifest is None else Commands(manifest.config), run.groups_of)


def gather(run: Run, place: Place, columns: Columns, add: Callable[[dict[str, Any]], None]) -> Totals:
    """Read a run, from the first problem to the last.

    Args:
        columns: Get an entry for each sample.
        add: Takes the text of each sample, in the same order.

    Returns:
        The totals of what was read.
    """
    totals, groups_of = Totals(), place.groups_of or (lambda _: {})
    for position, (problem, samples) in enumerate(run.problems()):
        totals.add_problem(samples, groups_of(problem.row))
        for sample in samples:
            parts = sample.parts
            columns.put(len(columns), place, sample, parts)
            add(sample_text(place, position, sample, parts))
    return totals

"""What the page reads about runs, as it stands in the index: these records, field by field.

The page's side is in page/src. Shares are in [0, 1]; null is what is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from skythought.runs.marks import Mark

__all__ = ["BLOCK", "VERSION", "Chance", "Figure", "RunFigures", "SubsetFigure", "index_record"]

VERSION = 1
"""Of the index. It changes when a field goes or means something else."""
BLOCK = 16
"""Samples whose texts are packed together: what the browser unpacks to show one of them."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number about a run."""

    name: str
    value: float
    low: float | None
    high: float | None
    unit: Literal["share", "count", "tokens", "seconds"]
    note: str = ""
    """What its interval is for, or what it is over."""


@dataclass(frozen=True, slots=True)
class Chance:
    """pass@k at one k."""

    k: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SubsetFigure:
    """The problems of one value of what the task reports by."""

    value: str
    problems: int
    accuracy: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None = None
    """How likely they would differ from the rest as much by chance, adjusted for all values (docs/runs.md)."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What stands above a run's samples."""

    name: str
    folder: str
    task: str
    model: str
    backend: str
    sampling: Mapping[str, Any]
    n: int
    """Samples a problem, as planned."""
    problems: int
    pending: int
    """Samples without an answer so far."""
    figures: tuple[Figure, ...]
    pass_at_k: tuple[Chance, ...]
    """By k, upwards; empty for one sample a problem."""
    subsets: Mapping[str, tuple[SubsetFigure, ...]]
    verdicts: Mapping[str, int]
    facts: tuple[tuple[str, str], ...]
    """What else is recorded: name and text."""
    command: str | None
    """That makes the run; None where it is not recorded."""


def index_record(
    runs: Sequence[RunFigures],
    samples: Mapping[str, Sequence[Any]],
    marks: Sequence[tuple[int, Mark]],
    comparison: Mapping[str, Any] | None = None,
    not_compared: str = "",
) -> Json:
    """The index as JSON values.

    Args:
        samples: Columns of the same length, an entry a sample.
        marks: Each with the number of its run.
        comparison: `Comparison.record()`.
        not_compared: Why several runs have none.
    """
    return {
        "version": VERSION,
        "runs": [asdict(run) for run in runs],
        "comparison": comparison,
        "not_compared": not_compared,
        "samples": {name: list(values) for name, values in samples.items()},
        "marks": [{"run": run, **asdict(mark)} for run, mark in marks],
    }

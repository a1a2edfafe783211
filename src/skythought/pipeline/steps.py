"""What a pipeline tells whoever watches it, as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skythought.config import RunConfig
from skythought.runs.records import Reply
from skythought.runs.view import Run
from skythought.types import Response, Score

__all__ = ["Finished", "Notice", "Opened", "Step"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that the user should read."""

    text: str


@dataclass(frozen=True, slots=True)
class Opened:
    """Work on a run begins."""

    config: RunConfig
    path: Path
    samples: int
    """Samples of the whole run."""
    answered: int
    """Of these, already in the journal when it was opened."""
    until_correct: int | None = None
    """Right answers after which a problem is asked no more."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run's derived files are written."""

    run: Run


Step = Notice | Opened | Response | Reply | Score | Finished
"""A `Response`, `Reply` or `Score` is in its journal."""

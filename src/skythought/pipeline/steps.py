"""What a pipeline tells whoever watches it, as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skythought.config import RunConfig
from skythought.runs.records import Reply
from skythought.runs.sessions import Doing
from skythought.runs.view import Run
from skythought.types import Response, Score

__all__ = ["Doing", "Finished", "Notice", "Opened", "Phase", "Step"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that the user should read."""

    text: str


@dataclass(frozen=True, slots=True)
class Phase:
    """What is done from now on, until the next phase: it may take long before anything else is told."""

    doing: Doing
    text: str
    """For people: "starting vllm with tiny"."""
    path: Path | None = None
    """Of the run that it is about; None: the one that was opened last, or all."""
    total: int | None = None
    """Samples that it goes through, if that is known."""


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
    number: int = 1
    """Of the runs that are done together: the first is 1."""
    of: int = 1

    @property
    def title(self) -> str:
        """The task, and which of several runs it is."""
        name = self.config.task.name
        return f"run {self.number:,} of {self.of:,}, {name}" if self.of > 1 else name


@dataclass(frozen=True, slots=True)
class Finished:
    """A run's derived files are written."""

    run: Run


Step = Notice | Phase | Opened | Response | Reply | Score | Finished
"""A `Response`, `Reply` or `Score` is in its journal."""

"""The interface of every scorer, and how a raw score becomes a final verdict.

To add one: a module in this folder (or a package with an entry point in the group `skythought.scorers`, or a file named
in the task YAML as `path/to/file.py:ClassName`) that exports one frozen dataclass deriving from `Scorer` in `__all__`.
Its fields are its arguments in the YAML: `scorer: math` or `scorer: {math: {kind: integer}}`.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar

from skythought.types import Problem, Score

__all__ = ["Scorer"]


@dataclass(frozen=True)
class Scorer(abc.ABC):
    """Judges one answer. Small, frozen, picklable, synchronous; no signals, no globals, no printing.

    It runs in a worker process that is killed when it overruns `timeout_s`; it must not try to limit itself.
    """

    uses_row: ClassVar[bool] = False
    """True if `problem.row` is needed; otherwise rows are not sent to the workers."""
    timeout_s: ClassVar[float] = 10.0
    """Wall-clock seconds for one answer before its worker is killed and the answer counts as wrong."""
    batch: ClassVar[int] = 16
    """How many answers a worker is given at once: many if each takes microseconds, one if each may take long."""

    def prepare(self) -> None:  # noqa: B027 -- most scorers need nothing
        """Import what answers will need. Runs once before worker processes are forked; starts no threads."""

    @abc.abstractmethod
    def score(self, problem: Problem, answer: str) -> Score:
        """Judge `answer`, the response without its thinking.

        `Score.answer` is None if nothing to compare was found (then `correct` is False and the verdict "unparsed").
        Raises only on a bug; the sample then counts as failed, not as wrong.
        """

    def conditions(self) -> dict[str, Any]:
        """What verdicts depend on here beside the scorer's arguments, for the run's record: JSON values.

        Raises:
            UserError: The scorer cannot work here.
        """
        return {}

    def gold(self, problem: Problem) -> str | None:
        """A response that this scorer must judge correct, made of the problem's target; None if there is no such way.

        `skythought tasks check` has the scorer judge it: a benchmark proves itself before it judges a model.
        """
        return None

    def as_response(self, text: str) -> str:
        """A reference solution in the form in which a model would give it (itself, in a code fence, ...)."""
        return text

"""The interface of every scorer.

To add one: a module in this folder (or a package with an entry point in the group `skythought.scorers`, or a file named
in the task YAML as `path/to/file.py:ClassName`) that exports one frozen dataclass deriving from `Scorer` in `__all__`.
Its fields are its arguments in the YAML: `scorer: math` or `scorer: {math: {kind: integer}}`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from skythought.types import Problem, Score

__all__ = ["NO_GOLD", "ModelScorer", "Scorer"]

NO_GOLD = "no gold answer"
"""Why there is no verdict on an answer to a problem without a target."""


@dataclass(frozen=True)
class Scorer(abc.ABC):
    """Scores one answer. Small, frozen, picklable, synchronous; no signals, no globals, no printing.

    It runs in a worker process that is killed when it overruns `timeout_s`; it must not try to limit itself.
    """

    uses_row: ClassVar[bool] = False
    """True if `problem.row` is needed; otherwise rows are not sent to the workers."""
    uses_prompt: ClassVar[bool] = False
    """True if `problem.prompt` is needed; otherwise it is not sent either."""
    timeout_s: ClassVar[float] = 10.0
    """CPU seconds for one answer before its worker is killed and the answer counts as wrong. By the clock it has ten
    times as much and more; what has not ended then (it slept, or the machine stood still) is failed."""
    batch: ClassVar[int] = 16
    """How many answers a worker is given at once: many if each takes microseconds, one if each may take long."""

    def prepare(self) -> None:  # noqa: B027 -- most scorers need nothing
        """Import what answers will need. Runs once before worker processes are forked; starts no threads."""

    def for_problem(self, problem: Problem) -> Scorer:
        """The scorer whose limits (`timeout_s`, `batch`, `uses_row`) hold for a problem: this one, unless it is made
        of several."""
        return self

    def sandboxed(self, args: Mapping[str, Any], level: str) -> dict[str, Any]:
        """The scorer's arguments `args` with the programs of answers run at this level of the sandbox.

        A scorer with a field `sandbox` runs programs; any other one's arguments stay as they are.
        """
        runs_programs = "sandbox" in {entry.name for entry in fields(self)}
        return {**args, "sandbox": level} if runs_programs else dict(args)

    @abc.abstractmethod
    def score(self, problem: Problem, answer: str) -> Score:
        """Score `answer`, the response without its thinking.

        `Score.answer` is None if nothing to compare was found (then `correct` is False and the verdict "unparsed").
        Where the problem has no target, a scorer that can read answers without one returns `NO_GOLD` for a reason,
        `correct` None, and the answer, which a vote needs.
        Raises only on a bug; the sample then counts as failed, not as wrong.
        """

    def conditions(self) -> dict[str, Any]:
        """What verdicts depend on here beside the scorer's arguments, for the run's record: JSON values.

        Raises:
            UserError: The scorer cannot work here.
        """
        return {}

    def gold(self, problem: Problem) -> str | None:
        """A response that this scorer must find correct, made of the problem's target; None if there is no such way.

        `skythought tasks check` has it scored: a benchmark proves itself before it measures a model.
        """
        return None

    def as_response(self, text: str) -> str:
        """A reference solution in the form in which a model would give it (itself, in a code fence, ...)."""
        return text

    @property
    def can_vote(self) -> bool:
        """Whether answers can be compared with one another: `same` is written."""
        return type(self).same is not Scorer.same

    def same(self, problem: Problem, one: str, other: str) -> bool:
        """Whether two answers to a problem (each a `Score.answer`) are one and the same, in either order.

        The target is not asked: the one answer may be as wrong as the other. This is what a majority vote counts by
        (maj@k). A scorer that cannot tell, such as one of programs, leaves it out, and there is no vote.
        """
        raise NotImplementedError

    def unanswered(self, problem: Problem, why: str) -> Score:
        """The score of a response without an answer (its thinking never ended): wrong, with `why` as the reason.

        A scorer that gives numbers in `details["metrics"]` gives them here too, so that means are over all samples.
        """
        return Score(False, why)


@dataclass(frozen=True)
class ModelScorer(Scorer):
    """Scores an answer by what a model, the judge, replies to questions about it. Both steps are pure functions.

    Which model that is, and how it is asked, is not the scorer's business: the run asks it as it asks any model (many
    at once, with retries, each reply journalled), and the scorer never opens a connection.
    """

    @abc.abstractmethod
    def questions(self, problem: Problem, answer: str) -> Sequence[str]:
        """What the judge is asked about an answer, each in a conversation of its own.

        Args:
            problem: The whole problem, its row included.
            answer: The response without its thinking.
        """

    @abc.abstractmethod
    def score(self, problem: Problem, answer: str, replies: Sequence[str] = ()) -> Score:
        """Score `answer` by the judge's replies: one a question, in order, each without the judge's thinking.

        A reply that cannot be understood is not the model's fault: `Score.correct` is None then.
        """

"""From a response to a verdict: one file per kind of answer; no scorer knows a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skythought.scorers.base import Scorer
from skythought.types import Problem, Score

__all__ = ["Scorer", "score_text"]


def score_text(scorer: Scorer, answer: str, target: Any, choices: Sequence[str] = ()) -> Score:
    """Judge a string without a task: a reward function in one line.

    >>> from skythought.scorers.math import MathScorer
    >>> score_text(MathScorer(), r"So it is \\boxed{0.5}.", "1/2").correct
    True
    """
    return scorer.score(Problem(id="0", prompt="", target=target, choices=tuple(choices)), answer)

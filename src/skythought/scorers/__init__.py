"""Scorers, one module or package for each kind of answer; none knows a benchmark.

`score_text` scores a string here and now. With thinking split off, in worker processes that are killed at their
deadline, and for tables and rewards: `skythought.grading`. docs/scoring.md has examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skythought.scorers.base import ModelScorer, Scorer
from skythought.scorers.registry import make_scorer
from skythought.types import Problem, Score

__all__ = ["ModelScorer", "Scorer", "make_scorer", "score_text"]


def score_text(scorer: Scorer | str, answer: str, target: Any, choices: Sequence[str] = ()) -> Score:
    """Score an answer here and now: no worker process, no deadline, no thinking split off, no final verdict.

    `scorer` is one, or the name of one ("math").

    >>> score_text("math", r"So it is \\boxed{0.5}.", "1/2").correct
    True
    """
    found = make_scorer(scorer, {}) if isinstance(scorer, str) else scorer
    return found.score(Problem(id="0", prompt="", target=target, choices=tuple(choices)), answer)

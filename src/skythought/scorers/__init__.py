"""From a response to a verdict: one file per kind of answer; no scorer knows a benchmark.

Usable without a run: `score_text` on a string, here and now; and by name, judged in worker processes that are killed at
their deadline, `score_response`, `score_rows`, `RowScorer` (skythought.scoring) and `reward`, `compute_score`,
`compute_scores` (skythought.rewards). docs/scoring.md has examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from skythought.scorers.base import Scorer
from skythought.types import Problem, Score

__all__ = ["Scorer", "score_text"]

_HOMES = {
    "skythought.scoring": ("RowScorer", "get_scorer", "score_response", "score_rows"),
    "skythought.rewards": ("Reward", "compute_score", "compute_scores", "reward"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """The doors to the rooms above, which use scorers: opened on first use (PEP 562); nothing here needs them."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def score_text(scorer: Scorer | str, answer: str, target: Any, choices: Sequence[str] = ()) -> Score:
    """Judge an answer without a task, here and now: no worker process, no deadline, no thinking split off.

    `scorer` is one, or a name as `get_scorer` takes it.

    >>> from skythought.scorers.math import MathScorer
    >>> score_text(MathScorer(), r"So it is \\boxed{0.5}.", "1/2").correct
    True
    """
    judge: Scorer = __getattr__("get_scorer")(scorer) if isinstance(scorer, str) else scorer
    return judge.score(Problem(id="0", prompt="", target=target, choices=tuple(choices)), answer)

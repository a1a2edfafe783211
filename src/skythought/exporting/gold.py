"""Gold answers for reinforcement learning, in the words that `skythought.grading.rewards` knows."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from skythought.errors import UserError
from skythought.grading.rewards import scorer_of

__all__ = ["data_source", "ground_truth", "is_known"]

WORDS = {"math": "math", "choice": "choice", "code": "code", "instructions": "ifeval"}
"""A scorer, and the data source that our rewards score by it."""


@lru_cache
def data_source(task: str, scorer: str) -> str:
    """The task's name where `compute_score` scores it by the run's scorer; else a name that it does, if there is one.

    A scorer that it has no word for (one of your own) leaves the task's name: the trainer is told the scorer then.
    """
    word = WORDS.get(scorer)
    if word is None:
        return task or "unknown"
    return next(name for name in (task, f"{word}_{task}", word) if _scored_by(name) in (word, task))


def _scored_by(name: str) -> str | None:
    try:
        return scorer_of(name)
    except UserError:
        return None


def is_known(source: str) -> bool:
    """Whether our rewards know what scores this data source."""
    return _scored_by(source) is not None


def ground_truth(target: Any) -> str:
    """The target as a text: itself, or its JSON."""
    return target if isinstance(target, str) else json.dumps(target, ensure_ascii=False, sort_keys=True)

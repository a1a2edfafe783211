"""What runs in a worker process: one scorer on one answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

from skythought.printable import shortened
from skythought.scorers.base import ModelScorer, Scorer
from skythought.scorers.registry import make_scorer
from skythought.types import Problem, Score, Verdict

__all__ = ["prepare", "score_answer"]


def score_answer(name: str, args: str, problem: Problem, answer: str, replies: Sequence[str] | None = None) -> Score:
    """The score of an answer. A scorer that raises costs that answer alone.

    Args:
        name: The scorer's name; not the object, so that a scorer from a user's file works in any process.
        args: Its arguments, a JSON object.
        problem: What was asked.
        answer: The response without its thinking.
        replies: Of the judge, for a scorer that asks a model.
    """
    scorer = _cached(name, args)
    try:
        if isinstance(scorer, ModelScorer):
            return _sound(scorer.score(problem, answer, replies or ()))
        return _sound(scorer.score(problem, answer))
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001 -- the boundary: a scorer's bug costs one answer
        return Score(None, shortened(f"the scorer failed: {type(error).__name__}: {error}"))


def prepare(name: str, args: str) -> None:
    """Import and make the scorer and what it needs, so that the first answer's time is its own."""
    _cached(name, args).prepare()


@cache
def _cached(name: str, args: str) -> Scorer:
    return make_scorer(name, json.loads(args))


def _sound(score: Any) -> Score:
    """The score, if it can be counted and written down; a scorer of the user's may return anything."""
    if not isinstance(score, Score) or not (score.correct is None or isinstance(score.correct, bool)):
        raise TypeError(f"score() must return a Score whose `correct` is True, False or None, not {score!r:.100}")
    if not isinstance(score.reason, str) or score.verdict not in (None, *get_args(Verdict)):
        raise TypeError(
            f"score() must return a Score with a text as `reason` and a known `verdict`, not {score!r:.100}"
        )
    json.dumps((score.reason, score.answer, score.verdict, score.fraction, score.details), allow_nan=False)
    return score

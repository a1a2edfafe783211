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

__all__ = ["group_answers", "prepare", "same_answer", "score_answer"]

MOST_CLASSES = 32
"""Classes that an answer is compared with: where there are more, those found last decide no majority."""


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


def same_answer(name: str, args: str, problem: Problem, one: str, other: str) -> bool:
    """Whether two answers are the same. A scorer that raises cannot tell, so they are not."""
    try:
        return bool(_cached(name, args).same(problem, one, other))
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 -- the boundary: a scorer's bug costs one comparison
        return False


def group_answers(name: str, args: str, problem: Problem, answers: Sequence[str]) -> list[int]:
    """Which of several answers are the same: for each the number of the first that it is the same as, often its own.

    Each is compared with the first of each class so far, not with all that came before.

    Args:
        answers: Different texts, those that count most first.
    """
    firsts: list[int] = []
    found: list[int] = []
    for number, answer in enumerate(answers):
        known = (first for first in firsts if same_answer(name, args, problem, answers[first], answer))
        found.append(next(known, number))
        if found[-1] == number and len(firsts) < MOST_CLASSES:
            firsts.append(number)
    return found


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

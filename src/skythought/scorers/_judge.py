"""Judging batches by a scorer's name, for worker processes, and settling the final verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from skythought import catalog
from skythought.config import TaskConfig, check
from skythought.errors import UserError, unknown
from skythought.scorers.base import Scorer
from skythought.types import Problem, Score, Verdict

__all__ = ["LEVELS", "judge", "make_scorer", "prepare", "sandboxed", "settled"]

LEVELS = ("auto", "strict")
"""Of the sandbox: every layer that there is, or none but with isolation of network and files."""


def make_scorer(name: str, args: Mapping[str, Any]) -> Scorer:
    """The scorer that a task names, with its arguments.

    Raises:
        UserError: No such scorer, or an unknown or wrong argument.
    """
    if not name:
        raise UserError("the task names no scorer; add `scorer:` to its YAML.")
    cls = catalog.find_class("scorers", name, "scorer")
    if not (isinstance(cls, type) and issubclass(cls, Scorer) and is_dataclass(cls)):
        raise UserError(f"scorer {name!r} must be a dataclass that derives from skythought.scorers.base.Scorer.")
    scorer: Scorer = check(cls, args, f"scorer {name!r}")
    return scorer


def sandboxed(task: TaskConfig, level: str) -> TaskConfig:
    """The task with its programs run at this level of the sandbox; a task that runs none stays as it is.

    Raises:
        UserError: No such level; or `strict`, and this machine cannot isolate network and files.
    """
    if level not in LEVELS:
        raise unknown("level for --sandbox", level, LEVELS)
    scorer = make_scorer(task.scorer_name, task.scorer_args)
    if level == "auto" or "sandbox" not in {field.name for field in fields(scorer)}:
        return task
    scorer = replace(scorer, sandbox=level)  # type: ignore[call-arg]
    scorer.conditions()
    return task.model_copy(update={"scorer": {task.scorer_name: {**task.scorer_args, "sandbox": level}}})


@cache
def _cached(name: str, args: str) -> Scorer:
    return make_scorer(name, json.loads(args))


def judge(name: str, args: str, problem: Problem, answer: str) -> Score:
    """The score of an answer. A scorer that raises costs that answer alone.

    Args:
        name: The scorer's name; not the object, so that a scorer from a user's file works in any process.
        args: Its arguments, a JSON object.
        problem: What was asked.
        answer: The response without its thinking.
    """
    scorer = _cached(name, args)
    try:
        return _sound(scorer.score(problem, answer))
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001 -- the boundary: a scorer's bug costs one answer
        return Score(None, f"the scorer failed: {type(error).__name__}: {error}")


def prepare(name: str, args: str) -> None:
    """Import and make the scorer and what it needs, so that the first answer's time is its own."""
    _cached(name, args).prepare()


def _sound(score: Any) -> Score:
    """The score, if it can be counted and written down; a scorer of the user's may return anything."""
    if not isinstance(score, Score) or not (score.correct is None or isinstance(score.correct, bool)):
        raise TypeError(f"score() must return a Score whose `correct` is True, False or None, not {score!r:.100}")
    json.dumps((score.reason, score.answer, score.verdict, score.fraction, score.details), allow_nan=False)
    return score


def settled(score: Score, finish_reason: str | None) -> Score:
    """The score with its verdict, unless the scorer set one itself."""
    if score.verdict is not None:
        return score
    verdict: Verdict = "wrong"
    if score.correct is None:
        verdict = "failed"
    elif score.correct:
        verdict = "correct"
    elif finish_reason == "length":
        verdict = "truncated"
    elif score.answer is None:
        verdict = "unparsed"
    return replace(score, verdict=verdict)

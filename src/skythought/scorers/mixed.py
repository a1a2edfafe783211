"""Several kinds of answer in one task: each problem says which scorer it is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from skythought.config import scorer_parts
from skythought.errors import UserError, unknown
from skythought.scorers.base import ModelScorer, Scorer
from skythought.scorers.registry import make_scorer
from skythought.types import Problem, Score

__all__ = ["MixedScorer"]


@dataclass(frozen=True)
class MixedScorer(Scorer):
    """Scores by the kind that the problem's target names: `{"kind": "exactMatch", "answer": "42"}`.

    Args:
        kinds: Each kind and its scorer, a name or `{name: {argument: value}}`. Each answer has its own scorer's limits.
    """

    kinds: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.kinds:
            raise UserError("scorer mixed: kinds: give at least one kind of answer with its scorer.")
        for kind in self.kinds:
            if isinstance(self._scorer(kind), ModelScorer):
                raise UserError(f"scorer mixed: kind {kind!r}: a scorer that asks a model cannot be mixed.")

    @property
    def batch(self) -> int:  # type: ignore[override]
        """As few as the most careful of the kinds wants."""
        return min(self._scorer(kind).batch for kind in self.kinds)

    @property
    def timeout_s(self) -> float:  # type: ignore[override]
        """The longest of the kinds'; each answer has its own kind's (see `for_problem`)."""
        return max(self._scorer(kind).timeout_s for kind in self.kinds)

    def prepare(self) -> None:
        """What each of the scorers prepares."""
        for kind in self.kinds:
            self._scorer(kind).prepare()

    def for_problem(self, problem: Problem) -> Scorer:
        """The scorer of the problem's kind."""
        kind, plain = self._parts(problem)
        return self._scorer(kind).for_problem(plain)

    def sandboxed(self, args: Mapping[str, Any], level: str) -> dict[str, Any]:
        """The arguments with those of each kind's scorer at this level."""
        kinds: dict[str, Any] = {}
        for kind, given in self.kinds.items():
            name, own = scorer_parts(given)
            made = self._scorer(kind).sandboxed(own, level)
            kinds[kind] = {name: made} if made != own else given
        return {**args, "kinds": kinds}

    def conditions(self) -> dict[str, Any]:
        """What each of the scorers depends on here, together."""
        return {name: value for kind in self.kinds for name, value in self._scorer(kind).conditions().items()}

    def score(self, problem: Problem, answer: str) -> Score:
        """What the scorer of the problem's kind says."""
        kind, plain = self._parts(problem)
        score = self._scorer(kind).score(plain, answer)
        return replace(score, details={**score.details, "kind": kind})

    def unanswered(self, problem: Problem, why: str) -> Score:
        """As the scorer of the problem's kind has it."""
        kind, plain = self._parts(problem)
        return self._scorer(kind).unanswered(plain, why)

    def gold(self, problem: Problem) -> str | None:
        """What the scorer of the problem's kind gives."""
        kind, plain = self._parts(problem)
        return self._scorer(kind).gold(plain)

    def _parts(self, problem: Problem) -> tuple[str, Problem]:
        target = problem.target
        if not (isinstance(target, Mapping) and {"kind", "answer"} <= target.keys()):
            raise UserError(f"scorer mixed: a target must read {{'kind': ..., 'answer': ...}}, not {target!r:.80}.")
        if target["kind"] not in self.kinds:
            raise unknown("kind of answer", str(target["kind"]), self.kinds)
        return str(target["kind"]), replace(problem, target=target["answer"])

    def _scorer(self, kind: str) -> Scorer:
        name, args = scorer_parts(self.kinds[kind])
        return _made(name, json.dumps(args, sort_keys=True))


@cache
def _made(name: str, args: str) -> Scorer:
    return make_scorer(name, json.loads(args))

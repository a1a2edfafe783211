"""Several kinds of answer in one task: each problem names its kind, and each kind has a scorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
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
        for kind, scorer in self._scorers.items():
            if isinstance(scorer, ModelScorer):
                raise UserError(f"scorer mixed: kind {kind!r}: a scorer that asks a model cannot be mixed.")

    @cached_property
    def _scorers(self) -> dict[str, Scorer]:
        return {kind: make_scorer(*scorer_parts(given)) for kind, given in self.kinds.items()}

    @property
    def batch(self) -> int:  # type: ignore[override]
        """The smallest of the kinds', as a batch is made before anyone looks at its problems."""
        return min(scorer.batch for scorer in self._scorers.values())

    @property
    def timeout_s(self) -> float:  # type: ignore[override]
        """The longest of the kinds'; each answer has its own kind's (see `for_problem`)."""
        return max(scorer.timeout_s for scorer in self._scorers.values())

    def prepare(self) -> None:
        """What each of the scorers prepares."""
        for scorer in self._scorers.values():
            scorer.prepare()

    def for_problem(self, problem: Problem) -> Scorer:
        """The scorer of the problem's kind."""
        _, scorer, plain = self._parts(problem)
        return scorer.for_problem(plain)

    def sandboxed(self, args: Mapping[str, Any], level: str) -> dict[str, Any]:
        """The arguments with those of each kind's scorer at this level."""
        kinds: dict[str, Any] = {}
        for kind, given in self.kinds.items():
            name, own = scorer_parts(given)
            made = self._scorers[kind].sandboxed(own, level)
            kinds[kind] = {name: made} if made != own else given
        return {**args, "kinds": kinds}

    def conditions(self) -> dict[str, Any]:
        """What each of the scorers depends on here, together."""
        return {name: value for scorer in self._scorers.values() for name, value in scorer.conditions().items()}

    def score(self, problem: Problem, answer: str) -> Score:
        """What the scorer of the problem's kind says."""
        kind, scorer, plain = self._parts(problem)
        score = scorer.score(plain, answer)
        return replace(score, details={**score.details, "kind": kind})

    def unanswered(self, problem: Problem, why: str) -> Score:
        """As the scorer of the problem's kind has it."""
        _, scorer, plain = self._parts(problem)
        return scorer.unanswered(plain, why)

    def gold(self, problem: Problem) -> str | None:
        """What the scorer of the problem's kind gives."""
        _, scorer, plain = self._parts(problem)
        return scorer.gold(plain)

    @property
    def can_vote(self) -> bool:
        """Whether answers of some kind can; `for_problem` tells of which."""
        return any(scorer.can_vote for scorer in self._scorers.values())

    def same(self, problem: Problem, one: str, other: str) -> bool:
        """What the scorer of the problem's kind says."""
        _, scorer, plain = self._parts(problem)
        return scorer.same(plain, one, other)

    def _parts(self, problem: Problem) -> tuple[str, Scorer, Problem]:
        """The problem's kind, its scorer, and the problem as that one knows it."""
        target = problem.target
        if not (isinstance(target, Mapping) and {"kind", "answer"} <= target.keys()):
            raise UserError(f"scorer mixed: a target must read {{'kind': ..., 'answer': ...}}, not {target!r:.80}.")
        kind = str(target["kind"])
        if kind not in self._scorers:
            raise unknown("kind of answer", kind, self._scorers)
        return kind, self._scorers[kind], replace(problem, target=target["answer"])

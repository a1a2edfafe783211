"""Several kinds of answer in one task: each problem says which scorer judges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from skythought.errors import UserError, unknown
from skythought.scorers._judge import make_scorer
from skythought.scorers.base import Scorer
from skythought.types import Problem, Score

__all__ = ["MixedScorer"]


@dataclass(frozen=True)
class MixedScorer(Scorer):
    """Judges by the kind that the problem's target names: `{"kind": "exactMatch", "answer": "42"}`.

    Args:
        kinds: Each kind and its scorer, a name or `{name: {argument: value}}`.
    """

    kinds: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.kinds:
            raise UserError("scorer mixed: kinds: give at least one kind of answer with its scorer.")
        for kind in self.kinds:
            if self._scorer(kind).uses_row:
                raise UserError(f"scorer mixed: kind {kind!r}: a scorer that reads the whole row cannot be mixed.")

    def prepare(self) -> None:
        """What each of the scorers prepares."""
        for kind in self.kinds:
            self._scorer(kind).prepare()

    def score(self, problem: Problem, answer: str) -> Score:
        """What the scorer of the problem's kind says."""
        kind, plain = self._parts(problem)
        score = self._scorer(kind).score(plain, answer)
        return replace(score, details={**score.details, "kind": kind})

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
        given = self.kinds[kind]
        name, args = (given, {}) if isinstance(given, str) else next(iter(given.items()))
        return make_scorer(name, args or {})

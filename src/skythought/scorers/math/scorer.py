"""The scorer of mathematical answers: extract, normalise, compare, with every step in the score.

docs/mathematics.md says what counts as the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple

from skythought.errors import UserError
from skythought.scorers.answers.candidates import Candidate, boxed_answer, read
from skythought.scorers.base import NO_GOLD, Scorer
from skythought.scorers.math import words
from skythought.scorers.math.answer import gold_answer
from skythought.scorers.math.equivalence import Comparison, compare
from skythought.scorers.math.evaluation import context
from skythought.scorers.math.policy import Policy
from skythought.types import Problem, Score

__all__ = ["MathScorer"]

Kind = Literal["expression", "integer", "number"]
KINDS = ("expression", "integer", "number")
PLAIN = re.compile(r"-?\d{1,15}")
VALUE = re.compile(r"[^\W_a-zA-Z]|\\|^\W*[a-zA-Z](?![a-zA-Z])|[=+*/^<>]|[^\x00-\x7f]")
"""What no plain words have: a digit, a command, a sign, a letter that stands alone."""
LONGEST_GOLD = 150
"""A gold text beyond this is a worked solution, whose answer is taken out as from a response."""


class Gold(NamedTuple):
    """The gold answer of a problem."""

    text: str
    tolerance: Fraction | None = None
    """By how much a number may be off, where the dataset says so."""


@dataclass(frozen=True)
class MathScorer(Scorer):
    """Compares the final mathematical answer of a response with the gold one.

    The target is a text, a number, a list of several answers (all are asked for, in any order), or a mapping
    `{"answer": ..., "tolerance": 0.01, "unit": "cm"}` where the dataset says how far a number may be off.

    Args:
        kind: What the task's answers are. "expression": any (numbers, formulas, sets, intervals, equations, words).
            "integer" and "number": units, words and leading zeros around the number do not matter.
        rounding: Whether a decimal of enough digits may stand for the exact value that rounds to it.
        percent: Whether a percent sign may be left out, 28 for 28%.
        ordered: Whether parts without brackets or in braces must come in the gold answer's order.
        units: Whether a known unit of the gold answer must be there.
    """

    timeout_s: ClassVar[float] = 5.0
    batch: ClassVar[int] = 64
    uses_prompt: ClassVar[bool] = True
    kind: Kind = "expression"
    rounding: bool = True
    percent: bool = True
    ordered: bool = False
    units: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"scorer math: kind {self.kind!r} is none of {', '.join(KINDS)}.")

    def prepare(self) -> None:
        """Import mpmath, which some formulas are worked out with, so that forked workers have it."""
        context()

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the answer that the response states last means the same as the gold one."""
        if problem.target is None:
            found = read(answer)
            return (
                Score(None, NO_GOLD, found.text[:2000], details={"rule": found.rule}) if found else Score(None, NO_GOLD)
            )
        gold, tolerance = read_target(problem.target)
        found = read(answer, self._is_one(gold))
        if gold and answer.strip() == gold:
            found = Candidate(gold, "whole response")
        if found is None:
            return Score(False, "no answer found: no box, no stated answer and no number")
        correct, step = self.compare(gold, found.text, tolerance, problem.prompt)
        sign = "=" if correct else "≠"
        reason = f"{_short(found.text)} ({found.rule}) {sign} {_short(gold)}: {step}"
        return Score(correct, reason, found.text[:2000], details=_details(found, gold, step))

    def gold(self, problem: Problem) -> str | None:
        """A response that is correct: the gold answer in a box."""
        text = "" if problem.target is None else read_target(problem.target).text
        return f"\\boxed{{{text}}}" if text.strip() else None

    def same(self, problem: Problem, one: str, other: str) -> bool:
        """Whether either would be right if the other were the gold answer."""
        tolerance = read_target(problem.target).tolerance
        return self.compare(one, other, tolerance).same or self.compare(other, one, tolerance).same

    def _is_one(self, gold: str) -> Callable[[str], bool]:
        """What an answer looks like: where a number or formula is asked for, one, or words that stand for a value."""
        if self.kind == "expression" and gold_answer(gold).is_prose:
            return bool
        named = gold.isalpha() and gold_answer(gold).tree is not None
        return lambda text: bool(VALUE.search(text)) or words.means_value(text) or (named and text.isalpha())

    def compare(self, gold: str, given: str, tolerance: Fraction | None = None, question: str = "") -> Comparison:
        """Whether `given` is the same answer as `gold`, and the step that decided it."""
        if PLAIN.fullmatch(gold) and PLAIN.fullmatch(given):
            return Comparison(int(gold) == int(given), "numbers compared exactly")
        policy = Policy(self.rounding, self.percent, self.ordered, self.units, tolerance)
        return compare(gold, given, policy, question)


def read_target(target: Any) -> Gold:
    """The gold answer that a problem's target gives.

    Several answers are joined with commas. Where the text is a worked solution, what counts is its box, or what it
    states last.

    Raises:
        UserError: A mapping without "answer", or with a tolerance that is no number.
    """
    if not isinstance(target, Mapping):
        return Gold(gold_text(target))
    if "answer" not in target:
        raise UserError(f"scorer math: the target {dict(target)!r:.100} has no 'answer'.")
    tolerance = target.get("tolerance")
    try:
        limit = Fraction(str(tolerance)) if tolerance not in (None, "") else None
    except ValueError:
        raise UserError(f"scorer math: the tolerance {tolerance!r} is no number.") from None
    text = gold_text(target["answer"])
    unit = str(target.get("unit") or "").strip().strip("$")
    return Gold(f"{text} \\text{{ {unit}}}" if unit and "\\" not in unit else text, limit)


def gold_text(target: Any) -> str:
    """A target as one text."""
    if isinstance(target, (list, tuple)):
        return ", ".join(gold_text(part) for part in target)
    return _gold_in(repr(target) if isinstance(target, float) else str(target))


@lru_cache(maxsize=4096)
def _gold_in(text: str) -> str:
    box = boxed_answer(text)
    if box is not None:
        return box.text
    if (len(text) > LONGEST_GOLD or "####" in text) and (found := read(text)) is not None and not found.fallback:
        return found.text
    return text.strip()


def _details(found: Candidate, gold: str, step: str) -> dict[str, Any]:
    details = {"rule": found.rule, "compared_with": gold, "step": step}
    return {**details, "fallback": True} if found.fallback else details


def _short(text: str) -> str:
    text = " ".join(text[:400].split())
    return text if len(text) <= 80 else text[:77] + "..."

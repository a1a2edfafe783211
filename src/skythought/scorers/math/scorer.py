"""The scorer of mathematical answers: extract, normalise, compare, with every step in the score.

docs/mathematics.md says what counts as the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple

from skythought.errors import UserError
from skythought.scorers.answers.extraction import Found, boxed_answer, extract
from skythought.scorers.base import Scorer
from skythought.scorers.math.equivalence import Comparison, compare
from skythought.scorers.math.evaluation import context
from skythought.scorers.math.normalisation import normalised
from skythought.scorers.math.numbers import number
from skythought.scorers.math.structure import value
from skythought.scorers.math.words import without_unit
from skythought.types import Problem, Score

__all__ = ["MathScorer"]

Kind = Literal["expression", "integer", "number"]
KINDS = ("expression", "integer", "number")
IN_TEXT = re.compile(r"(?<![\d.])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.?\d+)?(?:/\d+)?%?")
PLAIN = re.compile(r"-?\d{1,15}")
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
    """

    timeout_s: ClassVar[float] = 2.0
    batch: ClassVar[int] = 64
    kind: Kind = "expression"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"scorer math: kind {self.kind!r} is none of {', '.join(KINDS)}.")

    def prepare(self) -> None:
        """Import mpmath, which some formulas are worked out with, so that forked workers have it."""
        context()

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the answer that the response states last means the same as the gold one."""
        gold, tolerance = read_target(problem.target)
        found = extract(answer)
        if gold and answer.strip() == gold:
            found = Found(gold, "whole response")
        only_words = self.kind != "expression" and found is not None and found.fallback and not _has_digit(found.text)
        if found is None or only_words:
            return Score(False, "no answer found: no box, no stated answer and no number")
        correct, step = self.compare(gold, found.text, tolerance)
        sign = "=" if correct else "≠"
        reason = f"{_short(found.text)} ({found.rule}) {sign} {_short(gold)}: {step}"
        return Score(correct, reason, found.text[:2000], details=_details(found, gold, step))

    def gold(self, problem: Problem) -> str | None:
        """A response that is correct: the gold answer in a box."""
        text = read_target(problem.target).text
        return f"\\boxed{{{text}}}" if text.strip() else None

    def compare(self, gold: str, given: str, tolerance: Fraction | None = None) -> Comparison:
        """Whether `given` is the same answer as `gold`, and the step that decided it."""
        if self.kind == "expression":
            return compare(gold, given, tolerance)
        return _compare_single_numbers(gold, given, self.kind, tolerance)


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


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
    if (len(text) > LONGEST_GOLD or "####" in text) and (found := extract(text)) is not None and not found.fallback:
        return found.text
    return text.strip()


def _compare_single_numbers(gold: str, given: str, kind: Kind, tolerance: Fraction | None) -> Comparison:
    """Comparison where gold is known to be one number, and the answer may wrap it in words."""
    rule = "compared as integers" if kind == "integer" else "compared as numbers"
    if PLAIN.fullmatch(gold) and PLAIN.fullmatch(given):
        return Comparison(int(gold) == int(given), rule)
    wanted = _gold_number(gold)
    got = _single_number(given)
    if wanted is None or got is None:
        return compare(gold, given, tolerance)
    close = tolerance is not None and abs(wanted - got) <= tolerance
    return Comparison(wanted == got or close, rule)


@lru_cache(maxsize=4096)
def _gold_number(text: str) -> Fraction | None:
    return _single_number(text)


def _single_number(text: str) -> Fraction | None:
    """The number in a text that holds one, or that ends in `= number`; None if there is none."""
    # As it stands, without its unit, without a label before it, behind the last equals sign: the first that is one.
    tidy = normalised(text[:2000])
    for candidate in (tidy, without_unit(tidy, beside_number=True)[0], value(tidy)[1], tidy.rpartition("=")[2].strip()):
        found = number(candidate.removesuffix("%"))
        if found is not None:
            return found.value
    if "\\" in tidy:  # a formula: a number picked out of it would be a part, not the answer
        return None
    words = [match for match in IN_TEXT.findall(tidy) if any(c.isdigit() for c in match)]
    found = number(words[0].removesuffix("%")) if words else None
    return found.value if found else None


def _details(found: Found, gold: str, step: str) -> dict[str, Any]:
    details = {"rule": found.rule, "compared_with": gold, "step": step}
    return {**details, "fallback": True} if found.fallback else details


def _short(text: str) -> str:
    text = " ".join(text[:400].split())
    return text if len(text) <= 80 else text[:77] + "..."

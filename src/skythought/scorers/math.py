"""Mathematical answers: extract -> normalise -> compare, every step visible in the score."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any, Literal

from skythought.errors import UserError
from skythought.scorers._extract import Found, boxed_answer, extract
from skythought.scorers._latex import absurd, matrix, normalise, split, value_side
from skythought.scorers._numbers import number, same_number
from skythought.scorers.base import Scorer
from skythought.types import Problem, Score

__all__ = ["MathScorer"]

Kind = Literal["expression", "integer", "number"]
KINDS = ("expression", "integer", "number")
IN_TEXT = re.compile(r"(?<![\d.])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.?\d+)?(?:/\d+)?%?")


@dataclass(frozen=True)
class MathScorer(Scorer):
    """Judges a final mathematical answer against the gold one.

    Args:
        kind: What the task's answers are. "expression": any (numbers, formulas, sets, intervals, equations, words).
            "integer" and "number": units, words and leading zeros around the number do not matter.
    """

    kind: Kind = "expression"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"scorer math: kind {self.kind!r} is none of {', '.join(KINDS)}.")

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the answer that the response states last means the same as the gold one."""
        found = extract(answer)
        only_words = self.kind != "expression" and found is not None and found.fallback and not _has_digit(found.text)
        if found is None or only_words:
            return Score(False, "no answer found: no box, no stated answer and no number")
        gold = gold_text(problem.target)
        correct, step = self.compare(gold, found.text)
        sign = "=" if correct else "≠"
        reason = f"{_short(found.text)} ({found.rule}) {sign} {_short(gold)}: {step}"
        return Score(correct, reason, found.text[:2000], details=_details(found, gold, step))

    def gold(self, problem: Problem) -> str | None:
        """The gold answer in a box."""
        return None if problem.target is None else f"\\boxed{{{gold_text(problem.target)}}}"

    def compare(self, gold: str, given: str) -> tuple[bool, str]:
        """Whether `given` is the same answer as `gold`, and the step that decided it."""
        if self.kind == "expression":
            return same(gold, given)
        return _same_single_number(gold, given, whole=self.kind == "integer")


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def gold_text(target: Any) -> str:
    """The gold answer as one text; several (all of which are asked for) are joined with commas.

    Where it is a worked solution, what counts is its box.
    """
    if isinstance(target, (list, tuple)):
        return ", ".join(gold_text(part) for part in target)
    text = repr(target) if isinstance(target, float) else str(target)
    box = boxed_answer(text)
    return box.text if box else text


def same(gold: str, given: str) -> tuple[bool, str]:
    """Whether two answers mean the same, by the cheapest step that can tell."""
    wanted, got = normalise(gold), normalise(given)
    if wanted == got:
        return True, "same text"
    too_much = absurd(got)
    if too_much:
        return False, too_much
    if not got:
        return False, "nothing is left of the answer without its formatting"
    return _same_normalised(wanted, got)


def _same_normalised(wanted: str, got: str) -> tuple[bool, str]:
    for first, second in {(wanted, got), (value_side(wanted), value_side(got))}:
        if first == second:
            return True, "same value"
        gold_number, given_number = number(first), number(second)
        if gold_number and given_number:
            return same_number(gold_number, given_number), "numbers compared exactly"
    parts = _same_parts(value_side(wanted), value_side(got))
    if parts is not None:
        return parts, "compared part by part"
    return _same_algebra(wanted, got), "compared by algebra (math-verify)"


def _same_parts(wanted: str, got: str) -> bool | None:
    """Lists, sets, tuples and intervals; None if the two are not both of several parts."""
    if r"\begin{pmatrix}" in wanted + got:
        return _same_matrix(matrix(wanted), matrix(got))
    first, second = split(wanted), split(got)
    if len(first) < 2 and len(second) < 2:
        return None
    if first.opening and second.opening and (first.opening, first.closing) != (second.opening, second.closing):
        return False  # (1,2) is not [1,2], and neither is {1,2}
    if len(first) != len(second):
        one = number(wanted) or number(got)
        return None if one is None and 1 in (len(first), len(second)) else False
    if "" in first or "" in second:
        return None
    if first.ordered or second.ordered:
        return all(_same_normalised(a, b)[0] for a, b in zip(first, second, strict=True))
    return _same_in_any_order(list(first), list(second))


def _same_matrix(first: list[list[str]] | None, second: list[list[str]] | None) -> bool | None:
    if first is None or second is None:
        return None
    if [len(row) for row in first] != [len(row) for row in second]:
        return False
    pairs = zip(sum(first, []), sum(second, []), strict=True)
    return all(_same_normalised(a, b)[0] for a, b in pairs)


def _same_in_any_order(first: list[str], second: list[str]) -> bool:
    """Each part has its equal on the other side."""
    rest = list(second)
    for part in sorted(first, key=lambda part: part not in second):  # the cheap ones first
        match = part if part in rest else next((b for b in rest if _same_normalised(part, b)[0]), None)
        if match is None:
            return False
        rest.remove(match)
    return not rest


def _same_single_number(gold: str, given: str, whole: bool) -> tuple[bool, str]:
    """Comparison where gold is known to be one number, and the answer may wrap it in words."""
    wanted = _single_number(gold)
    got = _single_number(given)
    if wanted is None:
        return same(gold, given)
    if got is None:
        too_much = absurd(given)
        return (False, too_much) if too_much else same(gold, given)
    if whole and (wanted.denominator != 1 or got.denominator != 1):
        return wanted == got, "compared as integers"
    return wanted == got, "compared as integers" if whole else "compared as numbers"


def _single_number(text: str) -> Any:
    """The number in a text that holds one, or that ends in `= number`; None if there is none."""
    tidy = normalise(text[:2000])
    for candidate in (tidy, value_side(tidy), tidy.rpartition("=")[2]):
        found = number(candidate.removesuffix("%"))
        if found is not None:
            return found.value
    if "\\" in tidy:
        return None
    words = [match for match in IN_TEXT.findall(tidy.replace("$", "")) if any(c.isdigit() for c in match)]
    found = number(words[0].removesuffix("%")) if words else None
    return found.value if found else None


def _same_algebra(wanted: str, got: str) -> bool:
    """What math-verify makes of the two. Its own limit is an alarm signal, so it is switched off."""
    import math_verify

    wanted, got = wanted.replace(";", ","), got.replace(";", ",")
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    gold = math_verify.parse(f"\\boxed{{{wanted}}}", parsing_timeout=None)
    given = math_verify.parse(f"\\boxed{{{got}}}", parsing_timeout=None)
    return bool(math_verify.verify(gold, given, timeout_seconds=None, allow_set_relation_comp=True))


def _details(found: Found, gold: str, step: str) -> dict[str, Any]:
    details = {"rule": found.rule, "compared_with": gold, "step": step}
    return {**details, "fallback": True} if found.fallback else details


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."

"""Multiple choice: whether the option that a response gives as its answer is the right one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from skythought.scorers.base import NO_GOLD, Scorer
from skythought.scorers.choice.letters import LETTERS, plain, plain_options
from skythought.scorers.choice.reading import find_choice
from skythought.types import Problem, Score

__all__ = ["ChoiceScorer"]

MOST_UNKNOWN = 10
"""Options that are assumed where the problem does not say how many there are."""


@dataclass(frozen=True)
class ChoiceScorer(Scorer):
    """Compares the option that a response gives as its answer, by letter, number or full text, with the right one.

    The problem's `target` is the right option: its letter ("C", "(C)", "C. ..."), its number from 0 (an int), its label
    from 1 (a string of digits, as ARC has them) or its text; `choices` are the texts in the order shown. A response
    that names several options at once is wrong.
    """

    timeout_s: ClassVar[float] = 5.0
    batch: ClassVar[int] = 64

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the option named last by the strongest rule is the right one."""
        if problem.target is None:
            found = find_choice(answer, len(problem.choices) or MOST_UNKNOWN, problem.choices)
            letters = ", ".join(found.letters) if found else ""
            return Score(None, NO_GOLD, letters or None, details={"rule": found.rule} if found else {})
        target = target_letter(problem.target, problem.choices)
        count = len(problem.choices) or max(MOST_UNKNOWN, LETTERS.find(target) + 1)
        if not target or target not in LETTERS[:count]:
            return Score(None, f"the problem's target {problem.target!r:.80} is none of its {count} options")
        digits = isinstance(problem.target, str) and problem.target.strip().isdigit()
        found = find_choice(answer, count, problem.choices, digits=digits)
        if found is None or not found.letters:
            why = "no option is named" if found is None else "the response says that no option fits"
            return Score(False, f"no answer found: {why}", details={} if found is None else {"rule": found.rule})
        letters = ", ".join(found.letters)
        correct = letters == target
        reason = f"{letters} ({found.rule}) {'=' if correct else '≠'} {target}"
        return Score(correct, reason, letters, details={"rule": found.rule, "compared_with": target})

    def gold(self, problem: Problem) -> str | None:
        """A response that is correct: the right letter in a box."""
        target = target_letter(problem.target, problem.choices)
        return f"\\boxed{{{target}}}" if target else None

    def same(self, problem: Problem, one: str, other: str) -> bool:
        """The same letters."""
        return one == other


def target_letter(target: Any, texts: Sequence[str] = ()) -> str:
    """The letter of the right option, from any of the ways in which datasets give it; "" if it cannot be told."""
    if target is None:
        return ""
    if isinstance(target, int) and not isinstance(target, bool):
        return LETTERS[target : target + 1] if target >= 0 else ""
    text = str(target).strip()
    if len(text) == 1 and text.isalpha():
        return text.upper()
    if text.isdigit() and text.isascii() and text not in plain_options(tuple(texts)):
        return LETTERS[int(text) - 1 : int(text)] if text != "0" else ""
    same = [number for number, option in enumerate(plain_options(tuple(texts))) if option == plain(text)]
    if len(same) == 1:
        return LETTERS[same[0]]
    if match := re.match(r"[(\[]?([A-Za-z])(?:[)\].:\s]|$)", text):
        return match.group(1).upper()
    found = find_choice(text, len(texts) or len(LETTERS), texts)
    return found.letters[:1] if found else ""

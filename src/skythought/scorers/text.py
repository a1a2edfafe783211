"""Answers in words: a name, yes or no, a label, a few tokens. Compared as text, forgiving only how it is written."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from skythought.latex import last_box
from skythought.scorers.base import Scorer
from skythought.types import Problem, Score

__all__ = ["TextScorer"]

LAST_PART = 8000
"""Characters at the end of a response in which a stated answer is looked for."""
LONGEST_BARE = 100
"""Characters of a last line that may be an answer though nothing says so."""
STATED = re.compile(r"(?:\banswer\b(?:\s+is\b)?\**|####)[ \t]*[:=]?[ \t]*\**[ \t]*(\S[^\n]*)", re.IGNORECASE)
WRAPPER = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")
LABEL = re.compile(r"\(?([a-z])\)")
WHOLE_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.0+)?")


@dataclass(frozen=True)
class TextScorer(Scorer):
    """Compares a short answer in words with the gold one.

    Case, surrounding quotes, markup and a full stop at the end do not matter, nor does `(A)` for `A` or `1,200` for
    `1200`. Otherwise every word counts, in its place.
    """

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the answer that the response gives last is the same text as the gold one."""
        found = _found(answer)
        if found is None:
            return Score(False, "no answer found: no box, no stated answer, no short last line")
        text, rule = found
        gold = str(problem.target)
        correct = same_text(gold, text)
        shown = text if len(text) <= 80 else text[:77] + "..."
        return Score(
            correct,
            f"{shown} ({rule}) {'=' if correct else '≠'} {gold}",
            text[:2000],
            details={"rule": rule, "compared_with": gold},
        )

    def gold(self, problem: Problem) -> str | None:
        """The target in a box."""
        return f"\\boxed{{{problem.target}}}"


def same_text(gold: str, given: str) -> bool:
    """Whether two short texts are the same but for how they are written."""
    wanted, got = _plain(gold), _plain(given)
    if wanted == got:
        return bool(wanted)
    if not any(char.isalnum() for char in wanted):  # brackets: blanks between them are no part of the answer
        return bool(wanted) and "".join(wanted.split()) == "".join(got.split())
    label = LABEL.fullmatch(wanted)
    if label:  # "(B)": also "B", "B." and "(B) blue"
        return re.match(rf"\(?{label.group(1)}(?:\)|[.:]|$)", got) is not None
    if WHOLE_NUMBER.fullmatch(wanted) and WHOLE_NUMBER.fullmatch(got):
        return _integer(wanted) == _integer(got)
    return "," not in wanted and wanted.split() == got.replace(",", " ").split()


def _found(response: str) -> tuple[str, str] | None:
    """The text taken for the answer, and by which rule."""
    boxed = last_box(response)
    if boxed is not None:
        return boxed, "boxed"
    part = response[-LAST_PART:]
    stated = [match.group(1) for match in STATED.finditer(part) if _plain(match.group(1))]
    if stated:
        return stated[-1].strip(), "stated"
    lines = [line.strip() for line in part.splitlines() if _plain(line)]
    if lines and len(lines[-1]) <= LONGEST_BARE:
        return lines[-1], "last line"
    return None


def _plain(text: str) -> str:
    """`text` without case, markup, quotes, doubled blanks and a full stop at its end."""
    text = unicodedata.normalize("NFKC", text)
    while (bare := WRAPPER.sub(r"\1", text)) != text:
        text = bare
    text = re.sub(r"\\[,;! ()\[\]]|[$*`\"“”‘’]", " ", text).replace("\\_", "_")
    return " ".join(text.casefold().split()).strip(" '").rstrip(".").rstrip()


def _integer(text: str) -> int | str:
    digits = text.partition(".")[0].replace(",", "")
    # Python refuses to read an integer of more than 4,300 digits.
    return int(digits) if len(digits) < 1000 else digits

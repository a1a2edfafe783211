"""Answers as models write them: a fixed part of the cases that benchmarks/answer_styles.py measures all of.

Right answers are found in every style and every writing, and changed ones are refused.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

import pytest
from answer_golds import GOLDS

from answer_styles import Case, right_cases, verdict, wrong_cases

STEP = 19
"""One case of so many is tried: of every style some twenty, of golds of all kinds."""
FOUND, ACCEPTED = 0.995, 0.001
"""The aims: of right answers at least, of wrong ones at most."""
LINE = 0.05
"""Of the few right answers of one line that are tried, at most so many are missed; of the wrong ones none is accepted."""

# What the scorers do not do yet, to be emptied: a test fails also where a line named here has been learnt.
NOT_YET_MET = True
"""Whether the aims over all cases are missed."""
NOT_YET: dict[str, set[str]] = {
    "right, rewriting": {
        ".0",
        ".00",
        "B - text",
        "B)",
        "B) text",
        "B.",
        "B. text",
        "B: text",
        "[B]",
        "\\text{B. text}",
        "\\text{B}",
        "another form",
        "bold",
        "braces around",
        "braces around exponents",
        "brackets around",
        "cfrac",
        "dfrac",
        "display style",
        "dollar",
        "dollar of LaTeX",
        "frac of digits",
        "full stop",
        "left and right",
        "minus sign",
        "no blanks",
        "no left and right",
        "order of a set",
        "plain text",
        "product",
        "quotes",
        "space at the end",
        "sum",
        "text",
        "text alone",
        "textbf",
        "tfrac",
        "thin spaces",
        "thousands, \\!",
        "thousands, thin space",
        "thousands, {,}",
        "unicode",
        "units in mathrm",
        "wide blanks",
        "with a function",
        "with a name",
        "worked equation",
    },
    "right, style": {
        "Answer on the next line",
        "Arabic",
        "Arabic, colon",
        "Bengali",
        "Chinese",
        "Chinese, choose this option",
        "Chinese, final",
        "Chinese, in bold",
        "Chinese, in brackets",
        "Chinese, with a colon",
        "Dutch",
        "French",
        "French, final",
        "German",
        "German, colon",
        "German, lautet",
        "Hindi",
        "I hope it is correct",
        "Indonesian",
        "Italian",
        "JSON",
        "JSON in a fence",
        "JSON, final_answer",
        "Japanese",
        "Japanese, colon",
        "Korean",
        "Korean, colon",
        "Korean, with a blank",
        "Malay",
        "Polish",
        "Portuguese",
        "Russian",
        "Russian, in a sentence",
        "So, X.",
        "Spanish",
        "Telugu",
        "Thai",
        "Turkish",
        "Vietnamese",
        "XML, final_answer",
        "answer first",
        "answer first, in bold",
        "answer tags",
        "answer tags over lines",
        "answer tags, a sentence",
        "because",
        "box in a box",
        "box not closed",
        "box of GLM",
        "box with a formula in text",
        "box with text inside",
        "box with two braces",
        "box, not another",
        "channels of gpt-oss",
        "channels of gpt-oss, answer alone",
        "channels without tokens, alone",
        "comma and why",
        "confidence",
        "for all real",
        "four hashes",
        "heading, underlined",
        "hope this answer helps",
        "last line",
        "line of a table",
        "next Human:",
        "next Problem:",
        "next Question:",
        "next User:",
        "next turn of ChatML",
        "next turn of Gemma",
        "next turn of Llama 3",
        "next turn of Mistral",
        "not that, but this",
        "nothing else, with an end token",
        "obtained by",
        "on second thought",
        "plain in the last line",
        "rather than",
        "reasonable",
        "so we get",
        "the answer would be",
        "thinking and answer tags",
        "thus, in bold",
        "verified",
    },
    "wrong, change": {
        "a factor",
        "a point",
        "another value",
        "anything but",
        "at least",
        "between",
        "congruent to another",
        "dozen",
        "factorial",
        "greater than, sign",
        "half of",
        "imaginary",
        "in base 8",
        "less than",
        "less than, sign",
        "million",
        "million, in text",
        "more than",
        "not",
        "not, LaTeX",
        "not, with a sign",
        "pi",
        "product",
        "range",
        "root",
        "squared",
        "sum",
        "thousand",
        "time of day",
        "twice",
        "two, with a comma",
        "two, with or",
    },
    "wrong, style": {
        "Chinese, final",
        "I hope it is correct",
        "Indonesian",
        "Japanese",
        "Japanese, colon",
        "Korean",
        "Malay",
        "Portuguese",
        "Vietnamese",
        "box after another",
        "box and politeness",
        "box in a box",
        "box in a display",
        "box in a sentence",
        "box in two dollars",
        "box, not another",
        "box, then a sentence about the answer",
        "box, then why",
        "channels of gpt-oss, answer alone",
        "channels without tokens, box",
        "checked afterwards",
        "confidence",
        "fbox",
        "for all real",
        "item of a list",
        "last line",
        "last line, a display",
        "let me know",
        "my answer",
        "next Human:",
        "next Problem:",
        "next Question:",
        "next User:",
        "next turn of ChatML",
        "not that, but this",
        "nothing else",
        "plain in the last line",
        "the answer is a display",
        "think",
        "think, opened by the template",
        "thinking",
        "thinking and answer tags",
    },
    "wrong, trap": {
        "analysis alone",
        "analysis cut short",
        "analysis cut short, no tokens",
        "another, not this, box",
        "cannot tell",
        "common mistake behind",
        "either",
        "empty final channel",
        "mistake in JSON",
        "not",
        "not this, but another",
        "on second thought",
        "or",
        "or, boxes",
        "right in the analysis",
        "right in the analysis, with tokens",
        "right in the next question",
        "right in the next turn",
        "right in the next turn, Human:",
        "right in the thinking",
        "right in the thinking, box",
    },
}


class Line(NamedTuple):
    """The cases of one line of the tables, and those judged wrongly."""

    cases: list[Case]
    failed: list[str]


@lru_cache
def lines() -> dict[tuple[str, str], Line]:
    """By table ("right, style", "wrong, trap", ...) and name."""
    found: dict[tuple[str, str], Line] = defaultdict(lambda: Line([], []))
    for case in (*right_cases(GOLDS, step=STEP), *wrong_cases(GOLDS, step=STEP)):
        line = found[("right, " if case.right else "wrong, ") + case.part, case.name]
        line.cases.append(case)
        score = verdict(case)
        if score.correct is not case.right:
            line.failed.append(f"{case.gold.kind} {case.gold.target!r}: {case.response!r}: {score.reason}")
    return found


@pytest.mark.parametrize("table", ["right, style", "right, rewriting", "wrong, style", "wrong, change", "wrong, trap"])
def test_judged_rightly_but_for_what_is_not_done_yet(table: str) -> None:
    limit = LINE if table.startswith("right") else 0
    bad = {
        name: line.failed
        for (of, name), line in lines().items()
        if of == table and len(line.failed) > limit * len(line.cases)
    }
    shown = [f"{name}: {text}" for name, failed in bad.items() if name not in NOT_YET[table] for text in failed[:2]]
    assert set(bad) == NOT_YET[table], "\n".join(shown)


@pytest.mark.xfail(NOT_YET_MET, reason="the scorers miss them yet")
def test_aims() -> None:
    right = [line for (table, _), line in lines().items() if table.startswith("right")]
    wrong = [line for (table, _), line in lines().items() if table.startswith("wrong")]
    assert sum(len(line.failed) for line in right) <= (1 - FOUND) * sum(len(line.cases) for line in right)
    assert sum(len(line.failed) for line in wrong) <= ACCEPTED * sum(len(line.cases) for line in wrong)

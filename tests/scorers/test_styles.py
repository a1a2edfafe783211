"""Answers as models write them: a fixed part of the cases that benchmarks/answer_styles.py measures all of.

Right answers are found in every style and every writing, and changed ones are refused.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

import pytest
from answer_golds import GOLDS

from answer_styles import STYLES, TRAPS, Case, right_cases, verdict, wrong_cases

STEP = 19
"""One case of so many is tried: of every style some ten, of golds of all kinds."""
FOUND, ACCEPTED = 0.995, 0.001
"""The aims: of right answers at least, of wrong ones at most."""
LINE = 0.05
"""Of the right answers of one line (some ten or twenty) at most so many may be missed; no wrong one may be accepted."""

# What the scorers do not do yet, to be emptied: a test fails also where a line named here has been learnt.
NOT_YET_MET = True
"""Whether the aims over all cases are missed."""
NOT_YET: dict[str, set[str]] = {
    "right, rewriting": {"braces around exponents", "degrees in text"},
    "right, style": {
        "(Answer: X)",
        "I would go with",
        "JSON, capital letter",
        "Output:",
        "__Answer:__",
        "answer alone, then why",
        "end token <|EOT|>",
        "end token [EOS]",
        "solution and answer tags",
    },
    "wrong, change": {"all but", "either", "incorrect", "root, in words"},
    "wrong, style": {"JSON, capital letter"},
    "wrong, trap": {
        "all but this",
        "definitely not",
        "not, cannot be",
        "not, in Arabic",
        "not, in Chinese",
        "not, in French",
        "not, in German",
        "not, in Japanese",
        "not, in Korean",
        "not, in Portuguese",
        "not, in Russian",
        "not, in Spanish",
        "not, short form",
        "or, in Chinese",
        "or, in German",
        "or, in Spanish",
        "right answer untrue",
        "two answer tags",
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


def test_each_line_has_a_name_of_its_own() -> None:
    for styles in (STYLES, TRAPS):
        assert len({style.name for style in styles}) == len(styles)
    assert {style.name for style in STYLES} == {name for table, name in lines() if table == "right, style"}
    assert {style.name for style in TRAPS} == {name for table, name in lines() if table == "wrong, trap"}

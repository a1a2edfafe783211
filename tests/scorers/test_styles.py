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
def test_judged_rightly(table: str) -> None:
    limit = LINE if table.startswith("right") else 0
    bad = {
        name: line.failed
        for (of, name), line in lines().items()
        if of == table and len(line.failed) > limit * len(line.cases)
    }
    assert not bad, "\n".join(f"{name}: {text}" for name, failed in bad.items() for text in failed[:2])


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

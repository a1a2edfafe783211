"""Responses that were once judged wrongly: what is right is found, what is wrong is refused."""

from __future__ import annotations

import pytest
from answer_cases import CASES, Case

from skythought.scorers import Scorer, make_scorer, score_text


def made(name: str) -> Scorer:
    return make_scorer("math", {"kind": name}) if name in ("number", "integer") else make_scorer(name, {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.scorer} {'right' if case.right else 'wrong'}")
def test_judged_rightly(case: Case) -> None:
    scorer = made(case.scorer)
    scores = [(*pair, score_text(scorer, pair[1], pair[0], case.options)) for pair in case.responses]
    assert [(gold, text, score.reason) for gold, text, score in scores if bool(score.correct) is not case.right] == []

"""What the summary counts over a run's samples."""

from __future__ import annotations

from typing import Any

from skythought.runs.sample import Sample
from skythought.runs.totals import Totals
from skythought.types import Problem, Response, SampleKey, Score

KEY = SampleKey("1", 0)


def sample(correct: bool | None, details: dict[str, Any] | None = None, **response: Any) -> Sample:
    score = Score(correct, "", "x", "failed" if correct is None else "correct" if correct else "wrong")
    made = Response(key=KEY, **{"content": "x", "finish_reason": "stop", **response})
    if details is not None:
        score = Score(correct, "", "x", score.verdict, details=details)
    return Sample(Problem("1", "p", "t"), (), made, None if made.error else score, 7)


def metrics(correct: bool | None, given: Any) -> Sample:
    return sample(correct, {"metrics": given})


def test_numbers_are_averaged_and_pairs_pooled() -> None:
    totals = Totals()
    totals.add_problem(
        [metrics(True, {"loose": 1, "parts": [3, 3]}), metrics(False, {"loose": 0, "parts": [0, 3]})], {}
    )
    totals.add_problem([metrics(False, {"loose": 1, "parts": (1, 2)})], {})
    assert totals.additions(2)["metrics"] == {"loose": 0.6667, "parts": 0.5}


def test_failed_samples_and_what_is_no_number_are_left_out() -> None:
    totals = Totals()
    totals.add_problem(
        [metrics(None, {"loose": 1}), metrics(True, {"loose": "much", "empty": [0, 0], "some": 0.25})], {}
    )
    totals.add_problem([metrics(True, ["no", "mapping"]), sample(True, {"other": 1})], {})
    assert totals.additions(1)["metrics"] == {"some": 0.25}


def test_tokens_and_finish_reasons_are_of_answers_alone() -> None:
    totals = Totals()
    totals.add_problem(
        [
            sample(True, prompt_tokens=10, completion_tokens=4),
            sample(False, prompt_tokens=10, completion_tokens=8, finish_reason="length"),
            sample(None, prompt_tokens=10, completion_tokens=99, error="endpoint gone", finish_reason=None),
        ],
        {},
    )
    top = totals.top_level(3)
    assert (top["total_prompt_tokens"], top["total_completion_tokens"]) == (20, 12)
    assert (top["avg_prompt_tokens"], top["avg_completion_tokens"]) == (10.0, 6.0)
    additions = totals.additions(3)
    assert additions["finish_reasons"] == {"stop": 1, "length": 1}
    assert additions["samples"] == {"total": 3, "correct": 1, "wrong": 1, "failed": 1}
    assert additions["accuracy_without_cut_off"] == 1.0

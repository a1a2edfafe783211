"""Numbers that a scorer gives beside its verdict, over a run."""

from __future__ import annotations

from typing import Any

from skythought.runs.results import Totals


def entry(correct: bool | None, metrics: Any) -> dict[str, Any]:
    return {"content": "x", "correctness": correct, "details": {"metrics": metrics}}


def test_numbers_are_averaged_and_pairs_pooled() -> None:
    totals = Totals()
    totals.add_problem(
        [entry(True, {"loose": 1, "parts": [3, 3]}), entry(False, {"loose": 0, "parts": [0, 3]})], [], {}
    )
    totals.add_problem([entry(False, {"loose": 1, "parts": (1, 2)})], [], {})
    assert totals.additions(2)["metrics"] == {"loose": 0.6667, "parts": 0.5}


def test_failed_samples_and_what_is_no_number_are_left_out() -> None:
    totals = Totals()
    totals.add_problem(
        [entry(None, {"loose": 1}), entry(True, {"loose": "much", "empty": [0, 0], "some": 0.25})], [], {}
    )
    totals.add_problem([entry(True, ["no", "mapping"]), {"correctness": True, "details": "text"}], [], {})
    assert totals.additions(1)["metrics"] == {"some": 0.25}

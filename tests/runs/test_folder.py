"""An open run: what is pending, what is unscored, and which line of a journal counts."""

from __future__ import annotations

from pathlib import Path

from skythought.runs.folder import load
from skythought.runs.lock import Lock
from skythought.types import Response, SampleKey, Score

KEY = SampleKey("3", 1)


def test_a_failed_answer_is_pending_and_a_later_one_counts(run_copy: Path) -> None:
    with load(run_copy, Lock(run_copy)) as run:
        assert list(run.pending()) == []
        run.add_response(Response(key=KEY, error="endpoint gone"))
        assert list(run.pending()) == [KEY]
        assert KEY not in list(run.unscored())
        assert run.response(KEY).error == "endpoint gone"  # type: ignore[union-attr]
        run.add_response(Response(key=KEY, content="It is 5."))
        assert list(run.pending()) == []
    with load(run_copy, Lock(run_copy)) as run:
        assert run.response(KEY) == Response(key=KEY, content="It is 5.")


def test_a_failed_verdict_is_given_again(run_copy: Path) -> None:
    with load(run_copy, Lock(run_copy)) as run:
        assert list(run.unscored()) == []
        run.add_score(Score(None, "the scorer failed", verdict="failed", key=KEY))
        assert list(run.unscored()) == [KEY]
        run.add_score(Score(True, "right", "5", "correct", key=KEY))
        assert list(run.unscored()) == []
    with load(run_copy, Lock(run_copy)) as run:
        assert list(run.unscored()) == []
        assert run.score(KEY) == Score(True, "right", "5", "correct", key=KEY)


def test_problems_are_parsed_once_while_they_are_asked_about(run_copy: Path) -> None:
    with load(run_copy, Lock(run_copy)) as run:
        first = run.problem("3")
        assert run.problem("4") is not first
        assert run.problem("3") is first, "the last ones are remembered"


def test_few_problems_are_remembered_if_they_are_large(run_copy: Path, monkeypatch: object) -> None:
    monkeypatch.setattr("skythought.runs.folder.REMEMBERED_BYTES", 1)  # type: ignore[attr-defined]
    with load(run_copy, Lock(run_copy)) as run:
        first = run.problem("3")
        assert run.problem("3") is first
        assert run.problem("4").id == "4"
        assert run.problem("3") is not first
        assert run.problem("3") == first

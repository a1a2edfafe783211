"""Agreement with labelled programs, where they lie beside the repository; `benchmarks/code_verdicts.py` runs all."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from places import SHARED

from skythought.scorers.registry import make_scorer
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems, solutions
from skythought.types import Problem

pytestmark = pytest.mark.skipif(
    not (SHARED / "dev").is_dir(), reason="needs the labelled programs beside the repository"
)
TASKS = {
    "humaneval": ("humaneval", "task_id"),
    "mbpp": ("mbpp", "task_id"),
    "apps": ("apps", "problem_id"),
    "apps_callbased_leetcode": ("apps", "problem_id"),
    "taco": ("taco", "name"),
    "livecodebench_reduced": ("livecodebench", "question_id"),
}


@cache
def rows_of(name: str) -> tuple[Any, Any, dict[str, Problem]]:
    """A file's scorer, task and problems by the name of their row."""
    task_name, key = TASKS[name]
    given = {"dataset_path": str(SHARED / "data" / f"{name}.jsonl"), "preprocess_config": {}}
    task = load_task(task_name, given)
    made = [item for item in problems(task, whole_rows=True) if isinstance(item, Problem)]
    scorer = make_scorer("code", {**task.scorer_args, "test_s": 1.5})  # wrong ones may run until they are stopped
    return scorer, task, {str(problem.row[key]): problem for problem in reversed(made)}


def disagreeing(file: str, every: int) -> list[str]:
    """Labelled responses whose verdict is not the label."""
    found = []
    for line in (SHARED / "dev" / file).read_text(encoding="utf-8").splitlines()[::every]:
        row = json.loads(line)
        scorer, _, known = rows_of(row["dataset"])
        name = f"task_{row['task_id']}" if row["dataset"] == "taco" else str(row["task_id"])
        score = scorer.score(known[name], row["response"])
        if score.correct is not row["label"]:
            found.append(f"{row['dataset']} {name}, labelled {row['label']}: {score.reason}")
    return found


def test_labelled_programs() -> None:
    assert disagreeing("code_verdicts.jsonl", every=40) == []


def test_forms_of_responses() -> None:
    assert disagreeing("code_extraction.jsonl", every=3) == []


@pytest.mark.parametrize("name", ["humaneval", "mbpp", "apps", "taco"])
def test_reference_solutions(name: str) -> None:
    scorer, task, known = rows_of(name)
    for key, problem in list(known.items())[::40]:
        for program in solutions(task, problem)[:1]:
            score = scorer.score(problem, scorer.as_response(program))
            assert score.correct, f"{key}: {score.reason}"

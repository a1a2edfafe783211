"""Answers are scored from a task's own rows, through every door, whatever the dataset's columns are called.

Some datasets have columns of the names that results.json uses for itself (`prompt`, ...). HumanEval's target is made of
such a column.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from check_rows import ROWS
from jinja2 import meta

import skythought as st
from skythought.errors import UserError
from skythought.grading import compute_score, reward, score_rows
from skythought.runs.results import OWN_KEYS
from skythought.scorers.base import Scorer
from skythought.scorers.registry import scorer_of
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems, solutions
from skythought.tasks.templates import environment
from skythought.types import Problem

WRONG = "Nothing, nothing, \\boxed{-98765}.\n```python\nraise SystemExit\n```"
OBEYED = "Oak and elm"
"""A right answer to the rows of instructions, which have none of their own."""
LARGE = {"apps": "input_output", "taco": "input_output", "livecodebench": "public_test_cases"}
"""Tasks whose tests are too large for results.json, and the column that is missing there."""

ECHO = """
import json
from skythought.backends.base import BackendArgs, ConcurrentBackend

class Args(BackendArgs):
    answers: str

class Echo(ConcurrentBackend[Args]):
    async def answer(self, request):
        answers = json.load(open(self.args.answers))
        return request.response(answers[request.key.problem_id][request.key.sample], finish_reason="stop")
"""


def uses_a_column_of_ours(name: str) -> bool:
    """Whether a task's templates read a column of a name that results.json has for itself."""
    task = load_task(name)
    expressions = (task.target, task.choices, task.solution, *task.filters)
    sources = [task.prompt or "", *("{{" + text + "}}" for text in expressions if text)]
    return any(meta.find_undeclared_variables(environment().parse(source)) & set(OWN_KEYS) for source in sources)


HIDDEN = sorted(filter(uses_a_column_of_ours, ROWS))


def test_which_tasks_read_a_column_of_a_name_of_ours() -> None:
    assert HIDDEN == ["humaneval", "humaneval_plus", "ifeval", "mbpp", "mbpp_plus"]


def right_answer(scorer: Scorer, name: str, problem: Problem) -> str:
    known = solutions(load_task(name), problem)
    return scorer.as_response(known[0]) if known else scorer.gold(problem) or OBEYED


def write_rows(folder: Path, name: str) -> dict[str, str]:
    """The task's arguments for reading our rows of it."""
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS[name]))
    return {"dataset_path": str(file)}


def answered(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows that the task keeps, each twice: with a right response, and with a wrong one."""
    task = load_task(name, write_rows(folder, name))
    scorer = scorer_of(task)
    made = [item for item in problems(task, whole_rows=True) if isinstance(item, Problem)]
    given = ((ROWS[name][int(problem.id)], right_answer(scorer, name, problem)) for problem in made)
    return [{**row, "response": text} for row, right in given for text in (right, WRONG)]


@pytest.mark.parametrize("name", sorted(ROWS.keys() - {"math"}))  # which is a scorer's name first
def test_rows_of_every_task_are_scored(tmp_path: Path, name: str) -> None:
    rows = answered(tmp_path, name)
    scored = score_rows(rows, name)
    assert [row["correct"] for row in scored] == [True, False] * (len(rows) // 2), scored
    columns = {column: [row[column] for row in rows] for column in rows[0] if column not in ("prompt", "response")}
    prompts = [row.get("prompt", "") for row in rows]  # which TRL hands over apart
    given = reward(name)(prompts=prompts, completions=[row["response"] for row in rows], **columns)
    assert given == [1.0, 0.0] * (len(rows) // 2)


@pytest.mark.parametrize("name", [*HIDDEN, "apps", "livecodebench", "gpqa_diamond"])
def test_tables_of_any_library_are_scored(tmp_path: Path, name: str) -> None:
    import datasets
    import pandas

    rows = answered(tmp_path, name)
    expected = [True, False] * (len(rows) // 2)
    assert list(score_rows(pandas.DataFrame(rows), name)["correct"]) == expected
    assert score_rows(datasets.Dataset.from_list(rows), name)["correct"] == expected


@pytest.mark.parametrize("name", HIDDEN)
def test_targets_in_the_manner_of_verl_are_scored(tmp_path: Path, name: str) -> None:
    for problem in problems(load_task(name, write_rows(tmp_path, name)), whole_rows=True):
        assert isinstance(problem, Problem)
        right = right_answer(scorer_of(load_task(name)), name, problem)
        for target in (problem.target, json.dumps(problem.target)):
            assert [compute_score(name, text, target) for text in (right, WRONG)] == [1.0, 0.0]


def lone_results(folder: Path, name: str) -> Path:
    """A folder that holds nothing but the results.json of a run, each problem with a right and a wrong response."""
    args = write_rows(folder, name)
    rows = answered(folder, name)
    task = load_task(name, args)
    ids = [item.id for item in problems(task) if isinstance(item, Problem)]
    texts = [row["response"] for row in rows]
    (folder / "answers.json").write_text(
        json.dumps(dict(zip(ids, zip(texts[::2], texts[1::2], strict=True), strict=True)))
    )
    (folder / "echo.py").write_text(ECHO)
    run = st.generate(
        name,
        model="anything",
        backend=f"{folder / 'echo.py'}:Echo",
        backend_args={"answers": str(folder / "answers.json")},
        sampling_params={"temperature": 1.0},
        n=2,
        task_args=args,
        result_dir=folder / "runs",
    )
    alone = folder / "alone"
    alone.mkdir()
    shutil.copy(run.path / "results.json", alone)
    return alone


@pytest.mark.parametrize("name", [*HIDDEN, "gsm8k"])
def test_results_alone_in_a_folder_are_scored(tmp_path: Path, name: str) -> None:
    run = st.score(name, lone_results(tmp_path, name))
    assert [sample.verdict == "correct" for sample in run] == [True, False] * 2
    assert {sample.verdict for sample in run} <= {"correct", "wrong", "unparsed"}
    assert run.accuracy == 0.5


@pytest.mark.parametrize(("name", "column"), LARGE.items())
def test_results_without_their_large_tests_are_refused_by_name(tmp_path: Path, name: str, column: str) -> None:
    alone = lone_results(tmp_path, name)
    before = (alone / "results.json").read_bytes()
    with pytest.raises(UserError, match=rf"results\.json has no column '{column}', which task '{name}' scores with"):
        st.score(name, alone)
    assert (alone / "results.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "column"), [*LARGE.items(), ("humaneval", "prompt"), ("mbpp", "test_list"), ("ifeval", "kwargs")]
)
def test_a_reward_for_want_of_a_column_is_an_error(name: str, column: str) -> None:
    columns = {key: [value] for key, value in ROWS[name][0].items() if key not in (column, "private_test_cases")}
    with pytest.raises(UserError, match=f"unknown column '{column}'"):
        reward(name)(completions=[OBEYED], **columns)

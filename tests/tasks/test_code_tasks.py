"""Tasks that ask for programs: rows in the datasets' schemas become prompts and tests, parameters choose among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from code_rows import APPS, APPS_FUNCTION, HUMANEVAL, LCB, LCB_FUNCTION, MBPP

from skythought.config import TaskConfig
from skythought.errors import UserError
from skythought.tasks.load import load_task
from skythought.tasks.problems import problem_of_row, problems, solutions
from skythought.types import MalformedRow, Problem


def asked(tmp_path: Path, name: str, *rows: dict[str, Any], **overrides: Any) -> list[Problem]:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = list(problems(load_task(name, {"dataset_path": str(file), **overrides}), whole_rows=True))
    assert all(isinstance(problem, Problem) for problem in found), found
    return [problem for problem in found if isinstance(problem, Problem)]


def test_apps(tmp_path: Path) -> None:
    several = {**APPS, "solutions": '["print(sum(map(int, input().split())))", "print(0)"]'}
    program, function = asked(tmp_path, "apps", several, APPS_FUNCTION)
    assert "stdin" in program.prompt
    assert program.prompt.endswith("Print the sum of two integers.")
    assert "Return the function body" in function.prompt
    assert function.prompt.endswith("Give twice x.\ndef double(x):\n")
    assert program.target == {"kind": "stdin", "function": None, "tests": [APPS["input_output"]]}
    assert function.target["function"] == "double"
    task = load_task("apps")
    assert len(solutions(task, program)) == 2
    assert solutions(task, function) == []


def test_taco_asks_for_medium_problems(tmp_path: Path) -> None:
    rows = [{**APPS, "difficulty": "MEDIUM"}, {**APPS_FUNCTION, "difficulty": "MEDIUM"}, {**APPS, "difficulty": "HARD"}]
    program, function = asked(tmp_path, "taco", *rows)
    assert program.prompt == "\nQUESTION:\nPrint the sum of two integers.\nUse Standard Input format\nANSWER:\n"
    assert function.prompt.endswith("\nUse Call-Based format\nANSWER:\n")
    (hard,) = asked(tmp_path, "taco", *rows, preprocess_config={"difficulty": "HARD"})
    assert hard.id == "2"


def test_a_name_inside_of_a_test_is_no_functions_name(tmp_path: Path) -> None:
    tests = json.dumps({"inputs": ['{"fn_name": "f"}'], "outputs": [""]})
    (program,) = asked(tmp_path, "apps", {**APPS, "input_output": tests})
    assert program.target["kind"] == "stdin"


@pytest.mark.parametrize("tests", ["", None, '{"inputs": [], "outputs": []}'])
def test_a_row_without_tests_is_left_out_and_named(tmp_path: Path, tests: Any) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({**APPS, "input_output": tests}) + "\n" + json.dumps(APPS))
    bad, good = problems(load_task("apps", {"dataset_path": str(file)}))
    assert isinstance(bad, MalformedRow)
    assert "holds no tests" in bad.why
    assert isinstance(good, Problem)


def test_livecodebench(tmp_path: Path) -> None:
    program, function = asked(tmp_path, "livecodebench", LCB, LCB_FUNCTION)
    assert "# YOUR CODE HERE" in program.prompt
    assert "Read the inputs from stdin" in program.prompt
    assert "class Solution:\n    def double" in function.prompt
    assert "stdin" not in function.prompt
    assert program.target["tests"] == [LCB["public_test_cases"], LCB["private_test_cases"]]
    assert function.target["kind"] == "call"
    assert function.target["function"] == "double"


def test_livecodebench_in_the_wording_of_the_reference(tmp_path: Path) -> None:
    program, function = asked(tmp_path, "livecodebench", LCB, LCB_FUNCTION, wording="skythought")
    assert program.prompt.startswith("Generate an executable Python function")
    assert program.prompt.endswith(LCB["question_content"])
    assert "class Solution" in function.prompt
    with pytest.raises(UserError, match=r"wording 'skythougt'. Did you mean 'skythought'"):
        asked(tmp_path, "livecodebench", LCB, wording="skythougt")


def test_livecodebench_by_difficulty_and_date(tmp_path: Path) -> None:
    def ids(name: str, **overrides: Any) -> list[str]:
        return [problem.id for problem in asked(tmp_path, name, LCB, LCB_FUNCTION, **overrides)]

    assert ids("livecodebench_easy") == ["0"]
    assert ids("livecodebench_hard") == ["1"]
    assert ids("livecodebench", start_date="2023-09-17") == ["1"]
    assert ids("livecodebench", start_date="2023-09-16", end_date="2023-09-16") == ["0"]
    with pytest.raises(UserError, match="start_date must be a day like 2024-08-01, not 'soon'"):
        ids("livecodebench", start_date="soon")


@pytest.mark.parametrize(
    ("release", "files"),
    [
        ("release_v1", ["test.jsonl"]),
        ("release_v2", ["test.jsonl", "test2.jsonl"]),
        ("release_v6", ["test.jsonl", *(f"test{number}.jsonl" for number in range(2, 7))]),
        ("release_latest", ["test.jsonl", *(f"test{number}.jsonl" for number in range(2, 7))]),
        ("v1", ["test.jsonl"]),
        ("v6", ["test6.jsonl"]),
        ("v4_v5", ["test4.jsonl", "test5.jsonl"]),
    ],
)
def test_livecodebench_by_release(release: str, files: list[str]) -> None:
    given = load_task("livecodebench", {"release": release}).dataset_kwargs["data_files"]["test"]
    assert [file.rpartition("/")[2] for file in given] == files


@pytest.mark.parametrize("release", ["v7", "release_v0", "v5_v4", "2", "latest"])
def test_a_release_that_does_not_exist(release: str) -> None:
    with pytest.raises(UserError, match="has no release"):
        load_task("livecodebench", {"release": release})


def test_the_default_release() -> None:
    assert len(load_task("livecodebench").dataset_kwargs["data_files"]["test"]) == 2
    assert load_task("livecodebench_v6").dataset_kwargs["data_files"]["test"][0].endswith("test6.jsonl")


def test_mbpp(tmp_path: Path) -> None:
    module = {**MBPP, "test_list": ["assert sum(2, 3) == sys.maxsize"]}
    tree = {**MBPP, "test_list": ["assert depth(root) == 1"], "test_setup_code": "root = Node(1)"}
    double, adding, deep = asked(tmp_path, "mbpp", MBPP, module, tree)
    assert double.target["names"] == ["double"]
    assert double.target["tests"] == MBPP["test_list"]
    assert "assert double(0) == 0" in double.prompt
    assert adding.target["function"] == "sum"
    assert adding.target["setup"].startswith("import sys")
    assert deep.target["names"] == ["depth", "Node", "root"]
    assert deep.target["appended"] == "root = Node(1)"
    assert solutions(load_task("mbpp"), double) == [MBPP["code"]]


def test_humaneval(tmp_path: Path) -> None:
    for name in ("humaneval", "humaneval_plus"):
        (problem,) = asked(tmp_path, name, HUMANEVAL)
        assert "```python\ndef double(x):" in problem.prompt
        assert problem.target["tests"][0].endswith("\n\ncheck(double)\n")
        assert solutions(load_task(name), problem) == [HUMANEVAL["prompt"] + HUMANEVAL["canonical_solution"]]


def test_tests_and_solutions_are_not_kept_in_the_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(LCB))
    (problem,) = problems(load_task("livecodebench", {"dataset_path": str(file)}))
    assert isinstance(problem, Problem)
    assert set(problem.row) & {"public_test_cases", "private_test_cases", "tests"} == set()
    assert problem.row["question_id"] == "abc999_a"


def test_an_unknown_parameter_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown key 'relaese'. Did you mean 'release'"):
        load_task("livecodebench", {"relaese": "v1"})
    with pytest.raises(UserError, match=r"unknown parameter in --task-args 'relaese'"):
        load_task("livecodebench", {"parameters": {"relaese": "v1"}})
    assert load_task("livecodebench", {"parameters": {"release": "v1"}}).parameters["release"] == "v1"


def test_parameters_of_a_task_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "dataset_path: my/set\nprompt: '{{ tone }} {{ q }}'\ntarget: a\nscorer: math\n"
        "parameters: {tone: Kindly., year: 2024}\n"
        "dataset_kwargs: {revision: 'y{{ year }}', columns: \"{{ ['q', 'a'] }}\"}\nfilters: [y == year]\n"
    )
    task = load_task(str(tmp_path / "own.yaml"), {"year": 2025})
    assert task.dataset_kwargs == {"revision": "y2025", "columns": ["q", "a"]}
    (tmp_path / "rows.jsonl").write_text('{"q": "1?", "a": "1", "y": 2024}\n{"q": "2?", "a": "2", "y": 2025}\n')
    task = load_task(str(tmp_path / "own.yaml"), {"year": 2025, "dataset_path": str(tmp_path / "rows.jsonl")})
    (problem,) = problems(task)
    assert isinstance(problem, Problem)
    assert problem.prompt == "Kindly. 2?"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("parameters: {prompt: x}", "'prompt' is the name of a field already"),
        ("dataset_kwargs: {revision: '{{ yaer }}'}", "'yaer' is undefined"),
        ("format: appps", "unknown format 'appps'. Did you mean 'apps'"),
        ("solution: 'a b'", "solution, line 1"),
    ],
)
def test_mistakes_in_a_task_are_one_line(tmp_path: Path, lines: str, message: str) -> None:
    (tmp_path / "own.yaml").write_text(f"dataset_path: my/set\nprompt: '{{{{ q }}}}'\nscorer: math\n{lines}\n")
    with pytest.raises(UserError, match=message):
        load_task(str(tmp_path / "own.yaml"))


THEIRS = {
    "apps": """
handler: apps
dataset_path: codeparrot/apps
dataset_kwargs: {trust_remote_code: true}
dataset_split: train
question_key: question
answer_key: null
preprocess_config: {difficulty: introductory}
templating_parameters:
  with_fn_name_template: "Program. {prompt}"
  without_fn_name_template: "Function. {prompt}"
  with_starter_code_template: "{input}\\n{starter_code}"
""",
    "taco": """
handler: taco
dataset_path: BAAI/TACO
dataset_subset: MEDIUM
dataset_split: train
dataset_kwargs: {trust_remote_code: true}
question_key: question
answer_key: null
templating_parameters:
  initial_template: "\\nQUESTION:\\n{prompt}"
  starter_code_template: "{input}\\n{starter_code}"
  stdin_template: "{input}\\nUse Standard Input format\\nANSWER:\\n"
  call_template: "{input}\\nUse Call-Based format\\nANSWER:\\n"
""",
    "livecodebench": """
handler: livecodebench
dataset_path: livecodebench/code_generation_lite
dataset_split: test
dataset_kwargs: {version_tag: release_v3, trust_remote_code: true}
question_key: task_id
answer_key: null
templating_parameters:
  stdin_template: "Program. {prompt}"
  non_stdin_template: "Function. {prompt}"
""",
}


def theirs(tmp_path: Path, name: str, *rows: dict[str, Any]) -> tuple[TaskConfig, list[Any]]:
    (tmp_path / f"{name}.yaml").write_text(THEIRS[name])
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = load_task(str(tmp_path / f"{name}.yaml"), {"dataset_path": str(tmp_path / "rows.jsonl")})
    return load_task(str(tmp_path / f"{name}.yaml")), list(problems(task))


def test_the_references_own_files(tmp_path: Path) -> None:
    task, (program,) = theirs(tmp_path, "apps", APPS, APPS_FUNCTION)
    assert program.prompt == "Program. Print the sum of two integers.\n"
    assert task.dataset_path == "parquet"
    assert "trust_remote_code" not in task.dataset_kwargs
    assert task.dataset_split == "train"

    task, (program, function) = theirs(
        tmp_path, "taco", {**APPS, "difficulty": "MEDIUM"}, {**APPS_FUNCTION, "difficulty": "MEDIUM"}, APPS
    )
    assert program.prompt == "\nQUESTION:\nPrint the sum of two integers.\nUse Standard Input format\nANSWER:\n"
    assert function.prompt == "\nQUESTION:\nGive twice x.\ndef double(x):\n\nUse Call-Based format\nANSWER:\n"

    task, (program, function) = theirs(tmp_path, "livecodebench", LCB, LCB_FUNCTION)
    assert program.prompt == "Program. Print the sum of two integers."
    assert function.prompt == "Function. Give twice x."
    assert len(task.dataset_kwargs["data_files"]["test"]) == 3
    assert task.scorer_name == "code"


def test_records_of_the_reference_can_be_judged() -> None:
    """Their results.json has private tests as a list, and the starter code as `entry_point`."""
    record = {
        "prompt": "Give twice x.",
        "test": [{"input": "2", "output": "4", "testtype": "functional"}],
        "entry_point": LCB_FUNCTION["starter_code"],
        "canonical_solution": "",
        "task_id": "abc",
        "is_stdin": False,
        "public_test_cases": LCB_FUNCTION["public_test_cases"],
        "difficulty": "easy",
    }
    problem = problem_of_row(load_task("livecodebench"), record, "0", "Give twice x.")
    assert isinstance(problem, Problem)
    assert problem.target["kind"] == "call"
    assert problem.target["function"] == "double"
    assert len(problem.target["tests"]) == 2

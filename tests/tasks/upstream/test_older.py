"""Task files as the reference wrote them before February 2025: other keys, several templates, columns left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skythought.config import TaskConfig
from skythought.errors import UserError
from skythought.tasks.lint import lint_file
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
from skythought.types import Problem

WORDINGS = """
  regular_template: "Box it, \\\\boxed{{}}. {prompt}"
  sky_template: "{prompt}\\nBox it, \\\\boxed{{}}"
"""
STARTERS = {
    "taco": {
        "initial_template": "\nQ:\n{prompt}",
        "starter_code_template": "{input}\n{starter_code}",
        "stdin_template": "{input}\nstdin:\n",
        "call_template": "{input}\ncall:\n",
    },
    "apps": {
        "with_fn_name_template": "program. {prompt}",
        "without_fn_name_template": "function. {prompt}",
        "with_starter_code_template": "{input}\n{starter_code}",
    },
    "livecodebench": {"stdin_template": "program. {prompt}", "non_stdin_template": "function. {prompt}"},
}


def write(folder: Path, text: str, rows: list[dict[str, Any]] | None = None) -> str:
    if rows is not None:
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    file = folder / "theirs.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def asked(task: TaskConfig) -> list[Problem]:
    return [problem for problem in problems(task) if isinstance(problem, Problem)]


def test_one_of_several_wordings(tmp_path: Path) -> None:
    rows = [
        {"problem": "1+1?", "answer": "2", "url": "wiki/2024_AIME"},
        {"problem": "1+2?", "answer": "3", "url": "wiki/2022_AIME"},
    ]
    file = write(
        tmp_path,
        "handler: aime\ndataset_path: rows.jsonl\nquestion_key: problem\ntemplating_parameters:" + WORDINGS,
        rows,
    )
    (problem,) = asked(load_task(file))
    assert (problem.prompt, problem.target) == ("Box it, \\boxed{}. 1+1?", "2")
    (problem,) = asked(load_task(file, {"template": "sky_template"}))
    assert problem.prompt == "1+1?\nBox it, \\boxed{}"
    with pytest.raises(UserError, match=r"unknown template .*'sky_templat'. Did you mean 'sky_template'\?"):
        load_task(file, {"template": "sky_templat"})


def test_older_keys(tmp_path: Path) -> None:
    text = "dataset_path: owner/set\ndataset_source: {}\ndataset_split: test\nhandler: math\n"
    text += "templating_parameters: {{template: '{{problem}}'}}\nnum_fewshot: 0\nfewshot_config: []\n"
    task = load_task(write(tmp_path, text.format("main") + "difficulty: easy\n"))
    assert (task.dataset_subset, task.preprocess_config) == ("main", {"difficulty": "easy"})
    task = load_task(write(tmp_path, text.format("default") + "difficulty: null\n"))
    assert (task.dataset_subset, task.preprocess_config) == (None, {})
    with pytest.raises(UserError, match="unknown key 'dataset_source'"):
        load_task(write(tmp_path, "dataset_path: x\ndataset_source: y\nprompt: '{{ q }}'\nscorer: math\n"))


def test_a_filter_without_a_value_keeps_all(tmp_path: Path) -> None:
    rows = [{"problem": "1+1?", "answer": 2, "url": "2023"}]
    text = "handler: amc23\ndataset_path: rows.jsonl\nquestion_key: problem\nanswer_key: answer\n"
    text += "preprocess_config: {difficulty: null}\ntemplating_parameters: {template: '{problem}'}\n"
    assert len(asked(load_task(write(tmp_path, text, rows)))) == 1


@pytest.mark.parametrize(
    ("handler", "template", "row", "target"),
    [
        ("mmlu", "{prompt}", {"question": "Q", "choices": ["a", "b"], "answer": 1}, "B"),
        ("mmlu_pro", "{prompt}", {"question": "Q", "options": ["a", "b"], "answer_index": 0, "answer": "A"}, "A"),
        (
            "arc_c",
            "{question}\n{choices_text}",
            {"question": "Q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "B"},
            "B",
        ),
        ("gsm8k", "{question}", {"question": "Q", "answer": "so #### 4"}, "4"),
        ("numina", "{prompt}", {"problem": "Q", "solution": "\\boxed{4}"}, "4"),
        ("math", "{problem}", {"problem": "Q", "answer": "4"}, "4"),
    ],
)
def test_columns_that_the_handler_knew(
    tmp_path: Path, handler: str, template: str, row: dict[str, Any], target: str
) -> None:
    text = f"handler: {handler}\ndataset_path: rows.jsonl\ntemplating_parameters:\n  template: {json.dumps(template)}\n"
    (problem,) = asked(load_task(write(tmp_path, text, [row])))
    assert problem.target == target


@pytest.mark.parametrize("handler", STARTERS)
def test_programs(tmp_path: Path, handler: str) -> None:
    lines = [f"  {name}: {json.dumps(text)}" for name, text in STARTERS[handler].items()]
    text = f"handler: {handler}\ndataset_path: rows.jsonl\ndataset_source: null\nquestion_key: question\n"
    text += "answer_key: null\ndifficulty: null\ntemplating_parameters:\n" + "\n".join(lines)
    task = load_task(write(tmp_path, text, []))
    assert task.scorer_name == "code"
    assert task.preprocess_config == {}


def test_checking_such_a_task_finds_no_fault_in_its_keys(tmp_path: Path) -> None:
    text = "handler: math\ndataset_path: rows.jsonl\ndataset_source: null\ndifficulty: null\nnum_fewshot: 0\n"
    text += "templating_parameters: {template: '{problem}'}\n"
    rows = [{"problem": "1+1?", "answer": "2"}, {"problem": "1+2?", "answer": "3"}]
    _, task, found = lint_file(write(tmp_path, text, rows))
    assert task is not None
    assert [str(finding) for finding in found] == []
    _, task, found = lint_file(write(tmp_path, text + "dificulty: easy\n", rows))
    assert task is None
    assert "unknown key 'dificulty'" in str(found[0])

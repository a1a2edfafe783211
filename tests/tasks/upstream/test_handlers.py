"""Task files in the reference's format become ordinary tasks with the same prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skythought.errors import UserError
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
from skythought.types import Problem

HEAD = "dataset_path: rows.jsonl\ndataset_split: test\ndataset_kwargs:\n  trust_remote_code: true\n"


def load_one(folder: Path, fields: str, row: dict[str, Any]) -> Problem:
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "theirs.yaml").write_text(HEAD + fields)
    (problem,) = problems(load_task(str(folder / "theirs.yaml")))
    assert isinstance(problem, Problem), str(problem)
    return problem


def fields(handler: str, question: str, answer: str, template: str) -> str:
    keys = f"handler: {handler}\nquestion_key: {question}\nanswer_key: {answer}\n"
    return keys + f"templating_parameters:\n  template: {json.dumps(template, ensure_ascii=False)}\n"


@pytest.mark.parametrize(
    ("handler", "question", "answer", "template", "row", "target"),
    [
        ("math", "q", "a", "{q} in \\boxed{{}}: {other}\n", {"q": "{{x}} 1", "a": "2", "other": 3}, "2"),
        ("math", "q", "a", "{{{q}}} {{% raw %}} {{# no #}} {{{{ }}}}", {"q": "Q", "a": "2"}, "2"),
        ("math", "q", "a", "Zeilen\r\n\u00e9 \U0001f600 \\n {q}", {"q": "Q", "a": 2.5}, 2.5),
        ("math", "q", "solution", "{q}", {"q": "Q", "solution": "so \\boxed{7}"}, "7"),
        ("aime", "problem", "answer", "{prompt}!", {"problem": "Q", "answer": "025"}, "025"),
        ("numina", "problem", "solution", "{prompt}", {"problem": "Q", "solution": "\\boxed{1}"}, "1"),
        ("gsm8k", "question", "answer", "P: {question}", {"question": "Q", "answer": "x #### 1,000"}, "1000"),
        (
            "olympiadbench_math",
            "question",
            "final_answer",
            "{question}",
            {"question": "Q", "final_answer": ["1"]},
            ["1"],
        ),
    ],
)
def test_prompts_are_what_str_format_makes(
    tmp_path: Path, handler: str, question: str, answer: str, template: str, row: dict[str, Any], target: Any
) -> None:
    problem = load_one(tmp_path, fields(handler, question, answer, template), row)
    assert problem.prompt == template.format(**{"prompt": row[question], **row})
    assert problem.target == target


def test_multiple_choice_layouts(tmp_path: Path) -> None:
    row: dict[str, Any] = {"question": "Q", "choices": ["a ", "b", "c", "d"], "answer": 3}
    problem = load_one(tmp_path, fields("mmlu", "question", "answer", "T {prompt}"), row)
    assert (problem.prompt, problem.target) == ("T Q\nAnswer Choices: (A) a (B) b (C) c (D) d", "D")
    row = {"question": "Q", "choices": {"text": ["a", "b", "c"], "label": ["1", "2", "3"]}, "answerKey": "2"}
    problem = load_one(tmp_path, fields("arc_c", "question", "answerKey", "{question}\n{choices_text}"), row)
    assert (problem.prompt, problem.target) == ("Q\nA.a\nB.b\nC.c", "B")


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({"url": "2024"}, [0]),
        ({"url": 2024}, [0]),
        ({"difficulty": "easy"}, [0, 1]),
        ({"source": "math"}, [1, 2]),
        ({"level": 3}, [2]),
        ({"math_difficulty_lower_bound": 4}, [0, 1, 2]),
        ({"filter_difficulty": False, "math_difficulty_lower_bound": 4}, [0, 1, 2]),
        ({"filter_difficulty": True, "math_difficulty_lower_bound": 4, "math_difficulty_upper_bound": 9}, [1]),
    ],
)
def test_filters(tmp_path: Path, config: dict[str, Any], kept: list[int]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "q": "Q",
            "a": "1",
            "url": "x/2024_1",
            "difficulty": "easy",
            "source": "x",
            "level": 1,
            "gpt_difficulty_parsed": 3,
        },
        {
            "q": "Q",
            "a": "1",
            "url": None,
            "difficulty": "easy",
            "source": "math",
            "level": 2,
            "gpt_difficulty_parsed": 4.0,
        },
        {"q": "Q", "a": "1", "url": "x/2023_1", "difficulty": "hard", "source": "math", "level": 3},
    ]
    rows[2]["gpt_difficulty_parsed"] = None
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = HEAD + fields("math", "q", "a", "{q}") + f"preprocess_config: {json.dumps(config)}\n"
    (tmp_path / "theirs.yaml").write_text(text)
    assert [int(p.id) for p in problems(load_task(str(tmp_path / "theirs.yaml"))) if isinstance(p, Problem)] == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (fields("taco", "q", "a", "{q}"), "no `initial_template`, which handler 'taco' needs"),
        (fields("mathh", "q", "a", "{q}"), r"unknown handler .* 'mathh'\. Did you mean 'math'\?"),
        (fields("aime", "q", "a", "{problem}"), r"unknown placeholder .* 'problem'\..* Known: prompt"),
        (fields("math", "q", "a", "{q"), "expected '}'"),
        (fields("math", "q", "a", "{q!r}"), "only plain {column}"),
        ("handler: math\nquestion_key: q\nanswer_key: a\n", "no `template`"),
    ],
)
def test_what_cannot_be_translated_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "theirs.yaml").write_text(HEAD + text)
    with pytest.raises(UserError, match=message) as error:
        load_task(str(tmp_path / "theirs.yaml"))
    assert "\n" not in str(error.value)

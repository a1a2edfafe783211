"""Rows to problems: exact prompts of each layout, filters before slices, errors as data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from places import SHARED

from skythought.config import TaskConfig
from skythought.errors import UserError
from skythought.tasks.load import load_task
from skythought.tasks.problems import problem_of_row, problems
from skythought.types import MalformedRow, Problem

URL = "https://artofproblemsolving.com/wiki/index.php/{}_Problems/Problem_1"
BOXED = "Return your final response within \\boxed{}. "
ARC = (
    "Given the following question and four candidate answers (A, B, C and D), choose the best answer. Your response "
    'should end with "The best answer is [the_answer_letter]" where [the_answer_letter] is one of the four letter '
    "choice (A, B, C, or D).\n"
)
GPQA_ROW = {
    "Question": "What is 2 + 2?",
    "Correct Answer": "4\n",
    "Incorrect Answer 1": "3",
    "Incorrect Answer 2": " 5",
    "Incorrect Answer 3": "22",
}


def made(path: Path, name: str, rows: list[Any], **overrides: Any) -> list[Problem | MalformedRow]:
    file = path / "rows.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return list(problems(load_task(name, {"dataset_path": str(file), **overrides})))


def one(path: Path, name: str, row: dict[str, Any]) -> Problem:
    (problem,) = made(path, name, [row])
    assert isinstance(problem, Problem), str(problem)
    return problem


@pytest.mark.parametrize(
    ("name", "row", "prompt", "target"),
    [
        (
            "gsm8k",
            {"question": "How many?", "answer": "1,000+250=<<1000+250=1250>>\n#### 1,250"},
            "Given the following problem, reason and give a final answer to the problem.\nProblem: How many?\nYour "
            'response should end with "The final answer is [answer]" where [answer] is the response to the problem.',
            "1250",
        ),
        ("math500", {"problem": "$x$?", "answer": "\\frac{1}{2}", "level": 1}, BOXED + "$x$?", "\\frac{1}{2}"),
        ("aime24", {"problem": "P", "answer": "025", "url": URL.format("2024_AIME_I")}, BOXED + "P", "025"),
        (
            "aime24_sky",
            {"problem": "P", "answer": "025", "url": URL.format("2024_AIME_I")},
            "P\nReturn your final response within \\boxed{}",
            "025",
        ),
        (
            "aime25",
            {"question": "P", "answer": "336^\\circ"},
            "P\nReturn your final response within \\boxed{}",
            "336^\\circ",
        ),
        ("amc23", {"problem": "P", "answer": 27.0, "url": URL.format("2023_AMC_12A")}, BOXED + "P", 27),
        ("amc23", {"problem": "P", "answer": 0.5, "url": URL.format("2023_AMC_12A")}, BOXED + "P", 0.5),
        ("minervamath", {"question": "P", "answer": "1.6"}, BOXED + "P", "1.6"),
        ("minervamath", {"problem": "P", "solution": "so \\boxed{1.6} m"}, BOXED + "P", "1.6"),
        ("olympiadbench_math_en", {"question": "P", "final_answer": ["2"]}, BOXED + "P", "2"),
        ("olympiadbench_math_en", {"question": "P", "final_answer": ["2", "3"]}, BOXED + "P", ["2", "3"]),
        ("omni_math", {"problem": "P {x}", "answer": "64", "difficulty": 4.5}, BOXED + "P {x}", "64"),
        ("liveaops", {"question": "P {{ x }}", "answer": "6"}, BOXED + "P {{ x }}", "6"),
        ("numina", {"problem": "P", "solution": "\\boxed{1} so \\boxed{\\frac{1}{2}}."}, BOXED + "P", "\\frac{1}{2}"),
        (
            "arithmetic",
            {"question": "What is 1 + 1?", "answer": "2"},
            "What is 1 + 1?\n\nReason step by step, and put your final answer within \\boxed{}.",
            "2",
        ),
        (
            "mmlu",
            {"question": "Q?", "choices": ["a", " b ", 3, "d"], "answer": 1},
            BOXED + "Q?\nAnswer Choices: (A) a (B) b (C) 3 (D) d",
            "B",
        ),
        (
            "mmlu_pro",
            {"question": "Q?", "options": ["a", "b ", "c"], "answer": "C", "answer_index": 2},
            BOXED + "Q?\nAnswer Choices: (A) a (B) b (C) c",
            "C",
        ),
        (
            "arc_c",
            {
                "question": "Q?",
                "choices": {"text": list("vwxyz"), "label": ["1", "2", "3", "4", "5"]},
                "answerKey": "5",
            },
            ARC + "Q?\nA.v\nB.w\nC.x\nD.y\nE.z",
            "E",
        ),
    ],
)
def test_prompt_and_target(tmp_path: Path, name: str, row: dict[str, Any], prompt: str, target: Any) -> None:
    problem = one(tmp_path, name, row)
    assert problem.prompt == prompt
    assert problem.target == target
    assert problem.id == "0"
    assert problem.row == row


def test_gpqa_shuffles_by_the_question_alone(tmp_path: Path) -> None:
    problem = one(tmp_path, "gpqa_diamond", GPQA_ROW)
    assert sorted(problem.choices) == ["22", "3", "4", "5"]
    assert problem.choices["ABCD".index(problem.target)] == "4"
    shown = ", ".join(f"{letter}) {text}" for letter, text in zip("ABCD", problem.choices, strict=True))
    instruction = "and only include the letter choice (A, B, C, or D) as your final response. "
    assert problem.prompt == f"Return your final response within \\boxed{{}} {instruction}What is 2 + 2?\n{shown}"
    again = made(tmp_path, "gpqa_diamond", [{**GPQA_ROW, "Question": "Other?"}, GPQA_ROW])[1]
    assert isinstance(again, Problem)
    assert (again.prompt, again.target, again.id) == (problem.prompt, problem.target, "1")
    orders = {one(tmp_path, "gpqa_diamond", {**GPQA_ROW, "Question": str(n)}).choices for n in range(20)}
    assert len(orders) > 5


def test_equal_distractors_do_not_move_the_gold(tmp_path: Path) -> None:
    row = {**GPQA_ROW, "Incorrect Answer 1": "4"}
    targets = {one(tmp_path, "gpqa_diamond", {**row, "Question": str(n)}).target for n in range(40)}
    assert targets == set("ABCD")


def test_filters_come_before_the_slice(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    years = [2022, 2024, 2023, 2024, 2024]
    rows = [{"problem": f"P{n}", "answer": "1", "url": URL.format(year)} for n, year in enumerate(years)]
    file.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"problem": "P5", "answer": "1", "url": None}]))
    task = load_task("aime24", {"dataset_path": str(file)})

    def ids(start: int, end: int) -> list[str]:
        return [p.id for p in problems(task, start, end) if isinstance(p, Problem)]

    assert ids(0, -1) == ["1", "3", "4"]
    assert ids(1, 2) == ["3"]
    assert ids(0, 0) == []
    assert ids(2, 99) == ["4"]


def test_row_errors_are_data(tmp_path: Path) -> None:
    rows: list[Any] = [
        {"question": "Q", "answer": "1"},
        "{broken",
        {"question": "Q", "answer": "  "},
        {"question": None, "answer": "1"},
        {"question": ["Q"], "answer": "1"},
        {"answer": "1"},
        {"question": "Q", "answer": "1"},
    ]
    found = made(tmp_path, "liveaops", rows)
    assert [isinstance(item, Problem) for item in found] == [True, *[False] * 5, True]
    errors = [item for item in found if isinstance(item, MalformedRow)]
    assert [(error.index, error.column) for error in errors] == [
        (1, None),
        (2, "answer"),
        (3, "question"),
        (4, "question"),
        (5, "question"),
    ]
    assert "empty" in str(errors[1])
    assert str(errors[3]) == "row 4, column 'question': a question must be text, but it is list"


@pytest.mark.parametrize(
    ("name", "row", "why"),
    [
        ("mmlu", {"question": "Q", "choices": list("abcd"), "answer": 4}, "not one of the 4 options"),
        ("mmlu", {"question": "Q", "choices": None, "answer": 0}, "options must be a list"),
        ("mmlu_pro", {"question": "Q", "options": list("abc"), "answer": "D"}, "not one of the 3 options"),
        (
            "arc_c",
            {"question": "Q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "C"},
            "ValueError",
        ),
        ("gsm8k", {"question": "Q", "answer": "no gold"}, "cannot be used: list object has no element 1"),
    ],
)
def test_wrong_gold(tmp_path: Path, name: str, row: dict[str, Any], why: str) -> None:
    good = {
        "mmlu": {"question": "Q", "choices": list("abcd"), "answer": 0},
        "mmlu_pro": {"question": "Q", "options": list("abc"), "answer": "A"},
        "arc_c": {"question": "Q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A"},
        "gsm8k": {"question": "Q", "answer": "#### 1"},
    }[name]
    _, bad = made(tmp_path, name, [good, row])
    assert isinstance(bad, MalformedRow)
    assert bad.index == 1
    assert re.search(why, bad.why)


def test_column_missing_in_every_row(tmp_path: Path) -> None:
    rows = [{"Problem": "P", "answer": "1"}] * 3
    with pytest.raises(UserError, match=r"no row of .* has a column 'problem'\. Did you mean 'Problem'\?"):
        made(tmp_path, "math500", rows)


def test_filter_on_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has a column 'difficlty'.*'difficulty'"):
        made(
            tmp_path, "math500", [{"problem": "P", "answer": "1", "difficulty": 1}], preprocess_config={"difficlty": 1}
        )


def test_templates_are_sandboxed(tmp_path: Path) -> None:
    prompt = "{{ problem.__class__.__mro__ }}"
    (bad,) = made(tmp_path, "math500", [{"problem": "P", "answer": "1"}], prompt=prompt)
    assert isinstance(bad, MalformedRow)


def test_columns_with_spaces_and_letters_in_templates(tmp_path: Path) -> None:
    task = TaskConfig(
        dataset_path=str(tmp_path / "rows.jsonl"),
        prompt="{{ row['the question'] }}{% for c in choices %}\n{{ letters[loop.index0] }}: {{ c }}{% endfor %}",
        choices="options",
        target="'b'",
        scorer="choice",
    )
    (tmp_path / "rows.jsonl").write_text(json.dumps({"the question": "Q", "options": ["x", "y"]}))
    (problem,) = problems(task)
    assert isinstance(problem, Problem)
    assert (problem.prompt, problem.target) == ("Q\nA: x\nB: y", "B")


def test_a_row_that_was_asked_keeps_its_letter() -> None:
    problem = problem_of_row(load_task("gpqa_diamond"), {**GPQA_ROW, "Answer": "C"}, "7", "asked so")
    assert isinstance(problem, Problem)
    assert (problem.id, problem.prompt, problem.target) == ("7", "asked so", "C")
    assert problem.choices[2] == "4"
    assert set(problem.row) == {*GPQA_ROW, "Answer"}


def test_a_row_that_was_asked_with_an_open_question() -> None:
    problem = problem_of_row(load_task("gsm8k"), {"question": "Q", "answer": "#### 1,000"}, "3", "asked so")
    assert isinstance(problem, Problem)
    assert (problem.id, problem.prompt, problem.target) == ("3", "asked so", "1000")


ROWS = SHARED / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the datasets beside the repository")
@pytest.mark.parametrize(
    ("name", "file", "count"),
    [
        ("gsm8k", "gsm8k", 1319),
        ("math500", "math500", 500),
        ("aime24", "aimo_validation_aime", 30),
        ("aime24_sky", "aime24", 30),
        ("aime25_1", "aime25_1", 15),
        ("aime25_2", "aime25_2", 15),
        ("amc23", "amc23", 40),
        ("minervamath", "minervamath", 272),
        ("olympiadbench_math_en", "olympiadbench_math_en", 675),
        ("omni_math", "omni_math_num_500", 500),
        ("liveaops", "liveaops_num", 519),
        ("numina", "numina_cot_1k", 960),
        ("numina", "numina_with_source", 3),
        ("mmlu", "mmlu", 14042),
        ("mmlu_pro", "mmlu_pro_2k", 2000),
        ("arc_c", "arc_challenge_test", 1172),
    ],
)
def test_every_row_of_the_real_sets(name: str, file: str, count: int) -> None:
    found = list(problems(load_task(name, {"dataset_path": str(ROWS / f"{file}.jsonl")})))
    assert [str(item) for item in found if isinstance(item, MalformedRow)] == []
    assert len(found) == count


def test_options_need_no_gold_answer(tmp_path: Path) -> None:
    problem, *_ = made(tmp_path, "mmlu", [{"question": "Q", "choices": list("abcd")}], target=None)
    assert isinstance(problem, Problem), str(problem)
    assert (problem.target, problem.choices) == (None, ("a", "b", "c", "d"))

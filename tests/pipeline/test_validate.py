"""`check_task`: every task of the catalogue proves itself, and a broken one is told what is wrong, line by line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from check_rows import ROWS

import skythought as st
from skythought.errors import UserError
from skythought.executors.background import run_in_background
from skythought.pipeline.validate import Report, acheck_task
from skythought.tasks.load import task_names

GOOD = "dataset_path: rows.jsonl\nquestion_key: question\nprompt: '{{ question }}'\ntarget: answer\nscorer: math\n"
SUMS = [{"question": f"What is {n} + 1?", "answer": str(n + 1), "level": n} for n in range(4)]

WITHOUT_GOLD = {"ifeval"}
"""Instructions are checked, not compared: there is no right answer to prove them with."""


def write_rows(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def report_on(name: str, **options: Any) -> Report:
    """As `st.check_task`, on the workers that all tests of this process share."""
    return run_in_background(lambda executor: acheck_task(name, executor=executor, **options))


def checked(folder: Path, text: str, rows: list[dict[str, Any]] | None = None, **options: Any) -> list[str]:
    """What the check of a task says."""
    write_rows(folder / "rows.jsonl", SUMS if rows is None else rows)
    (folder / "my.yaml").write_text(text, encoding="utf-8")
    report = report_on(str(folder / "my.yaml"), **options)
    said = [str(finding) for finding in report.findings]
    assert report.ok == (not any(": error: " in line for line in said))
    return said


def test_every_task_of_the_catalogue_has_rows_here() -> None:
    assert set(task_names()) - {"arithmetic"} <= set(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS.keys() - WITHOUT_GOLD))
def test_every_task_of_the_catalogue_proves_itself(tmp_path: Path, name: str) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", ROWS[name])
    report = report_on(name, task_args={"dataset_path": rows})
    assert [str(finding) for finding in report.findings] == []
    assert report.problems == report.gold_right == report.gold_checked == 2


@pytest.mark.parametrize("name", sorted(WITHOUT_GOLD))
def test_a_task_without_right_answers_says_so(tmp_path: Path, name: str) -> None:
    report = report_on(name, task_args={"dataset_path": write_rows(tmp_path / "rows.jsonl", ROWS[name])})
    assert (report.ok, report.problems, report.gold_checked) == (True, 2, 0)
    assert [finding.warning for finding in report.findings] == [True]
    assert "instructions" in str(report.findings[0])


def test_the_bundled_rows_prove_themselves() -> None:
    report = st.check_task("arithmetic")
    assert (report.ok, report.problems, report.gold_right) == (True, 400, 400)


def test_a_good_task_and_what_the_model_will_see(tmp_path: Path) -> None:
    assert checked(tmp_path, GOOD + "report_by: [level]\nsize: 4\n") == []
    report = st.check_task(str(tmp_path / "my.yaml"), show=1)
    assert [problem.prompt for problem in report.shown] == ["What is 0 + 1?"]
    assert report.given == [["\\boxed{1}"]]
    assert str(report) == "my: 4 problems, 4 of 4 right answers found right: ok"
    assert report_on(str(tmp_path / "my.yaml"), rows=2).gold_checked == 2


def test_all_mistakes_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = """# a task
dataset_path: rows.jsonl
promt: x
prompt: |
  {{ question }}
  {{ answer
target: answer +
shuffle_choices: perhaps
filters:
  - level > 1
  - level >
scorer: math
scorer: choice
few_shot: {count: 1, answer: x, sed: 1}
"""
    said = checked(tmp_path, text)
    assert said[0] == "my.yaml:13: error: the key 'scorer' is given twice."
    assert said[1] == "my.yaml:3: error: unknown key 'promt'. Did you mean 'prompt'?"
    assert said[2] == "my.yaml:14: error: unknown key 'few_shot.sed'. Did you mean 'seed'?"
    assert said[3].startswith("my.yaml:8: error: shuffle_choices: Input should be a valid boolean")
    said = checked(tmp_path, text.replace("shuffle_choices: perhaps", "shuffle_choices: true"))
    assert [line.partition(":")[2].partition(":")[0] for line in said[3:]] == ["7", "11", "6"]
    assert "target, line 1: " in said[3]
    assert "filters[1], line 1: " in said[4]
    assert "prompt, line 3: " in said[5] or "prompt, line 2: " in said[5]


def test_all_wrong_values_and_all_wrong_templates_are_told_at_once(tmp_path: Path) -> None:
    text = """\
dataset_path: rows.jsonl
prompt: "{{ question }"
target: answer +
size: x
few_shot: {count: many, seed: none, answer: "{{ a"}
filters: [level >, 5]
scorer: math
"""
    said = checked(tmp_path, text)
    for wrong in ("size: ", "few_shot.count: ", "few_shot.seed: ", "filters.1: ", "target, ", "prompt, "):
        assert sum(f"error: {wrong}" in line for line in said) == 1, wrong


def test_all_that_a_file_lacks_is_told_at_once(tmp_path: Path) -> None:
    said = checked(tmp_path, "dataset_path: rows.jsonl\ntarget: answer\n")
    assert said == [
        "my.yaml:1: error: no prompt. Give `prompt`, or a `handler` of the reference's format.",
        "my.yaml:1: error: no scorer. Give `scorer`, e.g. `scorer: math`.",
    ]


def test_all_columns_that_no_row_has_are_told_at_once(tmp_path: Path) -> None:
    text = """\
dataset_path: rows.jsonl
prompt: "{{ qestion }} {{ hint }} {{ level }}"
target: anser
filters: [levl > 1]
scorer: maths
"""
    said = checked(tmp_path, text)
    assert "unknown scorer 'maths'" in said[0]
    assert [line.partition("has a column ")[2] for line in said[1:]] == ["'levl'.", "'anser'.", "'qestion'.", "'hint'."]
    said = checked(tmp_path, text.replace("maths", "math").replace("filters: [levl > 1]\n", ""))
    columns = [line.partition("has a column ")[2].partition(".")[0] for line in said]
    assert sorted(columns) == ["'anser'", "'hint'", "'qestion'"]
    assert [line.split(":")[1] for line in said] == ["3", "2", "2"], "each at its line"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prompt: x\n  y: [", "my.yaml:2: error: not valid YAML"),
        ("- a\n", "my.yaml:1: error: a task is a mapping of keys to values, not list."),
        ("# nothing\n", "my.yaml:1: error: a task is a mapping of keys to values, not an empty file."),
        ("dataset_path: rows.jsonl\nscorer: math\n", "my.yaml:1: error: no prompt."),
        (GOOD.replace("math", "maths"), "my.yaml:5: error: unknown scorer 'maths'. Did you mean 'math'?"),
        (GOOD.replace("math", "{math: {kind: reel}}"), "my.yaml:5: error: scorer 'math': kind: Input should be"),
        (GOOD.replace("rows.jsonl", "none.jsonl"), "my.yaml:1: error: dataset 'none.jsonl': there is no such file"),
        (GOOD.replace("{{ question }}", "{{ qestion }}"), "my.yaml:3: error: task my: no row of"),
        (GOOD.replace("target: answer", "target: anser"), "my.yaml:4: error: task my: no row of"),
        (GOOD.replace("{{ question }}", "Well?"), "my.yaml:3: error: all 4 problems have the same prompt"),
        (GOOD.replace("{{ question }}", "{{ level }}?"), "my.yaml:3: error: no prompt shows the row's 'question'"),
        (GOOD + "size: 5\n", "my.yaml:6: error: size is 5, but there are 4 problems."),
        (GOOD + "size: 0\n", "my.yaml:6: error: size: Input should be greater than or equal to 1 (given: 0)."),
        (GOOD + "report_by: [levl]\n", "my.yaml:6: error: report_by: no problem has a value for 'levl'. Did you mean"),
        (GOOD + "filters:\n- level >= 0\n- level > 9\n", "my.yaml:7: error: filter 'level > 9' is true for none of"),
        (GOOD + "few_shot: {count: 9, answer: x}\n", "my.yaml:6: error: task my: few_shot: 9 examples are asked for"),
        (GOOD.replace("target: answer", "target: level"), ""),
        (GOOD.replace("scorer: math", "handler: mth"), "my.yaml:5: error: unknown handler"),
    ],
)
def test_each_mistake_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    said = checked(tmp_path, text)
    assert any(line.startswith(says) for line in said) if says else said == [], said


def test_rows_that_cannot_be_used_and_problems_asked_twice(tmp_path: Path) -> None:
    rows = [*SUMS, SUMS[1], {"question": "What?", "answer": " "}, {"question": "And?"}]
    said = checked(tmp_path, GOOD, rows)
    assert sorted(said) == [
        "my.yaml: error: row 5: the right answer is empty",
        "my.yaml: warning: problem 4 asks the same as problem 1.",
        "my.yaml:4: error: row 6, column 'answer': not in this row",
    ]


def test_many_of_a_kind_are_counted(tmp_path: Path) -> None:
    said = checked(tmp_path, GOOD, [*SUMS, *({"question": f"Q{n}", "answer": ""} for n in range(9))])
    assert len(said) == 6
    assert said[-1] == "my.yaml: error: ... 4 more rows that cannot be used."


MULTIPLE_CHOICE = (
    "dataset_path: rows.jsonl\nquestion_key: q\nprompt: '{{ q }} {{ choices | join(\" / \") }}'\n"
    "choices: options\ntarget: right\nscorer: choice\n"
)


def test_multiple_choice_oddities(tmp_path: Path) -> None:
    rows = [{"q": f"Q{n}", "options": ["yes", "no", "yes"], "right": 1} for n in range(20)]
    said = checked(tmp_path, MULTIPLE_CHOICE, rows)
    assert "my.yaml: warning: problem 0: two of its options are the same." in said
    assert "my.yaml:5: warning: the right option is always B; `shuffle_choices: true` mixes them." in said
    hidden = MULTIPLE_CHOICE.replace('{{ choices | join(" / ") }}', "")
    assert "my.yaml:3: error: no prompt shows the options (`choices`)." in checked(tmp_path, hidden, rows)


SCORER = """
from dataclasses import dataclass
from skythought.scorers.base import Scorer
from skythought.types import Problem, Score

@dataclass(frozen=True)
class Mine(Scorer):
    def score(self, problem: Problem, answer: str) -> Score:
        {body}

    def gold(self, problem: Problem) -> str | None:
        return {gold}
"""


@pytest.mark.parametrize(
    ("body", "gold", "says"),
    [
        ("return Score(answer == problem.target, 'compared', answer)", "problem.target", ""),
        (
            "return Score(answer == problem.target, 'compared', answer)",
            "None",
            "warning: .* has no way to state",
        ),
        ("return Score(True, 'fine', answer)", "problem.target", "warning: scorer .* finds an empty answer right"),
        ("return Score(bool(answer), 'fine', answer)", "problem.target", "warning: .* answer of another problem right"),
        ("return Score(answer == problem.target, 'compared', answer)", "'42'", "error: problem 0: .* '42': compared"),
        ("raise KeyError(problem.id)", "problem.target", "error: problem 0: .* the scorer failed: KeyError"),
        ("import os; os._exit(3)", "problem.target", "error: problem 0: .* the scorer failed: its process died"),
    ],
)
def test_a_scorer_of_ones_own(tmp_path: Path, body: str, gold: str, says: str) -> None:
    (tmp_path / "mine.py").write_text(SCORER.format(body=body, gold=gold), encoding="utf-8")
    said = "\n".join(checked(tmp_path, GOOD.replace("scorer: math", "scorer: mine.py:Mine")))
    if not says:
        assert said == ""
    else:
        assert re.search(says, said), said


def test_a_mistake_in_the_task_that_it_is_like_is_told_at_the_line_of_like(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(GOOD.replace("target: answer", "target: anser"), encoding="utf-8")
    text = "description: mine\nlike: base.yaml\n"
    (said,) = checked(tmp_path, text)
    assert said.startswith("my.yaml:2: error: task my: no row of")
    assert checked(tmp_path, text + "target: answer\n") == []
    assert checked(tmp_path, text + "target: answer\nsize: x\n")[0].startswith("my.yaml:4: error: size: Input should")
    (said,) = checked(tmp_path, "like: bse.yaml\n")
    assert said.startswith("my.yaml:1: error: like: task ")


def test_no_such_task() -> None:
    with pytest.raises(UserError, match="Did you mean 'gsm8k'"):
        st.check_task("gsm8kk")


def test_on_the_command_line(cli: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", SUMS)
    (tmp_path / "my.yaml").write_text(GOOD, encoding="utf-8")
    done = cli("tasks", "check", "my.yaml", "--show", 1)
    assert done.returncode == 0, done.stderr
    assert "What is 0 + 1?" in done.stdout
    assert "What is 1 + 1?" not in done.stdout
    assert done.stdout.endswith("my: 4 problems, 4 of 4 right answers found right: ok\n")
    (tmp_path / "bad.yaml").write_text(GOOD + "promt: x\n", encoding="utf-8")
    done = cli("tasks", "check", "my.yaml", "bad.yaml", "--rows", 2)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "my: 2 problems, 2 of 2 right answers found right: ok",
        "bad.yaml:6: error: unknown key 'promt'. Did you mean 'prompt'?",
        "bad: 0 problems, 0 of 0 right answers found right: not ok",
        "1 of 2 tasks are sound.",
    ]
    done = cli("tasks", "check", "gsm8k", "--dataset-path", "rows.jsonl", "--task-args", "target=answer")
    assert done.returncode == 0, done.stdout
    done = cli("tasks", "check")
    assert done.returncode == 2
    assert "give --all" in done.stderr

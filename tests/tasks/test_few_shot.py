"""Solved examples before a problem: where they come from, and what never changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skythought.config import BackendConfig, ModelConfig, RunConfig, TaskConfig
from skythought.errors import UserError
from skythought.models.conversation import conversation
from skythought.models.library import load_model
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
from skythought.types import Problem, SamplingParams

TASK = "dataset_path: rows.jsonl\nprompt: 'Q: {{ question }}'\ntarget: answer\nscorer: math\nfew_shot:\n"
ROWS = [{"question": f"{n} + 1", "answer": str(n + 1), "kind": "even" if n % 2 == 0 else "odd"} for n in range(8)]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def made(folder: Path, few_shot: str, start: int = 0, end: int = -1) -> list[Problem]:
    write_rows(folder / "rows.jsonl", ROWS)
    (folder / "t.yaml").write_text(TASK + "".join(f"  {line}\n" for line in few_shot.splitlines()), encoding="utf-8")
    found = list(problems(load_task(str(folder / "t.yaml")), start, end))
    assert all(isinstance(item, Problem) for item in found), found
    return [item for item in found if isinstance(item, Problem)]


def test_examples_stand_before_the_problem_in_its_own_wording(tmp_path: Path) -> None:
    write_rows(
        tmp_path / "train.jsonl", [{"question": "20 + 2", "answer": "22"}, {"question": "30 + 3", "answer": "33"}]
    )
    found = made(tmp_path, "count: 2\ndataset_path: train.jsonl\nanswer: 'A: {{ answer }} ({{ target }})'")
    assert found[3].prompt == "Q: 20 + 2\nA: 22 (22)\n\nQ: 30 + 3\nA: 33 (33)\n\nQ: 3 + 1"
    assert found[3].target == "4"
    assert found[3].row == ROWS[3]


def test_examples_given_in_the_file(tmp_path: Path) -> None:
    rows = json.dumps([{"question": "7 * 7", "answer": "49"}])
    found = made(
        tmp_path, f"count: 1\nrows: {rows}\nanswer: '{{{{ answer }}}}'\njoint: ' = '\nseparator: \"\\n---\\n\""
    )
    assert found[0].prompt == "Q: 7 * 7 = 49\n---\nQ: 0 + 1"


@pytest.mark.parametrize("seed", ["", "seed: 5\n"])
def test_a_problem_is_never_its_own_example_and_slices_change_nothing(tmp_path: Path, seed: str) -> None:
    text = f"count: 3\n{seed}answer: '{{{{ answer }}}}'"
    whole = made(tmp_path, text)
    for problem in whole:
        assert problem.prompt.count("Q: ") == 4
        assert problem.prompt.count(f"Q: {problem.row['question']}") == 1
        assert problem.prompt.endswith(f"Q: {problem.row['question']}")
    assert made(tmp_path, text, 2, 5) == whole[2:5]


def test_a_seed_draws_others_and_always_the_same(tmp_path: Path) -> None:
    first, drawn, again, other = (
        made(tmp_path, f"count: 3\n{seed}answer: '{{{{ answer }}}}'")[7].prompt
        for seed in ("", "seed: 5\n", "seed: 5\n", "seed: 6\n")
    )
    assert first.startswith("Q: 0 + 1\n1\n\nQ: 1 + 1\n2\n\nQ: 2 + 1")
    assert drawn == again
    assert len({first, drawn, other}) == 3


def test_examples_of_the_same_kind_and_only_those_that_pass_the_filters(tmp_path: Path) -> None:
    found = made(tmp_path, "count: 2\nmatch: kind\nfilters: ['answer != \"1\"']\nanswer: '{{ answer }}'")
    assert found[6].prompt == "Q: 2 + 1\n3\n\nQ: 4 + 1\n5\n\nQ: 6 + 1"
    assert found[5].prompt == "Q: 1 + 1\n2\n\nQ: 3 + 1\n4\n\nQ: 5 + 1"


def test_examples_as_turns(tmp_path: Path) -> None:
    problem = made(tmp_path, "count: 1\nas_turns: true\nanswer: 'It is {{ answer }}.'")[4]
    assert problem.prompt == "Q: 4 + 1"
    turns = conversation(load_model("m", system_prompt="S", user_template="<{}>"), problem.prompt, problem.shots)
    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("system", "S"),
        ("user", "<Q: 0 + 1>"),
        ("assistant", "It is 1."),
        ("user", "<Q: 4 + 1>"),
    ]


def test_multiple_choice_examples_name_their_letter(tmp_path: Path) -> None:
    rows = [{"q": f"Which is {n}?", "options": ["x", str(n)], "right": 1} for n in range(3)]
    write_rows(tmp_path / "mc.jsonl", rows)
    text = "dataset_path: mc.jsonl\nprompt: \"{{ q }} {{ choices | join(' ') }}\"\nchoices: options\ntarget: right\n"
    few = "scorer: choice\nfew_shot: {count: 1, answer: '({{ target }})'}\n"
    (tmp_path / "mc.yaml").write_text(text + few, encoding="utf-8")
    found = list(problems(load_task(str(tmp_path / "mc.yaml"))))
    assert [item.prompt for item in found if isinstance(item, Problem)] == [
        "Which is 1? x 1\n(B)\n\nWhich is 0? x 0",
        "Which is 0? x 0\n(B)\n\nWhich is 1? x 1",
        "Which is 0? x 0\n(B)\n\nWhich is 2? x 2",
    ]


@pytest.mark.parametrize(
    ("few_shot", "says"),
    [
        (
            "count: 8\nanswer: '{{ answer }}'",
            r"8 examples are asked for, but '.*rows\.jsonl' has 7 usable ones besides",
        ),
        ("count: 1\nanswer: '{{ anser }}'", r"few_shot\.answer, for row 0 of .*: 'anser' is undefined"),
        ("count: 1\nanswer: 'x'\nrows: [{question: ''}]", r"few_shot\.rows: row 0"),
        ("count: 1\nanswer: '{{ x'", r"few_shot\.answer, line 1"),
        ("count: 1\nanswer: 'x'\nfilters: ['a b']", r"few_shot\.filters\[0\], line 1"),
        ("count: -1\nanswer: 'x'", r"few_shot\.count: .* greater than or equal to 0"),
        ("count: 1\nanswr: 'x'", r"few_shot: unknown key 'answr'\. Did you mean 'answer'\?"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, few_shot: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as error:
        made(tmp_path, few_shot)
    assert "\n" not in str(error.value)


def test_another_file_for_the_problems_leaves_the_examples_where_they_were(tmp_path: Path) -> None:
    write_rows(tmp_path / "mine.jsonl", [{"question": "9 + 9", "answer": "18"}])
    made(tmp_path, "count: 1\nanswer: '{{ answer }}'")
    task = load_task(str(tmp_path / "t.yaml"), {"dataset_path": str(tmp_path / "mine.jsonl")})
    (problem,) = problems(task)
    assert isinstance(problem, Problem)
    assert problem.prompt == "Q: 0 + 1\n1\n\nQ: 9 + 9"


def fingerprint(path: Path, **changes: Any) -> str:
    task = load_task(str(path), changes)
    backend = BackendConfig(name="openai")
    return RunConfig(task=task, model=load_model("m"), backend=backend, sampling=SamplingParams()).fingerprint


def test_examples_count_in_the_fingerprint_and_what_only_reports_does_not(tmp_path: Path) -> None:
    made(tmp_path, "count: 1\nanswer: '{{ answer }}'")
    path = tmp_path / "t.yaml"
    assert fingerprint(path) != fingerprint(path, few_shot={"count": 2, "answer": "{{ answer }}"})
    assert fingerprint(path) != fingerprint(path, few_shot=None)
    assert fingerprint(path) == fingerprint(path, report_by=["kind"], size=8)


def test_runs_made_before_these_fields_go_on() -> None:
    task = TaskConfig(name="t", dataset_path="rows.jsonl", prompt="{{ q }}", target="a", scorer="math")
    backend, model = BackendConfig(name="openai"), ModelConfig(model_id="m")
    made = RunConfig(task=task, model=model, backend=backend, sampling=SamplingParams()).fingerprint
    assert made == "5ac310ce1382922207405753617fad2d64e60ae7acf8209f954c78529bb55b21", "as version 0.2.0 made it"

"""Finding tasks by name, alias and path; refusing what is wrong in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skythought.errors import UserError
from skythought.tasks import load
from skythought.tasks.load import load_task, task_names

OF_THE_REFERENCE = [
    "aime24",
    "aime24_sky",
    "aime25_1",
    "aime25_2",
    "amc23",
    "apps",
    "arc_c",
    "gpqa_diamond",
    "gsm8k",
    "liveaops",
    "livecodebench",
    "livecodebench_easy",
    "livecodebench_hard",
    "livecodebench_medium",
    "math500",
    "minervamath",
    "mmlu",
    "mmlu_pro",
    "numina",
    "numina_amc_aime",
    "numina_math",
    "numina_olympiads",
    "olympiadbench_math_en",
    "omni_math",
    "taco",
]

MINIMAL = "dataset_path: rows.jsonl\nprompt: '{{ question }}'\ntarget: answer\nscorer: math\n"


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_library_holds_the_tasks_of_the_reference() -> None:
    assert set(OF_THE_REFERENCE) <= set(task_names())


@pytest.mark.parametrize("name", task_names())
def test_every_library_task_loads_and_opens_with_an_example(name: str) -> None:
    task = load_task(name)
    assert task.name == name
    assert task.description
    assert task.source
    text = (load.LIBRARY / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "\nlike: " in text or ("# Source:" in text and "Traps:" in text)


@pytest.mark.parametrize(
    ("given", "name"), [("GSM8K", "gsm8k"), ("aime", "aime24"), ("Aime", "aime24"), ("MATH500", "math500")]
)
def test_names_in_any_case_and_aliases(given: str, name: str) -> None:
    assert load_task(given).name == name


def test_both_parts_of_aime25() -> None:
    assert load_task("aime25").dataset_subset == ["AIME2025-I", "AIME2025-II"]


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown task 'gsmk'\. Did you mean 'gsm8k'\?"):
        load_task("gsmk")


def test_file_with_data_and_scorer_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", "")
    write(tmp_path / "mine.py", "")
    path = write(tmp_path / "my_task.yaml", MINIMAL.replace("scorer: math", "scorer: mine.py:Mine"))
    task = load_task(path)
    assert task.name == "my_task"
    assert task.dataset_path == str(tmp_path / "rows.jsonl")
    assert task.scorer == f"{tmp_path / 'mine.py'}:Mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "promt: x\n", r"t\.yaml: unknown key 'promt'\. Did you mean 'prompt'\?"),
        ("prompt: x\nscorer: math\n", r"dataset_path: Field required"),
        ("dataset_path: a/b\nscorer: math\n", r"no prompt"),
        ("dataset_path: a/b\nprompt: x\n", r"no scorer"),
        ("dataset_path: [a\nprompt: x\n", r"t\.yaml, line \d: not valid YAML"),
        ("- a\n- b\n", r"a task is a mapping"),
        (MINIMAL.replace("target: answer", "target: 'answer |'"), r"target, line 1: .*answer \|"),
        (MINIMAL.replace("{{ question }}", "{{ question }"), r"prompt, line 1"),
        (MINIMAL.replace("target: answer", "target: answer | boxxed"), r"target, line 1: No filter named 'boxxed'"),
        (MINIMAL + "version: many\n", r"version: .* \(given: 'many'\)"),
    ],
)
def test_mistakes_in_a_file_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        load_task(write(tmp_path / "t.yaml", text))
    assert "\n" not in str(error.value)


def test_missing_file() -> None:
    with pytest.raises(UserError, match="there is no such file"):
        load_task("nowhere/t.yaml")


def test_unknown_override() -> None:
    with pytest.raises(UserError, match=r"--task-args: unknown key 'dataset_pth'\. Did you mean 'dataset_path'\?"):
        load_task("gsm8k", {"dataset_pth": "x"})


def test_local_file_drops_what_belongs_to_the_hub(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", "")
    task = load_task("omni_math", {"dataset_path": path})
    assert (task.dataset_path, task.dataset_split, task.dataset_kwargs) == (path, None, {})
    kept = load_task("gsm8k", {"dataset_path": path, "dataset_split": "train"})
    assert (kept.dataset_subset, kept.dataset_split) == (None, "train")
    assert load_task("gsm8k", {"dataset_path": "me/gsm8k"}).dataset_subset == "main"


def test_what_is_pinned_belongs_to_the_dataset(tmp_path: Path) -> None:
    pinned = load_task("gsm8k").dataset_kwargs["revision"]
    assert len(pinned) == 40
    assert load_task("gsm8k", {"dataset_path": "me/gsm8k"}).dataset_kwargs == {}
    assert load_task("gsm8k", {"dataset_path": str(tmp_path)}).dataset_kwargs == {}
    added = load_task("numina", {"dataset_kwargs": {"streaming": True, "revision": "main"}}).dataset_kwargs
    assert added == {"columns": ["source", "problem", "solution"], "streaming": True, "revision": "main"}
    judged = load_task("numina", {"preprocess_config": {"filter_difficulty": True}}).dataset_kwargs
    assert judged == {"columns": ["source", "problem", "solution", "gpt_difficulty_parsed"]}


def test_column_override_reaches_the_templates() -> None:
    task = load_task("gsm8k", {"question_key": "q", "answer_key": "my answer"})
    assert "Problem: {{ row['q'] }}\n" in (task.prompt or "")
    assert task.target == "(row['my answer'].split('####')[1] | replace(',', '')).strip()"


def test_wording_override_in_the_reference_manner() -> None:
    task = load_task("aime24", {"templating_parameters": {"template": "{prompt} \\boxed{{}}?"}})
    assert task.prompt == "{{ problem }} \\boxed{}?"
    assert task.scorer_args == {"kind": "integer"}


def test_filter_override_in_the_reference_manner() -> None:
    task = load_task("numina", {"preprocess_config": {"source": "math", "filter_difficulty": True}})
    assert task.dataset_path == "NovaSky-AI/labeled_numina_difficulty_859K"
    off = load_task("numina", {"preprocess_config": {"filter_difficulty": False}})
    assert off.dataset_path == "AI-MO/NuminaMath-CoT"


class Point:
    """Stands for an installed package's entry point."""

    value = "theirs"

    def __init__(self, loaded: Any) -> None:
        self.loaded = loaded

    def load(self) -> Any:
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


def test_tasks_of_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "theirs.yaml", MINIMAL)
    monkeypatch.setattr(load, "entries", lambda room: {"theirs": Point(tmp_path)})
    assert "theirs" in task_names()
    assert load_task("Theirs").name == "theirs"
    monkeypatch.setattr(load, "entries", lambda room: {"theirs": Point(ImportError("gone"))})
    assert load_task("gsm8k").name == "gsm8k"
    with pytest.raises(UserError, match=r"plugin 'theirs' \(theirs\) cannot be loaded: gone"):
        load_task("other")


def test_scorers_of_mixed_kinds_lie_beside_the_task(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("", encoding="utf-8")
    (tmp_path / "t.yaml").write_text(
        "dataset_path: rows.jsonl\nprompt: '{{ q }}'\ntarget: a\n"
        "scorer: {mixed: {kinds: {own: 'mine.py:Mine', other: {'mine.py:Mine': {strict: true}}, plain: math}}}\n",
        encoding="utf-8",
    )
    kinds = load_task(str(tmp_path / "t.yaml")).scorer_args["kinds"]
    mine = f"{tmp_path / 'mine.py'}:Mine"
    assert kinds == {"own": mine, "other": {mine: {"strict": True}}, "plain": "math"}

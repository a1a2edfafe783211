"""`like`: a task that gives only what is different from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from skythought.errors import UserError
from skythought.tasks import load
from skythought.tasks.load import load_task, task_names


def own(folder: Path, text: str, name: str = "mine.yaml") -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_what_is_left_out_is_as_there(tmp_path: Path) -> None:
    mine, gsm8k = load_task(own(tmp_path, "like: gsm8k\nprompt: '{{ question }}?'\n")), load_task("gsm8k")
    assert (mine.name, mine.prompt, mine.size) == ("mine", "{{ question }}?", None)
    assert mine == gsm8k.model_copy(update={"name": "mine", "prompt": "{{ question }}?", "size": None})


@pytest.mark.parametrize("other", ["AIME", "aime24", "base.yaml", "../{folder}/base.yaml"])
def test_named_by_alias_name_and_file(tmp_path: Path, other: str) -> None:
    own(tmp_path, "like: aime24\n", "base.yaml")
    task = load_task(own(tmp_path, f"like: {other.format(folder=tmp_path.name)}\n"))
    assert task.dataset_path == load_task("aime24").dataset_path
    assert task.aliases == []


def test_files_beside_each_file_are_meant(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}")
    (tmp_path / "mine.py").write_text("")
    base = "dataset_path: rows.jsonl\nprompt: x\nscorer: mine.py:Mine\n"
    own(tmp_path, base, "base.yaml")
    task = load_task(own(tmp_path, "like: ../base.yaml\nversion: 2\n", "below/mine.yaml"))
    assert task.dataset_path == str(tmp_path / "rows.jsonl")
    assert task.scorer == f"{tmp_path / 'mine.py'}:Mine"
    assert task.version == 2


def test_chains_and_what_is_merged(tmp_path: Path) -> None:
    own(tmp_path, "like: livecodebench\nparameters: {release: v1, tone: kind}\n", "first.yaml")
    task = load_task(own(tmp_path, "like: first.yaml\nparameters: {tone: stern}\n"), {"end_date": "2024-01-01"})
    assert (task.parameters["release"], task.parameters["tone"]) == ("v1", "stern")
    assert task.parameters["end_date"] == "2024-01-01"
    assert len(task.dataset_kwargs["data_files"]["test"]) == 1


def test_another_dataset_drops_what_was_pinned_and_another_column_reaches_the_templates(tmp_path: Path) -> None:
    task = load_task(own(tmp_path, "like: gsm8k\ndataset_path: me/gsm8k\nquestion_key: q\n"))
    assert task.dataset_kwargs == {}
    assert "{{ row['q'] }}" in (task.prompt or "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("like: mine.yaml", r"mine\.yaml: like: goes round in a circle \(mine -> mine\)\."),
        ("like: other.yaml", r"mine\.yaml: like: goes round in a circle \(mine -> other -> mine\)\."),
        ("like: gsmk", r"mine\.yaml: like: unknown task 'gsmk'\. Did you mean 'gsm8k'"),
        ("like: none.yaml", r"mine\.yaml: like: task '.*none\.yaml': there is no such file\."),
        ("like: [gsm8k]", r"mine\.yaml: like: the name or file of another task, not \['gsm8k'\]"),
        ("like: bad.yaml", r"bad\.yaml: unknown key 'promt'"),
        ("lke: gsm8k", r"mine\.yaml: unknown key 'lke'\. Did you mean 'like'"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, text: str, says: str) -> None:
    own(tmp_path, "like: mine.yaml\n", "other.yaml")
    own(tmp_path, "like: gsm8k\npromt: x\n", "bad.yaml")
    with pytest.raises(UserError, match=says) as error:
        load_task(own(tmp_path, text + "\n"))
    assert "\n" not in str(error.value)


def test_it_is_no_option_of_the_command_line() -> None:
    with pytest.raises(UserError, match="--task-args: unknown key 'like'"):
        load_task("gsm8k", {"like": "math500"})


def test_no_long_text_stands_twice_in_the_library() -> None:
    lines = [line for name in task_names() for line in (load.LIBRARY / f"{name}.yaml").read_text().splitlines()]
    long = [line for line in lines if len(line) > 110]
    assert sorted(long) == sorted(set(long))

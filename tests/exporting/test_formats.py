"""The rows of each format, and what its trainer is told; that trainers load them is tested in test_trainers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from exports import rows_of, said_run

import skythought as st
from skythought.catalog import part_names
from skythought.grading.rewards import compute_score

THOUGHT = "<think>\nEasy.\n</think>\n\n\\boxed{1}"
USER = {"role": "user", "content": "What is 0 + 1?"}
SYSTEM = {"role": "system", "content": "Think."}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> st.Run:
    """One problem, a right response and a wrong one."""
    return said_run(tmp_path_factory.mktemp("run"), [[THOUGHT, "\\boxed{77}"]], system_prompt="Think.")


def only_row(run: st.Run, folder: Path, **options: Any) -> dict[str, Any]:
    row = rows_of(st.export(run, folder, **options))[0]
    del row["id"]
    return row


def reply(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def turn(who: str, text: str) -> dict[str, str]:
    return {"from": who, "value": text}


ASKED = turn("human", "What is 0 + 1?")


@pytest.mark.parametrize(
    ("format_", "kind", "row"),
    [
        ("trl", "sft", {"messages": [SYSTEM, USER, reply(THOUGHT)]}),
        ("trl", "completion", {"prompt": [SYSTEM, USER], "completion": [reply(THOUGHT)]}),
        ("trl", "dpo", {"prompt": [SYSTEM, USER], "chosen": [reply(THOUGHT)], "rejected": [reply("\\boxed{77}")]}),
        ("trl", "kto", {"prompt": [SYSTEM, USER], "completion": [reply(THOUGHT)], "label": True}),
        ("trl", "rl", {"prompt": [SYSTEM, USER], "data_source": "math_sums", "ground_truth": "1"}),
        ("messages", "sft", {"messages": [SYSTEM, USER, reply(THOUGHT)]}),
        ("sharegpt", "sft", {"conversations": [turn("system", "Think."), ASKED, turn("gpt", THOUGHT)]}),
        ("llamafactory", "sft", {"conversations": [ASKED, turn("gpt", THOUGHT)], "system": "Think."}),
        (
            "llamafactory",
            "dpo",
            {
                "conversations": [ASKED],
                "system": "Think.",
                "chosen": turn("gpt", THOUGHT),
                "rejected": turn("gpt", "\\boxed{77}"),
            },
        ),
        ("llamafactory", "kto", {"conversations": [ASKED, turn("gpt", THOUGHT)], "system": "Think.", "kto_tag": True}),
        ("axolotl", "sft", {"messages": [SYSTEM, USER, reply(THOUGHT)]}),
        (
            "axolotl",
            "dpo",
            {"messages": [SYSTEM, USER], "chosen": reply(THOUGHT), "rejected": reply("\\boxed{77}")},
        ),
        ("axolotl", "kto", {"system": "Think.", "prompt": "What is 0 + 1?", "completion": THOUGHT, "label": True}),
        (
            "verl",
            "rl",
            {
                "data_source": "math_sums",
                "prompt": [SYSTEM, USER],
                "ability": "math",
                "reward_model": {"style": "rule", "ground_truth": "1"},
                "extra_info": {"split": "train", "index": 0, "task": "sums", "problem_id": "0"},
            },
        ),
    ],
)
def test_rows(run: st.Run, tmp_path: Path, format_: str, kind: str, row: dict[str, Any]) -> None:
    assert only_row(run, tmp_path / "data", format=format_, kind=kind, files="jsonl") == row


def test_every_format_is_tested_and_its_first_kind_is_the_default(run: st.Run, tmp_path: Path) -> None:
    assert part_names("exporter") == ["axolotl", "llamafactory", "messages", "sharegpt", "trl", "verl"]
    for name in part_names("exporter"):
        exported = st.export(run, tmp_path / name, format=name)
        assert exported.files == (f"data/train-00000-of-00001.{'parquet' if name == 'verl' else 'jsonl'}",)


@pytest.mark.parametrize(
    ("name", "column"), [("prompt-completion", "completion"), ("dpo", "chosen"), ("grpo", "prompt")]
)
def test_trls_are_also_called_by_what_is_trained(run: st.Run, tmp_path: Path, name: str, column: str) -> None:
    assert column in only_row(run, tmp_path / "data", format=name)


def test_llamafactory_gets_its_entry(run: st.Run, tmp_path: Path) -> None:
    exported = st.export(run, tmp_path / "pairs", format="llamafactory", kind="dpo")
    info = json.loads((exported.path / "dataset_info.json").read_text(encoding="utf-8"))
    assert list(info) == ["pairs"]
    assert (exported.path / info["pairs"]["file_name"]).is_dir()
    assert info["pairs"]["ranking"] is True
    assert set(info["pairs"]["columns"].values()) <= set(rows_of(exported)[0])


@pytest.mark.parametrize("kind", ["sft", "dpo", "kto"])
def test_the_card_has_the_yaml_for_axolotl(run: st.Run, tmp_path: Path, kind: str) -> None:
    exported = st.export(run, tmp_path / "data", format="axolotl", kind=kind)
    text = (exported.path / "README.md").read_text(encoding="utf-8")
    [given] = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    config = yaml.safe_load(given)
    [dataset] = config["datasets"]
    assert (config.get("rl"), dataset["data_files"]) == (None if kind == "sft" else kind, list(exported.files))
    fields = dataset["type"] if kind == "kto" else dataset
    assert {value for name, value in fields.items() if name.startswith("field_")} <= set(rows_of(exported)[0])


@pytest.mark.parametrize(
    ("task", "answer", "right", "wrong"),
    [
        ({"scorer": "math"}, "\\boxed{1}", "so \\boxed{1}", "so \\boxed{2}"),
        ({"scorer": "choice", "choices": "['yes', 'no']", "target": "0"}, "Answer: A", "Answer: A", "Answer: B"),
        (
            {"scorer": {"code": {}}, "target": "{'kind': 'stdin', 'tests': [{'input': '1', 'output': '2'}]}"},
            "```python\nprint(2)\n```",
            "```python\nprint(int(input()) + 1)\n```",
            "```python\nprint(3)\n```",
        ),
    ],
)
@pytest.mark.parametrize("name", ["sums", "my_arc"])  # "arc" is a word for multiple choice
def test_problems_are_rewarded_as_the_run_was_scored(
    tmp_path: Path, task: dict[str, Any], answer: str, right: str, wrong: str, name: str
) -> None:
    run = said_run(tmp_path / "run", [[answer]], task={**task, "name": name})
    [row] = rows_of(st.export(run, tmp_path / "data", format="verl", files="jsonl"))
    given = (row["data_source"], row["reward_model"]["ground_truth"], row["extra_info"])
    assert [compute_score(given[0], text, given[1], given[2]) for text in (right, wrong)] == [1.0, 0.0]
    [row] = rows_of(st.export(run, tmp_path / "grpo", format="grpo"))
    card = (tmp_path / "grpo" / "README.md").read_text(encoding="utf-8")
    [call] = re.findall(r"reward_funcs=\[skythought\.(.*)\]", card)
    reward = eval(call, {"reward": st.reward})
    columns = {key: [value] * 2 for key, value in row.items() if key not in ("prompt", "id")}
    assert reward(prompts=[row["prompt"]] * 2, completions=[right, wrong], **columns) == [1.0, 0.0]


def test_a_format_of_ones_own_is_a_class_in_a_file(run: st.Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from skythought.exporting.exporter import Exporter\n"
        "class Alpaca(Exporter):\n"
        "    def sft(self, example):\n"
        "        return {'instruction': example.question, 'output': self.text(example)}\n",
        encoding="utf-8",
    )
    row = only_row(run, tmp_path / "data", format=f"{tmp_path / 'mine.py'}:Alpaca", thinking="drop")
    assert row == {"instruction": "What is 0 + 1?", "output": "\\boxed{1}"}

"""The task ifeval through whole runs: verdicts, the paper's four numbers, scoring again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import skythought as st

WANTED = [
    ("Say it without commas, in quotes.", ["punctuation:no_comma", "startend:quotation"], [{}, {}]),
    ("Use five words.", ["length_constraints:number_words"], [{"num_words": 5, "relation": "at least"}]),
]
NONE = {"num_words": None, "relation": None}
ROWS: list[dict[str, Any]] = [
    {"key": key, "prompt": prompt, "instruction_id_list": names, "kwargs": [{**NONE, **args} for args in kwargs]}
    for key, (prompt, names, kwargs) in enumerate(WANTED)
]
ANSWERS = [
    ['"Said"', "Here:\n**Said**"],
    ["<think>\none two three four five", "<think>\nfive?\n</think>\n\nThere are five words here"],
]
METRICS = {
    "prompt_level_strict": 0.5,
    "inst_level_strict": 0.6667,  # 2 + 1 of 4 instructions of the first problem, 0 + 1 of 2 of the second
    "prompt_level_loose": 0.5,
    "inst_level_loose": 0.6667,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = {
        str(number): {
            **row,
            "_index": str(number),
            "responses": [{"content": answer, "correctness": None, "reason": None} for answer in answers],
            "token_usages": [{"completion_tokens": 1, "prompt_tokens": 1}] * 2,
        }
        for number, (row, answers) in enumerate(zip(ROWS, ANSWERS, strict=True))
    }
    (tmp_path / "results.json").write_text(json.dumps(records), encoding="utf-8")
    return tmp_path


def test_scoring_a_folder(folder: Path) -> None:
    run = st.score("ifeval", folder)
    assert [sample.verdict for sample in run] == ["correct", "wrong", "unparsed", "correct"]
    assert run.accuracy == 0.5
    assert run.statistics["metrics"] == METRICS
    assert [sample.fraction for sample in run if sample.fraction is not None] == [1.0, 0.5, 1.0]
    again = st.score("ifeval", folder)
    assert again.statistics["metrics"] == METRICS


def test_the_table_shows_them(cli: Any, folder: Path) -> None:
    done = cli("score", "--task", "ifeval", "--run-dir", folder)
    assert done.returncode == 0, done.stderr
    assert "inst level loose" in done.stdout
    assert "66.7%" in done.stdout


@pytest.mark.engine
def test_a_run_of_the_tiny_model(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    run = st.evaluate(
        "ifeval",
        model="tiny",
        backend="transformers",
        task_args={"dataset_path": str(rows)},
        sampling_params={"max_tokens": 64},
        result_dir=tmp_path,
    )
    assert run.statistics["metrics"].keys() == METRICS.keys()
    assert run.statistics["metrics"]["prompt_level_strict"] == run.accuracy
    assert all("instructions followed" in (sample.reason or "") for sample in run)

"""Reading runs: finished, unfinished, of an older or a newer format."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO

import skythought as st
from skythought.types import sample_seed

SETTINGS: dict[str, Any] = {
    "model": "echo",
    "backend": ECHO,
    "sampling_params": {"temperature": 1.0, "max_tokens": 256},
    "n": 2,
    "end": 8,
}


def unfinished(tmp_path: Path, answers: int = 5) -> Path:
    """A run that ended after so many of its 16 answers."""
    with pytest.raises(st.BackendError, match="died away"):
        st.evaluate("arithmetic", **SETTINGS, backend_args={"die_after": answers}, batch_size=1, result_dir=tmp_path)
    [path] = tmp_path.glob("echo_arithmetic_*")
    return path


def test_an_unfinished_run_shows_what_is_there(tmp_path: Path) -> None:
    path = unfinished(tmp_path)
    assert not (path / "summary.json").exists()
    run = st.Run(path)
    samples = list(run)
    assert [(sample.problem_id, sample.sample) for sample in samples] == [
        ("0", 0),
        ("0", 1),
        ("1", 0),
        ("1", 1),
        ("2", 0),
    ]
    assert all(sample.content and sample.row["question"] for sample in samples)
    counts = run.statistics["samples"]
    assert counts["total"] == 5
    assert counts.get("unscored", 0) == sum(sample.verdict is None for sample in samples)
    assert len(run.to_pandas()) == 5


def test_an_unfinished_run_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    from skythought.runs.lock import Lock

    path = unfinished(tmp_path)
    with (path / "responses.jsonl").open("ab") as file:
        file.write(b'{"id": "2", "sample": 1, "error": null, "content": "half a li')
    before = (path / "responses.jsonl").read_bytes()
    with Lock(path):
        assert len(list(st.Run(path))) == 5
    assert (path / "responses.jsonl").read_bytes() == before


def test_the_summary_follows_the_journals(run_copy: Path) -> None:
    assert st.Run(run_copy).statistics["samples"]["total"] == 16
    lines = (run_copy / "scores.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run_copy / "scores.jsonl").write_text("".join(lines[:-4]), encoding="utf-8")
    run = st.Run(run_copy)
    assert run.statistics["samples"]["unscored"] == 4
    assert sum(sample.verdict is None for sample in run) == 4


def test_a_sample_has_all_that_an_exporter_needs(tmp_path: Path) -> None:
    task = tmp_path / "sums.yaml"
    task.write_text(
        "dataset_path: sums.jsonl\nprompt: 'Add: {{ question }}'\ntarget: answer\nscorer: math\n"
        "few_shot: {count: 1, answer: '\\boxed{{ \"{\" }}{{ answer }}}', as_turns: true,\n"
        "  rows: [{question: 9 and 9, answer: '18'}]}\n",
        encoding="utf-8",
    )
    (tmp_path / "sums.jsonl").write_text('{"question": "1 and 1", "answer": "2"}\n', encoding="utf-8")
    settings = {**SETTINGS, "n": 1, "end": 1, "system_prompt": "Be brief.", "assistant_prefill": "<think>\nWell"}
    [sample] = st.evaluate(str(task), **settings, result_dir=tmp_path)
    assert [turn["role"] for turn in sample.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert sample.messages[0]["content"] == "Be brief."
    assert sample.messages[-1]["content"] == "<think>\nWell"
    assert sample.content.startswith("<think>\nWellSeed ")
    assert sample.prompt == "Add: 1 and 1"
    assert (sample.problem.target, sample.finish_reason, sample.seed) == ("2", "stop", sample_seed(41, sample.key))
    assert sample.completion_tokens > 0
    assert sample.prompt_tokens > 0
    assert (sample.verdict, sample.answer, sample.correct) in [("correct", "2", True), ("wrong", "3", False)]
    assert sample.reason


def test_a_folder_of_version_0_2_0_is_read_and_goes_on(run_copy: Path) -> None:
    """Its run.json names no format; the lines of its journals are the same."""
    manifest = json.loads((run_copy / "run.json").read_text(encoding="utf-8"))
    assert manifest.pop("format") == 2
    (run_copy / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert len(list(st.Run(run_copy))) == 16
    run = st.evaluate("arithmetic", **{**SETTINGS, "n": 3}, resume_from=run_copy)
    assert len(list(run)) == 24


def test_a_newer_format_is_refused_in_one_line(run_copy: Path) -> None:
    manifest = json.loads((run_copy / "run.json").read_text(encoding="utf-8"))
    (run_copy / "run.json").write_text(json.dumps({**manifest, "format": 3}), encoding="utf-8")
    before = {file.name: file.read_bytes() for file in run_copy.iterdir()}
    with pytest.raises(st.RunFolderError, match=r"format is 3.*reads formats up to 2.*update skythought"):
        list(st.Run(run_copy))
    with pytest.raises(st.RunFolderError, match="update skythought"):
        st.evaluate("arithmetic", **SETTINGS, resume_from=run_copy)
    assert {file.name: file.read_bytes() for file in run_copy.iterdir() if file.name != ".lock"} == {
        name: data for name, data in before.items() if name != ".lock"
    }


def test_a_folder_without_a_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(st.RunFolderError, match=r"holds no run: neither run.json nor results.json"):
        st.Run(tmp_path)


def test_the_table_of_an_unfinished_run_says_how_much_is_there(tmp_path: Path) -> None:
    from rich.console import Console

    from skythought.display.tables import result_table

    path = unfinished(tmp_path)
    st.score("arithmetic", path)
    run = st.Run(path)
    assert run.statistics["samples_pending"] == 11
    assert run.statistics["pass_at_k_problems"] == {"k=2": 2, "k=1": 3}
    console = Console(record=True, width=100)
    console.print(result_table(run))
    text = console.export_text()
    assert "5 of 16 (31%)" in text
    assert re.search(r"pass@2 .*, 2 problems ", text)
    assert "±" not in text

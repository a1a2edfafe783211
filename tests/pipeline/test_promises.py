"""What a run promises of its requests, its journals and its secrets; no model is needed to see it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO

import skythought as st
from skythought.types import SampleKey, sample_seed

SETTINGS: dict[str, Any] = {
    "model": "echo",
    "backend": ECHO,
    "sampling_params": {"temperature": 1.0, "max_tokens": 256},
    "end": 4,
}


def asked(log: Path) -> list[tuple[str, int, int]]:
    """Problem, sample and seed of each request that reached the backend."""
    lines = [line.split() for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    return [(problem, int(sample), int(seed)) for problem, sample, seed in lines]


def test_seeds_depend_on_run_seed_problem_and_sample_alone(tmp_path: Path) -> None:
    expected = {("0", 0): 954614430, ("3", 1): sample_seed(41, SampleKey("3", 1))}
    for batch_size in (1, 64):
        log = tmp_path / f"log{batch_size}"
        settings = {**SETTINGS, "backend_args": {"log": str(log)}, "batch_size": batch_size}
        st.evaluate("arithmetic", **settings, n=2, result_dir=tmp_path / str(batch_size))
        seeds = {(problem, sample): seed for problem, sample, seed in asked(log)}
        assert len(seeds) == 8
        assert {key: seeds[key] for key in expected} == expected
    assert sorted(asked(tmp_path / "log1")) == sorted(asked(tmp_path / "log64"))


def test_what_failed_is_asked_again_and_nothing_else(tmp_path: Path) -> None:
    first = {**SETTINGS, "backend_args": {"fail": "2"}}
    run = st.evaluate("arithmetic", **first, n=2, result_dir=tmp_path)
    assert run.statistics["samples"]["failed"] == 2
    assert {sample.reason for sample in run if sample.verdict == "failed"} == {"failed: ValueError: no echo"}
    settings = {**SETTINGS, "backend_args": {"log": str(tmp_path / "log"), "fail": ""}}
    again = st.evaluate("arithmetic", **settings, n=2, resume_from=run.path)
    assert {(problem, sample) for problem, sample, _ in asked(tmp_path / "log")} == {("2", 0), ("2", 1)}
    assert "failed" not in again.statistics["samples"]


def test_a_backend_that_dies_keeps_what_was_answered(tmp_path: Path) -> None:
    settings = {**SETTINGS, "batch_size": 1}
    with pytest.raises(st.BackendError, match="died away"):
        st.evaluate("arithmetic", **settings, backend_args={"die_after": 3}, n=2, result_dir=tmp_path)
    log = tmp_path / "log"
    run = st.evaluate("arithmetic", **settings, backend_args={"log": str(log)}, n=2, result_dir=tmp_path, resume=True)
    assert len(asked(log)) == 5
    whole = st.evaluate("arithmetic", **settings, n=2, result_dir=tmp_path / "whole")
    assert (run.path / "results.json").read_bytes() == (whole.path / "results.json").read_bytes()


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 7},
        {"sampling_params": {"temperature": 0.9, "max_tokens": 256}},
        {"system_prompt": "Think."},
        {"model": "another"},
        {"task_args": {"prompt": "Solve: {{ question }}"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_changes_answers_is_another_folder(tmp_path: Path, changed: dict[str, Any]) -> None:
    before = st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path)
    after = st.evaluate("arithmetic", **{**SETTINGS, **changed}, result_dir=tmp_path)
    assert before.path != after.path
    assert before.statistics["fingerprint"] != after.statistics["fingerprint"]


@pytest.mark.parametrize(
    "changed",
    [{"n": 2}, {"end": 6}, {"batch_size": 3}, {"task_args": {"scorer": {"math": {"kind": "integer"}}}}],
    ids=lambda changed: next(iter(changed)),
)
def test_what_only_changes_how_many_or_how_fast_is_the_same_folder(tmp_path: Path, changed: dict[str, Any]) -> None:
    before = st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path)
    after = st.evaluate("arithmetic", **{**SETTINGS, **changed}, result_dir=tmp_path, resume=True)
    assert before.path == after.path


def test_the_run_of_another_task_is_not_scored(run_copy: Path) -> None:
    before = (run_copy / "results.json").read_bytes()
    with pytest.raises(st.UserError, match=r"task='gsm8k': the run was made for task 'arithmetic'"):
        st.score("gsm8k", run_copy)
    assert (run_copy / "results.json").read_bytes() == before


def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "from skythought.scorers import Scorer\n"
        "from skythought.types import Score\n"
        "@dataclass(frozen=True)\n"
        "class Mine(Scorer):\n"
        "    api_key: str = ''\n"
        "    strict: bool = False\n"
        "    def score(self, problem, answer):\n"
        "        return Score(self.api_key == 'sk-hidden', 'looked', 'x')\n",
        encoding="utf-8",
    )
    scorer = {f"{tmp_path / 'mine.py'}:Mine": {"api_key": "sk-hidden", "strict": True}}
    settings = {**SETTINGS, "task_args": {"scorer": scorer}}
    run = st.evaluate("arithmetic", **settings, n=2, result_dir=tmp_path / "runs")
    assert run.accuracy == 1.0, "the scorer had its key"
    resumed = st.evaluate("arithmetic", **{**settings, "end": 6}, n=2, resume_from=run.path)
    assert resumed.accuracy == 1.0, "and has it again on resume"
    for file in run.path.iterdir():
        assert b"sk-hidden" not in file.read_bytes(), file.name
    assert resumed.statistics["scored_with"]["scorer"] == {f"{tmp_path / 'mine.py'}:Mine": {"strict": True}}
    passes = [line for line in (run.path / "scores.jsonl").read_text(encoding="utf-8").splitlines() if '"pass"' in line]
    assert len(passes) == 1, "resuming scored only what was new"


def test_what_a_backend_says_is_shown_the_moment_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "talker.py").write_text(
        "import asyncio\n"
        "from skythought.backends.base import ConcurrentBackend\n"
        "class Talker(ConcurrentBackend):\n"
        "    async def __aenter__(self):\n"
        "        self.say('loading takes a while')\n"
        "        await asyncio.sleep(0.2)\n"
        "        return self\n"
        "    async def answer(self, request):\n"
        "        self.say('waiting for the endpoint')\n"
        "        await asyncio.sleep(0.2)\n"
        "        return request.response('5', finish_reason='stop')\n",
        encoding="utf-8",
    )
    said: list[tuple[str, bool]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            journals = list((tmp_path / "runs").glob("*/responses.jsonl"))
            said.append((record.getMessage(), any(journal.stat().st_size for journal in journals)))

    handler = Handler()
    logging.getLogger("skythought").addHandler(handler)
    try:
        settings = {**SETTINGS, "backend": f"{tmp_path / 'talker.py'}:Talker", "end": 1}
        st.evaluate("arithmetic", **settings, result_dir=tmp_path / "runs")
    finally:
        logging.getLogger("skythought").removeHandler(handler)
    told = dict(said)
    assert told["loading takes a while"] is False
    assert told["waiting for the endpoint"] is False, "said before there was any answer"


def test_every_line_of_a_journal_is_a_record(run_copy: Path) -> None:
    responses = [json.loads(line) for line in (run_copy / "responses.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(responses[0]) == [
        "id",
        "sample",
        "error",
        "content",
        "reasoning",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "thinking_open",
        "seconds",
        "finished",
        "crc",
    ]
    scores = [json.loads(line) for line in (run_copy / "scores.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(scores[0]) == ["pass", "crc"]
    assert list(scores[1]) == [
        "id",
        "sample",
        "of",
        "error",
        "correct",
        "reason",
        "answer",
        "verdict",
        "fraction",
        "details",
        "crc",
    ]


def test_a_scorer_gets_the_row_if_it_wants_it_and_is_spared_it_otherwise(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "from skythought.scorers import Scorer\n"
        "from skythought.types import Score\n"
        "@dataclass(frozen=True)\n"
        "class Spared(Scorer):\n"
        "    def score(self, problem, answer):\n"
        "        return Score('question' in problem.row and problem.prompt != '', 'looked', 'x')\n"
        "@dataclass(frozen=True)\n"
        "class Wanting(Spared):\n"
        "    uses_row: ClassVar[bool] = True\n",
        encoding="utf-8",
    )
    accuracies = {}
    for name in ("Spared", "Wanting"):
        settings = {**SETTINGS, "task_args": {"scorer": f"{tmp_path / 'mine.py'}:{name}"}}
        accuracies[name] = st.evaluate("arithmetic", **settings, result_dir=tmp_path / name).accuracy
    assert accuracies == {"Spared": 0.0, "Wanting": 1.0}


def test_a_run_never_shrinks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    st.evaluate("arithmetic", **SETTINGS, n=3, result_dir=tmp_path)
    run = st.evaluate("arithmetic", **{**SETTINGS, "end": 2}, n=2, result_dir=tmp_path, resume=True)
    assert len(list(run)) == 12
    assert "the run covers start=0 end=4 n=3" in caplog.text

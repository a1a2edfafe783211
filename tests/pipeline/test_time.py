"""What a run records of the time that it took, and what it tells in its log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO
from rule_backend import NAME as RULES

import skythought as st
from skythought.backends.vllm.processes import EngineProcesses
from skythought.pipeline.clock import Clock
from skythought.runs.sessions import Session, read_sessions, time_of, write_sessions
from skythought.types import Response, SampleKey

SETTINGS: dict[str, Any] = {"model": "echo", "backend": ECHO, "sampling_params": {"temperature": 1.0}}


def test_the_summary_tells_where_the_time_went(tmp_path: Path) -> None:
    run = st.evaluate("arithmetic", **SETTINGS, n=2, end=4, result_dir=tmp_path)
    spent = run.statistics["time"]
    assert spent["seconds"].keys() == {"dataset", "engine", "generating", "scoring"}
    assert spent["wall_seconds"] == pytest.approx(sum(spent["seconds"].values()), abs=0.5)
    assert spent["sessions"] == 1
    assert spent["tokens_per_second"] > 0
    (session,) = read_sessions(run.path)
    assert session.answers == 8
    assert session.completion_tokens == run.summary["total_completion_tokens"]
    assert json.loads((run.path / "summary.json").read_bytes())["configuration"]["skythought"]["time"] == spent


def test_the_sessions_of_a_resumed_run_add_up(tmp_path: Path) -> None:
    first = st.generate("arithmetic", **SETTINGS, end=4, result_dir=tmp_path)
    assert "scoring" not in first.statistics["time"]["seconds"] or not first.accuracy
    more = st.evaluate("arithmetic", **SETTINGS, end=6, resume=True, result_dir=tmp_path)
    assert [one.answers for one in read_sessions(more.path)] == [4, 2]
    scored = st.score(None, more.path)
    spent = scored.statistics["time"]
    assert spent["sessions"] == 3
    kept = read_sessions(more.path)
    assert set(kept[2].seconds) == {"scoring"}
    total = sum(value for one in kept for value in one.seconds.values())
    assert spent["wall_seconds"] == pytest.approx(total, abs=0.1)


def test_time_is_counted_once_and_kept_while_it_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [100.0]
    monkeypatch.setattr("skythought.pipeline.clock.time.monotonic", lambda: now[0])
    clock = Clock(tmp_path, dataset=2.0)

    def spend(seconds: float) -> None:
        now[0] += seconds

    clock.begin("engine")
    spend(20)
    clock.begin("generating")
    assert read_sessions(tmp_path)[0].seconds == {"dataset": 2.0, "engine": 20.0}
    spend(30)
    clock.answered(Response(key=SampleKey("1", 0), completion_tokens=60))
    assert read_sessions(tmp_path)[0].seconds["generating"] == 30.0, "what a killed process leaves"
    spend(10)
    clock.end()
    spend(1000)  # another run is worked on
    clock.begin("scoring")
    spend(5)
    clock.end()
    (session,) = read_sessions(tmp_path)
    assert session.seconds == {"dataset": 2.0, "engine": 20.0, "generating": 40.0, "scoring": 5.0}
    assert time_of([session, session]) == {
        "wall_seconds": 134.0,
        "seconds": {"dataset": 4.0, "engine": 40.0, "generating": 80.0, "scoring": 10.0},
        "sessions": 2,
        "tokens_per_second": 1.5,
    }


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"began": "x", "seconds": {"engine": "long"}}]', "null"])
def test_a_damaged_file_of_sessions_decides_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "sessions.json").write_text(text, encoding="utf-8")
    assert time_of(read_sessions(tmp_path)) is None
    write_sessions(tmp_path, [Session(began="2026-01-31T09:30:00Z", seconds={"engine": 1.0})])
    assert len(read_sessions(tmp_path)) == 1


def test_the_log_tells_everything_and_grows_on_resume(tmp_path: Path) -> None:
    fails = {"backend_args": {"fail": "2"}}
    run = st.evaluate("arithmetic", **SETTINGS, **fails, end=4, result_dir=tmp_path)
    log = (run.path / "run.log").read_text(encoding="utf-8")
    for told in (
        "loading the dataset of arithmetic",
        f"starting {ECHO} with echo",
        "failed: problem 2, sample 0: ValueError: no echo",
        "finished: results are written, accuracy",
    ):
        assert f"Z {told}" in log
    st.evaluate("arithmetic", **SETTINGS, end=5, resume=True, result_dir=tmp_path)
    both = (run.path / "run.log").read_text(encoding="utf-8")
    assert both.startswith(log)
    assert both.count("-- opened with python") == 2
    st.score(None, run.path)
    assert (run.path / "run.log").read_text(encoding="utf-8").count("finished") == 2
    with pytest.raises(st.UserError):
        st.evaluate("arithmetic", **SETTINGS, end=4, result_dir=tmp_path)
    assert (run.path / "run.log").read_text(encoding="utf-8").count("-- opened") == 2, "what is refused is not logged"


def test_no_secret_is_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "leaky.py").write_text(
        "from skythought.backends.base import ConcurrentBackend\n"
        "class Leaky(ConcurrentBackend):\n"
        "    async def answer(self, request):\n"
        "        self.say('asking https://me:hunter2@host/v1?token=t0psecret')\n"
        "        raise ValueError('refused with key sk-abcdefghijklmnop1234')\n",
        encoding="utf-8",
    )
    leaky = {**SETTINGS, "backend": f"{tmp_path / 'leaky.py'}:Leaky"}
    run = st.evaluate("arithmetic", **leaky, end=2, result_dir=tmp_path / "runs")
    log = (run.path / "run.log").read_text(encoding="utf-8")
    assert "asking https://host/v1" in log
    assert "refused with key ***" in log
    assert not any(secret in log for secret in ("hunter2", "t0psecret", "sk-abc"))


def test_asking_a_judge_has_a_time_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "say.yaml").write_text(
        'dataset_path: rows.jsonl\nprompt: "{{ q }}"\ntarget: a\nscorer: model_graded\n', encoding="utf-8"
    )
    (tmp_path / "rows.jsonl").write_text('{"q": "say right", "a": "right"}\n', encoding="utf-8")
    settings = {"model": "any", "backend": RULES, "result_dir": tmp_path / "runs"}
    run = st.evaluate(str(tmp_path / "say.yaml"), **settings)
    assert "judging" in run.statistics["time"]["seconds"]
    assert "say: asking the judge" in (run.path / "run.log").read_text(encoding="utf-8")


def test_what_an_engine_printed_is_kept_without_secrets(tmp_path: Path) -> None:
    for number in range(2):
        processes = EngineProcesses()
        assert processes.log is not None
        processes.log.write_text(f"start {number} with hf_abcdefghijklmnop1234\n", encoding="utf-8")
        processes.append_log(tmp_path / "engine.log")
        processes.append_log(tmp_path / "nowhere" / "engine.log")
        processes.end()
    assert (tmp_path / "engine.log").read_text(encoding="utf-8") == "start 0 with ***\nstart 1 with ***\n"

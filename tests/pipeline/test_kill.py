"""`kill -9` in the middle of a run, then the same command with --resume."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import skythought as st

pytestmark = pytest.mark.engine

ARGS = [
    "--task",
    "arithmetic",
    "--model",
    "tiny",
    "--backend",
    "transformers",
    "--end",
    "10",
    "--n",
    "4",
    "--batch-size",
    "8",
]
SAMPLING = ["--sampling-params", "temperature=1,max_tokens=200"]
DEADLINE_S = 200


def journal_lines(folder):
    journals = list(folder.glob("*/responses.jsonl"))
    return journals[0].read_bytes().count(b"\n") if journals else 0


def run_until(folder, lines, stop=signal.SIGKILL):
    """Start or resume the run and stop it, with everything it started, when the journal has so many lines."""
    process = subprocess.Popen(
        [sys.executable, "-m", "skythought", "evaluate", *ARGS, *SAMPLING, "--resume", "--result-dir", folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + DEADLINE_S
    while process.poll() is None and journal_lines(folder) < lines:
        assert time.monotonic() < deadline, "the run makes no progress"
        time.sleep(0.01)
    if process.poll() is None:
        os.killpg(process.pid, stop)
    _, said = process.communicate()
    return process.returncode, said


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path):
    broken = tmp_path / "broken"
    for lines in (1, 13, 27):
        run_until(broken, lines)
    [folder] = broken.iterdir()
    assert not (folder / "summary.json").exists()
    assert 27 <= journal_lines(broken) < 40
    run_until(broken, 10**9)

    settings = {"sampling_params": {"temperature": 1, "max_tokens": 200}, "n": 4, "end": 10, "batch_size": 8}
    whole = st.evaluate("arithmetic", model="tiny", backend="transformers", **settings, result_dir=tmp_path / "whole")
    assert (folder / "results.json").read_bytes() == (whole.path / "results.json").read_bytes()
    asked = [json.loads(line) for line in (folder / "responses.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({(line["id"], line["sample"]) for line in asked}) == len(asked) == 40


def test_ctrl_c_is_one_line_and_exit_code_130(tmp_path):
    code, said = run_until(tmp_path, 3, stop=signal.SIGINT)
    assert code == 130
    assert said.splitlines()[-1].startswith("skythought: interrupted.")
    assert "Traceback" not in said
    assert 3 <= journal_lines(tmp_path) < 40

"""`skythought metrics`, and `--k` where a run is made or scored."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO

import skythought as st

NAMES = ["accuracy", "pass@2", "pass^2", "G-Pass@2_0.5", "G-Pass@2_0.75", "mG-Pass@2", "maj@2", "Bayes@2"]


def test_the_table_has_each_metric_with_its_interval(cli: Any, finished_run: Path) -> None:
    done = cli("metrics", finished_run, "--k", "1,2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "95% intervals" in lines[0]
    assert lines[1].split() == ["metric", "other", "problems", "these", "asked", "again", "problems"]
    assert [line.split()[0] for line in lines[2:]] == NAMES
    assert "accuracy = mean@2 = pass@1" in lines[2]


def test_programs_get_json_csv_and_markdown(cli: Any, finished_run: Path) -> None:
    metrics = st.Run(finished_run).metrics(2, level=0.9)
    [made] = json.loads(cli("metrics", finished_run, "--k", 2, "--level", 0.9, "--format", "json").stdout)
    assert (made["run"], made["confidence"], list(made["metrics"])) == (finished_run.name, 0.9, NAMES)
    assert made["metrics"] == metrics.record()
    rows = list(csv.DictReader(cli("metrics", finished_run, "--k", 2, "--format", "csv").stdout.splitlines()))
    assert [row["metric"] for row in rows] == NAMES
    assert float(rows[1]["value"]) == metrics["pass@2"].value
    assert float(rows[0]["asked_again_low"]) < float(rows[0]["value"]) < float(rows[0]["interval_high"])
    lines = cli("metrics", finished_run, "--k", 2, "--format", "markdown").stdout.splitlines()
    assert {line.count("|") for line in lines[2:]} == {6}


@pytest.mark.parametrize("again", [False, True])
def test_k_is_chosen_with_the_run_or_when_it_is_scored(cli: Any, tmp_path: Path, again: bool) -> None:
    settings = ("--model", "any", "--backend", ECHO, "--sampling-params", "temperature=1", "--n", 4, "--end", 3)
    done = cli("evaluate", "--task", "arithmetic", *settings, *([] if again else ["--k", "3,1"]))
    assert done.returncode == 0, done.stderr
    [folder] = tmp_path.glob("any_arithmetic_*")
    if again:
        assert st.Run(folder).statistics["k"] is None
        done = cli("score", "--task", "arithmetic", "--run-dir", folder, "--k", "3,1")
        assert done.returncode == 0, done.stderr
    run = st.Run(folder)
    assert run.statistics["k"] == [3, 1]
    assert list(run.statistics["estimates"]) == [name.replace("2", "3", 1) for name in NAMES[:-1]] + ["Bayes@4"]
    assert list(run.pass_at_k or {}) == ["k=4", "k=2", "k=1"], "the reference's own stays as it is"
    for name in run.statistics["estimates"]:
        assert name in done.stdout
    assert "on these same problems, asked again" in done.stdout


def test_from_python_k_is_a_number_or_several(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"model": "any", "backend": ECHO, "sampling_params": {"temperature": 1.0}, "end": 2}
    run = st.evaluate("arithmetic", **settings, n=4, k=3, result_dir=tmp_path)
    assert "maj@3" in run.statistics["estimates"]
    assert "pass@2" in st.score("arithmetic", run.path, k=[2]).statistics["estimates"]
    with pytest.raises(st.UserError, match=r"k=9: that takes 9 samples a problem, and the run has 4"):
        st.score("arithmetic", run.path, k=9)
    with pytest.raises(st.UserError, match=r"k=2: that takes 2 samples a problem, and the run has one"):
        st.evaluate("arithmetic", **settings, k=[2], result_dir=tmp_path / "other")

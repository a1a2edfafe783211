"""`skythought compare`: its output in every format, and exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from made_runs import made_run, one_sample

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [
        made_run(tmp_path / name, one_sample(n, 60 - n)) for name, n in (("base", 30), ("tuned", 45), ("x_&<|b", 31))
    ]


def test_the_first_line_is_the_sentence(cli: Cli, runs: list[Path]) -> None:
    done = cli("compare", *runs[:2])
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("tuned is better than base on sums by 25.0 points (")
    table = next(line for line in lines if line.startswith("sums"))
    assert re.split(r"\s{2,}", table.strip())[:5] == ["sums", "60", "50.0%", "75.0%", "+25.0"]
    assert "15/0" in table
    assert "1/1 right" in done.stdout
    assert "model.name" in done.stdout


def test_three_runs_have_a_table_of_all_pairs(cli: Cli, runs: list[Path]) -> None:
    done = cli("compare", *runs, "--names", "a, b, c", "--flips", 0)
    assert done.returncode == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if re.match(r"[abc]  ", line)}
    assert rows == {"a": ["·", "-25.0*", "-1.7"], "b": ["+25.0*", "·", "+23.3*"], "c": ["+1.7", "-23.3*", "·"]}
    assert "largest changes" not in done.stdout


def test_json_is_the_record(cli: Cli, runs: list[Path]) -> None:
    record = json.loads(cli("compare", *runs[:2], "--format", "json").stdout)
    assert record["format"] == 1
    assert record["pairs"][0]["tasks"][0]["estimate"]["difference"] == pytest.approx(0.25)


def test_csv_has_a_line_for_each_pair_and_task(cli: Cli, runs: list[Path]) -> None:
    lines = list(csv.DictReader(io.StringIO(cli("compare", *runs, "--format", "csv").stdout)))
    assert [(line["first_name"], line["second_name"]) for line in lines] == [
        ("base", "tuned"),
        ("base", "x_&<|b"),
        ("tuned", "x_&<|b"),
    ]
    assert float(lines[0]["difference"]) == pytest.approx(0.25)
    assert (lines[0]["conclusion"], lines[0]["gained"], lines[0]["lost"]) == ("better", "15", "0")


def test_markdown_escapes_what_comes_from_outside(cli: Cli, runs: list[Path]) -> None:
    text = cli("compare", runs[0], runs[2], "--format", "markdown").stdout
    assert text.startswith(r"base and x\_&amp;&lt;\|b cannot be told apart")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1, block


def test_latex_is_a_table_that_can_be_set(cli: Cli, runs: list[Path]) -> None:
    text = cli("compare", runs[0], runs[2], "--format", "latex").stdout
    assert r"x\_\&\textless{}|b" in text
    for environment in ("table", "tabular"):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}") > 0
    for body in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.DOTALL):
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1


@pytest.mark.parametrize(
    ("policy", "code", "said"),
    [
        ("must_win: [sums]\n", 0, "gate passed: 1 check\n"),
        ("every_task: {no_loss_over: 1}\n", 0, "passed: sums: +25.0 points"),
        (
            "every_task: {unparsed: 1}\n",
            3,
            "FAILED: sums: an unknown share of the answers are unparsed: it is not recorded",
        ),
    ],
)
def test_a_gate_has_an_exit_code_of_its_own(
    cli: Cli, runs: list[Path], tmp_path: Path, policy: str, code: int, said: str
) -> None:
    (tmp_path / "gate.yaml").write_text(policy, encoding="utf-8")
    done = cli("compare", *runs[:2], "--gate", "gate.yaml")
    assert done.returncode == code
    assert said in done.stdout
    done = cli("compare", *runs[:2], "--gate", "gate.yaml", "--format", "json")
    assert done.returncode == code
    assert json.loads(done.stdout)["format"] == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["base", "nowhere"], "'nowhere' is no folder"),
        (["base"], "two runs are wanted"),
        (["base", "tuned", "--format", "jsn"], "unknown format 'jsn'. Did you mean 'json'"),
        (["base", "tuned", "--gate", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["base", "tuned", "--margin", "-1"], "margin: points above 0"),
        (["base", "tuned", "--allow", "all"], "unknown kind of difference"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_a_mistake_is_one_line_and_exit_code_2(cli: Cli, options: list[Any], said: str) -> None:
    done = cli("compare", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1

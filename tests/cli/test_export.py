"""`skythought export`: what it prints, and how options are typed."""

from __future__ import annotations

import json
from pathlib import Path

from exports import said_run


def test_it_prints_what_each_step_kept_and_where_the_data_is(cli, tmp_path: Path) -> None:
    said_run(tmp_path / "run", [["\\boxed{1}"], ["\\boxed{77}"], ["\\boxed{3}"]])
    options = ["--drop", "looping,truncated", "--columns", "target,tokens", "--quota", "*=1", "--per-problem", "2"]
    done = cli("export", "run", "-o", "data", *options)
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines() if line.startswith(("asked", "right", "quota"))] == [
        ["asked", "3"],
        ["right", "2", "1", "wrong"],
        ["quota", "of", "its", "subset", "1", "1", "no", "subset:", "full"],
    ]
    assert done.stdout.endswith("1 row in 1 file: data\n")
    [line] = (tmp_path / "data" / "data" / "train-00000-of-00001.jsonl").read_text(encoding="utf-8").splitlines()
    assert {name: json.loads(line)[name] for name in ("target", "tokens")} == {"target": "1", "tokens": 7}
    card = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    assert 'Options: `columns = ["target", "tokens"]`, `per_problem = 2`, `drop = ["looping", "truncated"]`' in card


def test_mistakes_are_one_line_and_exit_code_2(cli, tmp_path: Path) -> None:
    said_run(tmp_path / "run", [["\\boxed{1}"]])
    done = cli("export", "run", "-o", "data", "--format", "axolotol")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "unknown exporter 'axolotol'. Did you mean 'axolotl'?" in done.stderr
    assert cli("export", "run").returncode == 2

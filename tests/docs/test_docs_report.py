"""docs/report.md: its commands are run with the bundled model, and every key, sign and plot is told."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from pages import Page
from places import ROOT

import skythought as st
from skythought.runs.marks import Mark

PAGE = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
[COMMANDS] = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.engine
def test_the_commands_work_in_their_order(cli, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    commands = COMMANDS.splitlines()
    made = [cli(*command.split()[1:]) for command in commands[:2]]
    assert [one.returncode for one in made] == [0, 0], made[-1].stderr
    paths = sorted((path for path in (tmp_path / "runs").iterdir()), key=lambda path: path.stat().st_ctime)
    named = {"RUN_A": f"runs/{paths[0].name}", "RUN_B": f"runs/{paths[1].name}"}
    done = [cli(*(named.get(word, word) for word in command.split()[1:])) for command in commands[2:]]
    assert [one.returncode for one in done] == [0, 0, 0, 0], done[-1].stderr
    assert done[0].stdout.count("arithmetic") >= 2
    assert re.match(r"report\.html: \d+ KB, 120 samples", done[1].stdout)
    assert Page(tmp_path / "both.html").index["comparison"]["names"] == ["temperature=1.0", "temperature=0.3"]
    assert done[3].stdout.count(": wrong") == 3


def test_every_key_is_told(run_copy: Path) -> None:
    assert [entry.name for entry in fields(Mark) if f"`{entry.name}`" not in PAGE] == []
    plots = [name for name in dir(st.Run) if name.startswith("plot_")]
    assert len(plots) == 3
    assert [name for name in plots if f"run.{name}(" not in PAGE] == []


def test_every_key_of_a_test_case_is_told(cli, run_copy: Path) -> None:
    import json

    shown = cli("show", run_copy, "--most", 1, "--format", "jsonl").stdout
    assert [name for name in json.loads(shown) if f"`{name}`" not in PAGE] == []

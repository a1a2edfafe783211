"""docs/config.md: its files are read, its commands run with the bundled model, and every rule of names is told."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from places import ROOT

from skythought.pipeline.configfile import BUDGETS, read_config

PAGE = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = {re.match(r"# (\S+)\n", text)[1]: text for language, text in BLOCKS if language == "yaml"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_files_are_read(files):
    one, suite = read_config(files / "run.yaml"), read_config(files / "suite.yaml")
    assert (one.has_lists, [entry.name for entry in one.models]) == (False, ["tiny"])
    assert (len(suite.models), len(suite.tasks)) == (2, 2)
    assert [name for name in BUDGETS if f"`{name}`" not in PAGE] == []


@pytest.mark.engine
def test_the_commands_work_in_their_order(cli, files):
    pytest.importorskip("transformers")
    commands = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
    done = []
    for command in commands:
        if made := [path.name for path in files.glob("runs/*")]:  # whose digits are those of this version
            command = re.sub(r"runs/tiny_arithmetic_\w{6}", f"runs/{made[0]}", command)
        done.append(cli(*shlex.split(command)[1:]))
    assert [one.stderr for one in done if one.returncode] == []
    outputs = [one.stdout for one in done]
    assert "20 problems x 2 = 40 samples; answered before: 0; to ask: 40" in outputs[0]
    assert "20 x 4" in outputs[2]
    assert outputs[3].startswith("accuracy, with 95% intervals")
    assert outputs[4] == outputs[3]
    [again] = (files / "elsewhere").iterdir()
    assert (files / "runs" / again.name).is_dir()

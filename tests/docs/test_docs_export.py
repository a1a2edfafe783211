"""docs/export.md: its commands are run with the bundled model, and every option, format and column is told."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from skythought.catalog import part_names
from skythought.exporting.columns import KNOWN
from skythought.exporting.options import ExportOptions
from skythought.exporting.selection import PAIRINGS, WAYS
from skythought.exporting.verdicts import FAULTS

PAGE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, however long it takes."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.engine
@pytest.mark.timeout(1800)
def test_the_commands_work_in_their_order(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    done = []
    for language, text in BLOCKS:
        name = text.partition("\n")[0].removeprefix("# ")
        if language == "sh":
            done += [run(tmp_path, "-m", *shlex.split(command)) for command in text.splitlines()]
        elif name.endswith(".py"):
            (tmp_path / name).write_text(text, encoding="utf-8")
        else:
            done.append(run(tmp_path, "-c", text))
    assert [one.returncode for one in done] == [0] * 7, "".join(one.stdout + one.stderr for one in done)
    for name in ("asked", "right", "without faults", "first, 1 of a problem"):
        assert re.search(rf"^{name} ", done[1].stdout, re.MULTILINE)
        assert re.search(rf"^    {name} ", PAGE, re.MULTILINE)
    for name in ("sft", "short", "pairs", "problems", "python", "mine"):
        assert json.loads((tmp_path / name / "export.json").read_text(encoding="utf-8"))["rows"] > 0


def test_every_option_and_choice_is_told() -> None:
    options = ["--" + name.replace("_", "-") for name in ExportOptions.__dataclass_fields__]
    command_line = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [option for option in options if f"`{option}" not in command_line] == []
    choices = [*part_names("exporter"), *WAYS, *PAIRINGS, *FAULTS, *KNOWN]
    assert [choice for choice in choices if f"`{choice}`" not in PAGE] == []

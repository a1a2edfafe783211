"""docs/compare.md: its commands are run with the bundled model, and every key and format is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from places import ROOT

from skythought.cli.comparison import FORMATS
from skythought.comparison.comparison import Comparison
from skythought.comparison.gate import Policy, TaskLimits, read_policy
from skythought.comparison.matching import KINDS
from skythought.comparison.records import Estimate, PairComparison, TaskComparison

PAGE = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.engine
def test_the_commands_work_in_their_order(cli, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    [gate] = [text for language, text in BLOCKS if language == "yaml"]
    (tmp_path / "gate.yaml").write_text(gate, encoding="utf-8")
    commands = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
    done = [cli(*command.split()[1:]) for command in commands]
    assert [one.returncode for one in done] == [0, 0, 0, 0], done[-1].stdout + done[-1].stderr
    compared, gated = done[2].stdout, done[3].stdout
    assert re.match(r"temperature=0\.3 is better than temperature=1\.0 on arithmetic by [\d.]+ points \(", compared)
    headings = next(line for line in PAGE.splitlines() if line.strip().startswith("task  "))
    assert re.sub(r" +", " ", headings.strip()) in re.sub(r" +", " ", compared)
    for title in ("answers", "by family", "by level", "largest changes", "what else differs"):
        assert f"\n{title}\n" in compared
    assert gated.rstrip().endswith("gate passed: 6 checks")


def test_every_key_of_a_gate_file_is_told(tmp_path: Path) -> None:
    [gate] = [text for language, text in BLOCKS if language == "yaml"]
    (tmp_path / "gate.yaml").write_text(gate, encoding="utf-8")
    read_policy(tmp_path / "gate.yaml")
    assert set(yaml.safe_load(gate)) == set(Policy.model_fields)
    assert [name for name in TaskLimits.model_fields if f"`{name}`" not in PAGE] == []


def test_every_field_and_choice_is_told() -> None:
    [shape] = [text for language, text in BLOCKS if language == "json"]
    for record in (Comparison, PairComparison, TaskComparison):
        assert [name for name in record.__dataclass_fields__ if f'"{name}"' not in shape] == []
    assert [name for name in Estimate.__dataclass_fields__ if f"`{name}`" not in PAGE] == []
    assert [name for name in FORMATS if name != "text" and name not in PAGE] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in PAGE] == []

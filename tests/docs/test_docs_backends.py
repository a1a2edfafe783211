"""The engine of docs/backends.md, run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import ROOT

import skythought
from skythought.errors import UserError

PAGE = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def calculator(tmp_path: Path) -> str:
    """The example, in a file: its name as a backend."""
    [code] = BLOCKS
    file = tmp_path / "calculator.py"
    file.write_text(code, encoding="utf-8")
    return f"{file}:Calculator"


def test_your_own_engine(calculator, tmp_path):
    settings = {"model": "any", "backend": calculator, "end": 20, "result_dir": tmp_path}
    run = skythought.evaluate("arithmetic", **settings)
    assert len(list(run)) == 20
    assert {sample.finish_reason for sample in run} == {"stop"}
    assert {sample.verdict for sample in run if sample.row["family"] == "add"} == {"correct"}

    wrong = skythought.evaluate("arithmetic", **settings, backend_args={"off_by": 1})
    assert wrong.path != run.path
    assert {sample.verdict for sample in wrong if sample.row["family"] == "add"} == {"wrong"}
    assert wrong.summary["configuration"]["backend"]["backend_args"] == {"off_by": 1}

    with pytest.raises(UserError, match="unknown key 'of_by'. Did you mean 'off_by'"):
        skythought.evaluate("arithmetic", **settings, backend_args={"of_by": 1})
    with pytest.raises(UserError, match="sampling parameter"):
        skythought.evaluate("arithmetic", **settings, sampling_params={"top_k": 3})

"""The examples of docs/scoring.md, run as they stand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from places import ROOT

PAGE = ROOT / "docs" / "scoring.md"
BLOCK = re.compile(r"^```python(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def test_examples() -> None:
    for package in ("pandas", "datasets"):
        pytest.importorskip(package)
    names: dict[str, Any] = {}
    plain = [code for needs, code in BLOCKS if not needs]
    assert len(plain) >= 6
    for code in plain:
        exec(compile(code, str(PAGE), "exec"), names)


@pytest.mark.engine
def test_example_with_ray() -> None:
    """On a cluster of its own, which leaves others on this machine alone."""
    ray = pytest.importorskip("ray")
    names: dict[str, Any] = {}
    exec(next(code for needs, code in BLOCKS if "rows = [" in code), names)
    ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR")
    try:
        exec(next(code for needs, code in BLOCKS if needs == "ray"), names)
    finally:
        ray.shutdown()

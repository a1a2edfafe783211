"""docs/decontamination.md: its example runs, and every reason is told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from places import ROOT

from skythought.exporting.benchmarks import LEFT_OUT
from skythought.exporting.cleaning import HITS
from skythought.exporting.decontamination import Hit

PAGE = (ROOT / "docs" / "decontamination.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path) -> None:
    [text] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "[('known.txt', 1.0, 'whole', True)]"
    assert (tmp_path / "hits.jsonl").read_text(encoding="utf-8").count("\n") == 1


def test_names_are_told() -> None:
    names = [HITS, *Hit.__dataclass_fields__, "numina", "taco"]
    assert [name for name in names if name != "text" and f"`{name}`" not in PAGE] == []
    assert {"numina", "taco"} <= set(LEFT_OUT)

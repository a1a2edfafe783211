"""docs/numbers.md: where it says that something is recorded, a run has it."""

from __future__ import annotations

import json
import re
from functools import reduce
from pathlib import Path

from places import ROOT

import skythought

FILES = ("run.json", "results.json", "summary.json")


def test_what_is_said_to_be_recorded_is(finished_run: Path) -> None:
    table = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8").partition("| reason |")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[2])}
    record = json.loads((finished_run / "run.json").read_text(encoding="utf-8"))
    statistics = skythought.Run(finished_run).statistics
    response = next(iter(json.loads((finished_run / "results.json").read_text(encoding="utf-8")).values()))[
        "responses"
    ][0]
    assert len(told) >= 12
    for name in told - set(FILES):
        if name.startswith("config."):
            reduce(lambda part, key: part[key], name.split("."), record)
        else:
            assert name in statistics or name in response, name

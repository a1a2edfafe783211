"""What is said while a run goes on, where there is no live display."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from skythought.cli import progress
from skythought.pipeline.steps import Opened
from skythought.types import Response, SampleKey


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("term", ["dumb", None])
def test_lines_now_and_then_with_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], term: str | None
) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    if term:
        monkeypatch.setenv("TERM", term)
        monkeypatch.setenv("FORCE_COLOR", "1")

    config: Any = SimpleNamespace(task=SimpleNamespace(name="sums"))
    with progress.Display() as display:
        display.step(Opened(config, Path("runs/x"), 1000, 500))  # half of it was there before
        for number in range(200):
            clock.now += 1.0
            display.step(Response(key=SampleKey(str(number), 0), content="5", completion_tokens=3))
    lines = [line for line in capsys.readouterr().err.splitlines() if " samples, " in line and "left" in line]
    assert len(lines) == 4, "after 15 s, and every minute"
    assert lines[0].startswith("515 of 1,000 samples, ")
    assert lines[0].endswith("0:08:05 left"), "at the pace since it was opened"

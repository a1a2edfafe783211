"""`skythought view` in a real browser: a run that goes on, and marks that are saved beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser

from skythought.runs.marks import read_marks


class Growing:
    """A run folder that has half of its samples so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rest = {}
        for name in ("responses.jsonl", "scores.jsonl"):
            lines = (path / name).read_text(encoding="utf-8").splitlines(keepends=True)
            half = len(lines) // 2
            self._rest[name] = "".join(lines[half:])
            (path / name).write_text("".join(lines[:half]), encoding="utf-8")
        for name in ("results.json", "summary.json"):
            (path / name).unlink()

    def go_on(self) -> None:
        """Writes the other half."""
        for name, rest in self._rest.items():
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(rest)


@pytest.fixture
def growing(run_copy: Path) -> Growing:
    return Growing(run_copy)


@pytest.fixture
def address(growing: Growing, chromium: Browser) -> Iterator[str]:
    """Of the page about the run, served by the command."""
    command = [sys.executable, "-u", "-m", "skythought", "view", str(growing.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}) as server:
        assert server.stdout is not None
        yield next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        chromium.driver.get("about:blank")
        server.terminate()


def test_a_run_that_goes_on_is_followed(chromium: Browser, growing: Growing, address: str) -> None:
    chromium.open(f"{address}#/samples")
    chromium.until_text("8 of 8 samples")
    chromium.one(".row a").click()
    chromium.until_text("Ask this one again")
    growing.go_on()
    chromium.until_text("1 of 16", "nav.steps")
    chromium.one("nav.steps a").click()
    chromium.until_text("16 of 16 samples")
    chromium.all(".row a")[-1].click()
    chromium.until_text("Ask this one again")
    assert chromium.complaints() == []
    beyond = [one for one in chromium.requests() if not one.startswith((address.partition("?")[0], "about:"))]
    assert beyond == []


def test_doubts_are_saved_beside_the_run(chromium: Browser, growing: Growing, address: str) -> None:
    chromium.open(f"{address}#/samples")
    chromium.one(".row a").click()
    chromium.one(".doubt input").click()
    chromium.one(".doubt textarea").send_keys("the gold answer is wrong\t")
    chromium.wait(lambda: any(mark.note for mark in read_marks(growing.path).values()), "no mark is saved")
    [mark] = read_marks(growing.path).values()
    assert mark.doubt
    assert mark.note == "the gold answer is wrong"
    chromium.open(f"{address}#/doubts")
    chromium.until_text("the gold answer is wrong")
    chromium.all("#main li a")[0].click()
    chromium.one(".doubt input:checked").click()
    chromium.wait(lambda: not any(mark.doubt for mark in read_marks(growing.path).values()), "the mark stays")

"""docs/statistics.md: its examples give what they show, and the functions it tells of document themselves."""

import doctest
import subprocess
import sys

import pytest
from places import ROOT

from skythought import metrics
from skythought.metrics import intervals, multiple, paired, power, sequential

PAGE = ROOT / "docs" / "statistics.md"


def test_examples_give_what_they_show():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


@pytest.mark.parametrize("module", [metrics, intervals, paired, multiple, power, sequential])
def test_everything_says_what_it_guarantees(module):
    for name in module.__all__:
        if callable(function := getattr(module, name)) and function.__module__.startswith("skythought"):
            assert function.__doc__, name


def test_the_command_that_makes_the_tables_prints_the_pages_rows():
    """Those that are counted out, not simulated, are the same for any number of repeats."""
    command = [sys.executable, ROOT / "benchmarks" / "statistics_coverage.py", "--repeats", "2", "--only", "tests"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    page = PAGE.read_text(encoding="utf-8")
    assert len(rows) == 9
    assert all("|".join(row.split("|")[:4]) in page for row in rows)

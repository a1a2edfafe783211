"""docs/statistics.md: its examples give what they show, and the functions it tells of document themselves."""

import doctest

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

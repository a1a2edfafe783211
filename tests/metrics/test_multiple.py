"""Corrections against statsmodels; several tasks together."""

import numpy
import pytest
from statsmodels.stats.multitest import multipletests

from skythought.metrics import Tally
from skythought.metrics.multiple import benjamini_hochberg, holm, macro_difference, pooled_test
from skythought.metrics.paired import difference, sign_flip_test

FAMILIES = [[0.01, 0.04, 0.03, 0.005], [0.5], [], [0.02, 0.02, 0.9], list(numpy.linspace(0.001, 0.9, 23))]


@pytest.mark.parametrize("ps", FAMILIES)
def test_adjusted_p_values_equal_those_of_statsmodels(ps):
    for ours, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        theirs = list(multipletests(ps, method=method)[1]) if ps else []
        assert ours(ps) == pytest.approx(theirs)


def test_the_best_of_many_subsets_is_no_finding():
    """23 subsets without any difference: the smallest of 23 p-values is often below 0.05, the corrected one is not."""
    random = numpy.random.default_rng(0)
    bare = corrected = 0
    for _ in range(400):
        ps = [sign_flip_test([int(value) for value in random.choice([-1, 1], 40)]) for _ in range(23)]
        bare += min(ps) <= 0.05
        corrected += min(holm(ps)) <= 0.05
    assert bare / 400 > 0.4
    assert corrected / 400 <= 0.05 + 0.02


def task(n, gains):
    """A task whose problems have such gains in right samples."""
    return [Tally(n, max(0, -gain)) for gain in gains], [Tally(n, max(0, gain)) for gain in gains]


def test_each_task_counts_alike_in_the_macro_mean():
    large, small = task(1, [1] * 50 + [0] * 50), task(1, [0] * 10)
    found = macro_difference([large, small])
    assert (found.estimate, found.problems, found.wins) == (pytest.approx(0.25), 110, 50)
    alone = difference(*large).interval
    assert found.interval.half_width > alone.half_width / 2
    assert found.interval.low < found.estimate < found.interval.high
    assert found.p < 1e-6


def test_one_task_alone_is_its_own_macro_mean():
    only = task(4, [1, -2, 3, 4, 0, 1])
    found, alone = macro_difference([only]), difference(*only)
    assert found._replace(interval=None) == pytest.approx(alone._replace(interval=None))
    assert found.interval[:2] == pytest.approx(alone.interval[:2])
    assert macro_difference([only, ([Tally(0, 0)], [Tally(2, 1)])]).problems == 6
    assert macro_difference([]) is None


def test_small_gains_on_every_task_are_found_together():
    tasks = [task(1, [1] * 8 + [-1] * 2 + [0] * 20) for _ in range(3)]
    assert all(difference(*each).p > 0.05 for each in tasks)
    assert pooled_test(tasks) == pytest.approx(sign_flip_test([1] * 24 + [-1] * 6))
    assert pooled_test(tasks) < 0.01


def test_the_macro_interval_covers_two_tasks_of_different_size():
    random = numpy.random.default_rng(5)
    inside = 0
    for _ in range(100):
        tasks = []
        for problems, gain, loss in ((30, 0.15, 0.05), (100, 0.1, 0.1)):
            tasks.append(
                task(1, [int(way) for way in random.choice([1, -1, 0], problems, p=[gain, loss, 1 - gain - loss])])
            )
        found = macro_difference(tasks).interval
        inside += found.low <= 0.05 <= found.high
    assert inside / 100 >= 0.9

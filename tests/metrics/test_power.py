"""What could be seen, against simulation and Miller's own arithmetic."""

import math

import numpy
import pytest
from statsmodels.stats.power import NormalIndPower

from skythought.metrics import Tally
from skythought.metrics.paired import sign_flip_test
from skythought.metrics.power import (
    Split,
    detectable_difference,
    equivalence_factor,
    expected_split,
    problems_needed,
    samples_needed,
    split_of_pair,
    split_of_run,
)


def two_runs(problems, n, gain=0.0, seed=0):
    """Chances that differ by a normal of variance 0.0025 about `gain`, around a difficulty that both share."""
    random = numpy.random.default_rng(seed)
    hard = random.uniform(0.2, 0.8, problems)
    chances = hard, numpy.clip(hard + gain + random.normal(0, 0.05, problems), 0, 1)
    return [[Tally(n, int(right)) for right in random.binomial(n, chance)] for chance in chances]


def test_the_split_is_that_of_the_truth():
    split = split_of_pair(*two_runs(4000, 32))
    assert split.between == pytest.approx(0.0025, abs=0.0012)
    # E[p (1 - p)] of a uniform from 0.2 to 0.8
    assert split.within_a == pytest.approx(0.22, abs=0.01)


def test_needs_are_the_same_equation_solved_for_each_side():
    split = Split(0.01, 0.2, 0.16)
    seen = detectable_difference(split, 200, 4, 4)
    assert problems_needed(split, seen, 4, 4) in (200, 201)
    assert samples_needed(split, seen, 200) in (4, 5)
    # (1.95996 + 0.84162) sqrt((0.01 + 0.05 + 0.04) / 200)
    assert seen == pytest.approx(2.80158 * math.sqrt(0.1 / 200), rel=1e-4)
    theirs = NormalIndPower(ddof=0).solve_power(
        effect_size=seen / math.sqrt(0.1), nobs1=None, alpha=0.05, power=0.8, ratio=0, alternative="two-sided"
    )
    assert theirs == pytest.approx(200, rel=1e-3)


def test_more_samples_cannot_help_where_problems_differ_too_much():
    split = Split(0.04, 0.2, 0.2)
    floor = 2.80158 * math.sqrt(0.04 / 100)
    assert samples_needed(split, floor * 0.99, 100) is None
    assert samples_needed(split, floor * 1.01, 100) > 100
    assert samples_needed(split, 1.0, 100) == 1


def test_the_promised_power_is_kept():
    split = split_of_pair(*two_runs(4000, 4, seed=1))
    gain = detectable_difference(split, 200, 4, 4)
    found = 0
    for seed in range(300):
        a, b = two_runs(200, 4, gain, seed=seed + 10)
        found += sign_flip_test([y.right - x.right for x, y in zip(a, b, strict=True)]) <= 0.05
    assert found / 300 == pytest.approx(0.8, abs=0.08)


def test_one_run_or_a_guess_is_enough_for_a_plan():
    run = two_runs(3000, 8)[0]
    split = split_of_run(run, correlation=0.0)
    # twice the variance of a uniform from 0.2 to 0.8
    assert split.between == pytest.approx(2 * 0.03, abs=0.01)
    assert split_of_run(run, correlation=1.0).between == 0.0
    assert split_of_run([Tally(0, 0)]) is None
    assert split_of_pair([Tally(1, 1)], [Tally(1, 0)]) is None
    guessed = expected_split(0.5)
    assert guessed == pytest.approx((2 / 12 / 2, 1 / 6, 1 / 6))
    single = split_of_run([Tally(1, 1), Tally(1, 0)] * 500)
    assert single == pytest.approx(guessed)


def test_with_one_sample_each_the_variance_is_the_one_that_was_seen():
    pairs = [(0, 1)] * 3 + [(1, 1)] * 15 + [(0, 0)] * 12
    a, b = ([Tally(1, right) for right in side] for side in zip(*pairs, strict=True))
    split = split_of_pair(a, b)
    assert split.variance(1, 1) == pytest.approx(0.09 * 30 / 29)
    assert split.between == pytest.approx(split.variance(1, 1) / 5)
    assert split_of_pair(a, a) == (0, 0, 0)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_difference_below_the_margin_is_shown_to_be_with_the_promised_power(share):
    margin = 0.05
    factor = equivalence_factor(share * margin, margin)
    error = (margin - share * margin) / factor
    estimates = numpy.random.default_rng(0).normal(share * margin, error, 100_000)
    assert (numpy.abs(estimates) + 1.644854 * error < margin).mean() == pytest.approx(0.8, abs=0.01)

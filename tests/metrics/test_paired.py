"""Paired comparison: exact against scipy, right at small sizes, and false no more often than promised."""

import itertools
import time

import numpy
import pytest
from scipy import stats

from skythought.metrics import Tally
from skythought.metrics.paired import (
    difference,
    difference_interval,
    difference_test,
    equivalence,
    non_inferiority,
    sign_flip_test,
)


def contested(wins, losses, ties=0):
    """Two runs of one sample per problem."""
    a = [Tally(1, 0)] * wins + [Tally(1, 1)] * losses + [Tally(1, 1)] * ties
    b = [Tally(1, 1)] * wins + [Tally(1, 0)] * losses + [Tally(1, 1)] * ties
    return a, b


@pytest.mark.parametrize(("wins", "losses"), [(4, 0), (9, 2), (0, 1), (5, 5), (30, 12), (0, 0), (200, 260)])
def test_one_sample_each_is_mcnemars_exact_test(wins, losses):
    exact = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert difference_test(*contested(wins, losses, 10)) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    "differences", [[3, -1, 2, 5, -4, 1], [7] * 5 + [-2], [0, 0, 1], [1, 2, 4, 8, 16, -31], [64, -64]]
)
def test_several_samples_are_every_sign_counted(differences):
    total = abs(sum(differences))
    signed = itertools.product([-1, 1], repeat=len(differences))
    sums = [abs(sum(s * d for s, d in zip(signs, differences, strict=True))) for signs in signed]
    expected = sum(value >= total for value in sums) / len(sums)
    assert sign_flip_test(differences) == pytest.approx(expected)


def test_equals_scipys_permutation_test():
    differences = numpy.array([3, -1, 2, 5, -4, 1, 0, 2, 6, -1])
    theirs = stats.permutation_test(
        (differences,), numpy.sum, permutation_type="samples", n_resamples=numpy.inf, alternative="two-sided"
    )
    assert sign_flip_test(list(differences)) == pytest.approx(theirs.pvalue)


def test_a_large_comparison_is_quick_and_sure():
    random = numpy.random.default_rng(0)
    differences = [int(value) for value in random.integers(-64, 65, 500)]
    sign_flip_test(differences)
    start = time.process_time()
    p = sign_flip_test(differences)
    assert time.process_time() - start < 0.5  # 0.02 s here; a loop over 2^500 signs would not end
    assert p == pytest.approx(2 * stats.norm.sf(abs(sum(differences)) / numpy.linalg.norm(differences)), abs=0.01)
    assert 0 < sign_flip_test([1] * 900) < 1e-200


def test_unequal_numbers_of_samples_go_to_their_common_multiple():
    a, b = [Tally(2, 1), Tally(3, 0), Tally(4, 4)], [Tally(4, 4), Tally(4, 1), Tally(2, 1)]
    # 1/2, 1/4, -1/2 in quarters
    assert difference_test(a, b) == sign_flip_test([2, 1, -2])


def test_too_many_sums_are_drawn_with_a_seed():
    random = numpy.random.default_rng(1)
    sizes = random.integers(50, 65, 300)
    a = [Tally(int(n), int(random.integers(0, n + 1))) for n in sizes]
    b = [Tally(61, int(random.integers(0, 62))) for _ in a]
    gains = numpy.array([y.right / y.scored - x.right / x.scored for x, y in zip(a, b, strict=True)])
    p = difference_test(a, b)
    assert p == difference_test(a, b)
    assert p == pytest.approx(2 * stats.norm.sf(abs(gains.sum()) / numpy.linalg.norm(gains)), abs=0.02)


def test_no_difference_is_found_no_more_often_than_promised():
    """12 contested problems of 30, where the normal approximation is false too often."""
    random = numpy.random.default_rng(2)
    exact = normal = 0
    for _ in range(3000):
        wins = int(random.binomial(12, 0.5))
        exact += sign_flip_test([1] * wins + [-1] * (12 - wins)) <= 0.05
        normal += abs(2 * wins - 12) / numpy.sqrt(12) > 1.96
    assert exact / 3000 <= 0.05
    assert exact <= normal


@pytest.mark.parametrize("wins", [5, 6, 8, 9, 12, 20, 21])
def test_with_one_sample_each_interval_and_test_agree(wins):
    for losses in range(wins):
        a, b = contested(wins, losses, 10)
        found = difference(a, b)
        assert (found.interval.low > 0) == (found.p <= 0.05)
        back = difference_interval(b, a)
        assert (back.low, back.high) == pytest.approx((-found.interval.high, -found.interval.low))


def test_no_contested_problem_leaves_what_thirty_problems_can_tell():
    found = difference(*contested(0, 0, 30))
    assert (found.estimate, found.p) == (0.0, 1.0)
    assert found.interval[:2] == pytest.approx((-(1 - 0.025 ** (1 / 30)), 1 - 0.025 ** (1 / 30)), abs=1e-6)


def test_a_difference_says_what_it_compares():
    a = [Tally(4, 1), Tally(4, 4), Tally(0, 0), Tally(4, 2)]
    b = [Tally(4, 3), Tally(4, 4), Tally(4, 4), Tally(4, 1)]
    found = difference(a, b)
    assert (found.problems, found.wins, found.losses) == (3, 1, 1)
    assert (found.a, found.b, found.estimate) == pytest.approx((7 / 12, 8 / 12, 1 / 12))
    assert difference([Tally(0, 0)], [Tally(1, 1)]) is None
    with pytest.raises(ValueError, match="2 problems with 1"):
        difference([Tally(1, 1)] * 2, [Tally(1, 1)])
    with pytest.raises(ValueError, match="no problem"):
        difference_interval([Tally(0, 0)], [Tally(1, 1)])


@pytest.mark.parametrize("n", [1, 16])
@pytest.mark.parametrize(("first", "second", "alike"), [(0.02, 0.05, 0.6), (0.3, 0.3, 0.3), (0.5, 0.6, 0.9)])
def test_intervals_cover_the_difference_at_thirty_problems(n, first, second, alike):
    random = numpy.random.default_rng(3)
    scale = (1 - alike) / alike
    inside = 0
    for _ in range(300):
        rank = random.random(30)  # a problem is as hard for both
        chances = [stats.beta.ppf(rank, rate * scale, (1 - rate) * scale) for rate in (first, second)]
        a, b = ([Tally(n, int(right)) for right in random.binomial(n, chance)] for chance in chances)
        found = difference_interval(a, b)
        inside += found.low <= second - first <= found.high
    assert inside / 300 >= 0.925


def test_equivalence_is_shown_not_merely_not_refuted():
    few, many = contested(1, 1, 28), contested(10, 10, 3000)
    assert not equivalence(*few, margin=0.01).shown
    shown = equivalence(*many, margin=0.01)
    assert shown.shown
    assert shown.interval.level == pytest.approx(0.90)
    assert not equivalence(*contested(60, 0, 3000), margin=0.01).shown
    with pytest.raises(ValueError, match="above 0"):
        equivalence(*few, margin=0.0)


def test_non_inferiority_is_one_sided():
    better = contested(60, 0, 3000)
    assert non_inferiority(*better, margin=0.0).shown
    assert not non_inferiority(*better[::-1], margin=0.01).shown
    assert non_inferiority(*better[::-1], margin=0.03).shown
    with pytest.raises(ValueError, match="0 or more"):
        non_inferiority(*better, margin=-0.01)


def test_what_is_shown_is_false_no_more_often_than_promised():
    """B truly loses 10 points, exactly the margin: "not inferior" may be said in 5% of comparisons."""
    random = numpy.random.default_rng(4)
    shown = 0
    for _ in range(400):
        outcome = random.choice([-1, 0, 1], p=[0.2, 0.7, 0.1], size=100)
        shown += non_inferiority(*contested(*(int((outcome == way).sum()) for way in (1, -1, 0))), margin=0.1).shown
    assert shown / 400 <= 0.05 + 0.02

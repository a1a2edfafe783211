"""Intervals against independent implementations, and the promise that they cover by simulation and by enumeration."""

import math

import numpy
import pytest
from hypothesis import given, settings, strategies
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from skythought.metrics import Tally, accuracy, mean_at_n
from skythought.metrics.intervals import (
    accuracy_interval,
    beta,
    clopper_pearson,
    gaffke,
    pass_at_k_interval,
    wilson,
)

ENDS = [(0, 30), (1, 30), (17, 30), (30, 30), (3, 500), (0, 1), (1, 1)]


def tallies(right, total):
    return [Tally(1, 1)] * right + [Tally(1, 0)] * (total - right)


@pytest.mark.parametrize(("right", "total"), ENDS)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_intervals_of_a_proportion_equal_those_of_statsmodels(right, total, level):
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "beta")):
        theirs = proportion_confint(right, total, 1 - level, method)
        assert ours(right, total, level)[:2] == pytest.approx(theirs, abs=1e-9)
    posterior = stats.beta(1 + right, 1 + total - right)
    assert beta(right, total, level)[:2] == pytest.approx(posterior.interval(level))


@pytest.mark.parametrize(("right", "total"), ENDS)
def test_gaffkes_interval_of_right_and_wrong_is_clopper_pearsons(right, total):
    """By another way altogether: Imhof's integral against the inverse of the incomplete beta function."""
    values = [1.0] * right + [0.0] * (total - right)
    assert gaffke(values, (0, 1))[:2] == pytest.approx(clopper_pearson(right, total)[:2], abs=1e-7)
    assert accuracy_interval(tallies(right, total))[:2] == clopper_pearson(right, total)[:2]


def test_gaffkes_interval_is_the_bayesian_bootstrap_with_one_more_value_at_the_bound():
    values = [0.0, 0.1, 0.25, 0.5, 0.5, 0.9, 1.0, 0.3]
    weights = numpy.random.default_rng(0).dirichlet([1.0] * 9, size=400_000)
    low = numpy.quantile(weights @ numpy.array([*values, -1.0]), 0.025)
    high = numpy.quantile(weights @ numpy.array([*values, 2.0]), 0.975)
    assert gaffke(values, (-1, 2))[:2] == pytest.approx((low, high), abs=0.004)


@pytest.mark.parametrize("copies", [1, 10, 400])
def test_gaffkes_interval_goes_to_the_normal_one(copies):
    values = [0.1, 0.4, 0.4, 0.7, 0.9] * copies
    found = gaffke(values, (0, 1))
    half = 1.96 * numpy.std(values) / math.sqrt(len(values))
    # one more value at the bound weighs 1 / M, the error 1 / sqrt(M)
    assert 1 < found.half_width / half < 1 + 3 / math.sqrt(copies)


def test_values_may_come_with_counts_and_sizes():
    assert gaffke([0.2, 0.2, 0.7], (0, 1))[:2] == pytest.approx(gaffke([0.2, 0.7], (0, 1), counts=[2, 1])[:2])
    assert gaffke([4, 1], (0, 1), sizes=[8, 8])[:2] == pytest.approx(gaffke([0.5, 0.125], (0, 1))[:2])


def test_thirty_of_thirty_is_not_certain():
    found = accuracy_interval([Tally(1, 1)] * 30)
    assert (found.high, found.level) == (1.0, 0.95)
    assert found.low == pytest.approx(0.025 ** (1 / 30))
    assert accuracy_interval([Tally(16, 16)] * 30).low == pytest.approx(found.low)
    assert accuracy_interval([Tally(16, 16)] * 30, over="samples").low == pytest.approx(0.025 ** (1 / 480))
    assert accuracy_interval([Tally(16, 0)] * 30).low == 0.0
    assert pass_at_k_interval([Tally(4, 4)] * 30, 2)[:2] == pytest.approx(found[:2])


def test_both_kinds_of_error_are_told_apart():
    """Half of the problems always right, half never: asked again, nothing changes; other problems would."""
    sure = [Tally(16, 16)] * 50 + [Tally(16, 0)] * 50
    again, others = accuracy_interval(sure, over="samples"), accuracy_interval(sure)
    assert again.half_width < 0.005
    assert others[:2] == pytest.approx(clopper_pearson(50, 100)[:2], abs=1e-7)
    doubtful = [Tally(16, 8)] * 100
    assert accuracy_interval(doubtful, over="samples").half_width == pytest.approx(
        clopper_pearson(800, 1600).half_width, rel=0.05
    )


def test_clusters_count_as_the_groups_they_are():
    together = [Tally(1, 1)] * 50 + [Tally(1, 0)] * 50
    passages = [number // 10 for number in range(100)]
    assert accuracy_interval(together, clusters=passages)[:2] == pytest.approx(clopper_pearson(5, 10)[:2], abs=1e-7)
    assert accuracy_interval(together, clusters=range(100))[:2] == clopper_pearson(50, 100)[:2]


def test_failed_samples_and_problems_do_not_count():
    some = [Tally(4, 1), Tally(4, 4), Tally(4, 0)]
    assert accuracy_interval([*some, Tally(0, 0)]) == accuracy_interval(some)
    assert accuracy_interval([Tally(0, 0)]) is None
    assert pass_at_k_interval([Tally(1, 1)], 2) is None
    low, high, *_ = accuracy_interval([Tally(4, 1), Tally(1, 1), Tally(3, 2)])
    assert low < 4 / 8 < high


@pytest.mark.parametrize(
    "ask",
    [
        lambda: clopper_pearson(3, 2),
        lambda: wilson(0, 0),
        lambda: beta(1, 2, 95),
        lambda: accuracy_interval([Tally(2, 1)], level=1.0),
        lambda: accuracy_interval([Tally(2, 1)], clusters=["a", "b"]),
    ],
)
def test_what_has_no_interval_is_refused(ask):
    with pytest.raises(ValueError, match=r"not|no proportion"):
        ask()


@pytest.mark.parametrize("problems", [30, 100])
def test_one_sample_each_covers_at_every_rate(problems):
    """By enumeration of every outcome, not simulation. The normal approximation is far off at the same rates."""
    found = [accuracy_interval(tallies(right, problems)) for right in range(problems + 1)]
    worst_normal = 1.0
    for rate in numpy.linspace(0.02, 0.98, 49):
        chances = stats.binom.pmf(range(problems + 1), problems, rate)
        assert sum(chances[i] for i, at in enumerate(found) if at.low <= rate <= at.high) >= 0.95
        shares = numpy.arange(problems + 1) / problems
        half = 1.96 * numpy.sqrt(shares * (1 - shares) / problems)
        worst_normal = min(worst_normal, chances[abs(shares - rate) <= half].sum())
    assert worst_normal < 0.9


@pytest.mark.parametrize(("rate", "alike"), [(0.02, 0.6), (0.1, 0.3), (0.5, 0.9), (0.95, 0.6)])
def test_several_samples_cover_other_problems(rate, alike):
    """30 problems, 16 samples each; `alike` is the correlation of two samples of a problem."""
    random = numpy.random.default_rng(1)
    inside = 0
    for _ in range(300):
        scale = (1 - alike) / alike
        rights = random.binomial(16, random.beta(rate * scale, (1 - rate) * scale, 30))
        found = accuracy_interval([Tally(16, int(right)) for right in rights])
        inside += found.low <= rate <= found.high
    # 0.95, less twice the simulation's error
    assert inside / 300 >= 0.925


@pytest.mark.parametrize("chances", [[0.02] * 30, [0.001, 0.999] * 15, [0.3] * 30, [0.1, 0.5, 0.98] * 10])
def test_these_problems_asked_again_are_covered(chances):
    random = numpy.random.default_rng(2)
    inside = 0
    for _ in range(500):
        rights = random.binomial(4, chances)
        found = accuracy_interval([Tally(4, int(right)) for right in rights], over="samples")
        inside += found.low <= sum(chances) / 30 <= found.high
    assert inside / 500 >= 0.93


@given(
    rights=strategies.lists(
        strategies.tuples(strategies.integers(1, 20), strategies.floats(0, 1)), min_size=1, max_size=60
    ),
    copies=strategies.sampled_from([1, 1, 1, 40]),
    level=strategies.sampled_from([0.5, 0.8, 0.95, 0.999]),
)
@settings(max_examples=150, deadline=None)
def test_any_tallies_have_an_interval_around_their_accuracy(rights, copies, level):
    some = [Tally(n, round(share * n)) for n, share in rights] * copies
    wrong = [Tally(n, n - c) for n, c in some]
    mean = accuracy(some)
    for over in ("problems", "samples"):
        low, high, *_ = accuracy_interval(some, level, over)
        assert 0 <= low <= mean <= high <= 1
        back = accuracy_interval(wrong, level, over)
        assert (back.low, back.high) == pytest.approx((1 - high, 1 - low), abs=1e-5)
    wider = accuracy_interval(some, 1 - (1 - level) / 2)
    assert wider.low <= accuracy_interval(some, level).low + 1e-6
    first = pass_at_k_interval(some, 1, level)
    assert 0 <= first.low <= mean_at_n(some) + 1e-9
    assert mean_at_n(some) - 1e-9 <= first.high <= 1


def test_questions_on_one_passage_cover_only_as_clusters():
    random = numpy.random.default_rng(6)
    passages = [number // 5 for number in range(100)]
    inside = apart = 0
    for _ in range(200):
        chances = numpy.repeat(random.beta(0.5, 0.5, 20), 5)
        some = [Tally(1, int(right)) for right in random.binomial(1, chances)]
        grouped, plain = accuracy_interval(some, clusters=passages), accuracy_interval(some)
        inside += grouped.low <= 0.5 <= grouped.high
        apart += plain.low <= 0.5 <= plain.high
    assert inside / 200 >= 0.92
    assert apart / 200 < 0.85


def test_failed_samples_leave_coverage_as_it_is():
    """1 to 16 scored samples of each of 30 problems."""
    random = numpy.random.default_rng(7)
    inside = 0
    for _ in range(200):
        scored = random.integers(1, 17, 30)
        rights = random.binomial(scored, random.beta(1.35, 0.15, 30))
        found = accuracy_interval([Tally(int(n), int(c)) for n, c in zip(scored, rights, strict=True)])
        inside += found.low <= 0.9 <= found.high
    assert inside / 200 >= 0.92

import collections
import itertools
import math
import random
import statistics

import numpy
import pytest
import scorio.eval

from skythought import metrics
from skythought.metrics import Tally


def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample():
    samples = [True, True, False, False, False]
    for k in range(1, 6):
        subsets = list(itertools.combinations(samples, k))
        share = sum(any(subset) for subset in subsets) / len(subsets)
        assert metrics.pass_at_k(Tally(5, 2), k) == pytest.approx(share)


def test_pass_at_k_refuses_too_few_samples():
    with pytest.raises(ValueError, match="needs 4 samples"):
        metrics.pass_at_k(Tally(3, 1), 4)


@pytest.mark.parametrize(("n", "expected"), [(1, [1]), (2, [2, 1]), (6, [6, 4, 2, 1]), (8, [8, 4, 2, 1])])
def test_ks_are_n_and_the_powers_of_two_below(n, expected):
    assert metrics.ks(n) == expected


def test_table_has_the_references_keys_and_percent():
    tallies = [Tally(3, 3), Tally(3, 1), Tally(3, 0)]
    assert metrics.pass_at_k_table(tallies, 3) == {"k=3": 66.667, "k=2": 55.556, "k=1": 44.444}
    assert metrics.pass_at_k_table(tallies, 1) is None


def test_failed_samples_leave_a_problem_only_the_k_it_can_answer():
    table = metrics.pass_at_k_table([Tally(4, 0), Tally(2, 2)], 4)
    assert table == {"k=4": 0.0, "k=2": 50.0, "k=1": 50.0}


def test_accuracy_counts_judged_samples_only():
    assert metrics.accuracy([Tally(4, 2), Tally(0, 0)]) == 0.5
    assert metrics.accuracy([Tally(0, 0)]) is None


def test_clustered_error_matches_simulation():
    """Problems of very different difficulty, 8 samples each: the naive error would be far too small."""
    rng = random.Random(0)
    means, errors = [], []
    for _ in range(400):
        tallies = []
        for _ in range(50):
            difficulty = rng.choice([0.05, 0.95])
            tallies.append(Tally(8, sum(rng.random() < difficulty for _ in range(8))))
        means.append(metrics.accuracy(tallies))
        errors.append(metrics.accuracy_stderr(tallies))
    assert statistics.mean(errors) == pytest.approx(statistics.stdev(means), rel=0.1)
    naive = math.sqrt(0.25 / 400)
    assert statistics.mean(errors) > 2 * naive


def test_error_needs_two_problems():
    assert metrics.accuracy_stderr([Tally(8, 4)]) is None


RUNS = [
    [Tally(8, 0), Tally(8, 1), Tally(8, 5), Tally(8, 8)],
    [Tally(3, 2), Tally(3, 3)],
    [Tally(16, right) for right in range(17)],
    [Tally(1, 1), Tally(1, 0)],
]


def outcomes(tallies):
    """The same samples as scorio takes them: a row per problem, 1 for right."""
    return numpy.array([[1] * c + [0] * (n - c) for n, c in tallies])


def mean(metric, tallies, *args):
    return statistics.fmean(metric(tally, *args) for tally in tallies)


@pytest.mark.parametrize("tallies", RUNS)
def test_estimates_equal_scorios(tallies):
    seen = outcomes(tallies)
    assert metrics.mean_at_n(tallies) == pytest.approx(scorio.eval.avg(seen)[0])
    assert metrics.bayes_at_n(tallies) == pytest.approx(scorio.eval.bayes(seen))
    for k in range(1, tallies[0].scored + 1):
        assert mean(metrics.pass_at_k, tallies, k) == pytest.approx(scorio.eval.pass_at_k(seen, k), abs=1e-12)
        assert mean(metrics.pass_hat_k, tallies, k) == pytest.approx(scorio.eval.pass_hat_k(seen, k), abs=1e-12)
        assert mean(metrics.mg_pass_at_k, tallies, k) == pytest.approx(scorio.eval.mg_pass_at_k(seen, k), abs=1e-12)
        for tau in (0.0, 0.25, 0.5, 0.75, 1.0):
            theirs = scorio.eval.g_pass_at_k_tau(seen, k, tau)
            assert mean(metrics.g_pass_at_k, tallies, k, tau) == pytest.approx(theirs, abs=1e-12)


def test_g_pass_goes_from_pass_at_k_to_pass_hat_k():
    tally = Tally(20, 7)
    assert metrics.g_pass_at_k(tally, 10, 0.0) == pytest.approx(metrics.pass_at_k(tally, 10))
    assert metrics.g_pass_at_k(tally, 5, 1.0) == pytest.approx(metrics.pass_hat_k(tally, 5))
    # 0.55 * 100 is a little above 55 in floating point
    assert metrics.g_pass_at_k(Tally(100, 55), 100, 0.55) == 1.0


@pytest.mark.parametrize(
    "ask",
    [
        lambda: metrics.pass_hat_k(Tally(3, 1), 4),
        lambda: metrics.g_pass_at_k(Tally(3, 1), 0, 0.5),
        lambda: metrics.g_pass_at_k(Tally(3, 1), 2, 1.5),
        lambda: metrics.mg_pass_at_k(Tally(3, 1), 4),
        lambda: metrics.mg_pass_at_k(Tally(3, 1), 0),
        lambda: metrics.maj_at_k([(2, True)], 1, 4),
        lambda: metrics.maj_at_k([(2, True)], 1, 0),
    ],
)
def test_what_cannot_be_estimated_is_refused(ask):
    with pytest.raises(ValueError, match="not"):
        ask()


def vote(drawn, right):
    """The share of right ones among the answers that most of `drawn` gave; None votes for nothing."""
    votes = collections.Counter(answer for answer in drawn if answer is not None)
    tied = [answer for answer, count in votes.items() if count == max(votes.values())]
    return sum(right[answer] for answer in tied) / len(tied) if tied else 0.0


@pytest.mark.parametrize(
    ("classes", "unparsed"),
    [
        ([(3, True), (2, False), (1, False)], 2),
        ([(2, True), (2, True), (3, False)], 0),
        ([(4, False), (1, True)], 3),
        ([(1, False), (1, True), (1, False), (1, True)], 4),
        ([(5, False)], 1),
        ([], 5),
    ],
)
def test_majority_is_that_of_every_subset(classes, unparsed):
    samples = [None] * unparsed + [name for name, (size, _) in enumerate(classes) for _ in range(size)]
    right = [correct for _, correct in classes]
    for k in range(1, len(samples) + 1):
        votes = [vote(drawn, right) for drawn in itertools.combinations(samples, k)]
        assert metrics.maj_at_k(classes, unparsed, k) == pytest.approx(statistics.fmean(votes), abs=1e-12)


def test_majority_of_many_samples_is_exact_and_finite():
    classes = [(60, True), (59, False), *[(1, False)] * 40]
    assert metrics.maj_at_k(classes, 41, 1) == pytest.approx(0.3)
    assert metrics.maj_at_k(classes, 41, 200) == 1.0
    assert metrics.maj_at_k([(30, True), (29, False)], 2000, 1) == pytest.approx(30 / 2059)
    assert 0.5 < metrics.maj_at_k([(30, True), (25, False)], 9, 32) < 1.0


def test_bayes_keeps_its_prior_where_nothing_was_scored():
    assert metrics.bayes_at_n([Tally(0, 0)]) == pytest.approx((0.5, math.sqrt(1 / 12)))
    assert metrics.bayes_at_n([]) is None
    assert metrics.mean_at_n([Tally(0, 0)]) is None


def test_clustered_error_is_the_sandwich_of_statsmodels():
    import statsmodels.api

    tallies = [Tally(4, 1), Tally(4, 4), Tally(2, 0), Tally(8, 5), Tally(3, 3)]
    verdicts = [verdict for n, c in tallies for verdict in [1] * c + [0] * (n - c)]
    groups = [number for number, tally in enumerate(tallies) for _ in range(tally.scored)]
    model = statsmodels.api.OLS(verdicts, numpy.ones(len(verdicts)))
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    assert metrics.accuracy_stderr(tallies) == pytest.approx(float(fit.bse[0]))

import itertools
import math
import random
import statistics

import pytest

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

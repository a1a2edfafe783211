"""Estimates under "until K are right": without bias, by adding up every way in which the tries can come out."""

import math

import pytest

from skythought.metrics.stopped import Tries, pass_at_k_stopped, tries_of


def outcomes(chance, wanted, budget):
    """Every end that asking can come to, with its probability."""
    ends = [((), 1.0)]
    while ends:
        verdicts, probability = ends.pop()
        tries = tries_of(verdicts, wanted, budget)
        if tries is not None:
            yield tries, probability
        else:
            ends += [((*verdicts, True), probability * chance), ((*verdicts, False), probability * (1 - chance))]


@pytest.mark.parametrize("chance", [0.03, 0.4, 0.95])
@pytest.mark.parametrize(("wanted", "budget"), [(1, 1), (1, 8), (2, 8), (3, 9), (8, 8)])
def test_the_mean_over_all_outcomes_is_the_truth(chance, wanted, budget):
    ends = list(outcomes(chance, wanted, budget))
    assert math.fsum(probability for _, probability in ends) == pytest.approx(1)
    for k in range(1, budget + 1):
        mean = math.fsum(probability * pass_at_k_stopped(tries, k) for tries, probability in ends)
        assert mean == pytest.approx(1 - (1 - chance) ** k, abs=1e-12), k


def test_the_share_of_right_samples_would_be_far_off():
    """Why these estimates are needed: over problems of many chances, all samples together tell another number."""
    chances = [0.02, 0.1, 0.5, 0.9]
    right = tries = 0.0
    for chance in chances:
        for end, probability in outcomes(chance, 1, 16):
            right, tries = right + probability * end.right, tries + probability * end.tries
    assert sum(chances) / 4 == pytest.approx(0.38)
    assert right / tries < 0.14


def test_known_forms():
    assert pass_at_k_stopped(Tries(7, 3, 3), 1) == pytest.approx(2 / 6)  # Haldane's (K - 1) / (N - 1)
    assert [pass_at_k_stopped(Tries(3, 1, 1), k) for k in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert pass_at_k_stopped(Tries(8, 2, 3), 1) == pytest.approx(2 / 8)  # the budget ran out: as in a plain run
    assert pass_at_k_stopped(Tries(7, 0, 1), 8) is None


def test_what_counts_as_a_try():
    assert tries_of([False, True, False, True], 1, 8) == Tries(2, 1, 1)  # what was asked before does not count
    assert tries_of([False, None, True], 1, 8) == Tries(2, 1, 1)  # no verdict: no try
    assert tries_of([False, None, False], 1, 3) == Tries(2, 0, 1)  # but it uses the budget
    assert tries_of([False, False], 1, 3) is None
    assert tries_of([None], 1, 1) is None

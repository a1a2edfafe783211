"""Subsets against the other problems."""

from __future__ import annotations

import itertools
import random

import pytest

from skythought.metrics.subsets import against_the_rest
from skythought.metrics.tally import Tally


def test_with_one_sample_it_is_fishers_exact_test() -> None:
    from scipy.stats import fisher_exact

    problems = [Tally(1, right) for right in (1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0)]
    [p] = against_the_rest(problems, [problems[:5]])
    assert p == pytest.approx(fisher_exact([[4, 1], [2, 5]])[1])


def test_with_more_samples_it_is_the_share_of_draws_that_are_as_far_off() -> None:
    rng = random.Random(3)
    problems = [Tally(8, rng.randint(0, 8)) for _ in range(12)]
    mean = sum(one.right for one in problems) / 12
    draws = [sum(one.right for one in chosen) / 4 for chosen in itertools.combinations(problems, 4)]
    far = abs(sum(one.right for one in problems[:4]) / 4 - mean)
    exact = sum(abs(draw - mean) >= far - 1e-9 for draw in draws) / len(draws)
    [p] = against_the_rest(problems, [problems[:4]])
    assert p == pytest.approx(exact, abs=0.02)
    assert [p] == against_the_rest(problems, [problems[:4]]), "a seed of its own"


@pytest.mark.parametrize("samples", [1, 4])
def test_subsets_that_do_not_differ_are_seldom_called_different(samples: int) -> None:
    rng = random.Random(samples)
    false = 0
    for _ in range(40):
        problems = [Tally(samples, rng.randint(0, samples)) for _ in range(60)]
        ps = against_the_rest(problems, [problems[at : at + 10] for at in range(0, 60, 10)])
        false += min(p for p in ps if p is not None) <= 0.05
    assert false <= 5  # 2 are to be expected


def test_what_is_everything_or_nothing_has_no_p() -> None:
    problems = [Tally(2, 1), Tally(2, 2), Tally(0, 0)]
    assert against_the_rest(problems, [problems, problems[2:], []]) == [None, None, None]
    assert against_the_rest([], []) == []

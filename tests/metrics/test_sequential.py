"""Looking at every step costs nothing in error: proved by enumeration where it can be, else by simulation."""

import math
from fractions import Fraction

import numpy
import pytest

from skythought.metrics.paired import sign_flip_test
from skythought.metrics.sequential import MeanSequence, discordant_e_value


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (4, 0), (3, 2), (10, 1)])
def test_the_e_value_is_the_mixture_over_chances(wins, losses):
    """B(w + 1, l + 1) 2^(w + l), by factorials."""
    exact = Fraction(math.factorial(wins) * math.factorial(losses), math.factorial(wins + losses + 1))
    assert discordant_e_value(wins, losses) == pytest.approx(float(exact * 2 ** (wins + losses)))
    assert discordant_e_value(wins, losses, prior=3.0) > 0


def test_the_e_value_is_fair_at_every_step():
    """Under no difference the next one's mean is this one: what Ville's inequality asks for."""
    for wins in range(8):
        for losses in range(8):
            following = (discordant_e_value(wins + 1, losses) + discordant_e_value(wins, losses + 1)) / 2
            assert following == pytest.approx(discordant_e_value(wins, losses))


def test_extreme_counts_have_an_e_value():
    assert discordant_e_value(5000, 0) == math.inf
    assert 0 < discordant_e_value(5000, 5000) < 1
    with pytest.raises(ValueError, match="not -1"):
        discordant_e_value(-1, 0)


def test_no_difference_is_found_at_any_look():
    random = numpy.random.default_rng(0)
    exact = [[sign_flip_test([1] * w + [-1] * (n - w)) for w in range(n + 1)] for n in range(101)]
    ours = [[discordant_e_value(w, n - w) for w in range(n + 1)] for n in range(101)]
    false = peeked = 0
    for _ in range(1500):
        wins = random.integers(0, 2, 100).cumsum()
        looks = list(enumerate(wins, start=1))
        false += any(ours[n][w] >= 20 for n, w in looks)
        peeked += any(exact[n][w] <= 0.05 for n, w in looks)
    assert false / 1500 <= 0.05
    assert peeked / 1500 > 0.15


def whole(values, level=0.95):
    """The interval after each value."""
    sequence = MeanSequence(len(values), level)
    found = []
    for value in values:
        sequence.add(float(value))
        found.append(sequence.interval)
    return found


@pytest.mark.parametrize(
    "population",
    [
        [1.0] * 4 + [0.0] * 196,
        [1.0] * 140 + [0.0] * 60,
        [0.0] * 100 + [0.25] * 20 + [0.75] * 30 + [1.0] * 50,
        [0.5] * 200,
    ],
)
def test_the_mean_is_never_left_out_at_any_look(population):
    random = numpy.random.default_rng(1)
    truth = sum(population) / len(population)
    missed = 0
    for _ in range(100):
        missed += any(not at.low <= truth <= at.high for at in whole(random.permutation(population)))
    assert missed / 100 <= 0.05 + 0.04


def test_intervals_only_narrow_and_end_at_the_mean():
    values = numpy.random.default_rng(2).permutation([1.0] * 70 + [0.0] * 30)
    found = whole(values)
    for before, after in zip(found, found[1:], strict=False):
        assert before.low <= after.low <= after.high <= before.high
    assert found[-1][:2] == pytest.approx((0.7, 0.7))
    # without replacement: towards the end much narrower than any interval for an endless supply
    assert found[89].half_width < 1.96 * math.sqrt(0.21 / 90)


def test_means_over_many_samples_are_known_sooner_than_verdicts():
    random = numpy.random.default_rng(3)
    verdicts = random.permutation([1.0] * 150 + [0.0] * 150)
    shares = 0.5 + 0.1 * (verdicts - 0.5)
    assert whole(shares)[99].half_width < whole(verdicts)[99].half_width / 2


def test_a_sequence_takes_what_it_was_made_for():
    sequence = MeanSequence(1)
    assert (sequence.mean, sequence.interval[:2]) == (None, (0.0, 1.0))
    with pytest.raises(ValueError, match=r"not 1\.5"):
        sequence.add(1.5)
    sequence.add(1.0)
    assert (sequence.mean, sequence.interval[:2]) == (1.0, (1.0, 1.0))
    with pytest.raises(ValueError, match="all 1 values"):
        sequence.add(1.0)
    with pytest.raises(ValueError, match="not 0"):
        MeanSequence(0)

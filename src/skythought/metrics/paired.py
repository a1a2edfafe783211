"""Two runs over the same problems: are they different, by how much, and is one shown not to be worse.

Everything is paired by problem: `a[i]` and `b[i]` are the tallies of one problem in the two runs, and every difference
is b minus a, what B gains over A. Problems that one of them has not scored are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from skythought.metrics.intervals import Interval, gaffke
from skythought.metrics.tally import Tally

__all__ = [
    "Difference",
    "Margin",
    "difference",
    "difference_interval",
    "difference_test",
    "equivalence",
    "non_inferiority",
    "sign_flip_test",
]

CELLS = 400_000
"""Sums that the exact test counts, at most; beyond it, signs are drawn."""
FLIPS = 100_000


class Difference(NamedTuple):
    """What B gains over A, on the problems that both have scored. Shares in [-1, 1], not percent."""

    problems: int
    a: float
    b: float
    """Means over problems of the shares of right samples."""
    estimate: float
    """b - a."""
    interval: Interval
    p: float
    """Of no difference, two-sided: `difference_test`."""
    wins: int
    """Problems on which B has the larger share of right samples."""
    losses: int


class Margin(NamedTuple):
    """Whether a claim about the difference b - a is shown at a margin."""

    shown: bool
    margin: float
    interval: Interval
    """Of the difference, at the level 1 - 2 alpha of the two one-sided tests."""


def sign_flip_test(differences: Sequence[int]) -> float:
    """Exact two-sided p-value of "no difference": under it, each problem's difference has either sign equally often.

    The chance that |sum of differences| is as large as it is or larger, over all 2^M signs, by convolution: no
    simulation, no seed. For one sample per problem (differences -1, 0, 1) it is the exact test of McNemar (1947), the
    binomial test of wins among contested problems; for more, Fisher's randomization test (1935). Differences may be of
    any common scale: right samples of B minus right samples of A, for equal n. 1.0 where nothing differs. Takes as much
    memory as there are sums: numbers of the size of a run's samples.
    """
    import numpy as np

    sizes = [abs(value) for value in differences if value]
    if not sizes:
        return 1.0
    scale = math.gcd(*sizes)
    sizes = sorted(size // scale for size in sizes)
    observed = abs(sum(differences)) // scale
    total = sum(sizes)
    # chance[s] that the differences with sign plus add up to s; their sum with signs is then 2 s - total
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    filled = 0
    for size in sizes:
        half = chance[: filled + 1] * 0.5
        chance[: filled + 1] = half
        chance[size : size + filled + 1] += half
        filled += size
    upper = float(chance[(total + observed + 1) // 2 :].sum())
    return min(1.0, 2 * upper) if observed else 1.0


def difference_test(a: Sequence[Tally], b: Sequence[Tally]) -> float:
    """p-value of "no difference" between two runs over the same problems, by `sign_flip_test`.

    Where problems have unequal numbers of samples, shares are brought to their common multiple; where that has too many
    sums, 100,000 signs are drawn with a seed, and p is (1 + as large ones) / (1 + drawn). Raises ValueError for
    sequences of different lengths.
    """
    return weighted_test([(1.0, pair) for pair in _scored(a, b)])


def weighted_test(pairs: Sequence[tuple[float, tuple[Tally, Tally]]]) -> float:
    """As `difference_test`, with a weight for each problem's difference: weights are taken as exact fractions."""
    from fractions import Fraction

    parts = [
        Fraction(weight).limit_denominator(10**6) * (Fraction(b.right, b.scored) - Fraction(a.right, a.scored))
        for weight, (a, b) in pairs
    ]
    multiple = math.lcm(*(part.denominator for part in parts)) if parts else 1
    whole = [int(part * multiple) for part in parts]
    if sum(map(abs, whole)) <= CELLS * math.gcd(*whole):
        return sign_flip_test(whole)
    return _drawn_signs([float(part) for part in parts])


def _drawn_signs(differences: Sequence[float]) -> float:
    import numpy as np

    values = np.abs(np.array([value for value in differences if value]))
    observed = abs(sum(differences)) * (1 - 1e-12)
    random = np.random.default_rng(0)
    larger = 0
    batch = max(1, 5_000_000 // len(values))
    for start in range(0, FLIPS, batch):
        signs = random.integers(0, 2, size=(min(batch, FLIPS - start), len(values)), dtype=np.int8)
        larger += int((np.abs(2 * (signs @ values) - values.sum()) >= observed).sum())
    return (1 + larger) / (1 + FLIPS)


def difference(a: Sequence[Tally], b: Sequence[Tally], level: float = 0.95) -> Difference | None:
    """All of it for two runs; None if they have no scored problem in common.

    Raises ValueError for sequences of different lengths.
    """
    pairs = _scored(a, b)
    if not pairs:
        return None
    gains = [_gain(pair) for pair in pairs]
    first = sum(x.right / x.scored for x, _ in pairs) / len(pairs)
    second = sum(y.right / y.scored for _, y in pairs) / len(pairs)
    return Difference(
        problems=len(pairs),
        a=first,
        b=second,
        estimate=math.fsum(gains) / len(pairs),
        interval=difference_interval(a, b, level),
        p=difference_test(a, b),
        wins=sum(gain > 0 for gain in gains),
        losses=sum(gain < 0 for gain in gains),
    )


def difference_interval(a: Sequence[Tally], b: Sequence[Tally], level: float = 0.95) -> Interval:
    """Interval of the mean difference b - a on other problems like these, in [-1, 1].

    One sample per problem: `gaffke` over the differences -1, 0 and 1. It leaves out 0 exactly where the test finds a
    difference (p <= 1 - level), and needs no contested problem.

    Several: `gaffke` at -1, 0 and 1 again, with the same gains and losses, at the number of problems that would have
    the squared error which the differences show (as Korn & Graubard 1998 have Clopper-Pearson at an effective number of
    samples). To the differences' mean square about their mean, half of the standard deviation of one problem at -1, 0
    and 1 is added, over the number of problems: few problems may look alike by chance. docs/statistics.md has what it
    covers.

    Raises ValueError if no problem was scored by both, or sequences have different lengths.
    """
    gains = [_gain(pair) for pair in _scored(a, b)]
    if not gains:
        raise ValueError("no problem was scored in both runs")
    count = len(gains)
    gained = math.fsum(gain for gain in gains if gain > 0) / count
    lost = -math.fsum(gain for gain in gains if gain < 0) / count
    spread = gained + lost - (gained - lost) ** 2
    square = math.fsum((gain - gained + lost) ** 2 for gain in gains) / count
    size = count * spread / (square + math.sqrt(spread) / (2 * count)) if spread > 0 else count
    size = max(size, count)
    return gaffke([1, -1, 0], (-1, 1), level, counts=[gained * size, lost * size, (1 - gained - lost) * size])


def equivalence(a: Sequence[Tally], b: Sequence[Tally], margin: float, level: float = 0.95) -> Margin:
    """Whether it is shown that the runs differ by less than `margin` (a share: 0.01 is one point) either way.

    Two one-sided tests at alpha = 1 - level (Schuirmann 1987): the interval at 1 - 2 alpha lies within the margin. "No
    difference was found" shows nothing of the kind. Raises ValueError for a margin that is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"the margin of equivalence is above 0, as 0.01 for one point, not {margin}")
    interval = difference_interval(a, b, 2 * level - 1)
    return Margin(-margin < interval.low and interval.high < margin, margin, interval)


def non_inferiority(a: Sequence[Tally], b: Sequence[Tally], margin: float, level: float = 0.95) -> Margin:
    """Whether it is shown, one-sided at alpha = 1 - level, that B loses less than `margin` (a share) against A.

    With a margin of 0, whether B is shown to be better. Raises ValueError for a margin below 0.
    """
    if not margin >= 0:
        raise ValueError(f"the margin of non-inferiority is 0 or more, as 0.01 for one point, not {margin}")
    interval = difference_interval(a, b, 2 * level - 1)
    return Margin(interval.low > -margin, margin, interval)


def _scored(a: Sequence[Tally], b: Sequence[Tally]) -> list[tuple[Tally, Tally]]:
    if len(a) != len(b):
        raise ValueError(f"runs are compared problem by problem, not {len(a)} problems with {len(b)}")
    return [(x, y) for x, y in zip(a, b, strict=True) if x.scored and y.scored]


def _gain(pair: tuple[Tally, Tally]) -> float:
    a, b = pair
    return (b.right * a.scored - a.right * b.scored) / (a.scored * b.scored)

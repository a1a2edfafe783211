"""Intervals that hold with 30 problems, and at 0% and 100%: of proportions, and of means over problems."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, NamedTuple

from skythought.metrics.estimates import bayes_at_n, pass_at_k
from skythought.metrics.tally import Tally

__all__ = [
    "Interval",
    "Over",
    "accuracy_interval",
    "bayes_interval",
    "beta",
    "clopper_pearson",
    "gaffke",
    "pass_at_k_interval",
    "wilson",
]

Over = Literal["problems", "samples"]
"""Whose error is meant: other problems like these, or these problems asked again."""


class Interval(NamedTuple):
    """Where a number lies with confidence `level`, and by which method. In the unit of the number."""

    low: float
    high: float
    level: float
    method: str

    @property
    def half_width(self) -> float:
        """The x of "plus or minus x", where both sides are about alike."""
        return (self.high - self.low) / 2


def wilson(right: float, total: float, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927). `right` and `total` may be fractions of samples.

    Right on the average over proportions, but not at each one: it covers 93% here and there at 95%.
    """
    _check(right, total, level)
    z = normal_quantile(0.5 + level / 2)
    return Interval(*_wilson_limits(right / total, total, z), level, "Wilson")


def clopper_pearson(right: float, total: float, level: float = 0.95) -> Interval:
    """The exact interval of a proportion (Clopper & Pearson 1934): covers at least `level`, whatever the proportion.

    `right` and `total` may be fractions of samples.
    """
    from scipy.special import betaincinv

    _check(right, total, level)
    tail = (1 - level) / 2
    low = float(betaincinv(right, total - right + 1, tail)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, total - right, 1 - tail)) if right < total else 1.0
    return Interval(low, high, level, "Clopper-Pearson")


def beta(right: float, total: float, level: float = 0.95) -> Interval:
    """The central interval of Beta(1 + right, 1 + wrong), from a flat prior (Bowyer et al. 2025, arXiv:2503.01747)."""
    from scipy.special import betaincinv

    _check(right, total, level)
    tail = (1 - level) / 2
    low, high = (float(betaincinv(1 + right, 1 + total - right, q)) for q in (tail, 1 - tail))
    return Interval(low, high, level, "Beta")


def gaffke(
    values: Sequence[float],
    bounds: tuple[float, float],
    level: float = 0.95,
    sizes: Sequence[float] | None = None,
    counts: Sequence[float] | None = None,
) -> Interval:
    """Interval of a mean of independent values that lie within `bounds`, whatever else their distribution is.

    The Bayesian bootstrap (random weights, each problem's exponential) with one more value, imagined at the upper bound
    for the upper limit and at the lower one for the lower. For values of 0 and 1 it *is* Clopper-Pearson; for
    differences of -1, 0 and 1 it leaves out 0 exactly where McNemar's exact test finds a difference. That it never
    covers less than `level` is proved for two-point distributions; for others no counterexample is known (Gaffke 2005;
    Learned-Miller & Thomas 2019, arXiv:1905.06208; Phan et al. 2021, arXiv:2106.03163), and docs/statistics.md has it
    by simulation. With many problems it is the usual normal interval.

    Computed without simulation, to 1e-6: the chance that a weighted sum of exponentials is negative, by Imhof's
    integral (1961). With `sizes`, the interval is of sum(values) / sum(sizes), bounds being those of value / size. With
    `counts`, each value was seen so many times; fractions are allowed.
    """
    import numpy as np

    _check_level(level)
    seen: dict[tuple[float, float], float] = {}
    for value, size, count in zip(values, sizes or [1.0] * len(values), counts or [1.0] * len(values), strict=True):
        seen[value, size] = seen.get((value, size), 0.0) + count
    sums, weights = np.array([*seen], dtype=float).T
    times = np.array([*seen.values()], dtype=float)
    one = float((weights * times).sum() / times.sum())
    mean = float((sums * times).sum() / (weights * times).sum())

    def limit(bound: float) -> float:
        """The mean at which the tail, with one more value at `bound`, is (1 - level) / 2."""
        with_bound = np.append(times, 1.0)

        def excess(guess: float) -> float:
            pulls = np.append(sums - guess * weights, (bound - guess) * one)
            below = _chance_negative(pulls, with_bound)
            tail = 1 - below if bound > mean else below
            # as a normal deviate it is nearly straight, and soon solved
            return normal_quantile(min(max(tail, 1e-9), 1 - 1e-9)) - normal_quantile((1 - level) / 2)

        return _root(excess, mean, bound) if bound != mean else bound

    return Interval(limit(float(bounds[0])), limit(float(bounds[1])), level, "Gaffke")


def _chance_negative(pulls: Any, counts: Any) -> float:
    """Chance that sum of pull x Gamma(count) is below 0: Imhof's integral, by the trapezoid rule over log u.

    The integrand falls off exponentially at both ends, so that the rule converges geometrically in its step; below the
    first point it is mean x u. Ten standard deviations from 0 it swings too fast for the step, and the chance is 0 or 1
    to four digits.
    """
    import numpy as np

    pulls = pulls / np.sqrt((counts * pulls**2).sum())
    mean = float((counts * pulls).sum())
    if abs(mean) > 10:
        return float(mean < 0)
    step = 0.05
    points = np.exp(np.arange(-10.0, 9.0, step))
    scaled = np.outer(points, pulls)
    angle = np.arctan(scaled) @ counts
    damping = 0.5 * np.log1p(scaled**2) @ counts
    area = (np.sin(angle) * np.exp(-damping)).sum() + mean * points[0] / math.expm1(step)
    return float(0.5 - area * step / math.pi)


def _root(function: Callable[[float], float], left: float, right: float) -> float:
    """Where a function that falls from above 0 at `left` to below at `right` is 0: false position, Illinois variant."""
    at_left, at_right = function(left), function(right - (right - left) * 1e-9)
    if at_right >= 0:
        return right
    moved = 0
    for _ in range(100):
        middle = (left * at_right - right * at_left) / (at_right - at_left)
        value = function(middle)
        if abs(value) < 1e-8 or abs(right - left) < 1e-12:
            break
        side = 1 if value > 0 else -1
        if side > 0:
            left, at_left = middle, value
            at_right /= 2 if moved == side else 1
        else:
            right, at_right = middle, value
            at_left /= 2 if moved == side else 1
        moved = side
    return middle


def accuracy_interval(
    tallies: Sequence[Tally],
    level: float = 0.95,
    over: Over = "problems",
    clusters: Sequence[Hashable] | None = None,
) -> Interval | None:
    """Interval of `accuracy`, in [0, 1]; None if nothing was scored.

    `over="problems"`: where would the accuracy be on other problems like these? `gaffke` over problems, which is
    `clopper_pearson` for one sample each. `clusters` names, for each tally, the passage or subject it belongs to, where
    problems come in groups: then over groups.

    `over="samples"`: where would it be if the model were asked these same problems again? Clopper-Pearson at the number
    of samples that would have the error that samples of one problem show against each other: their squared error, over
    all, is that of the sum over problems of c (n - c) / (n - 1), plus z^2, so that problems which were always right, or
    never, may still surprise. With one sample each, nothing is known of that error: Clopper-Pearson then covers
    too much.

    Raises ValueError for a level not in (0, 1) or clusters of another length.
    """
    if clusters is not None and len(clusters) != len(tallies):
        raise ValueError(f"clusters names {len(clusters)} problems, not {len(tallies)}")
    names = clusters if clusters is not None else range(len(tallies))
    scored = [(name, tally) for name, tally in zip(names, tallies, strict=True) if tally.scored]
    if not scored:
        return None
    if over == "samples":
        return _asked_again([tally for _, tally in scored], level)
    rights: Counter[Hashable] = Counter()
    sizes: Counter[Hashable] = Counter()
    for name, (n, c) in scored:
        rights[name] += c
        sizes[name] += n
    if all(size == 1 for size in sizes.values()):
        return clopper_pearson(sum(rights.values()), len(sizes), level)
    return gaffke([rights[name] for name in sizes], (0, 1), level, [*sizes.values()])


def _asked_again(tallies: Sequence[Tally], level: float) -> Interval:
    total = sum(tally.scored for tally in tallies)
    mean = sum(tally.right for tally in tallies) / total
    spread = mean * (1 - mean)
    noise = sum(c * (n - c) / (n - 1) if n > 1 else spread for n, c in tallies)
    size = spread * total**2 / (noise + normal_quantile(0.5 + level / 2) ** 2)
    size = max(size, total)
    return clopper_pearson(mean * size, size, level)


def pass_at_k_interval(tallies: Sequence[Tally], k: int, level: float = 0.95) -> Interval | None:
    """Interval of the mean of `pass_at_k` over problems, for other problems like these, in [0, 1]: `gaffke`.

    Over the problems with at least k scored samples; None if there is none.
    """
    values = [pass_at_k(tally, k) for tally in tallies if tally.scored >= k]
    return gaffke(values, (0, 1), level) if values else None


def bayes_interval(tallies: Sequence[Tally], level: float = 0.95) -> Interval | None:
    """The central interval of Bayes@N: of the Beta distribution that has its mean and deviation; see `bayes_at_n`."""
    from scipy.special import betaincinv

    _check_level(level)
    if (found := bayes_at_n(tallies)) is None:
        return None
    mean, deviation = found
    size = mean * (1 - mean) / deviation**2 - 1
    low, high = (float(betaincinv(mean * size, (1 - mean) * size, q)) for q in ((1 - level) / 2, (1 + level) / 2))
    return Interval(low, high, level, "Bayes@N")


def _wilson_limits(share: float, total: float, z: float) -> tuple[float, float]:
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (max(0.0, middle - half) if share > 0 else 0.0), (min(1.0, middle + half) if share < 1 else 1.0)


def normal_quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is between 0 and 1, as 0.95, not {level}")


def _check(right: float, total: float, level: float) -> None:
    _check_level(level)
    if not (total > 0 and -1e-9 <= right <= total + 1e-9):
        raise ValueError(f"{right} right of {total} is no proportion")

"""Intervals of an accuracy or of pass@k that hold with 30 problems, and at 0% and 100%."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple

from skythought.metrics.estimates import bayes_at_n, pass_at_k
from skythought.metrics.tally import Tally

__all__ = [
    "Interval",
    "Over",
    "accuracy_interval",
    "bayes_interval",
    "beta",
    "clopper_pearson",
    "mean_interval",
    "pass_at_k_interval",
    "wilson",
]

Over = Literal["problems", "samples"]
"""Whose error is meant: other problems like these, or these problems asked again."""


class Interval(NamedTuple):
    """Where a number lies with confidence `level`, and by which method. Same unit as the number."""

    low: float
    high: float
    level: float
    method: str

    @property
    def half_width(self) -> float:
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


def accuracy_interval(
    tallies: Sequence[Tally],
    level: float = 0.95,
    over: Over = "problems",
    clusters: Sequence[Hashable] | None = None,
) -> Interval | None:
    """Interval of `accuracy`, in [0, 1]; None if nothing was scored.

    `over="problems"`: where would the accuracy be on other problems like these? `over="samples"`: where would it be if
    the model were asked these same problems again? `clusters` names, for each tally, the passage or subject that it
    belongs to, where problems themselves come in groups.

    With one sample per problem it is `clopper_pearson`. With more, Clopper-Pearson at the effective number of samples,
    accuracy (1 - accuracy) / SE^2 (Korn & Graubard 1998, "Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data"), with SE clustered by problem. Raises ValueError for
    a level not in (0, 1) or clusters of another length.
    """
    if clusters is not None and len(clusters) != len(tallies):
        raise ValueError(f"clusters has {len(clusters)} entries for {len(tallies)} problems")
    pairs = [(t, clusters[i] if clusters is not None else i) for i, t in enumerate(tallies) if t.scored]
    if not pairs:
        return None
    scored = [tally for tally, _ in pairs]
    total = sum(tally.scored for tally in scored)
    mean = sum(tally.right for tally in scored) / total
    if over == "samples":
        return _effective(mean, _within_square(scored), total, total, 4.0 * total, level)
    groups: dict[Hashable, tuple[float, int]] = {}
    for tally, name in pairs:
        error, size = groups.get(name, (0.0, 0))
        groups[name] = error + tally.right - mean * tally.scored, size + tally.scored
    count = len(groups)
    square = sum(error**2 for error, _ in groups.values()) / total**2
    least = total**2 / sum(size**2 for _, size in groups.values())
    return _effective(mean, square * count / (count - 1) if count > 1 else 0.0, least, least, total, level)


def pass_at_k_interval(tallies: Sequence[Tally], k: int, level: float = 0.95) -> Interval | None:
    """Interval of the mean of `pass_at_k` over problems, for other problems like these, in [0, 1].

    Over the problems with at least k scored samples; None if there is none. The method is that of `accuracy_interval`.
    """
    values = [pass_at_k(tally, k) for tally in tallies if tally.scored >= k]
    return mean_interval(values, max((tally.scored for tally in tallies), default=0) // k, level)


def mean_interval(values: Sequence[float], each: int, level: float = 0.95) -> Interval | None:
    """Interval of the mean over problems of values in [0, 1], for other problems like these; None without values.

    The method is that of `accuracy_interval`; `each` is how many independent looks at a problem a value sums up, such
    as 8 samples by 4 for pass@4: no problem can count for more than that.
    """
    if not values:
        return None
    count, mean = len(values), sum(values) / len(values)
    square = sum((value - mean) ** 2 for value in values) / max(count - 1, 1) / count
    return _effective(min(mean, 1.0), square, count, count, each * count, level)


def bayes_interval(tallies: Sequence[Tally], level: float = 0.95) -> Interval | None:
    """The central interval of Bayes@N: of the Beta distribution that has its mean and deviation; see `bayes_at_n`."""
    from scipy.special import betaincinv

    if (found := bayes_at_n(tallies)) is None:
        return None
    mean, deviation = found
    size = mean * (1 - mean) / deviation**2 - 1
    low, high = (float(betaincinv(mean * size, (1 - mean) * size, q)) for q in ((1 - level) / 2, (1 + level) / 2))
    return Interval(low, high, level, "Bayes@N")


def _within_square(tallies: Sequence[Tally]) -> float:
    """Squared error of the accuracy when the same problems are asked again; from problems with two samples and more."""
    total = sum(tally.scored for tally in tallies)
    return sum(n * (c * (n - c) / (n - 1)) / n for n, c in tallies if n > 1) / total**2


def _effective(mean: float, square: float, floor: float, default: float, most: float, level: float) -> Interval:
    """Clopper-Pearson at the number of independent samples that would have the squared error `square`."""
    spread = mean * (1 - mean)
    size = spread / square if square > 0 and spread > 0 else default
    size = min(max(size, floor), most)
    return clopper_pearson(mean * size, size, level)


def _wilson_limits(share: float, total: float, z: float) -> tuple[float, float]:
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (max(0.0, middle - half) if share > 0 else 0.0), (min(1.0, middle + half) if share < 1 else 1.0)


def normal_quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def t_quantile(share: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def _check(right: float, total: float, level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is between 0 and 1, as 0.95, not {level}")
    if not (total > 0 and -1e-9 <= right <= total + 1e-9):
        raise ValueError(f"{right} right of {total} is no proportion")
